// The event table and mapping: complete, extendable, and exact about mistakes.
import { describe, expect, it } from "vitest";
import {
  compileTrace,
  DEFAULT_MAPPING,
  EVENTS,
  joinMapping,
  MAPPING,
  MappingError,
  OPERATION_NAMES,
  type Operation,
  type OperationBatch,
  operationArguments,
  type TraceSource,
} from "../../src/trace/index.js";
import { bytes, fixture, line } from "./support.js";

async function operations(source: TraceSource, mapping = DEFAULT_MAPPING) {
  const compiler = compileTrace(source, { mapping });
  const list: Operation[] = [];
  for await (const batch of compiler) for (let i = 0; i < batch.count; i++) list.push(batch.at(i));
  return { list, summary: compiler.summary };
}

describe("built-in mapping", () => {
  it("has a rule for every event, and an event for every operation", () => {
    const mapped = new Set(MAPPING.map((r) => r.event));
    expect(EVENTS.map((e) => e.name).filter((name) => !mapped.has(name))).toEqual([]);
    const used = new Set(MAPPING.map((r) => r.operation));
    expect(OPERATION_NAMES.filter((name) => !used.has(name))).toEqual([]);
  });

  it("passes its own check", () => {
    expect(() => joinMapping({ version: 1, rules: JSON.parse(JSON.stringify(MAPPING)) })).not.toThrow();
  });

  it("gives every argument a source, but those an event does not tell", () => {
    const without: string[] = [];
    for (const rule of MAPPING) {
      if (rule.operation === "ignore") continue;
      const fields = EVENTS.find((e) => e.name === rule.event)!.fields.map((f) => f.name);
      for (const [argument] of operationArguments(rule.operation)) {
        if (rule.args?.[argument] === undefined && !fields.includes(argument))
          without.push(`${rule.event}.${argument}`);
      }
    }
    expect([...new Set(without)].sort()).toEqual([
      // A page is named by its address or by its struct page; a count that is missing is 0.
      "___free_pages.address",
      "___free_pages.deferred",
      "__free_pages.address",
      "__free_pages.deferred",
      "bpf_jit_alloc_exec.type",
      "cache_tag_flush_range.notPresent",
      "free_pages.deferred",
      "free_pages.page",
      "module_alloc.type",
      "pagetable_free_kernel.address",
      "qi_submit.unitAddress",
      "qi_submit_sync.qw2",
      "qi_submit_sync.qw3",
      "qi_submit_sync.unit",
    ]);
  });

  it("a table replaced by a huge mapping: detached, flushed, freed, in this order", async () => {
    const { list, summary } = await operations(fixture("hugevmap.trace.txt"));
    const from = list.findIndex((o) => o.name === "table-detach");
    expect(list.slice(from, from + 6).map((o) => o.name)).toEqual([
      "table-detach",
      "flush-kernel-range",
      "cpu-flush-range",
      "cpu-flush-range",
      "table-free",
      "table-detach-return",
    ]);
    expect(list[from]).toEqual({
      name: "table-detach",
      time: 25454637000,
      cpu: 0,
      pid: 226,
      line: 24,
      args: {
        site: "pmd_free_pte_page",
        level: 1,
        address: 0xffffcee241a00000n,
        parent: 0xffff8d26811e8068n,
        entry: 0x1c0f0067n,
      },
    });
    expect(list[from + 4]!.args).toMatchObject({ site: "pmd_free_pte_page", address: 0xffff8d269c0f0000n });
    expect(list.find((o) => o.name === "tlb-flush")!.args).toEqual({ pages: -1, reason: 0 });
    expect(list.find((o) => o.name === "area-alloc")!.args).toMatchObject({ start: 18446690069893877760n });
    expect(summary.trace.damaged).toBe(false);
  });

  it("hot-removal: pages of the direct map's tables are table-free, vmemmap blocks are free-pages", async () => {
    const { list } = await operations(fixture("hotplug.trace.txt"));
    const frees = list.filter((o) => o.name === "table-free" || o.name === "free-pages");
    expect(frees.map((o) => [o.name, o.args.site, "order" in o.args ? o.args.order : 0])).toEqual([
      ["free-pages", "remove_pagetable+0xa7a/0xa90", 9],
      ["free-pages", "remove_pagetable+0xa7a/0xa90", 9],
      ["table-free", "remove_pagetable", 0],
    ]);
  });

  it("keeps batches apart and copies them", async () => {
    const text = bytes(line("do_kernel_range_flush: (f) start=0x1000 end=0x2000").repeat(10_000));
    const copies: OperationBatch[] = [];
    for await (const batch of compileTrace(text)) copies.push(batch.copy());
    expect(copies.reduce((n, batch) => n + batch.count, 0)).toBe(10_000);
    expect(copies[0]!.at(4095).args).toEqual({ start: 0x1000n, end: 0x2000n });
    expect(copies.at(-1)!.at(copies.at(-1)!.count - 1).line).toBe(10_000);
    expect(() => copies[0]!.at(1 << 20)).toThrow(RangeError);
  });
});

