// The time line itself: rows over one time axis. At most one mark a pixel column is drawn, so that ten million events cost what a
// thousand do; closer, the marks are single events.

import { type LinearScale, scaleLinear } from "d3-scale";
import type { JSX } from "preact";
import { columns, type Events, firstAt, type PolicyRow, type Rows, stretches } from "./rows.js";
import { length, name } from "./text.js";
import type { Span } from "./window.js";

/** Heights of rows, pixels: of the kernel's, and of a policy's; above each its name. */
const ROW = 16;
const POLICY = 26;
const NAME = 17;
const AXIS = 24;

/** What is drawn, and where. */
export interface LinesProps {
  rows: Rows;
  span: Span;
  width: number;
  unit: "ns" | "ticks";
  /** The free that is chosen. */
  free: number | undefined;
  /** Where the pointer is. */
  at: number | undefined;
}

/** Height of everything. */
export function heightOf(rows: Rows): number {
  return AXIS + 3 * (ROW + NAME) + rows.policies.length * (POLICY + NAME) + 6;
}

/** The picture. */
export function Lines({ rows, span, width, unit, free, at }: LinesProps): JSX.Element {
  const scale = scaleLinear([span.from, span.to], [0, width]);
  const height = heightOf(rows);
  let top = AXIS;
  const next = (room: number): number => {
    const y = top + NAME;
    top += NAME + room;
    return y;
  };
  const chosen = free === undefined ? undefined : rows.frees.ns[free];
  return (
    <svg class="lines" width={width} height={height} aria-hidden="true">
      <Axis scale={scale} span={span} width={width} height={height} unit={unit} />
      {rows.untilNs < span.to && (
        <rect
          class="binned"
          x={Math.max(0, scale(rows.untilNs))}
          y={AXIS}
          width={Math.max(0, width - Math.max(0, scale(rows.untilNs)))}
          height={height - AXIS}
        />
      )}
      {chosen !== undefined && <path class="chosen" d={`M${scale(chosen).toFixed(1)} ${AXIS}V${height}`} />}
      <Row title="kernel flushes" y={next(ROW)} width={width}>
        <Ticks events={rows.kernelFlushes} span={span} width={width} y={AXIS + NAME} height={ROW} kind="flush" />
      </Row>
      <Row title="flushes of processes" y={next(ROW)} width={width}>
        <Ticks
          events={rows.processFlushes}
          span={span}
          width={width}
          y={AXIS + 2 * NAME + ROW}
          height={ROW}
          kind="process"
        />
      </Row>
      <Row title="tables freed" y={next(ROW)} width={width}>
        <Frees rows={rows} span={span} width={width} y={AXIS + 3 * NAME + 2 * ROW} free={free} />
      </Row>
      {rows.policies.map((policy) => (
        <Policy key={policy.name} policy={policy} span={span} width={width} y={next(POLICY)} />
      ))}
      {at !== undefined && <path class="pointer" d={`M${scale(at).toFixed(1)} ${AXIS}V${height}`} />}
    </svg>
  );
}

function Axis(props: {
  scale: LinearScale;
  span: Span;
  width: number;
  height: number;
  unit: "ns" | "ticks";
}): JSX.Element {
  const { scale, span, width, height, unit } = props;
  const ticks = scale.ticks(Math.max(2, Math.floor(width / 130)));
  const step = ticks.length > 1 ? ticks[1]! - ticks[0]! : span.to - span.from;
  const [size, word] =
    unit === "ticks"
      ? [1, ""]
      : step >= 1e8
        ? [1e9, " s"]
        : step >= 1e5
          ? [1e6, " ms"]
          : step >= 100
            ? [1e3, " µs"]
            : [1, " ns"];
  // Near the whole, times count from the first event; close up, from a round time that the first tick says.
  const base = ticks.length > 0 && ticks[0]! / step > 1000 ? ticks[0]! : 0;
  const text = (tick: number, i: number): string => {
    if (base !== 0 && i > 0) return `+${Number(((tick - base) / size).toPrecision(6))}${word}`;
    if (base !== 0) return `${(tick / 1e9).toFixed(Math.max(0, Math.round(-Math.log10(step / 1e9))))} s`;
    return `${Number((tick / size).toPrecision(6))}${word}`;
  };
  return (
    <g class="axis">
      <path d={ticks.map((tick) => `M${scale(tick).toFixed(1)} ${AXIS - 4}V${height}`).join("")} />
      {ticks.map((tick, i) => {
        const x = scale(tick);
        const anchor = x < 40 ? "start" : x > width - 40 ? "end" : "middle";
        return (
          <text key={tick} x={x} y={AXIS - 8} text-anchor={anchor}>
            {text(tick, i)}
          </text>
        );
      })}
    </g>
  );
}

function Row(props: { title: string; y: number; width: number; children: JSX.Element }): JSX.Element {
  const { title, y, width, children } = props;
  return (
    <g>
      <text x={2} y={y - 4}>
        {title}
      </text>
      <path class="ground" d={`M0 ${y + ROW}h${width}`} />
      {children}
    </g>
  );
}

