// The beginning of the page: what was freed, who walked through it, and whether the input can be trusted.

import { kernelSentence, type PolicyResult, type ReplayResult } from "../replay/index.js";
import { bullets, type Column, details, facts, table } from "./blocks.js";
import { code, count, listHtml, plural, timeFormat } from "./format.js";
import { type Html, html } from "./html.js";

/** Frees of kernel page tables in the trace. */
export function freesOf({ program }: ReplayResult): number {
  return Object.values(program.frees).reduce((sum, frees) => sum + frees, 0);
}

/** The policy that others are measured by: `none` if it was played, else the first. */
export function baseline({ policies }: ReplayResult): PolicyResult | undefined {
  return policies.find(({ policy }) => policy.name === "none") ?? policies[0];
}

/** Whether figures of a policy are incomplete, and why. */
export function incomplete({ outOfFrames, flushesMatch, kernel }: PolicyResult): string[] {
  return [
    ...(outOfFrames > 0 ? [`the pool ran out of frames ${count(outOfFrames)} times`] : []),
    ...(flushesMatch ? [] : ["flushes played do not equal those of the trace"]),
    ...(kernel.lostRequests > 0 ? [`${plural(kernel.lostRequests, "invalidation")} lost for want of room`] : []),
  ];
}

/** The warning that stands before every figure from damaged input; nothing for whole input. */
export function damage({ trace }: ReplayResult): Html | undefined {
  const lost = trace.lost.counted > 0 || trace.lost.uncounted > 0;
  if (!trace.damaged && !lost && trace.complete) return undefined;
  const found = trace.findings.filter(({ severity }) => severity === "damage");
  const reasons = [
    ...(trace.damagedLines > 0 ? [`${plural(trace.damagedLines, "line")} could not be read`] : []),
    ...(trace.lost.counted > 0 ? [`the tracer lost ${plural(trace.lost.counted, "event")}`] : []),
    ...(trace.lost.uncounted > 0 ? [`the tracer lost events at ${plural(trace.lost.uncounted, "place")}`] : []),
    ...(trace.complete ? [] : ["the input was not read to its end"]),
  ];
  const what = reasons.length > 0 ? ` (${reasons.join("; ")})` : "";
  const dropped = trace.findingsDropped > 0 && html`<p>and ${plural(trace.findingsDropped, "more finding")}</p>`;
  return html`<div class="banner" role="note" aria-labelledby="damage-title">
<p id="damage-title"><strong>Damaged input.</strong> The trace is not whole${what}: every figure on this page is of what was left.</p>
${found.length > 0 && details(plural(found.length, "finding"), html`${bullets(found.map(({ text }) => code(text)))}${dropped}`)}</div>
`;
}

/** The verdict in sentences, and the figures behind it. */
export function summary(result: ReplayResult): Html {
  const { trace, program, configuration, policies } = result;
  const time = timeFormat(trace.timeUnit);
  const total = freesOf(result);
  const clean = policies.filter(({ hazards }) => hazards.byAgent.iommu === 0);
  const cpu = policies.filter(({ hazards }) => hazards.byAgent.cpu > 0);
  return html`<p class="verdict">${freeSentence(result, total)} ${walkSentence(result, total)}</p>
${
  clean.length > 0 &&
  total > 0 &&
  html`<p>No walk of the IOMMU in this replay went through a freed table under ${listHtml(clean.map(({ policy }) => code(policy.name)))}.
That is no proof: device accesses are a model, and races inside deferred work are not in a trace.</p>`
}
${
  cpu.length > 0 &&
  html`<p>CPUs have the same disease in a milder form:
${listHtml(cpu.map(({ policy, hazards }) => html`${plural(hazards.byAgent.cpu, "hazard")} under ${code(policy.name)}`))}.</p>`
}
${total > 0 && squares(result, total)}
${facts([
  ["kernel page tables freed", count(total)],
  ["of them before their flush", count(program.freesBeforeFlush)],
  ["trace", html`${plural(trace.events, "event")} in ${time(trace.durationNs)}`],
  ["flush_tlb_kernel_range()", count(program.flushes.kernelRange)],
  ["flush_tlb_all()", count(program.flushes.all)],
  ["flush_tlb_mm_range()", count(program.flushes.mm)],
  ["device accesses modelled", count(program.accesses)],
  ["kernel", kernelSentence(configuration.kernel)],
  ["hardware modelled", `${plural(configuration.cpus, "CPU")}, one IOMMU (${configuration.iommuGeometry.name})`],
])}`;
}

