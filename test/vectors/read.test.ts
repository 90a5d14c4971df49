// Reading walk vectors: plain or gzip, in any chunks, bounded; every refusal names file, line, value and expectation.

import { createReadStream, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { parseWalkVector, readWalkVectors, VectorFormatError } from "../../src/vectors/index.js";
import { GOOD_LINE, vectorFixture, vectorsOf } from "../support/vectors.js";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

function* pieces(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function count(chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>, options = {}): Promise<number> {
  let vectors = 0;
  for await (const { line } of readWalkVectors(chunks, { file: "lines", ...options })) {
    vectors += 1;
    expect(line).toBe(vectors);
  }
  return vectors;
}

describe("parseWalkVector", () => {
  it("takes the SDM's result on a line that deviates", () => {
    const vector = parseWalkVector(GOOD_LINE, { file: "lines", line: 1 });
    expect(vector.observed).toEqual({ kind: "fault", errorCode: 12 });
    expect(vector.expected).toEqual({ kind: "fault", errorCode: 13 });
    expect(vector.root).toBe(0x6342a);
    expect(vector.access).toEqual({ type: "read", user: true, implicit: false });
  });

  const table = /"tables":\[(\{[^}]*\})\]/.exec(GOOD_LINE)?.[1] ?? "";
  const twice = (other: string): string => GOOD_LINE.replace(table, `${table},${other}`);

  it.each([
    ["not JSON", "{", 'lines:7: "{": expected a JSON object'],
    ["an empty line", "", 'lines:7: "": expected a JSON object'],
    ["not an object", "[]", "lines:7: []: expected an object"],
    ["a wrong number", GOOD_LINE.replace('"levels":4', '"levels":3'), "lines:7: levels = 3: expected 4 or 5"],
    ["a wrong hex", GOOD_LINE.replace("0x10534bb48000", "12"), 'lines:7: va = "12": expected 0x and 1 to 16 lower'],
    ["17 digits", GOOD_LINE.replace("0x10534bb48000", "0x10000000000000000"), 'va = "0x10000000000000000": expected'],
    [
      "a wrong index",
      GOOD_LINE.replace('"index":32', '"index":512'),
      "tables[0].index = 512: expected an integer from 0",
    ],
    ["a wrong flag", GOOD_LINE.replace('"smep":1', '"smep":true'), "smep = true: expected 0 or 1"],
    [
      "a wide cr3",
      GOOD_LINE.replace("0x6342a149", "0x10000000000000"),
      'cr3 = "0x10000000000000": expected an address',
    ],
    [
      "another root",
      GOOD_LINE.replace("0x6342a149", "0x6342b149"),
      'tables[0].pa = "0x6342a000": expected the page that',
    ],
    ["no tables", GOOD_LINE.replace(table, ""), "tables = []: expected a list of 1 to 4 objects"],
    ["an unaligned table", GOOD_LINE.replace('"0x6342a000"', '"0x6342a008"'), "expected a page-aligned address"],
    [
      "two befores",
      twice(table.replace(/"before":"[^"]*"/, '"before":"0x1"')),
      'tables[1].before = "0x1": expected the',
    ],
    ["two afters", twice(table.replace(/"after":"[^"]*"/, '"after":"0x1"')), 'tables[1].after = "0x1": expected the'],
    ["no result", GOOD_LINE.replace('"result"', '"no"'), "lines:7: result = undefined: expected an object"],
    ["no SDM result", GOOD_LINE.replace('"sdm"', '"no"'), "lines:7: sdm = undefined: expected an object"],
    ["another deviation", GOOD_LINE.replace("rsvd-without-p", "new"), 'deviation = "new": expected rsvd-without-p or'],
    [
      "a #GP that is none",
      GOOD_LINE.replace('"vector":14', '"vector":13'),
      "result.noncanonical = undefined: expected",
    ],
    ["an inherited field", GOOD_LINE.replace('"deviation"', '"toString"'), ""],
  ])("names line, value and expectation: %s", (_, line, message) => {
    const parse = () => parseWalkVector(line, { file: "lines", line: 7 });
    if (message === "") expect(parse).not.toThrow();
    else expect(parse).toThrow(message);
  });
});

describe("readWalkVectors", () => {
  const text = `${GOOD_LINE}\n`.repeat(300);

  it.each([1, 7, 4096, 1 << 20])("reads plain and gzip data in chunks of %i bytes alike", async (size) => {
    expect(await count(pieces(encode(text), size))).toBe(300);
    expect(await count(pieces(gzipSync(text), size))).toBe(300);
  });

  it("does not mind a missing last newline or carriage returns, and reads files of two gzip members", async () => {
    expect(await count([encode(text.trimEnd())])).toBe(300);
    expect(await count([encode(text.replaceAll("\n", "\r\n"))])).toBe(300);
    const members = Buffer.concat([gzipSync(text), gzipSync(text)]);
    expect(await count([members])).toBe(600);
  });

  it("names the line that is wrong", async () => {
    await expect(count([encode(`${text}nonsense\n${text}`)])).rejects.toThrow('lines:301: "nonsense": expected a JSON');
    await expect(count([encode(`${GOOD_LINE}\n\n${GOOD_LINE}`)])).rejects.toThrow('lines:2: ""');
  });

  it("refuses a line without end instead of keeping it", async () => {
    let given = 0;
    function* endless(): Generator<Uint8Array> {
      yield encode(`${GOOD_LINE}\n`);
      for (;;) {
        given += 1;
        yield encode(" ".repeat(4096));
      }
    }
    await expect(count(endless())).rejects.toThrow(/^lines:2: " +": a line of more than 65536 characters/);
    expect(given).toBeLessThan(20);
    await expect(count([encode(text)], { maxLine: 100 })).rejects.toThrow("lines:1: ");
  });

  it("says that a file without vectors has none", async () => {
    await expect(count([])).rejects.toThrow("lines: no vectors; expected one JSON object a line");
    await expect(count([gzipSync("")])).rejects.toThrow("lines: no vectors");
  });

  it.each([1, 20, 400])("says that a gzip file lacks its last %i bytes", async (missing) => {
    const fixture: Uint8Array[] = [];
    for await (const chunk of createReadStream(vectorFixture)) fixture.push(chunk as Uint8Array);
    const whole = Buffer.concat(fixture);
    const cut = count(pieces(whole.subarray(0, whole.length - missing), 1000));
    await expect(cut).rejects.toThrow(VectorFormatError);
    await expect(count([whole.subarray(0, whole.length - missing)])).rejects.toThrow(
      /^lines: damaged or cut gzip data after line \d+: /,
    );
  });

  it("says that gzip data are damaged", async () => {
    const damaged = Uint8Array.from(gzipSync(text));
    damaged.fill(0x55, 30, 40);
    await expect(count([damaged])).rejects.toThrow(/^lines: damaged or cut gzip data after line \d+: /);
  });

  it("passes errors of its source through as they are", async () => {
    const folder = mkdtempSync(join(tmpdir(), "vectors-"));
    try {
      await expect(vectorsOf(join(folder, "missing.gz")).next()).rejects.toMatchObject({ code: "ENOENT" });
      await expect(vectorsOf(folder).next()).rejects.toMatchObject({ code: "EISDIR" });
      const failing = new Error("the disk is gone");
      async function* source(): AsyncGenerator<Uint8Array> {
        yield gzipSync(text).subarray(0, 100);
        throw failing;
      }
      await expect(count(source())).rejects.toBe(failing);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
