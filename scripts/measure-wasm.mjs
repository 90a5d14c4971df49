// `npm run measure:wasm`: size of the engine's module, and how long compiling and instantiating it take. Figures of this
// machine, for people: no test asserts a time.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const ROUNDS = 101;
const bytes = readFileSync(new URL("../dist/stalewalk.wasm", import.meta.url));

/** The module with a custom section that no earlier one had: equal bytes would come compiled out of V8's cache. */
let sections = 0;
function fresh() {
  const section = [0, 6, 1, 0x78, 0, 0, 0, 0];
  const copy = new Uint8Array(bytes.length + section.length);
  copy.set(bytes);
  copy.set(section, bytes.length);
  new DataView(copy.buffer).setUint32(bytes.length + 4, ++sections);
  return copy;
}

/** Median and largest of the times of some rounds, in milliseconds. */
function time(work, prepare = () => undefined) {
  const times = [];
  for (let i = 0; i < ROUNDS; i++) {
    const input = prepare();
    const start = performance.now();
    work(input);
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  return `median ${times[ROUNDS >> 1].toFixed(3)} ms, first or slowest ${times.at(-1).toFixed(3)} ms, of ${ROUNDS} rounds`;
}

console.log(`size             ${bytes.length} bytes (${gzipSync(bytes).length} gzipped), limit 65536`);
console.log(`imports          ${WebAssembly.Module.imports(new WebAssembly.Module(bytes)).length}`);
console.log(`compile          ${time((input) => new WebAssembly.Module(input), fresh)}`);
const module = new WebAssembly.Module(bytes);
console.log(`instantiate      ${time(() => new WebAssembly.Instance(module))}`);
console.log(`both             ${time((input) => new WebAssembly.Instance(new WebAssembly.Module(input)), fresh)}`);
