// The cost model: nanoseconds for each thing a policy causes, as data. Every default names its source and how sure it is.

import { either, fileObject, number, object, oneOf, optional, parse, text } from "../base/schema.js";
import { type CostKind, costKinds } from "./result.js";

/** How sure a figure is. `verified`: read at its source; `reported`: second hand or one machine; `assumed`: nobody published it. */
export type Confidence = "verified" | "reported" | "assumed";

/** One figure of a cost model. */
export interface CostFigure {
  /** Nanoseconds each. */
  readonly ns: number;
  /** Where the figure is from; for `assumed`, why this one. */
  readonly source: string;
  /** How sure it is. */
  readonly confidence: Confidence;
}

/** A cost model. */
export interface CostModel {
  /** For output. */
  readonly name: string;
  /** What each kind of event costs. */
  readonly figures: Readonly<Record<CostKind, CostFigure>>;
}

const DMAR =
  "dmar_perf_latency printed in QEMU's docs/devel/migration/qpl-compression: 286 of 409 below 1 µs, the rest below 10 µs; " +
  "rIOMMU (ASPLOS 2015) table 1: 2127 cycles, about 0.7 µs. One descriptor with its wait";
const SPLIT = "the 0.7 µs split 0.2 to 0.5 between the descriptor and the wait: an assumption, their sum is not";

/** The defaults. */
export const defaultCostModel: CostModel = {
  name: "default",
  figures: {
    cpuPageInvalidation: {
      ns: 100,
      confidence: "verified",
      source: "comment at tlb_single_page_flush_ceiling, arch/x86/mm/tlb.c: about 100 ns each",
    },
    cpuFullFlush: {
      ns: 100,
      confidence: "reported",
      source:
        "Hansen, linux-mm, December 2017: about 350 cycles an INVPCID on Skylake; refills are counted on their own",
    },
    cpuSpaceFlush: { ns: 100, confidence: "assumed", source: "a flushing MOV CR3, taken as one INVPCID" },
    ipiBroadcast: {
      ns: 1000,
      confidence: "reported",
      source: "1 to 3 µs round trip (secondary sources): about 1 µs, and 200 ns a receiver",
    },
    ipiReceiver: { ns: 200, confidence: "reported", source: "4 cores 1.6 µs, 64 cores 14 µs (secondary sources)" },
    iotlbPageInvalidation: { ns: 200, confidence: "reported", source: `${DMAR}; ${SPLIT}` },
    iotlbPasidInvalidation: { ns: 200, confidence: "reported", source: "as a page-selective one: same measurement" },
    iotlbGlobalInvalidation: { ns: 200, confidence: "assumed", source: "as a page-selective one: not measured apart" },
    pasidCacheInvalidation: { ns: 200, confidence: "assumed", source: "as an IOTLB descriptor: not measured apart" },
    deviceTlbInvalidation: {
      ns: 200,
      confidence: "reported",
      source: "the same dmar_perf_latency run: 276 of 409 below 1 µs, at most 2 µs; split as for the IOTLB",
    },
    queueWait: { ns: 500, confidence: "reported", source: `${DMAR}; ${SPLIT}` },
    workRun: {
      ns: 1000,
      confidence: "assumed",
      source: "schedule_work(): 'noise' beside system-wide IPIs (Hansen, 6 August 2025); taken as one IPI",
    },
    rootSync: { ns: 50, confidence: "assumed", source: "one store to another table, taken as a cache miss" },
    iommuEntryRead: {
      ns: 83,
      confidence: "reported",
      source: "about 330 ns an IOTLB miss (pcie-bench, SIGCOMM 2018), over four entries",
    },
    cpuEntryRead: {
      ns: 50,
      confidence: "reported",
      source: "720 to 1000 cycles at 4 GHz a cold walk of four levels (secondary source); a cached entry costs less",
    },
  },
};

/** What no figure of the model accounts for. To be shown with its results. */
export const notModelled: readonly string[] = [
  "work is added up over CPUs and devices: overlap, and time that others wait for a lock, are not in it",
  "time with interrupts off is counted as any other time",
  "a frame that is held back costs nothing but memory",
  "queue latency under load, and device-TLB time-outs",
  "an entry read costs the same whether a data cache has it or not",
];

const nanoseconds = number(0, 1e12, "nanoseconds, a number from 0 to 1e12");

/** A figure in full, or its nanoseconds. */
const figureSchema = either(
  nanoseconds,
  object(
    { ns: nanoseconds, source: optional(text()), confidence: optional(oneOf(["verified", "reported", "assumed"])) },
    "nanoseconds, or an object { ns, source, confidence }",
  ),
);

/** A cost model, as a file has it. @internal */
export const costModelSchema = fileObject({
  name: optional(text("a name")),
  figures: optional(object(Object.fromEntries(costKinds.map((kind) => [kind, optional(figureSchema)])))),
});

/**
 * Checks a cost model, e.g. one read from JSON: `{"name": "mine", "figures": {"queueWait": {"ns": 900, "source": "measured"}}}`.
 * A figure may be a plain number (ns). Figures that are not given are the defaults.
 * @throws InvalidOptionError naming the field, the value and what is allowed
 * @example
 * ```ts
 * import { checkCostModel, defaultCostModel } from "stalewalk/cost";
 *
 * const model = checkCostModel({ name: "mine", figures: { queueWait: { ns: 900, source: "measured" } } });
 * console.log(model.figures.queueWait.ns, model.figures.ipiBroadcast.ns === defaultCostModel.figures.ipiBroadcast.ns); // 900 true
 * ```
 */
export function checkCostModel(value: unknown, field = "cost"): CostModel {
  const { name = "custom", figures: given = {} } = parse(costModelSchema, value, field);
  const figures: Record<string, CostFigure> = { ...defaultCostModel.figures };
  for (const [kind, figure] of Object.entries(given)) {
    if (figure === undefined) continue;
    const { ns, source = name, confidence = "reported" } = typeof figure === "number" ? { ns: figure } : figure;
    figures[kind] = { ns, source, confidence };
  }
  return { name, figures: figures as Record<CostKind, CostFigure> };
}
