// A replay as text: what was read, one table for all policies, the frees, the witnesses, the assumptions. Node-only.
import { notModelled } from "../cost/index.js";
import { describeFree, duration, kernelSentence, type ReplayResult, witnesses } from "../replay/index.js";
import { isShown, oneLine, outputWidth, print, printTable } from "./output.js";
import { joined, sparkline } from "./sparkline.js";
import { textWidth } from "./table.js";

/** Prints everything; of the frees at most `most`. */
export function printReplay(result: ReplayResult, most: number): void {
  printTrace(result);
  if (isShown()) printTimeline(result);
  print();
  printPolicies(result);
  printFrees(result, most);
  printWitnesses(result);
  printQueue(result);
  print();
  print("assumptions:");
  for (const sentence of result.assumptions) print(`  - ${sentence}`);
  print(`costs (model ${result.configuration.costModel.name}; --json has the source of each figure) leave out:`);
  for (const sentence of notModelled) print(`  - ${sentence}`);
  if (!result.trace.damaged) return;
  print();
  print(damageLine(result));
}

/** The warning that must stand beside every figure from damaged input. */
export function damageLine({ trace }: ReplayResult): string {
  const findings = trace.findings.filter((finding) => finding.severity === "damage");
  const first = findings[0] ? `; the first: ${findings[0].text}` : "";
  return `DAMAGED INPUT: ${trace.damagedLines} lines could not be read, so every figure here is of what was left${first}`;
}

/** Widest line of bars: more would show single bins of nothing. */
const MOST_COLUMNS = 100;
const LEAST_COLUMNS = 16;

/** Counts over time as bars, on a terminal: what happened when, and when walks went through freed tables under the first policy. */
function printTimeline({ timeline, policies, trace }: ReplayResult): void {
  const [first] = policies;
  const rows: [string, readonly number[]][] = [
    ["kernel flushes", timeline.kernelFlushes],
    ["tables freed", timeline.frees],
    ...(first ? [[`hazards, ${first.policy.name}`, first.timeline.hazards] as [string, readonly number[]]] : []),
  ];
  const names = rows.map(([name]) => oneLine(name));
  const left = Math.max(...names.map(textWidth));
  const totals = rows.map(([, counts]) => `  ${counts.reduce((sum, count) => sum + count, 0)}`);
  const room = Math.min(MOST_COLUMNS, outputWidth() - left - 4 - Math.max(...totals.map(({ length }) => length)));
  if (room < LEAST_COLUMNS) return;
  const { each } = joined(timeline.frees, room);
  print();
  print(`from 0 to ${duration(trace.durationNs)}, ${duration(each * timeline.binNs)} a bar:`);
  for (const [i, [, counts]] of rows.entries()) {
    const { sums } = joined(counts, room);
    print(`  ${names[i]}${" ".repeat(left - textWidth(names[i] ?? ""))}  ${sparkline(sums)}${totals[i]}`);
  }
}

function printTrace(result: ReplayResult): void {
  const { trace, program } = result;
  const frees = Object.entries(program.frees).map(([site, count]) => `${site} ${count}`);
  const total = Object.values(program.frees).reduce((sum, count) => sum + count, 0);
  const { workload } = result.configuration;
  const seed = workload ? `, seed ${workload.seed}` : "";
  print(`${trace.name}: ${trace.events} events in ${duration(trace.durationNs)} (${trace.format}${seed})`);
  print(`kernel: ${kernelSentence(result.configuration.kernel)}`);
  if (trace.damaged) print(damageLine(result));
  const { counted, uncounted } = trace.lost;
  if (counted > 0 || uncounted > 0) print(`the tracer lost ${counted} events, and more at ${uncounted} places`);
  const unknown = Object.entries(trace.unknown).map(([name, count]) => `${name} ${count}`);
  if (unknown.length > 0) print(`events that are not known: ${unknown.join(", ")}`);
  const later = program.freesDeferred > 0 ? `, ${program.freesDeferred} handed to the kernel's deferred worker` : "";
  print(
    `kernel page tables freed: ${total}${total > 0 ? ` (${frees.join(", ")}), ${program.freesBeforeFlush} of them before their flush${later}` : ""}`,
  );
  const { kernelRange, all, local, mm } = program.flushes;
  print(
    `flushes: flush_tlb_kernel_range ${kernelRange}, flush_tlb_all ${all}, __flush_tlb_all ${local}, flush_tlb_mm_range ${mm}`,
  );
  print(
    `played: ${program.records} operations per policy, of them ${program.accesses} device accesses ` +
      `(${program.kernelProbes} at the kernel half), ${(result.throughput.operationsPerSecond / 1e6).toFixed(1)} million a second`,
  );
  if (result.configuration.devices.pageRequests) {
    const sent = result.policies.map(({ policy, pageRequests }) => `${policy.name} ${pageRequests}`);
    print(`page requests of the device: ${sent.join(", ")}`);
  }
  for (const [reason, count] of Object.entries(program.skipped))
    print(`not played as the trace has it: ${count} x ${reason}`);
}

