// What may happen at a point of a program: probes, a walk that begins and later goes on, somebody who takes a freed frame, the
// same site once more, deferred work, a switch of address spaces.

import { hex } from "../base/notation.js";
import { Access } from "../paging/access.js";
import type { ReuseContents } from "../program/options.js";
import type { Scenario } from "./scenarios.js";
import type { MainOperation, Move, Stage } from "./stage.js";
import { PASID, recordOf } from "./stage.js";

/** What the one who takes a freed frame writes into it, and why. */
export const contents: readonly { contents: ReuseContents; text: string }[] = [
  { contents: { userLeaf: 0x1234000n }, text: "512 user PTEs of their choice (0x1234000, R/W, U/S; A and D clear)" },
  { contents: { word: 0x40000087n }, text: "512 words that read as large user pages (P, R/W, U/S, PS; A clear)" },
  { contents: "zeroes", text: "zeroes" },
];

/** All moves of a scenario. */
export interface Moves {
  reads: Move[];
  writes: Move[];
  /** Accesses whose page request is still on its way when the program ends: none of a device that sends none. */
  pending: Move[];
  /** By walk: it begins and stops where it holds a pointer of some level; and the same for a write. */
  begins: readonly [Move[], Move[]];
  writeBegins: readonly [Move[], Move[]];
  /** By walk: it goes on to its end. */
  finishes: readonly [Move, Move];
  /** What becomes of the process and its PASID: unbind, bind, exit. Of a CPU nothing. */
  processes: Move[];
  reuse: Move[];
  freeAgain: Move;
  work: Move;
  switches: Move[];
}

/** The moves that a stage allows in a scenario. */
export function movesOf(stage: Stage, scenario: Scenario): Moves {
  const { requester } = stage;
  const cpu = stage.agent === "cpu";
  const read = cpu ? (scenario.user ? Access.speculativeUserRead : Access.speculativeSupervisorRead) : Access.userRead;
  const who = (kind: "probe" | "write"): string =>
    cpu
      ? `CPU ${requester} walks speculatively to`
      : `device (PASID ${PASID}) ${kind === "write" ? "writes" : "reads"}`;
  const probe = (kind: "probe" | "write", access: Access): Move[] =>
    scenario.regions.flatMap((region, i) =>
      region.addresses.map((address) => ({
        kind,
        text: `${who(kind)} ${hex(address)}`,
        record: recordOf((p) => p.access(requester, address, access)),
        address,
        region: i as 0 | 1,
      })),
    );
  const begins = (number: 0 | 1, walk: Access): Move[] =>
    scenario.regions.flatMap((region, i) =>
      region.addresses.flatMap((address) =>
        POINTERS.map((held, count) => ({
          kind: "begin" as const,
          text: `${beginText(cpu, requester, walk)} ${hex(address)}, reads its ${held} and waits`,
          record: recordOf((p) => {
            p.beginWalk(number, requester, address, walk);
            for (let reads = 0; reads <= count; reads++) p.stepWalk(number);
            return p;
          }),
          address,
          region: i as 0 | 1,
          walk: number,
        })),
      ),
    );
  const finish = (number: 0 | 1): Move => ({
    kind: "finish",
    text: `the ${number === 0 ? "" : "second "}walk of ${cpu ? `CPU ${requester}` : "the device"} goes on`,
    record: recordOf((p) => p.finishWalk(number)),
    walk: number,
  });
  const second = scenario.regions[1];
  const userMode = stage.inUserMode(scenario);
  return {
    reads: probe("probe", read),
    writes: cpu ? [] : probe("write", Access.userWrite),
    pending: stage.sendsPageRequests
      ? probe("probe", Access.speculativeUserRead).map((move) => ({
          ...move,
          text: `${move.text}; a page request for it is on its way`,
        }))
      : [],
    begins: [begins(0, read), begins(1, read)],
    writeBegins: cpu ? [[], []] : [begins(0, Access.userWrite), begins(1, Access.userWrite)],
    finishes: [finish(0), finish(1)],
    processes: cpu ? [] : processMoves(requester),
    // The story names the frame: the one that was freed last.
    reuse: contents.map(({ contents: filled, text }) => ({
      kind: "reuse",
      text: `fills it with ${text}`,
      record: recordOf((p) => p.reuse(filled)),
    })),
    freeAgain: { kind: "free", text: `elsewhere: ${second.free.text}`, record: recordOf(second.free.play), region: 1 },
    work: { kind: "work", text: "the deferred work runs here", record: recordOf((p) => p.runWork()) },
    switches: [0, 1].map((mm) => ({
      kind: "switch",
      text: `CPU ${requester} switches to process ${mm}${userMode ? ", and to user mode" : ""}`,
      record: recordOf((p) => (userMode ? p.switchMm(requester, mm).enterUser(requester) : p.switchMm(requester, mm))),
      mm,
    })),
  };
}

/** What Linux does with the PASID of the watched device (docs/rules.md 9.5, 9.8, 9.9). */
function processMoves(requester: number): Move[] {
  return [
    {
      kind: "unbind",
      text: `iommu_sva_unbind_device(): PASID ${PASID} has no entry any more, and nothing cached`,
      record: recordOf((p) => p.svaUnbind(requester)),
    },
    {
      kind: "bind",
      text: `iommu_sva_bind_device(): PASID ${PASID} gets the page tables of process 0 again`,
      record: recordOf((p) => p.svaBind(requester, 0)),
    },
    { kind: "exit", text: "process 0 ends, bound or not", record: recordOf((p) => p.mmDestroy(0)) },
  ];
}

/** What a walk has read when it waits, by reads; on the way down A is set already in every entry that the kernel makes. */
const POINTERS = ["PML4 entry", "PML4 and PDPT entries", "PML4, PDPT and PD entries"] as const;

function beginText(cpu: boolean, requester: number, access: Access): string {
  if (cpu) return `CPU ${requester} begins a speculative walk to`;
  return `device (PASID ${PASID}) begins a ${access === Access.userWrite ? "write" : "read"} of`;
}

const START: MainOperation = { kind: "start", text: "", record: recordOf((p) => p.time(0n)) };

/**
 * What the kernel itself does: the site, then, if the policy has deferred work, that work twice. A program that needs less
 * is the beginning of one of these; another free, which may stand anywhere, is a move.
 */
export function mainOf(stage: Stage, scenario: Scenario): MainOperation[] {
  const { text, play } = scenario.regions[0].free;
  const free: MainOperation = { kind: "free", text, record: recordOf(play), region: 0 };
  const work: MainOperation = { kind: "work", text: "the deferred work runs", record: recordOf((p) => p.runWork()) };
  if (!hasWork(stage)) return [START, free];
  // The second run is for what another free has queued meanwhile; programs of CPUs have no other free.
  return stage.agent === "cpu" ? [START, free, work] : [START, free, work, work];
}

/** Whether the policy ever leaves anything to deferred work that the watched agent could notice. */
export function hasWork({ policy, agent }: Pick<Stage, "policy" | "agent">): boolean {
  return policy.free === "deferred" || (policy.timing === "work" && agent === "iommu");
}
