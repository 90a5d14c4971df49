// A walk drawn with lines, for terminals: the root, a box for each table with the entry that was read in it, then the page or the
// refusal. Side by side where the width allows it, else one below the other. Pure functions on text.
import type { Explanation } from "../hardware/context.js";
import { describeEntry, describeSize, hexAddress, TABLE_NAMES } from "../paging/describe.js";
import { isLeaf, shiftOf } from "../paging/levels.js";
import { describeRights, rightsAlong } from "../paging/rights.js";
import { textWidth } from "./table.js";

/** What is drawn. */
export interface Walk {
  readonly root: bigint;
  readonly explanation: Explanation;
}

interface Box {
  readonly title: string;
  readonly lines: readonly string[];
  /** A refusal has a double border, as on the page. */
  readonly refused: boolean;
}

/** Between boxes side by side. */
const ARROW = "──▶";
const GAP = "   ";

/** Lines of at most `width` columns; undefined if there is no room even for boxes one below the other. */
export function walkBoxes({ root, explanation: { chain, outcome } }: Walk, width: number): string[] | undefined {
  const rights = rightsAlong(chain.map(({ entry }) => entry)).map(describeRights);
  const tables = chain.map(({ level, tableFrame, index, entry }, i): Box => {
    const low = shiftOf(level);
    return {
      title: `${TABLE_NAMES[level]} 0x${tableFrame.toString(16)}`,
      lines: [
        `bits ${low + 8}..${low}: [${index}]`,
        hexAddress(entry),
        ...inThrees(describeEntry(entry, isLeaf(entry, level))),
        `so far: ${rights[i]}`,
      ],
      refused: false,
    };
  });
  const boxes = [...tables, endOf(outcome)];
  return beside(root, boxes, width) ?? below(root, boxes, width);
}

function endOf(outcome: Explanation["outcome"]): Box {
  switch (outcome.kind) {
    case "ok":
      return {
        title: `page of ${describeSize(outcome.pageSize)}`,
        lines: ["address", hexAddress(outcome.physicalAddress)],
        refused: false,
      };
    case "fault":
      return { title: "refused", lines: [`at level ${outcome.level}:`, outcome.reason], refused: true };
    case "absent":
      return {
        title: "not in the image",
        lines: [`the table of level ${outcome.level},`, `frame 0x${outcome.frame.toString(16)}`],
        refused: true,
      };
    case "non-canonical":
      return { title: "refused", lines: ["the address is", "not canonical"], refused: true };
  }
}

/** Words three in a line: a box is to be as narrow as the entry. */
function inThrees(text: string): string[] {
  const words = text.split(" ");
  return Array.from({ length: Math.ceil(words.length / 3) }, (_, line) =>
    words.slice(3 * line, 3 * line + 3).join(" "),
  );
}

function beside(root: bigint, boxes: readonly Box[], width: number): string[] | undefined {
  const height = Math.max(...boxes.map(({ lines }) => lines.length));
  const drawn = boxes.map((box) => frame(box, innerWidth(box), height));
  const first = `root ${hexAddress(root)} `;
  const total = drawn.reduce((sum, lines) => sum + textWidth(lines[0] ?? ""), ARROW.length * (drawn.length - 1));
  if (total > width) return undefined;
  const arrowAt = 2;
  const rows = Array.from({ length: height + 2 }, (_, at) =>
    drawn
      .map((lines) => lines[at] ?? "")
      .join(at === arrowAt ? ARROW : GAP)
      .trimEnd(),
  );
  return [`${first}leads to`, ...rows];
}

function below(root: bigint, boxes: readonly Box[], width: number): string[] | undefined {
  // A line a box where there is room for it: a walk is to be seen at once.
  const flat = boxes.map((box) => ({ ...box, lines: [box.lines.join("  ")] }));
  if (Math.max(...flat.map(innerWidth)) + 4 <= width) return stacked(root, flat);
  return Math.max(...boxes.map(innerWidth)) + 4 <= width ? stacked(root, boxes) : undefined;
}

function stacked(root: bigint, boxes: readonly Box[]): string[] {
  const inner = Math.max(...boxes.map(innerWidth));
  const arrow = ["  ▼"];
  return [`root ${hexAddress(root)}`, ...boxes.flatMap((box) => [...arrow, ...frame(box, inner, box.lines.length)])];
}

function innerWidth({ title, lines }: Box): number {
  return Math.max(textWidth(title) + 2, ...lines.map(textWidth));
}

const PLAIN = { corners: "┌┐└┘", across: "─", down: "│" };
const DOUBLE = { corners: "╔╗╚╝", across: "═", down: "║" };

function frame({ title, lines, refused }: Box, inner: number, height: number): string[] {
  const { corners, across, down } = refused ? DOUBLE : PLAIN;
  const [topLeft, topRight, bottomLeft, bottomRight] = corners;
  const rows = Array.from({ length: height }, (_, i) => lines[i] ?? "");
  return [
    `${topLeft}${across} ${title} ${across.repeat(inner - textWidth(title) - 1)}${topRight}`,
    ...rows.map((line) => `${down} ${line}${" ".repeat(inner - textWidth(line))} ${down}`),
    `${bottomLeft}${across.repeat(inner + 2)}${bottomRight}`,
  ];
}
