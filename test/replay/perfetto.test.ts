// A replay as trace event JSON: its structure, and that every number in it is the result's.
import { readFileSync } from "node:fs";
import { Ajv } from "ajv";
import { beforeAll, describe, expect, it } from "vitest";
import { fromJson, type ReplayResult, replay, toJson, toPerfetto } from "../../src/replay/index.js";
import { HOSTILE, hostile } from "../support/report-results.js";

/** Of the "Trace Event Format" what these files use: each phase with the fields that it must have. */
const SCHEMA = {
  type: "object",
  required: ["traceEvents", "displayTimeUnit", "otherData"],
  additionalProperties: false,
  properties: {
    displayTimeUnit: { enum: ["ms", "ns"] },
    otherData: { type: "object" },
    traceEvents: {
      type: "array",
      items: {
        type: "object",
        required: ["name", "ph", "pid", "tid"],
        properties: { name: { type: "string" }, pid: { type: "integer" }, tid: { type: "integer" } },
        oneOf: [
          {
            properties: { ph: { const: "M" }, name: { enum: ["process_name", "process_sort_index", "thread_name"] } },
            required: ["args"],
          },
          {
            properties: { ph: { const: "i" }, ts: { type: "number", minimum: 0 }, s: { enum: ["g", "p", "t"] } },
            required: ["ts", "s"],
          },
          {
            properties: {
              ph: { const: "C" },
              ts: { type: "number", minimum: 0 },
              args: { type: "object", additionalProperties: { type: "number" } },
            },
            required: ["ts", "args"],
          },
          { properties: { ph: { enum: ["b", "e"] }, ts: { type: "number" } }, required: ["ts", "id", "cat"] },
        ],
      },
    },
  },
};

interface Event {
  name: string;
  ph: string;
  pid: number;
  tid: number;
  ts: number;
  id?: number;
  args: Record<string, number | string>;
}

let result: ReplayResult;
let events: Event[];

beforeAll(async () => {
  const trace = new URL("../fixtures/traces/linux618-frees.trace.txt.gz", import.meta.url);
  const policies = ["none", "deferred-free"] as const;
  result = await replay(readFileSync(trace), { policies, kernel: "6.18.15", marks: true });
  events = (JSON.parse(toPerfetto(result)) as { traceEvents: Event[] }).traceEvents;
});

describe("trace event JSON", () => {
  it("has the form", () => {
    const valid = new Ajv({ strict: false }).compile(SCHEMA);
    expect(valid(JSON.parse(toPerfetto(result))), JSON.stringify(valid.errors)).toBe(true);
    expect(valid({ ...JSON.parse(toPerfetto(result)), traceEvents: [{ name: "a", ph: "i", pid: 1, tid: 1 }] })).toBe(
      false,
    );
  });

  it("names its processes and tracks", () => {
    const names = events.filter(({ name }) => name === "process_name").map(({ args }) => args["name"]);
    expect(names).toEqual(["kernel: trace", "policy none", "policy deferred-free"]);
    const tracks = new Set(events.filter(({ name }) => name === "thread_name").map(({ pid, tid }) => `${pid} ${tid}`));
    const used = new Set(events.filter(({ ph, tid }) => ph !== "M" && tid > 0).map(({ pid, tid }) => `${pid} ${tid}`));
    expect([...used].filter((track) => !tracks.has(track))).toEqual([]);
  });

  it("has every free, flush, invalidation and walk of the result", () => {
    const of = (pid: number, tid: number): Event[] =>
      events.filter((it) => it.ph === "i" && it.pid === pid && it.tid === tid);
    expect(of(1, 3).map(({ name, args }) => [name, args["line"]])).toEqual(
      result.frees.map(({ site, line }) => [site, line]),
    );
    const { kernelRange, all, mm } = result.program.flushes;
    expect(of(1, 1)).toHaveLength(kernelRange + all);
    expect(of(1, 2)).toHaveLength(mm);
    for (const [i, { hazards, timeline }] of result.policies.entries()) {
      const sum = (list: Event[]): number => list.reduce((all, { args }) => all + Number(args["count"]), 0);
      expect(sum(of(10 + i, 2))).toBe(hazards.total);
      expect(sum(of(10 + i, 1))).toBe(timeline.invalidations.reduce((all, it) => all + it, 0));
      const spans = events.filter((it) => it.pid === 10 + i && it.ph === "b");
      expect(spans.map(({ id }) => id)).toEqual(hazards.byFree.map(({ free }) => free));
      expect(events.filter((it) => it.pid === 10 + i && it.ph === "e")).toHaveLength(spans.length);
    }
    const frames = events.filter((it) => it.ph === "C" && it.pid === 11).map(({ args }) => Number(args["frames"]));
    expect(Math.max(...frames)).toBe(result.policies[1]!.held.peak);
  });

  it("is in microseconds from the first event, as its marks are in nanoseconds", () => {
    const walk = events.find((it) => it.ph === "i" && it.pid === 10 && it.tid === 2)!;
    expect(walk.ts * 1000).toBeCloseTo(result.marks!.policies[0]!.hazards.ns[0]!, 3);
  });

  it("keeps hostile names inside their strings", () => {
    const text = toPerfetto({ ...hostile(result), marks: result.marks! });
    const { traceEvents } = JSON.parse(text) as { traceEvents: Event[] };
    expect(traceEvents).toHaveLength(events.length);
    expect(traceEvents.some(({ name }) => name.startsWith(HOSTILE))).toBe(true);
  });
});

describe("a result read back from its JSON", () => {
  it("is the result", () => {
    const text = toJson(result);
    expect(toJson(fromJson(text))).toBe(text);
    expect(fromJson(text).frees).toEqual(JSON.parse(JSON.stringify(result.frees, bigints), revive));
    expect(fromJson(text).policies[0]!.hazards.records[0]!.address).toBe(
      result.policies[0]!.hazards.records[0]!.address,
    );
  });

  it.each([
    ["{", "JSON"],
    ["[]", "format undefined"],
    ["null", "format undefined"],
    ['{"format":"stalewalk-replay","version":2}', "version 2"],
    ['{"format":"stalewalk-replay","version":1,"configuration":[]}', "result.configuration"],
  ])("is refused if it is none: %s", (text, says) => {
    expect(() => fromJson(text)).toThrow(says);
  });
});

const bigints = (_: string, item: unknown): unknown => (typeof item === "bigint" ? `big ${item}` : item);
const revive = (_: string, item: unknown): unknown =>
  typeof item === "string" && item.startsWith("big ") ? BigInt(item.slice(4)) : item;
