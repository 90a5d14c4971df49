// Base64 by the host's own means or by the loop that every host can: the same bytes.
import { afterEach, describe, expect, it, vi } from "vitest";
import { base64OfBytes, bytesOfBase64 } from "../../src/base/base64.js";
import fc from "../support/fast-check.js";

const { Buffer: own } = globalThis;
const bytes = fc.uint8Array({ maxLength: 300 });

describe("base64", () => {
  afterEach(() => void vi.unstubAllGlobals());

  it("is read as it was written, by the host", () => {
    fc.assert(fc.property(bytes, (it) => Buffer.compare(bytesOfBase64(base64OfBytes(it)), it) === 0));
  });

  it.each([
    ["letter by letter", undefined],
    ["by a host that has a function for it", (text: string) => new Uint8Array(own.from(text, "base64"))],
  ])("%s", async (_, fromBase64) => {
    vi.stubGlobal("Uint8Array", Object.assign(class extends Uint8Array {}, { fromBase64 }));
    vi.stubGlobal("Buffer", undefined);
    vi.resetModules();
    const { bytesOfBase64: other } = await import("../../src/base/base64.js");
    const texts = fc.sample(bytes, 50).map((it) => [base64OfBytes(it), it] as const);
    for (const [text, it] of texts) expect(own.compare(other(text), it)).toBe(0);
  });
});
