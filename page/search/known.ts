// The verdicts that the page knows: what a search or a proof here has found, and what a report holds.

import { type PolicyName, policies } from "../../src/index.js";
import type { BareVerdict, Plain } from "../../src/report/data.js";
import {
  cpuChangeNames,
  type IommuChange,
  iommuChangeNames,
  iommuChanges,
  type VerdictRecord,
} from "../../src/verdicts/index.js";
import { type Cell, cellParameters, type Hardware, optionsOf } from "./cell.js";

const known = new Map<string, VerdictRecord>();
const fromReport = new WeakSet<VerdictRecord>();
const keyOf = (cell: Cell): string => JSON.stringify(cellParameters(cell));

/** Keeps what was found; a proof says more than a search, whose count of programs and stories it keeps. */
export function remember(cell: Cell, record: VerdictRecord): void {
  const key = keyOf(cell);
  const before = known.get(key);
  if (before?.proof && !record.proof) {
    const { witness, worst, race } = record;
    known.set(key, { ...before, ...(witness && { witness }), ...(worst && { worst }), ...(race && { race }) });
  } else known.set(key, before && record.proof ? { ...record, tried: before.tried } : record);
}

/** What has been found of a cell. */
export function recall(cell: Cell): VerdictRecord | undefined {
  return known.get(keyOf(cell));
}

/** Takes the verdicts of a report: all but policies and hardware that have no name here. */
export function takeVerdicts(records: readonly Plain<BareVerdict>[]): void {
  for (const bare of records) {
    // What it lacks are stories, and every reader of a record asks whether it has one.
    const record = bare as unknown as VerdictRecord;
    const hardware = hardwareOf(record);
    if (!hardware || !Object.hasOwn(policies, record.policy)) continue;
    const { kernel, scenario } = record;
    known.set(keyOf({ ...hardware, kernel, policy: record.policy as PolicyName, scenario }), record);
    fromReport.add(record);
  }
}

/** The hardware of a verdict by its names. */
function hardwareOf({ agent, options }: VerdictRecord): Hardware | undefined {
  const given = Object.entries(options);
  const isChanged = ({ name, value }: IommuChange): boolean => given.some((it) => it[0] === name && it[1] === value);
  const candidates: Hardware[] =
    agent === "cpu"
      ? [undefined, ...cpuChangeNames].map((cpu) => ({ agent, changes: [], cpu }))
      : [{ agent, changes: iommuChangeNames.filter((name) => isChanged(iommuChanges[name])), cpu: undefined }];
  return candidates.find((hardware) => {
    const named: object = optionsOf(hardware);
    return given.every(([name, value]) => Reflect.get(named, name) === value);
  });
}

/** Whether a verdict stood in the report as it is. */
export function isFromReport(record: VerdictRecord): boolean {
  return fromReport.has(record);
}

/** Whether a verdict has a story that is not there. */
export function lacksStory({ verdict, witness, race }: VerdictRecord): boolean {
  return verdict === "hazard" ? !witness : Boolean(race && !race.witness);
}