function tall(count: number, height: number): number {
  return Math.min(height, 0.45 * height + (0.55 * height * Math.log2(1 + count)) / 8);
}

function Ticks(props: {
  events: Events;
  span: Span;
  width: number;
  y: number;
  height: number;
  kind: string;
}): JSX.Element {
  const { events, span, width, y, height, kind } = props;
  const marks = columns(events, span.from, span.to, width);
  const foot = y + height;
  const path = marks.map(({ x, count }) => `M${x} ${foot}v${-tall(count, height).toFixed(1)}`).join("");
  return (
    <>
      <path class={`tick ${kind}`} d={path} />
      {roomy(marks, width) &&
        marks
          .filter(({ count }) => count > 1)
          .map(({ x, count }) => (
            <text key={x} class={`many ${kind}`} x={x + 4} y={foot - height / 2 + 4}>
              {count}
            </text>
          ))}
    </>
  );
}

/** Whether there is room for a word beside each mark. */
function roomy(marks: readonly { x: number }[], width: number): boolean {
  return marks.length > 0 && marks.length < width / 60;
}

function Frees(props: { rows: Rows; span: Span; width: number; y: number; free: number | undefined }): JSX.Element {
  const { rows, span, width, y, free } = props;
  const { frees } = rows;
  const perPixel = (span.to - span.from) / width;
  const placeOf = (i: number): number => (frees.ns[i]! - span.from) / perPixel;
  let path = "";
  let last = Number.NEGATIVE_INFINITY;
  for (let i = firstAt(frees, span.from); i < frees.ns.length && frees.ns[i]! <= span.to; i++) {
    const x = placeOf(i);
    if (x - last < 3) continue;
    last = x;
    path += boxPath(x - 4.5, y + 4, 9, 9);
  }
  const chosen = free === undefined ? undefined : placeOf(free);
  return (
    <>
      <path class="freed" d={path} />
      {chosen !== undefined && chosen > -9 && chosen < width + 9 && (
        <path class="freed is-chosen" d={boxPath(chosen - 4.5, y + 4, 9, 9)} />
      )}
    </>
  );
}

/** A box as part of a path: a thousand boxes of one kind are one element, which is what keeps panning smooth. */
function boxPath(x: number, y: number, width: number, height: number): string {
  return `M${x.toFixed(1)} ${y}h${width.toFixed(1)}v${height}h${(-width).toFixed(1)}z`;
}

/** Boxes from and to times; what lies on others, or closer than a pixel behind one, becomes one with it. */
function boxesPath(
  parts: readonly { from: number; to: number }[],
  place: { scale: LinearScale; width: number; y: number; height: number },
): string {
  const { scale, width, y, height } = place;
  let path = "";
  let box: { x: number; right: number } | undefined;
  const end = (): void => {
    if (box) path += boxPath(box.x, y, Math.max(2, box.right - box.x), height);
  };
  for (const { from, to } of parts.toSorted((a, b) => a.from - b.from)) {
    const x = Math.max(-5, scale(from));
    const right = Math.min(width + 5, scale(to));
    if (box && x <= box.right + 1) box.right = Math.max(box.right, right);
    else {
      end();
      box = { x, right };
    }
  }
  end();
  return path;
}

function Policy(props: { policy: PolicyRow; span: Span; width: number; y: number }): JSX.Element {
  const { policy, span, width, y } = props;
  const scale = scaleLinear([span.from, span.to], [0, width]);
  const foot = y + POLICY;
  const seen = policy.walked.filter(({ from, to }) => to >= span.from && from <= span.to);
  const held = stretches(policy.held, span.from, span.to);
  const marks = columns(policy.hazards, span.from, span.to, width);
  return (
    <g>
      <text x={2} y={y - 4} class="policy">
        {name(policy.name)}
      </text>
      <path class="ground" d={`M0 ${foot}h${width}`} />
      <path class="stale-span" d={boxesPath(seen, { scale, width, y, height: POLICY })} />
      <path class="held" d={boxesPath(held, { scale, width, y: y + 8, height: POLICY - 16 })} />
      {held.map((it) => {
        const x = scale(it.from);
        return (
          scale(it.to) - x > 90 && (
            <text key={it.from} class="many held-text" x={x + 5} y={y + 17}>
              {it.frames} held {length(it.to - it.from, "ns")}
            </text>
          )
        );
      })}
      <Ticks events={policy.invalidations} span={span} width={width} y={y} height={POLICY} kind="told" />
      <path
        class="tick hazard"
        d={marks.map(({ x, count }) => `M${x} ${y}v${tall(count, POLICY).toFixed(1)}`).join("")}
      />
      {marks.length <= 40 && (
        <path class="cross" d={marks.map(({ x }) => `M${x - 3} ${y + 1}l6 6m0 -6l-6 6`).join("")} />
      )}
    </g>
  );
}