const HEADING = [
  "policy",
  "page inv.",
  "PASID inv.",
  "needless",
  "waits",
  "time lost",
  "held peak",
  "mean age",
  "refills",
  "walks through freed",
  "forged",
  "tables hit",
];

function printPolicies({ policies }: ReplayResult): void {
  const rows = policies.map((result) => [
    result.policy.name,
    result.invalidations.pageSelective,
    result.invalidations.pasidSelective + result.invalidations.global,
    result.needlessRounds,
    result.kernel.queueWaits,
    duration(result.lostNs),
    result.held.peak,
    result.held.frames > 0 ? duration(result.held.meanNs) : "-",
    result.refills,
    result.hazards.byAgent.iommu,
    result.hazards.byKind["forged-translation"],
    result.hazards.byFree.length,
  ]);
  printTable([HEADING, ...rows], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  // The CPUs are flushed by the trace, not by the policy: one line says it for all.
  const { cpuPageFlushes, cpuFullFlushes, cpuSpaceFlushes, ipiBroadcasts, ipiReceivers } = policies[0]!.kernel;
  print(
    `on CPUs, under every policy: ${cpuPageFlushes} pages invalidated, ${cpuFullFlushes} full flushes, ${cpuSpaceFlushes} of an ` +
      `address space; ${ipiBroadcasts} IPI broadcasts, ${ipiReceivers} CPUs interrupted`,
  );
  for (const result of policies) {
    const { name } = result.policy;
    if (result.outOfFrames > 0) {
      print(`${name}: INCOMPLETE: the pool ran out of frames ${result.outOfFrames} times (--pool gives it more)`);
    }
    if (!result.flushesMatch) print(`${name}: INCOMPLETE: flushes played do not equal those of the trace`);
    if (result.kernel.lostRequests > 0)
      print(`${name}: ${result.kernel.lostRequests} invalidations lost, for want of room`);
    if (result.hazards.byAgent.cpu > 0) print(`${name}: ${result.hazards.byAgent.cpu} hazards on CPUs beside those`);
  }
}

function printFrees(result: ReplayResult, most: number): void {
  const total = Object.values(result.program.frees).reduce((sum, count) => sum + count, 0);
  if (total === 0) return;
  const source = result.configuration.workload ? "workload" : "trace";
  const baseline = result.policies.find((policy) => policy.policy.name === "none") ?? result.policies[0]!;
  const walked = new Map(baseline.hazards.byFree.map((row) => [row.free, row]));
  print();
  print(`freed tables, and walks through them under ${baseline.policy.name}:`);
  const addresses = new Set<bigint>();
  for (const free of result.frees.slice(0, most)) {
    const row = walked.get(free.index);
    const first = row && (row.firstAfterNs > 0 ? `${duration(row.firstAfterNs)} later` : "at once");
    // Without invalidation the caches go on pointing at the table that was freed at this address before.
    const none = addresses.has(free.address)
      ? "no walk (caches still point at the table freed here before)"
      : "no walk";
    const walks = row ? `${row.total} walks, ${row.byKind["forged-translation"]} translated, the first ${first}` : none;
    if (row) addresses.add(free.address);
    print(`  ${duration(free.timeNs)}  ${describeFree(free, source)}: ${walks}`);
  }
  if (total > Math.min(most, result.frees.length))
    print(`  and ${total - Math.min(most, result.frees.length)} more (--frees)`);
}

function printWitnesses(result: ReplayResult): void {
  for (const policy of result.policies) {
    const lines = witnesses(result, policy);
    if (lines.length === 0) continue;
    print();
    print(`witnesses against ${policy.policy.name}, one per site:`);
    for (const line of lines) print(`  ${line}`);
  }
}

function printQueue({ queue }: ReplayResult): void {
  if (queue.descriptors === 0) return;
  const types = Object.entries(queue.byGranularity).map(([name, count]) => `${name} ${count}`);
  print();
  print(`the driver's own queue: ${queue.descriptors} descriptors (${types.join(", ")}), ${queue.pages} pages named,`);
  print(`  ${queue.waits} submissions with a wait each`);
  for (const [what, count] of Object.entries(queue.malformed)) print(`  malformed: ${count} x ${what}`);
}
