// Base85: there and back, and letters that a script element takes as they are.
import { describe, expect, it } from "vitest";
import { base85OfBytes, bytesOfBase85 } from "../../src/base/base85.js";
import fc from "../support/fast-check.js";

describe("base85", () => {
  it("gives back what it was made of, whatever the length", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 41 }), (bytes) => {
        const text = base85OfBytes(bytes);
        expect(text).toMatch(/^[(-;=-|~]*$/);
        expect(text.length).toBe(bytes.length + Math.ceil(bytes.length / 4));
        expect(bytesOfBase85(text)).toEqual(bytes);
      }),
    );
  });

  it.each([
    [[], ""],
    [[0], "(("],
    [[0, 0, 0, 20], "((((~"],
    [[255, 255, 255, 255], "z?^4("],
  ])("%j is %j", (bytes, text) => {
    expect(base85OfBytes(Uint8Array.from(bytes))).toBe(text);
  });
});
