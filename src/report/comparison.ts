// Policies side by side: what each invalidated, waited for and held back, and what it let through.

import { hazardKinds } from "../kernel/hazards.js";
import type { PolicyResult, ReplayResult } from "../replay/index.js";
import { bullets, type Column, details, table } from "./blocks.js";
import { code, count, timeFormat } from "./format.js";
import { type Html, type HtmlPart, html } from "./html.js";
import { kindWords } from "./kind-words.js";
import { incomplete } from "./summary.js";

const time = timeFormat("ns");

/** A count that should be 0: marked by a sign and by words, not by its colour alone. */
export function harm(value: number): HtmlPart {
  return value === 0 ? "0" : html`<strong class="bad"><span aria-hidden="true">● </span>${count(value)}</strong>`;
}

const figure = (head: string, cell: (one: PolicyResult) => HtmlPart): Column<PolicyResult> => ({
  head,
  kind: "figure",
  cell,
});

const name: Column<PolicyResult> = { head: "policy", kind: "name", cell: ({ policy }) => code(policy.name) };

const columns: readonly Column<PolicyResult>[] = [
  name,
  figure("IOMMU walks through freed", ({ hazards }) => harm(hazards.byAgent.iommu)),
  figure("forged translations", ({ hazards }) => harm(hazards.byKind["forged-translation"])),
  figure("tables hit", ({ hazards }) => harm(hazards.byFree.length)),
  figure("page inv.", ({ invalidations }) => count(invalidations.pageSelective)),
  figure("PASID, global inv.", ({ invalidations }) => count(invalidations.pasidSelective + invalidations.global)),
  figure("other inv.", ({ invalidations }) => count(invalidations.pasidCache + invalidations.deviceTlb)),
  figure("needless rounds", ({ needlessRounds }) => count(needlessRounds)),
  figure("queue waits", ({ kernel }) => count(kernel.queueWaits)),
  figure("time lost", ({ lostNs }) => time(lostNs)),
  figure("refills", ({ refills }) => count(refills)),
  figure("frames held, most", ({ held }) => count(held.peak)),
  figure("mean age", ({ held }) => (held.frames > 0 ? time(held.meanNs) : "-")),
];

/** The table, what its words mean, and what makes a row incomplete. */
export function comparison({ policies }: ReplayResult): Html {
  const notes = policies.flatMap((one) =>
    incomplete(one).map((reason) => html`${code(one.policy.name)}: <strong class="bad">incomplete</strong>, ${reason}`),
  );
  return html`${notes.length > 0 && bullets(notes)}
${table("Policies compared", columns, policies)}
${details("What the columns mean", meanings(policies))}
${details("Hazards by kind", kinds(policies))}`;
}

function meanings(policies: readonly PolicyResult[]): Html {
  return html`${bullets([
    "Walks through freed: an IOMMU used a pointer into a frame that had been freed since. Forged translations: it was given an address made of what the frame held by then (CPUs included). Tables hit: frees of the trace that such walks followed.",
    "Invalidations: page-selective ones name a range of pages; PASID and global ones drop everything of one PASID, or everything; the others are of PASID caches and device TLBs.",
    "Needless rounds: flushes that invalidated the IOMMU although they freed no table.",
    "Time lost: descriptors, waits, deferred work, second roots and refills, by the cost model; invalidations that user unmaps cause are in it under every policy.",
    "Refills: live entries that invalidations dropped, each to be read again if it is used again.",
    "Frames held: freed tables that wait for deferred work; their mean age when they are given back.",
  ])}
<h3>Policies</h3>
<dl>${policies.map(({ policy }) => html`<dt>${code(policy.name)}</dt><dd>${policy.about ?? "a policy of the user's own"}</dd>\n`)}</dl>`;
}

function kinds(policies: readonly PolicyResult[]): Html {
  const byKind = hazardKinds.map((kind) => figure(kind, ({ hazards }) => harm(hazards.byKind[kind])));
  const agents = [
    figure("by the IOMMU", ({ hazards }) => harm(hazards.byAgent.iommu)),
    figure("by CPUs", ({ hazards }) => harm(hazards.byAgent.cpu)),
  ];
  return html`<p>A walk may be of several kinds.</p>
<dl>${hazardKinds.map((kind) => html`<dt>${code(kind)}</dt><dd>${kindWords[kind]}</dd>\n`)}</dl>
${table("Hazards by kind", [name, ...byKind, ...agents], policies)}`;
}
