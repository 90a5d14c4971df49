// The stories of the verdicts: shortest programs with a hazard, step by step. Those of a site begin alike: what a
// story has in common with the first of its site is not told again.

import { describeOptions, type IommuOptions, usualIommu, type VerdictRecord } from "../verdicts/index.js";
import { steps } from "./blocks.js";
import { type Html, type HtmlPart, html } from "./html.js";

/** So few steps are told again. */
const FEW = 2;

interface Story {
  readonly steps: readonly string[];
  /** Kinds of hazard, each with the policies under which it comes to that. */
  readonly ends: Map<string, Set<string>>;
}

/** All stories, by site and by whose walk it is. */
export function stories(records: readonly VerdictRecord[]): HtmlPart {
  const places = new Map<string, Map<string, Story>>();
  for (const record of records) {
    const hazard = record.verdict === "hazard" ? (record.worst ?? record) : record.race;
    if (!hazard?.witness) continue;
    const { agent, policy, options } = record;
    const texts = hazard.witness.steps.map(({ text }) => text);
    const told = entryOf(places, `${record.scenario}, ${agent === "cpu" ? "CPU" : "IOMMU"}`, () => new Map());
    // Equal stories are told once, under all cells that they are the story of.
    const { ends } = entryOf(told, texts.join("\n"), () => ({ steps: texts, ends: new Map() }));
    const end = record.verdict === "hazard" ? hazard.kind : `${hazard.kind}, only by a race`;
    const names = entryOf(ends, end ?? "", () => new Set());
    const usual = agent === "cpu" || describeOptions(options) === describeOptions(usualIommu);
    if (!names.has(policy)) names.add(usual ? policy : `${policy} (${describeOptions(options as IommuOptions)})`);
  }
  return [...places].map(([place, told]) => ofPlace(place, [...told.values()]));
}

function entryOf<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

function ofPlace(place: string, told: readonly Story[]): Html {
  const [first] = told as [Story];
  return html`<h4>${place}</h4>
${told.map((story) => ofStory(story, story === first ? 0 : sharedSteps(first.steps, story.steps)))}`;
}

function ofStory({ steps: all, ends }: Story, shared: number): Html {
  const heads = [...ends].map(([end, names]) => html`<h5>${end}: ${[...names].join(", ")}</h5>\n`);
  if (shared < FEW) return html`<div class="witness">\n${heads}${steps(all)}</div>\n`;
  return html`<div class="witness">
${heads}<p>Steps 1 to ${shared} as in the first story of this place; then:</p>
${steps(all.slice(shared), shared + 1)}</div>
`;
}

/** How many steps two stories begin with alike; the second keeps one of its own. */
function sharedSteps(first: readonly string[], second: readonly string[]): number {
  let count = 0;
  while (count < second.length - 1 && second[count] === first[count]) count++;
  return count;
}
