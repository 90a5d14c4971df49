// A walk as a picture: the address split over a row of tables, each with the entry that was read, then the page or the refusal.
import type { Explanation } from "../hardware/context.js";
import { describeEntry, describeOutcome, hexAddress, TABLE_NAMES } from "../paging/describe.js";
import { isLeaf } from "../paging/levels.js";
import { type HtmlPart, html } from "../report/html.js";
import { svgDocument, svgText, wrapped } from "./svg.js";

const WIDTH = 190;
const HEIGHT = 118;
const GAP = 34;
const LEFT = 20;
const TOP = 96;

/** What is drawn. */
export interface WalkPicture {
  readonly address: bigint;
  readonly access: string;
  readonly root: bigint;
  readonly explanation: Explanation;
}

/** The picture. */
export function walkSvg({ address, access, root, explanation: { chain, outcome } }: WalkPicture): string {
  const left = (column: number): number => LEFT + column * (WIDTH + GAP);
  const tables = chain.map(({ level, tableFrame, index, entry }, i) => {
    const leaf = isLeaf(entry, level);
    const x = left(i);
    const bits = wrapped(describeEntry(entry, leaf), 24).slice(0, 2);
    return html`<rect class="box" x="${x}" y="${TOP}" width="${WIDTH}" height="${HEIGHT}" rx="6"/>
${svgText(x + 10, TOP + 22, `${TABLE_NAMES[level]} in 0x${tableFrame.toString(16)}`)}${svgText(x + 10, TOP + 46, `[${index}]`, "mono")}${svgText(x + 10, TOP + 66, hexAddress(entry), "mono")}${bits.map((line, row) => svgText(x + 10, TOP + 86 + 18 * row, line, "mono quiet"))}${arrow(x + WIDTH)}${svgText(x + 10, TOP - 12, `bits ${11 + 9 * level} to ${3 + 9 * level}: ${index}`, "mono quiet")}`;
  });
  const end = ending(left(chain.length), outcome);
  const lines = wrapped(describeOutcome(outcome), 110);
  const width = Math.max(left(chain.length + 1) - GAP + LEFT, 640);
  return svgDocument(
    `${access} of ${hexAddress(address)}: ${outcome.kind}`,
    width,
    TOP + HEIGHT + 40 + 20 * lines.length,
    [
      svgText(LEFT, 34, `${access} of ${hexAddress(address)}`, "head"),
      svgText(LEFT, 58, `root ${hexAddress(root)}`, "mono quiet"),
      ...tables,
      end,
      ...lines.map((line, row) =>
        svgText(LEFT, TOP + HEIGHT + 34 + 20 * row, line, outcome.kind === "ok" ? "good" : "bad"),
      ),
    ],
  );
}

function arrow(x: number): HtmlPart {
  const y = TOP + HEIGHT / 2;
  return html`<path class="line" d="M${x + 4} ${y}h${GAP - 8}m-7 -5l7 5l-7 5"/>\n`;
}

function ending(x: number, outcome: Explanation["outcome"]): HtmlPart {
  if (outcome.kind === "ok") {
    return html`<rect class="page" x="${x}" y="${TOP}" width="${WIDTH}" height="${HEIGHT}" rx="6"/>
${svgText(x + 10, TOP + 22, "page")}${svgText(x + 10, TOP + 66, hexAddress(outcome.physicalAddress), "mono")}`;
  }
  const words = outcome.kind === "fault" ? `at level ${outcome.level}` : "";
  return html`<rect class="refused" x="${x}" y="${TOP}" width="${WIDTH}" height="${HEIGHT}" rx="6"/>
<rect class="inner" x="${x + 4}" y="${TOP + 4}" width="${WIDTH - 8}" height="${HEIGHT - 8}" rx="4"/>
${svgText(x + 14, TOP + 28, outcome.kind === "fault" ? "refused" : outcome.kind, "bad")}${svgText(x + 14, TOP + 52, words)}`;
}
