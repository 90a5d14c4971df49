// What stands at a step: the way through memory on the left, the frames in the middle, what the caches hold on the right, the lists
// below.

import type { JSX } from "preact";
import { TABLE_NAMES } from "../../src/paging/describe.js";
import type { AgentKind } from "../../src/verdicts/index.js";
import { Term } from "../shell/term.js";
import { nameOf } from "../walk/caches.js";
import { hex } from "../words.js";
import { Arrows } from "./arrows.js";
import type { CachedPointer, FrameCard, StoryState } from "./state.js";

/** The state; `frames` are those that the story has to do with. */
export function Stage(props: {
  state: StoryState;
  frames: readonly number[];
  address: bigint;
  agent: AgentKind;
}): JSX.Element {
  const { state, frames, address, agent } = props;
  const cards = state.frames.filter(({ frame }) => frames.includes(frame));
  const taken = new Set(state.path.map(({ tableFrame }) => tableFrame));
  return (
    <Arrows of={state}>
      <section class="memory" aria-labelledby="memory-title">
        <h2 id="memory-title">In memory</h2>
        <p class="quiet mono">{hex(address)}</p>
        <ol>
          {state.path.map(({ level, index, entry, names, leaf, changed }) => (
            <li
              key={level}
              class={`pointer${changed ? " changed" : ""}${entry === 0n ? " cleared" : ""}`}
              data-to={names !== 0 && !leaf ? names : undefined}
              data-kind="memory"
            >
              <b>
                {TABLE_NAMES[level]} [{index}]
              </b>{" "}
              <span class="mono">{entry === 0n ? "cleared" : hex(entry)}</span>{" "}
              <small>{names === 0 ? "" : leaf ? `→ page ${hex(names)}` : `→ ${hex(names)}`}</small>
            </li>
          ))}
        </ol>
      </section>
      <section class="frames" aria-labelledby="frames-title">
        <h2 id="frames-title">
          <Term of="frame">Frames</Term>
        </h2>
        <ul>
          {cards.map((card) => (
            <Card key={card.frame} card={card} onPath={taken.has(card.frame)} />
          ))}
        </ul>
      </section>
      <section class="held" aria-labelledby="held-title">
        <h2 id="held-title">{agent === "cpu" ? "Caches of CPU 1" : "Caches of the IOMMU"}</h2>
        {state.pointers.length === 0 && <p class="quiet">Nothing is cached.</p>}
        <ul>
          {state.pointers.map((pointer) => (
            <Cached key={pointer.key} pointer={pointer} />
          ))}
        </ul>
        {state.dropped > 0 && (
          <p class="told-note">
            ✓ {state.dropped} {state.dropped === 1 ? "entry was" : "entries were"} dropped in this step.
          </p>
        )}
        {state.walks.map(({ address: at, level, frame }) => (
          <p key={at} class="wait-note">
            A walk of {hex(at)} is under way: it reads the {TABLE_NAMES[level]} in {hex(frame)} next.
          </p>
        ))}
      </section>
      <Lists state={state} agent={agent} />
    </Arrows>
  );
}

function Card({ card, onPath }: { card: FrameCard; onPath: boolean }): JSX.Element {
  const { frame, state, level, generation, held, next, freedAt, word, changed } = card;
  const use = state === "table" ? (TABLE_NAMES[level] ?? "table") : state === "data" ? "someone's data" : "free";
  return (
    <li class={`card ${state}${held ? " waits" : ""}${changed ? " changed" : ""}`} data-frame={frame}>
      <b class="mono">{hex(frame)}</b> <span class="use">{use}</span>
      {held && <span class="tag">waits</span>}
      {state === "table" && !onPath && !held && <span class="tag plain">not on the path</span>}
      <small>
        <Term of="generation">gen.</Term> {generation}
        {state === "free" && next !== undefined && ` · ${next === 1 ? "taken next" : `taken as no. ${next}`}`}
        {freedAt !== undefined && ` · freed at step ${freedAt}`}
      </small>
      {state === "data" && <small class="mono">{hex(word)} …</small>}
    </li>
  );
}

function Cached({ pointer }: { pointer: CachedPointer }): JSX.Element {
  const { cache, level, leaf, address, frame, generation, stale, changed } = pointer;
  return (
    <li
      class={`pointer${stale ? " stale-pointer" : ""}${changed ? " changed" : ""}`}
      data-to={leaf ? undefined : frame}
      data-kind={stale ? "stale-arrow" : "cached"}
    >
      <b>{leaf ? `translation (${cache})` : nameOf(cache).replace(/ entries.*/, " entry")}</b>{" "}
      <span class="mono">{hex(address)}</span>{" "}
      <small>
        → {leaf ? "page" : TABLE_NAMES[level - 1]} {hex(frame)}
        {generation !== undefined && `, gen. ${generation}`}
      </small>
      {stale && <strong> stale</strong>}
    </li>
  );
}

function Lists({ state, agent }: { state: StoryState; agent: AgentKind }): JSX.Element {
  const held = state.frames.filter((it) => it.held).map(({ frame }) => hex(frame));
  const free = state.frames
    .filter(({ next }) => next !== undefined)
    .sort((a, b) => (a.next ?? 0) - (b.next ?? 0))
    .map(({ frame }) => hex(frame));
  return (
    <dl class="lists">
      <div class={held.length > 0 ? "waits" : ""}>
        <dt>
          <Term of="deferred work">Waiting for the worker</Term>
        </dt>
        <dd class="mono">{held.join(", ") || "–"}</dd>
      </div>
      <div>
        <dt>Free frames, the next first</dt>
        <dd class="mono">
          {free.slice(0, 4).join(", ")}
          {free.length > 4 && `, … ${free.length - 4} more`}
        </dd>
      </div>
      {agent === "iommu" && (
        <div>
          <dt>
            Rounds of IOMMU <Term of="invalidation" />
          </dt>
          <dd>{state.rounds}</dd>
        </div>
      )}
      <div class={state.hazards > 0 ? "bad" : ""}>
        <dt>
          <Term of="hazard">Hazards</Term>
        </dt>
        <dd>{state.hazards}</dd>
      </div>
    </dl>
  );
}
