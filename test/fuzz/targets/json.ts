// Files that users write as JSON: policies, cost models, hardware, mappings. What is taken is taken again when it is written and
// read once more, and comes out the same.
import { readFileSync } from "node:fs";
import { checkCostModel, defaultCostModel } from "../../../src/cost/index.js";
import { checkPolicy, InvalidOptionError, policies } from "../../../src/index.js";
import { checkHardware, replayHardware } from "../../../src/replay/index.js";
import { joinMapping, MappingError } from "../../../src/trace/index.js";
import { mutateJson } from "../mutate-json.js";
import { endingOf, type FuzzTarget } from "../target.js";

const text = (value: unknown) => Buffer.from(JSON.stringify(value));

/** Example files of the pages. */
function shown(page: string): Uint8Array[] {
  const blocks = readFileSync(new URL(`../../../docs/${page}`, import.meta.url), "utf8").matchAll(
    /```json\n(.*?)```/gs,
  );
  return [...blocks].map(([, block]) => Buffer.from(block!));
}

function jsonTarget(name: string, seeds: () => Uint8Array[], check: (value: unknown) => unknown): FuzzTarget {
  return {
    name,
    seeds,
    mutate: mutateJson,
    run: (bytes) =>
      endingOf(() => {
        const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
        const once = JSON.stringify(check(value));
        const again = JSON.stringify(check(value));
        if (once !== again) throw new RangeError(`${once}, then ${again}`);
        if (Object.hasOwn(Object.prototype, "polluted")) throw new RangeError("Object.prototype was written to");
      }, [InvalidOptionError, MappingError, SyntaxError]),
  };
}

export const jsonTargets: FuzzTarget[] = [
  jsonTarget(
    "policy",
    () => [...Object.values(policies).map(text), ...shown("policies.md")],
    (it) => checkPolicy(it, "policy"),
  ),
  jsonTarget(
    "cost model",
    () => [text(defaultCostModel), text({ name: "mine", figures: { queueWait: 900 } })],
    (it) => checkCostModel(it),
  ),
  jsonTarget(
    "hardware",
    () => Object.values(replayHardware).map(text),
    (it) => checkHardware(it),
  ),
  jsonTarget(
    "mapping",
    () => [
      ...shown("recording.md"),
      text({
        version: 1,
        events: [{ name: "e", fields: [{ name: "a" }] }],
        rules: [{ event: "e", operation: "ignore" }],
      }),
    ],
    (it) => joinMapping(it),
  ),
];
