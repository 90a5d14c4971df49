// The engine without its library: the module, and the numbers of docs/abi.md. A CPU with a TLB and a cache of PD entries walks
// tables in guest RAM. Run: node examples/abi/walk.js
import { readFile } from "node:fs/promises";

// ---- numbers of docs/abi.md ----
const LEVELS = 4;
const MAX_PHYSICAL_BITS = 46;
/** Flags of an agent. */
const IS_CPU = 1;
/** A cache's bits for leaves of levels 1 to 3, and for paths. */
const LEAVES = 0b1110;
const PATHS = 1;
const LRU = 0;
/** States of frames. */
const TABLE = 1;
/** Bits of a context's controls: WP and NXE. */
const CONTROLS = 1 | 64;
/** Accesses by name. */
const USER_READ = 4;
const USER_WRITE = 5;
/** Fields of a packed outcome, and some of its reasons. */
const [OK_ADDRESS, OK_LEVEL_SHIFT, REASON_SHIFT, LEVEL_SHIFT] = [0xffffffffffffffn, 60n, 56n, 52n];
const REASONS = { 1: "not-present", 10: "absent" };

const bytes = await readFile(new URL(import.meta.resolve("stalewalk/stalewalk.wasm")));
const { instance } = await WebAssembly.instantiate(bytes);
const engine = instance.exports;

/** Whatever a creator gives: 0 says that memory is out. An i32 is a pointer without a sign. */
function made(pointer) {
  if (pointer === 0) throw new Error("the engine has found no memory");
  return pointer >>> 0;
}

// ---- a machine: everything is made before the first access ----
engine.setPagingMode(LEVELS, MAX_PHYSICAL_BITS, true);
made(engine.createRequesters());
// One PCID would do; 4096 are what a CPU has.
const agent = made(engine.createAgent(0, IS_CPU, 4096, 4096));
const tlb = made(engine.createCache(engine.leavesOf(agent), 16, 4, LEAVES, 0, LRU));
engine.addTranslationCache(agent, 1, tlb);
const pdCache = made(engine.createCache(engine.pathsOf(agent), 4, 4, PATHS, 21, LRU));
engine.setPagingStructureCache(agent, 2, pdCache);
const cpu = made(engine.createContext(agent, 0));
engine.setControls(cpu, CONTROLS, 0);
const RAM_FRAMES = 256;
made(engine.createFrameStore(RAM_FRAMES));
made(engine.claimFrames(0n, RAM_FRAMES, TABLE));

// ---- its RAM: the memory does not grow any more, so that this view stays ----
const ram = new DataView(engine.memory.buffer, engine.contentsOf(1) >>> 0, RAM_FRAMES * 4096);
const entries = [
  [0x1000, 0x2007n],
  [0x2000, 0x3007n],
  [0x3000, 0x4007n],
  [0x4038, 0x5007n],
  [0x4040, 0xabcde007n],
  [0x3008, 0xabcde007n],
];
for (const [at, entry] of entries) ram.setBigUint64(at, entry, true);
engine.movToCr3(cpu, 1n, 0, false);

function tell(what, outcome) {
  const word = BigInt.asUintN(64, outcome);
  if (word >> 63n === 0n) {
    const address = word & OK_ADDRESS;
    console.log(`${what}: ${address.toString(16)}, a leaf of level ${(word >> OK_LEVEL_SHIFT) & 7n}`);
    return;
  }
  const reason = REASONS[Number((word >> REASON_SHIFT) & 0x7fn)];
  const detail = word & ((1n << LEVEL_SHIFT) - 1n);
  console.log(
    `${what}: ${reason} at level ${(word >> LEVEL_SHIFT) & 15n}, ${reason === "absent" ? "frame" : "error code"} ${detail.toString(16)}`,
  );
}

tell("a write to 7123", engine.translate(cpu, 0x7123n, USER_WRITE));
console.log(`the leaf is now ${ram.getBigUint64(0x4038, true).toString(16)}`);
ram.setBigUint64(0x4038, 0n, true);
tell("a read after the page was taken away", engine.translate(cpu, 0x7123n, USER_READ));
engine.invlpg(cpu, 0x7000n);
tell("and after INVLPG", engine.translate(cpu, 0x7123n, USER_READ));
tell("a page outside RAM", engine.translate(cpu, 0x8000n, USER_READ));
tell("a table outside RAM", engine.translate(cpu, 0x20_0000n, USER_READ));
console.log(`the TLB answered ${engine.cacheCounter(tlb, 0)} of ${engine.agentCounter(agent, 0)} accesses`);
