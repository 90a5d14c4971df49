// Numbers in text to 64 bits, against BigInt.

import { describe, expect, it } from "vitest";
import { parseHex, parseNumber } from "../../src/trace/numbers.js";
import { runs } from "../support/effort.js";
import fc from "../support/fast-check.js";
import { bytes } from "./support.js";

function read(text: string, parse = parseNumber): [bigint, number] | undefined {
  const out = new Uint32Array(2);
  const end = parse(bytes(`${text} \n`), 0, out, 0);
  return end < 0 ? undefined : [(BigInt(out[1]!) << 32n) | BigInt(out[0]!), end];
}

const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

describe("numbers", () => {
  it("hexadecimal, decimal and negative, up to 64 bits", () => {
    fc.assert(
      fc.property(u64, fc.nat(64), (wide, shift) => {
        const n = wide >> BigInt(shift);
        expect(read(`0x${n.toString(16)}`)).toEqual([n, n.toString(16).length + 2]);
        expect(read(n.toString())).toEqual([n, n.toString().length]);
        expect(read(n.toString(16).toUpperCase().padStart(16, "0"), parseHex)).toEqual([n, 16]);
        if (n <= 2n ** 63n) expect(read(`-${n}`)![0]).toBe(BigInt.asUintN(64, -n));
      }),
      { numRuns: runs(2000) },
    );
  });

  it.each([
    "",
    "x",
    "-",
    "0x",
    "0x11111111111111111",
    "18446744073709551616",
    "99999999999999999999",
    "-9223372036854775809",
  ])("%j is no number", (text) => {
    expect(read(text)).toBeUndefined();
  });
});
