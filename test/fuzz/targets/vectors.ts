// The reader of walk vectors: a line is read or refused, and what is read is played on the engine without a word of its own.

import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { checkVectors, readWalkVectors, VectorFormatError } from "../../../src/vectors/index.js";
import { vectorFixture } from "../../support/vectors.js";
import { mutateJson } from "../mutate-json.js";
import { endingOf, type FuzzTarget } from "../target.js";

export const vectorTarget: FuzzTarget = {
  name: "walk vectors",
  seeds() {
    const lines = gunzipSync(readFileSync(vectorFixture))
      .toString()
      .split("\n")
      .filter((line) => line !== "");
    return lines.slice(0, 40).map((line) => Buffer.from(line));
  },
  mutate: mutateJson,
  run: (bytes) =>
    endingOf(async () => {
      const read = readWalkVectors([bytes], { file: "fuzz" });
      const vectors = [];
      for await (const it of read) vectors.push(it);
      if (vectors.length === 0) throw new VectorFormatError("fuzz", 0, "no vector");
      await checkVectors(vectors.slice(0, 3));
    }, [VectorFormatError]),
};
