// Bare frees of tables in random kernel programs, made such as a kernel could do them.

import type { KernelOperation } from "./operations.js";

/** What neither walks the kernel's tables for the kernel nor allocates one. */
const QUIET: ReadonlySet<KernelOperation["kind"]> = new Set([
  ...(["access", "request", "reuse", "give-back", "run-work", "purge", "time"] as const),
  ...(["invlpg", "invlpg-range", "invpcid", "cpu-flush-all", "iommu-pasid", "iommu-pages", "iommu-all"] as const),
  ...(["begin-access", "begin-request", "step", "finish"] as const),
  ...(["flush-all", "flush-kernel-range", "flush-mm-range", "local-flush-all"] as const),
]);

/**
 * Every bare free follows its clear, or is followed by it before the kernel walks its tables again: a table that is freed
 * and stays linked would be handed out while the kernel still uses it, a state that no kernel is in and that no rule says
 * anything about. Agents and attackers come in between.
 */
export function closeFrees(operations: readonly KernelOperation[]): KernelOperation[] {
  const cleared = new Set<string>();
  let linked: KernelOperation[] = [];
  return operations.flatMap((operation) => {
    const due = QUIET.has(operation.kind) ? [] : linked;
    if (due.length > 0) linked = [];
    if (operation.kind === "table-clear" || operation.kind === "table-free") {
      const { kind, site, address, level = 0 } = operation;
      const place = `${site} ${address}`;
      if (kind === "table-clear") cleared.add(place);
      else if (!cleared.delete(place)) linked.push({ kind: "table-clear", site, address, level });
    }
    return [...due, operation];
  });
}
