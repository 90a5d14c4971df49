// A task: one TLB, one seed. The module comes compiled, once for all threads; a machine is made for each task.
import { workerData } from "node:worker_threads";
import { Access, createMachineSync } from "stalewalk";

const PER_TABLE = 512;
const USER = 7n; // present, writable, user

// Tinypool hands over two things: its own, and what main.js gives.
const [, { module, pages, accesses }] = workerData;
const tables = Math.ceil(pages / PER_TABLE);

/** A table whose first entries lead to these frames. */
function table(...frames) {
  const entries = new BigUint64Array(PER_TABLE);
  frames.forEach((frame, i) => {
    entries[i] = (BigInt(frame) << 12n) | USER;
  });
  return entries;
}

const range = (first, count) => Array.from({ length: count }, (_, i) => first + i);

export default function play({ entries, seed }) {
  const cpus = [{ l1: [{ entries, ways: 4, pageSizes: ["4K"] }], root: 0x1000n }];
  const machine = createMachineSync({ module, cpus, tables: 3 + tables, workloadPages: pages });
  const { frames } = machine;
  frames.setTable(1, table(2));
  frames.setTable(2, table(3));
  frames.setTable(3, table(...range(4, tables)));
  for (let i = 0; i < tables; i++) frames.setTable(4 + i, table(...range(0x1000 + i * PER_TABLE, PER_TABLE)));
  const accessed = range(0, pages).map((page) => ({ va: BigInt(page) << 12n, access: Access.userRead }));
  machine.runWorkload({ seed, pages: accessed, stream: "zipf" }, accesses);
  const { translations, walks } = machine.cpus[0].counters;
  machine.dispose();
  return { translations, walks };
}
