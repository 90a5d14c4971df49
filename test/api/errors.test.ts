// L9: one base of all errors. Every class of the package that extends an error extends StalewalkError, with a code of its own.

import { describe, expect, it } from "vitest";
import * as image from "../../src/image/index.js";
import { StalewalkError } from "../../src/index.js";
import * as queue from "../../src/queue/index.js";
import * as trace from "../../src/trace/index.js";
import * as vectors from "../../src/vectors/index.js";

const classes = [image, queue, trace, vectors].flatMap((module) =>
  Object.entries(module).filter(([, it]) => typeof it === "function" && it.prototype instanceof Error),
);

describe("L9: errors", () => {
  it("there are some to look at", () => {
    expect(classes.map(([name]) => name).sort()).toEqual(
      expect.arrayContaining([
        "CoreFormatError",
        "DescriptorError",
        "GzipError",
        "MappingError",
        "TraceFormatError",
        "VectorFormatError",
      ]),
    );
  });

  it.each(classes)("%s is a StalewalkError", (_, type) => {
    expect((type as { prototype: object }).prototype).toBeInstanceOf(StalewalkError);
  });

  it("each says by its code what went wrong", async () => {
    const codeOf = (error: unknown) => (error as StalewalkError).code;
    await expect(trace.summarizeTrace(Buffer.from("\x17\bDtracing"))).rejects.toSatisfy(
      (it) => codeOf(it) === "trace-format",
    );
    expect(() => trace.joinMapping({ version: 1, rules: 5 })).toThrow(
      expect.objectContaining({ code: "mapping", field: "rules", value: 5 }),
    );
    expect(() => queue.decodeVtd(0xffn, 0n)).toThrow(expect.objectContaining({ code: "descriptor" }));
    await expect(image.openCore(Buffer.from("no core"))).rejects.toMatchObject({ code: "core-format" });
    expect(() => image.parseInfoTlb("nonsense\n", "x")).toThrow(expect.objectContaining({ code: "listing-format" }));
  });
});
