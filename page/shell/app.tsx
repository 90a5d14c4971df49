// The frame around every view: what the page is, where one can go, light or dark, the glossary.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { BenchView } from "../bench/view.js";
import { CostsView } from "../costs/view.js";
import { MatrixView } from "../matrix/view.js";
import { kernelOfReport } from "../report/given.js";
import { ReportView } from "../report/view.js";
import { kernelParameter } from "../search/cell.js";
import { StoryView } from "../story/view.js";
import { TraceView } from "../trace/view.js";
import { WalkView } from "../walk/view.js";
import { glossary } from "./glossary.js";
import { routeText, useRoute, type ViewName, viewNames } from "./route.js";

/** What a view is called, and what it answers. */
const views: Record<ViewName, { title: string; asks: string; show: (parameters: URLSearchParams) => JSX.Element }> = {
  report: {
    title: "Report",
    asks: "",
    show: () => <ReportView />,
  },
  trace: {
    title: "Trace",
    asks: "What happened when, and who walked through a freed table?",
    show: (parameters) => <TraceView parameters={parameters} />,
  },
  costs: {
    title: "Costs",
    asks: "What does each policy cost, and what does it leave open?",
    show: (parameters) => <CostsView parameters={parameters} />,
  },
  matrix: {
    title: "Matrix",
    asks: "Which policy is safe where?",
    show: (parameters) => <MatrixView parameters={parameters} />,
  },
  story: {
    title: "Story",
    asks: "How does a walk come to a freed table?",
    show: (parameters) => <StoryView parameters={parameters} />,
  },
  walk: {
    title: "Walk",
    asks: "How does an address get from the root to its page?",
    show: (parameters) => <WalkView parameters={parameters} />,
  },
  benchmark: {
    title: "Benchmark",
    asks: "How fast is the engine here?",
    show: () => <BenchView />,
  },
};

/** The whole page. */
export function App(): JSX.Element {
  const { view, parameters } = useRoute();
  const isText = view === "report";
  const heading = useRef<HTMLHeadingElement>(null);
  const shown = useRef(view);
  useEffect(() => {
    document.title = `${views[view].title} · stalewalk`;
    // Who has followed a link to another view goes on reading there.
    if (shown.current !== view) focusView(heading.current);
    shown.current = view;
  }, [view]);
  return (
    <>
      <button type="button" class="skip" onClick={() => focusView(heading.current)}>
        Skip to the view
      </button>
      <header>
        <p class="name">
          stale<b>walk</b>
        </p>
        <nav aria-label="Views">
          {viewNames().map((name) => (
            <a key={name} href={routeText(name, aboutOf(name))} aria-current={name === view ? "page" : undefined}>
              {views[name].title}
            </a>
          ))}
        </nav>
        <Scheme />
        <Glossary />
      </header>
      {isText ? (
        views[view].show(parameters)
      ) : (
        <main id="view">
          <h1 ref={heading} tabIndex={-1}>
            {views[view].title} <small>{views[view].asks}</small>
          </h1>
          {views[view].show(parameters)}
        </main>
      )}
      {!isText && (
        <footer>
          <p>
            stalewalk: an exact model of x86-64 page walks. The engine runs in this page; nothing is sent or fetched.
          </p>
        </footer>
      )}
    </>
  );
}

/** What a view shows first: verdicts in a report are of its kernel. */
function aboutOf(name: ViewName): Record<string, string | undefined> {
  const kernel = name === "matrix" || name === "story" ? kernelOfReport() : undefined;
  return kernel === undefined ? {} : { kernel: kernelParameter(kernel) };
}

/** Of a report as text the heading stands outside of what is drawn here. */
function focusView(heading: HTMLElement | null): void {
  (heading ?? document.getElementById("main"))?.focus();
}

const schemes = ["light dark", "light", "dark"] as const;
const schemeWords = { "light dark": "as the system", light: "light", dark: "dark" } as const;

function Scheme(): JSX.Element {
  const [scheme, setScheme] = useState<(typeof schemes)[number]>("light dark");
  useEffect(() => {
    document.documentElement.style.colorScheme = scheme;
  }, [scheme]);
  return (
    <label class="scheme">
      Colours
      <select value={scheme} onChange={(event) => setScheme(event.currentTarget.value as typeof scheme)}>
        {schemes.map((name) => (
          <option key={name} value={name}>
            {schemeWords[name]}
          </option>
        ))}
      </select>
    </label>
  );
}

function Glossary(): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  return (
    <>
      <button type="button" onClick={() => dialog.current?.showModal()}>
        Glossary
      </button>
      <dialog ref={dialog} aria-labelledby="glossary-title">
        <h2 id="glossary-title">What the words mean</h2>
        <dl>
          {Object.entries(glossary).map(([term, meaning]) => (
            <div key={term}>
              <dt>{term}</dt>
              <dd>{meaning}</dd>
            </div>
          ))}
        </dl>
        <button type="button" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </dialog>
    </>
  );
}
