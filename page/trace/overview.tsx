// The whole time in one strip: density of events, freed tables, walks through them; what is shown below is a window in it, which is
// dragged, and drawn anew elsewhere.

import type { JSX } from "preact";
import { useMemo, useRef } from "preact/hooks";
import { columns, type Rows } from "./rows.js";
import { useWidth } from "./use-width.js";
import { clamp, type Span } from "./window.js";

const HEIGHT = 54;

/** The strip. */
export function Overview(props: { rows: Rows; span: Span; onSpan: (span: Span) => void }): JSX.Element {
  const { rows, span, onSpan } = props;
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const drag = useRef<{ at: number; span: Span | undefined } | undefined>(undefined);
  const timeAt = (event: PointerEvent): number => {
    const { left } = box.current!.getBoundingClientRect();
    return ((event.clientX - left) / Math.max(1, width)) * rows.end;
  };
  const down = (event: PointerEvent): void => {
    const at = timeAt(event);
    // Inside the window it is moved, if it is wide enough to be meant.
    const inside = at >= span.from && at <= span.to && ((span.to - span.from) / rows.end) * width > 8;
    const whole = span.to - span.from > 0.98 * rows.end;
    drag.current = { at, span: inside && !whole ? span : undefined };
    box.current!.setPointerCapture(event.pointerId);
  };
  const move = (event: PointerEvent): void => {
    if (!drag.current) return;
    const at = timeAt(event);
    const { at: start, span: moved } = drag.current;
    if (moved) onSpan(clamp({ from: moved.from + at - start, to: moved.to + at - start }, rows.end));
    else if (Math.abs(at - start) > rows.end / width) {
      onSpan(clamp({ from: Math.min(at, start), to: Math.max(at, start) }, rows.end));
    }
  };
  const up = (): void => {
    drag.current = undefined;
  };
  const x = (ns: number): number => (ns / rows.end) * width;
  // What does not move with the window is made once, and painted once: it has a picture of its own.
  const marks = useMemo(() => <Marks rows={rows} width={width} />, [rows, width]);
  const [left, right] = [x(span.from), Math.max(x(span.from) + 3, x(span.to))];
  return (
    <div class="overview" ref={box} onPointerDown={down} onPointerMove={move} onPointerUp={up} onPointerCancel={up}>
      {marks}
      <svg class="over" width={width} height={HEIGHT} aria-hidden="true">
        <rect class="outside" x={0} y={0} width={Math.max(0, left)} height={HEIGHT} />
        <rect class="outside" x={right} y={0} width={Math.max(0, width - right)} height={HEIGHT} />
        <rect class="window" x={left} y={1} width={right - left} height={HEIGHT - 2} />
      </svg>
    </div>
  );
}

function Marks({ rows, width }: { rows: Rows; width: number }): JSX.Element {
  const wide = Math.max(1, width);
  const worst = rows.policies.reduce(
    (most, row) => (row.walked.length > most.length ? row.walked : most),
    [] as { free: number }[],
  );
  // One square a column of pixels: more would lie upon each other.
  const hit = new Set(worst.map(({ free }) => Math.round(((rows.frees.ns[free] ?? 0) / rows.end) * wide)));
  return (
    <svg width={width} height={HEIGHT} aria-hidden="true">
      <path class="tick process" d={bars(columns(rows.processFlushes, 0, rows.end, wide), 0.35)} />
      <path class="tick flush" d={bars(columns(rows.kernelFlushes, 0, rows.end, wide), 0.6)} />
      {columns(rows.frees, 0, rows.end, wide).map(({ x }) => (
        <rect key={x} class="freed" x={x - 3} y={3} width={7} height={7} />
      ))}
      {[...hit].map((x) => (
        <rect key={x} class="freed is-hit" x={x - 3} y={3} width={7} height={7} />
      ))}
    </svg>
  );
}

function bars(marks: { x: number; count: number }[], share: number): string {
  const most = Math.log2(1 + Math.max(1, ...marks.map(({ count }) => count)));
  return marks
    .map(
      ({ x, count }) =>
        `M${x} ${HEIGHT}v${(-HEIGHT * share * (0.25 + (0.75 * Math.log2(1 + count)) / most)).toFixed(1)}`,
    )
    .join("");
}
