// The time line as something to work with: pointer, wheel and keyboard move and zoom it; what is pointed at is said below.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Lines } from "./lines.js";
import { countIn, type Rows } from "./rows.js";
import { clock, length, name } from "./text.js";
import { useWidth } from "./use-width.js";
import { clamp, pan, type Span, zoom } from "./window.js";

/** What a key does to the span. */
const KEYS: Record<string, (span: Span, end: number) => Span> = {
  ArrowLeft: (span, end) => pan(span, -0.2, end),
  ArrowRight: (span, end) => pan(span, 0.2, end),
  "+": (span, end) => zoom(span, 0.5, (span.from + span.to) / 2, end),
  "=": (span, end) => zoom(span, 0.5, (span.from + span.to) / 2, end),
  "-": (span, end) => zoom(span, 2, (span.from + span.to) / 2, end),
  Home: (_, end) => clamp({ from: 0, to: end }, end),
};

/** The chart. */
export function Chart(props: {
  rows: Rows;
  span: Span;
  unit: "ns" | "ticks";
  free: number | undefined;
  onSpan: (span: Span) => void;
  onFree: (free: number) => void;
}): JSX.Element {
  const { rows, span, unit, free, onSpan, onFree } = props;
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const [at, setAt] = useState<number | undefined>();
  const drag = useRef<{ x: number; span: Span } | undefined>(undefined);
  const now = useRef({ span, rows, onSpan });
  now.current = { span, rows, onSpan };
  const timeAt = (clientX: number): number => {
    const { left } = box.current!.getBoundingClientRect();
    return span.from + ((clientX - left) / Math.max(1, width)) * (span.to - span.from);
  };
  // A wheel listener that keeps the page from scrolling must not be passive, and Preact's are.
  useEffect(() => {
    const target = box.current;
    if (!target) return;
    const wheel = (event: WheelEvent): void => {
      const held = event.ctrlKey || event.metaKey;
      const sideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
      if (!held && !sideways && document.activeElement !== target) return;
      event.preventDefault();
      const { span: shown, rows: all, onSpan: say } = now.current;
      const { left, width: wide } = target.getBoundingClientRect();
      if (sideways) say(pan(shown, (event.deltaX || event.deltaY) / wide, all.end));
      else {
        const pointed = shown.from + ((event.clientX - left) / wide) * (shown.to - shown.from);
        say(zoom(shown, 2 ** (event.deltaY / 200), pointed, all.end));
      }
    };
    target.addEventListener("wheel", wheel, { passive: false });
    return () => target.removeEventListener("wheel", wheel);
  }, []);
  const press = (event: KeyboardEvent): void => {
    const act = KEYS[event.key];
    if (!act || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    onSpan(act(span, rows.end));
  };
  const down = (event: PointerEvent): void => {
    drag.current = { x: event.clientX, span };
    box.current!.setPointerCapture(event.pointerId);
  };
  const move = (event: PointerEvent): void => {
    setAt(timeAt(event.clientX));
    if (!drag.current) return;
    const by = ((drag.current.x - event.clientX) / Math.max(1, width)) * (span.to - span.from);
    onSpan(clamp({ from: drag.current.span.from + by, to: drag.current.span.to + by }, rows.end));
  };
  const up = (event: PointerEvent): void => {
    const still = drag.current && Math.abs(drag.current.x - event.clientX) < 3;
    drag.current = undefined;
    if (!still) return;
    const near = nearest(rows, timeAt(event.clientX), ((span.to - span.from) / Math.max(1, width)) * 8);
    if (near !== undefined) onFree(near);
  };
  const says = at === undefined ? undefined : sayAt(rows, at, span, width, unit);
  return (
    <>
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is for form controls */}
      <div
        class="chart-box"
        ref={box}
        role="group"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the keys that move and zoom go here
        tabIndex={0}
        aria-label={`Time line from ${clock(span.from, span.to - span.from, unit)} to ${clock(span.to, span.to - span.from, unit)}. Arrow keys move, plus and minus zoom, Home shows all.`}
        onKeyDown={press}
        onPointerDown={down}
        onPointerMove={move}
        onPointerUp={up}
        onPointerCancel={up}
        onPointerLeave={() => setAt(undefined)}
      >
        {width > 0 && <Lines rows={rows} span={span} width={width} unit={unit} free={free} at={at} />}
      </div>
      <p class="pointed">
        {says ??
          "Point at the time line to read it; drag it, or zoom with the wheel while Ctrl is held; click a freed table."}
      </p>
    </>
  );
}

/** The free next to a time, within reach. */
function nearest({ frees }: Rows, at: number, reach: number): number | undefined {
  let best: number | undefined;
  for (let i = 0; i < frees.ns.length; i++) {
    const away = Math.abs(frees.ns[i]! - at);
    if (away <= reach && (best === undefined || away < Math.abs(frees.ns[best]! - at))) best = i;
  }
  return best;
}

/** What lies within three pixels. */
function sayAt(rows: Rows, at: number, span: Span, width: number, unit: "ns" | "ticks"): string {
  const reach = ((span.to - span.from) / Math.max(1, width)) * 3;
  const near = (row: Parameters<typeof countIn>[0]): number => countIn(row, at - reach, at + reach);
  const parts: string[] = [];
  const add = (count: number, one: string, many = `${one}s`): void => {
    if (count > 0) parts.push(`${count.toLocaleString("en")} ${count === 1 ? one : many}`);
  };
  add(near(rows.frees), "table freed", "tables freed");
  add(near(rows.kernelFlushes), "kernel flush", "kernel flushes");
  add(near(rows.processFlushes), "flush of a process", "flushes of processes");
  for (const policy of rows.policies) {
    const found: string[] = [];
    const told = near(policy.invalidations);
    const walks = near(policy.hazards);
    if (told > 0) found.push(`${told.toLocaleString("en")} told to the IOMMU`);
    if (walks > 0) found.push(`${walks.toLocaleString("en")} walks through freed tables`);
    if (found.length > 0) parts.push(`${name(policy.name)}: ${found.join(", ")}`);
  }
  const what = parts.length > 0 ? parts.join("; ") : "nothing";
  return `${clock(at, span.to - span.from, unit)} (± ${length(reach, unit)}): ${what}`;
}
