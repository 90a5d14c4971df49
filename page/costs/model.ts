// What policies cost by figures that a reader may change, with the interval that the figures' confidence gives. No drawing here.

import type { ReportData } from "../../src/report/data.js";

type Result = ReportData["result"];
type Policy = Result["policies"][number];

/** Kinds that a policy is charged with; the CPUs' side is the same under all. */
export const chargedKinds = [
  "iotlbPageInvalidation",
  "iotlbPasidInvalidation",
  "iotlbGlobalInvalidation",
  "pasidCacheInvalidation",
  "deviceTlbInvalidation",
  "queueWait",
  "workRun",
  "rootSync",
  "iommuEntryRead",
] as const;

/** One of them. */
export type ChargedKind = (typeof chargedKinds)[number];

/** Nanoseconds each. */
export type Figures = Record<ChargedKind, number>;

/** What each kind is, in words. */
export const kindNames: Record<ChargedKind, string> = {
  iotlbPageInvalidation: "invalidate pages",
  iotlbPasidInvalidation: "invalidate a PASID",
  iotlbGlobalInvalidation: "invalidate everything",
  pasidCacheInvalidation: "invalidate the PASID cache",
  deviceTlbInvalidation: "invalidate a device TLB",
  queueWait: "wait for the queue",
  workRun: "run of the worker",
  rootSync: "store to a second root",
  iommuEntryRead: "read an entry again (refill)",
};

/** By how much a figure may be off, as a factor both ways: this page's reading of how sure it is. */
export const doubt = { verified: 1.1, reported: 2, assumed: 4 } as const;

/** The figures of the result's own model. */
export function figuresOf(result: Result): Figures {
  const { figures } = result.configuration.costModel;
  return Object.fromEntries(chargedKinds.map((kind) => [kind, figures[kind].ns])) as Figures;
}

/** How often a policy did a thing. */
export function countOf(policy: Policy, kind: ChargedKind): number {
  return kind === "iommuEntryRead" ? policy.refills : policy.cost.byKind[kind].count;
}

/** What one policy comes to, ns. */
export interface Bill {
  name: string;
  parts: { kind: ChargedKind; ns: number }[];
  ns: number;
  /** If every figure is as small, as large as its confidence allows. */
  least: number;
  most: number;
  /** Walks of the IOMMU through freed tables. */
  walks: number;
}

/** Bills of all policies. */
export function bills(result: Result, figures: Figures): Bill[] {
  const sure = result.configuration.costModel.figures;
  return result.policies.map((policy) => {
    const parts = chargedKinds.map((kind) => ({ kind, ns: countOf(policy, kind) * figures[kind] }));
    const sum = (factor: (kind: ChargedKind) => number): number =>
      parts.reduce((all, { kind, ns }) => all + ns * factor(kind), 0);
    return {
      name: policy.policy.name,
      parts: parts.filter(({ ns }) => ns > 0),
      ns: sum(() => 1),
      least: sum((kind) => 1 / doubt[sure[kind].confidence]),
      most: sum((kind) => doubt[sure[kind].confidence]),
      walks: policy.hazards.byAgent.iommu,
    };
  });
}