/** Most squares in a row; of more frees a square stands for several. */
const SQUARES = 120;

/** One square for each freed table, filled where a walk went through it afterwards, a row for each policy. */
function squares(result: ReplayResult, total: number): Html {
  const each = Math.ceil(total / SQUARES);
  const columns: Column<PolicyResult>[] = [
    { head: "policy", kind: "name", cell: ({ policy }) => code(policy.name) },
    {
      head:
        each === 1
          ? "a square is a freed table: ■ walked through afterwards, □ not"
          : `a square is ${each} freed tables`,
      cell: ({ hazards }) => {
        const hit = Math.ceil(hazards.byFree.length / each);
        const rest = Math.ceil(total / each) - hit;
        return html`<span class="squares" aria-hidden="true"><span class="bad">${"■".repeat(hit)}</span>${"□".repeat(rest)}</span>`;
      },
    },
    {
      head: "walked through",
      kind: "figure",
      cell: ({ hazards }) => `${count(hazards.byFree.length)} of ${count(total)}`,
    },
    { head: "it costs", kind: "figure", cell: ({ lostNs }) => timeFormat("ns")(lostNs) },
  ];
  return table("Freed tables that were walked through, by policy", columns, result.policies);
}

function freeSentence({ trace, program }: ReplayResult, total: number): Html {
  const time = timeFormat(trace.timeUnit);
  if (total === 0) return html`This trace frees no kernel page table in ${time(trace.durationNs)}.`;
  const sites = Object.entries(program.frees).filter(([, frees]) => frees > 0);
  const where =
    sites.length === 1
      ? html`all by ${code(sites[0]![0])}`
      : listHtml(sites.map(([site, frees]) => html`${count(frees)} by ${code(site)}`));
  const order =
    program.freesBeforeFlush === 0
      ? "none"
      : program.freesBeforeFlush === total
        ? "all"
        : count(program.freesBeforeFlush);
  return html`${plural(total, "kernel page table")} freed in ${time(trace.durationNs)} (${where}; ${order} before the flush that
should precede the free).`;
}

function walkSentence(result: ReplayResult, total: number): Html {
  const base = baseline(result);
  if (!base) return html``;
  const { hazards, policy } = base;
  const remaining = result.policies.filter((one) => one !== base && one.hazards.byAgent.iommu > 0);
  const others =
    remaining.length > 0 &&
    html` Such walks remained under ${listHtml(remaining.map((one) => html`${code(one.policy.name)} (${count(one.hazards.byAgent.iommu)})`))}.`;
  if (hazards.byAgent.iommu === 0) {
    return total === 0
      ? html`There is nothing in it that a walk could go through; policies differ in cost only.${others}`
      : html`Under ${code(policy.name)} no modelled walk of the IOMMU touched them afterwards.${others}`;
  }
  const { iommu, cpu } = hazards.byAgent;
  const forged = hazards.byKind["forged-translation"];
  const hit = hazards.byFree.length;
  const share = hit < total ? `${count(hit)} of these ${count(total)}` : total === 1 ? "this one" : "all of these";
  // Kinds are counted over all agents: what is said of the IOMMU's walks holds if there are no others.
  const deceived = forged > 0 && cpu === 0;
  return html`Under ${code(policy.name)} <strong class="bad">${plural(iommu, "walk")}</strong> of the IOMMU went through
${iommu === 1 ? "a freed table" : "freed tables"}${hit > 0 && html` (${share} among them)`}${deceived && html`; ${count(forged)} got a translation made of someone else's data`}.${others}`;
}
