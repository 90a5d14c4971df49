// A witness as a picture: time runs down, a lane for everybody who acts, a sentence for each step; the last one is the hazard.
import { html } from "../report/html.js";
import type { VerdictRecord, Witness } from "../verdicts/index.js";
import { svgDocument, svgText, wrapped } from "./svg.js";

type Actor = Witness["steps"][number]["actor"];

const LANES: Readonly<Record<Actor, string>> = {
  setup: "before",
  kernel: "kernel",
  work: "worker",
  device: "device",
  cpu: "CPU",
  other: "others",
};
const LANE = 74;
const LEFT = 20;
const TOP = 108;
const LETTERS = 88;

/** The hazards of a record, the worst first; none of a safe cell. */
export function witnessOf(record: VerdictRecord): { readonly witness: Witness; readonly kind: string } | undefined {
  const worst = record.worst ?? record;
  if (record.verdict === "hazard" && worst.witness) return { witness: worst.witness, kind: worst.kind ?? "hazard" };
  return record.race ? { witness: record.race.witness, kind: `only by a race: ${record.race.kind}` } : undefined;
}

/** The picture of a cell's hazard. @param record one that has a {@link witnessOf} */
export function storySvg(record: VerdictRecord, { witness, kind }: NonNullable<ReturnType<typeof witnessOf>>): string {
  const actors = (Object.keys(LANES) as Actor[]).filter((actor) => witness.steps.some((step) => step.actor === actor));
  const textLeft = LEFT + actors.length * LANE + 16;
  let y = TOP;
  const rows = witness.steps.map((step, i) => {
    const lines = wrapped(step.text, LETTERS);
    const top = y;
    y += 16 + 20 * lines.length;
    const last = i === witness.steps.length - 1;
    const x = LEFT + (actors.indexOf(step.actor) + 0.5) * LANE;
    return html`<g${last && html` class="last"`}><circle class="dot${last && " hazard"}" cx="${x}" cy="${top + 10}" r="11"/>
<text x="${x}" y="${top + 15}" text-anchor="middle"${last && html` class="in"`}>${step.number}</text>
${lines.map((line, row) => svgText(textLeft, top + 15 + 20 * row, line, last ? "bad" : ""))}</g>
`;
  });
  const lanes = actors.map((actor, i) => {
    const x = LEFT + (i + 0.5) * LANE;
    return html`<text x="${x}" y="${TOP - 14}" text-anchor="middle" class="quiet">${LANES[actor]}</text>
<path class="lane" d="M${x} ${TOP - 6}V${y}"/>
`;
  });
  const title = `${record.scenario} under ${record.policy}, Linux ${record.kernel}: ${kind}`;
  const whose = `walks of ${record.agent === "cpu" ? "a CPU" : "an IOMMU"}; the shortest program that shows it`;
  return svgDocument(title, textLeft + LETTERS * 8.6 + LEFT, y + 20, [
    svgText(LEFT, 34, title, "head"),
    svgText(LEFT, 58, whose, "quiet"),
    ...lanes,
    ...rows,
  ]);
}