describe("user mappings", () => {
  const file = {
    version: 1,
    events: [
      { name: "my_flush", fields: [{ name: "where" }, { name: "by", type: "symbol", optional: true }] },
      {
        name: "my_point",
        system: "mine",
        fields: [{ name: "unit", type: "word" }, { name: "n" }],
        layout: ["unit {unit}: {n}"],
      },
    ],
    rules: [
      {
        event: "my_flush",
        operation: "cpu-flush-page",
        args: { address: "where", caller: "by" },
        when: { where: { not: 0 } },
      },
      { event: "my_flush", operation: "cpu-flush-all" },
      { event: "my_point", operation: "queue-descriptor", args: { qw0: "n", count: { value: 5 } } },
      { event: "vfree", operation: "ignore", reason: "not today" },
    ],
  };

  it("add events and replace rules", async () => {
    const text = [
      line("my_flush: (f) where=0x5000 by=me+0x1/0x2 [m]"),
      line("my_flush: (f) where=0x0"),
      line("my_point: unit dmar3: 77"),
      line("vfree: (f) addr=0x1"),
      line("flush_all: (f) caller=x+0x1/0x2"),
    ].join("");
    const { list, summary } = await operations(bytes(text), joinMapping(JSON.parse(JSON.stringify(file))));
    expect(list.map((o) => [o.name, o.args])).toEqual([
      ["cpu-flush-page", { address: 0x5000n, caller: "me+0x1/0x2 [m]" }],
      ["cpu-flush-all", {}],
      ["queue-descriptor", { unit: "dmar3", unitAddress: 0n, qw0: 77n, qw1: 0n, qw2: 0n, qw3: 0n, count: 5 }],
      ["flush-all", { caller: "x+0x1/0x2" }],
    ]);
    expect([...summary.ignored]).toEqual([["vfree", 1]]);
  });

  it("a rule may look at an earlier event of the thread, up to where it ends, and compare fields", async () => {
    const last = { event: "vunmap", when: { addr: { not: 0 } }, until: ["iounmap"], same: ["addr"] };
    const mapping = joinMapping({
      version: 1,
      rules: [
        { event: "vfree", operation: "area-remove", args: { address: "addr" }, last },
        { event: "vfree", operation: "vfree", args: { address: "addr" } },
      ],
    });
    const vfree = "vfree: (f) addr=0x1000";
    const text = [
      line(vfree),
      line("vunmap: (f) addr=0x1000"),
      line(vfree),
      line(vfree, { pid: 2 }),
      line("vfree: (f) addr=0x2000"),
      line("iounmap: (f) addr=0x1000"),
      line(vfree),
    ].join("");
    const { list } = await operations(bytes(text), mapping);
    expect(list.map((o) => o.name)).toEqual(["vfree", "vunmap", "area-remove", "vfree", "vfree", "iounmap", "vfree"]);
    const broken = (more: object) => () =>
      joinMapping({ version: 1, rules: [{ event: "vfree", operation: "ignore", last: { ...last, ...more } }] });
    expect(broken({ until: ["nothing"] })).toThrow(/rules\[0\]\.last\.until\[0\]: "nothing"/);
    expect(broken({ same: ["caller"] })).toThrow(/rules\[0\]\.last\.same\[0\]: "caller", expected a field of both/);
    expect(broken({ event: "nothing" })).toThrow(MappingError);
  });

  it("events that no rule takes are counted by name", async () => {
    const mapping = joinMapping({
      version: 1,
      rules: [{ event: "vfree", operation: "vfree", args: { address: "addr" }, when: { addr: 1 } }],
    });
    const { summary } = await operations(bytes(line("vfree: (f) addr=0x1") + line("vfree: (f) addr=0x2")), mapping);
    expect([...summary.operations]).toEqual([["vfree", 1]]);
    expect([...summary.unmapped]).toEqual([["vfree", 1]]);
  });

  const rule = (change: object) => ({ version: 1, rules: [{ event: "vfree", operation: "vfree", ...change }] });
  const event = (change: object) => ({ version: 1, events: [{ name: "e", fields: [{ name: "a" }], ...change }] });

  it.each([
    [null, "", "an object"],
    [{}, "version", "1"],
    [{ version: 2 }, "version", "1"],
    [{ version: 1, rule: [] }, "rule", "one of version, events, rules, $schema; did you mean rules?"],
    [{ version: 1, rules: {} }, "rules", "an array"],
    [rule({ event: "vfre" }), "rules[0].event", "built-in event"],
    [rule({ operation: "free" }), "rules[0].operation", "one of area-alloc, area-free"],
    [rule({ args: { adress: "addr" } }), "rules[0].args.adress", "one of address; did you mean address?"],
    [rule({ args: { address: "start" } }), "rules[0].args.address", "an address field: addr"],
    [rule({ args: { address: { value: 0.5 } } }), "rules[0].args.address.value", "a whole number"],
    [rule({ args: { address: { text: "x" } } }), "rules[0].args.address.text", "only value here"],
    [rule({ when: { order: 0 } }), "rules[0].when.order", "one of addr"],
    [rule({ operation: "cpu-flush-all", args: { address: "addr" } }), "rules[0].args.address", "nothing here"],
    [rule({ when: { addr: "0" } }), "rules[0].when.addr", "a whole number"],
    [rule({ when: { addr: { function: "f" } } }), "rules[0].when.addr.function", "only not here"],
    [rule({ last: { event: "nope", when: {} } }), "rules[0].last.event", "built-in event"],
    [rule({ reason: 1 }), "rules[0].reason", "a text"],
    [event({ name: "a b" }), "events[0].name", "letters, digits"],
    [event({ fields: [{ name: "a", type: "u64" }] }), "events[0].fields[0].type", "one of number, hex, symbol"],
    [event({ fields: [{ name: "a" }, { name: "a" }] }), "events[0].fields[1].name", "no other field"],
    [event({ fields: [{ name: "a", type: "text" }] }), "events[0].fields[0].type", "number or symbol"],
    [event({ layout: ["{b}"] }), "events[0].layout[0]", "only {a}, each once"],
    [event({ layout: ["{a}{a}"] }), "events[0].layout[0]", "something fixed"],
    [event({ layout: [] }), "events[0].layout", "at least one text"],
    [event({ fields: Array.from({ length: 17 }, (_, i) => ({ name: `f${i}` })) }), "events[0].fields", "at most 16"],
    [event({ name: "vfree" }), "events[0].fields", "a field addr, which the built-in rule reads"],
  ])("%j is refused at %j", (bad, path, allowed) => {
    let error: unknown;
    try {
      joinMapping(bad);
    } catch (e) {
      error = e;
    }
    expect(error).toBeInstanceOf(MappingError);
    expect((error as MappingError).path).toBe(path);
    expect((error as MappingError).allowed).toContain(allowed);
    expect((error as MappingError).message).toContain(path || "the file");
  });
});
