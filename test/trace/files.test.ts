// Reading a file takes no more memory than it holds at a time: what is left to the collector of garbage counts as well.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { parseTrace } from "../../src/trace/index.js";
import { openTrace } from "../../src/trace/node.js";
import { bytes, fixture, line } from "./support.js";

const EVENTS = 500_000;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Lines of a trace, 60 MB of them; addresses and times differ. */
function text(): Uint8Array {
  const lines = Array.from({ length: EVENTS }, (_, i) => {
    const time = `${100 + Math.floor(i / 1e5)}.${String((i % 1e5) * 10).padStart(6, "0")}`;
    return line(`vfree: (vfree+0x4/0x50) addr=0xffffc900${(i * 4096).toString(16).padStart(8, "0")}`, { time });
  });
  return bytes(lines.join(""));
}

describe("files", () => {
  // Uncollected, buffers of zlib and of files came to 64 MiB and more.
  it.each([
    ["plain", (text: Uint8Array) => text],
    ["gzip of one member", (text: Uint8Array) => gzipSync(text, { level: 1 })],
    ["gzip of many members", (text: Uint8Array) => manyMembers(text)],
  ])("hold less than 16 MiB of bytes without any collection: %s", async (_what, pack) => {
    const folder = mkdtempSync(join(tmpdir(), "stalewalk-memory-"));
    try {
      const path = join(folder, "trace");
      writeFileSync(path, pack(text()));
      collect();
      const before = process.memoryUsage().arrayBuffers;
      let peak = 0;
      let events = 0;
      const reader = parseTrace(openTrace(path));
      for await (const batch of reader) {
        events += batch.count;
        peak = Math.max(peak, process.memoryUsage().arrayBuffers - before);
      }
      expect(events).toBe(EVENTS);
      expect(reader.summary.damaged).toBe(false);
      expect(peak).toBeLessThan(16 << 20);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("give chunks to keep to whoever iterates them", async () => {
    const path = new URL("../fixtures/traces/hugevmap.trace.txt", import.meta.url);
    const chunks: Uint8Array[] = [];
    for await (const chunk of openTrace(fileURLToPath(path))) chunks.push(chunk);
    expect(Buffer.concat(chunks).equals(Buffer.from(fixture("hugevmap.trace.txt")))).toBe(true);
  });
});

function manyMembers(text: Uint8Array): Uint8Array {
  const members: Uint8Array[] = [];
  for (let at = 0; at < text.length; at += 700_000) members.push(gzipSync(text.subarray(at, at + 700_000)));
  return Buffer.concat(members);
}
