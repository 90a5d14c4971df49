// check-image, audit and walk as a user runs them: output, exit codes, and errors of one line.
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commands } from "../../src/cli/commands.js";
import { createProgram } from "../../src/cli/program.js";
import { buildCore, qemuNote, table } from "../image/build-core.js";
import { fixtures } from "../image/images.js";
import { runCli, runJson } from "./run-cli.js";

const [four, five] = fixtures.map(({ path }) => path!) as [string, string];
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "stalewalk-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("check-image", () => {
  it("says equal and exits with 0", async () => {
    const { code, out, err } = await runCli("check-image", four, five);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toContain(`${four}: equal (4 levels)`);
    expect(out).toMatch(
      /info tlb +2663 compared, equal\n +info mem +90 compared, equal\n +probes +5326 compared, equal/,
    );
    expect(out).toContain(`${five}: equal (5 levels)`);
    expect(out).toMatch(/info mem +not there/);
  });

  it("takes a folder of cores", async () => {
    const { code, value } = await runJson("check-image", join(four, ".."));
    expect(code).toBe(0);
    expect(value).toMatchObject([
      { file: four, equal: true },
      { file: five, equal: true },
    ]);
  });

  it("shows each difference with its line, and exits with 1", async () => {
    const core = join(folder, "changed.core.gz");
    copyFileSync(four, core);
    const lines = gunzipSync(readFileSync(four.replace("core.gz", "info-tlb.txt.gz")))
      .toString()
      .split("\n");
    const [first, second, third] = lines as [string, string, string];
    lines[0] = first.replace("X", "-");
    lines.splice(1, 1);
    const text = [...lines.slice(0, 2), third.replace(/^\d{16}/, "00000000004ff000"), ...lines.slice(2)];
    writeFileSync(
      join(folder, "changed.info-tlb.txt"),
      text
        .filter((line) => line !== "")
        .sort()
        .join("\n"),
    );
    const { code, out } = await runCli("check-image", core);
    expect(code).toBe(1);
    expect(out).toContain("DIFFERENT (4 levels)");
    expect(out).toMatch(/info tlb +2664 compared, 3 DIFFERENT/);
    expect(out).toContain(`walker   ${first}\n    listing  ${lines[0]}  (line 1)`);
    expect(out).toContain(`walker   ${second}\n    listing  (nothing)\n`);
    expect(out).toMatch(/walker {3}\(nothing\)\n {4}listing {2}00000000004ff000: .*\(line \d+\)/);
  });

  it("sees one changed bit of one entry", async () => {
    const bytes = gunzipSync(readFileSync(four));
    // Clear A of the vsyscall page's entry.
    const at = bytes.indexOf(Buffer.from([0x25, 0x41, 0xe0, 0x29, 0, 0, 0, 0x80]));
    bytes[at]! ^= 0x20;
    writeFileSync(join(folder, "bit.core.gz"), gzipSync(bytes));
    for (const kind of ["info-tlb.txt.gz", "info-mem.txt.gz", "json"]) {
      copyFileSync(four.replace("core.gz", kind), join(folder, `bit.${kind}`));
    }
    const { code, value } = await runJson("check-image", join(folder, "bit.core.gz"));
    expect(code).toBe(1);
    expect(value).toMatchObject([
      { equal: false, parts: [{ name: "info tlb", differences: 1 }, { differences: 0 }, {}, {}] },
    ]);
  });

  it("fails with 2 if there is nothing to compare with", async () => {
    const core = join(folder, "alone.core");
    writeFileSync(core, gunzipSync(readFileSync(four)));
    const { code, out, err } = await runCli("check-image", core);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toBe(
      `stalewalk: ${core}: no listing beside it: expected NAME.info-tlb.txt or NAME.info-mem.txt, or .gz of it\n`,
    );
  });
});

describe("X5: check-image on a core of several CPUs", () => {
  // Three CPUs with a root each; the listings are of the tables of one of them.
  const roots = [1, 2, 3].map((frame) => BigInt(frame) * 0x1000n);
  const segments = [
    { address: 0x1000n, bytes: table({ 0: 0x4003n }) },
    { address: 0x2000n, bytes: table({ 0: 0x4003n, 1: 0x4003n }) },
    { address: 0x3000n, bytes: table({ 0: 0x4003n, 1: 0x4003n, 2: 0x4003n }) },
    { address: 0x4000n, bytes: table({ 0: 0x5003n }) },
    { address: 0x5000n, bytes: table({ 0: 0xe3n, 1: 0x2000e3n }) },
  ];
  const half = 1n << 39n;
  const rows = (count: number) =>
    Array.from({ length: count }, (_, i) =>
      [0n, 0x200000n].map((at) => ({ at: BigInt(i) * half + at, to: at })),
    ).flat();
  const hex16 = (value: bigint) => value.toString(16).padStart(16, "0");
  const listing = (count: number) =>
    rows(count)
      .map(({ at, to }) => `${hex16(at)}: ${hex16(to)} --PDA---W\n`)
      .join("");

  async function check(name: string, whose: number, notes = roots.map((cr3) => qemuNote({ cr3 })), ...flags: string[]) {
    const core = join(folder, `${name}.core`);
    writeFileSync(core, buildCore({ segments, notes }));
    writeFileSync(join(folder, `${name}.info-tlb.txt`), listing(whose));
    return { text: await runCli("check-image", core, ...flags), json: await runJson("check-image", core, ...flags) };
  }

  it("says which CPU's tables equal the listings", async () => {
    const { text, json } = await check("second", 2);
    expect({ code: text.code, err: text.err }).toEqual({ code: 0, err: "" });
    expect(text.out).toContain(
      "second.core: equal (4 levels, CPU 1)\n  CPU 0: 2 DIFFERENT\n  CPU 1: equal\n  info tlb",
    );
    expect(json.code).toBe(0);
    expect(json.value).toMatchObject([
      {
        equal: true,
        cpu: 1,
        cr3: "0x2000",
        tried: [
          { cpu: 0, differences: 2 },
          { cpu: 1, differences: 0 },
        ],
      },
    ]);
  });

  it("does not try others if the first one equals", async () => {
    const { text, json } = await check("first", 1);
    expect(text.out).toContain("first.core: equal (4 levels)\n  info tlb");
    expect((json.value as { tried?: unknown }[])[0]!.tried).toBeUndefined();
  });

  it("shows the one that differs least if none equals, and exits with 1", async () => {
    const { text } = await check("none", 4);
    expect(text.code).toBe(1);
    expect(text.out).toContain(
      "none.core: DIFFERENT (4 levels, CPU 2)\n  CPU 0: 6 DIFFERENT\n  CPU 1: 4 DIFFERENT\n  CPU 2: 2 DIFFERENT\n",
    );
  });

  it("keeps to the CPU or the root that was asked for", async () => {
    const asked = await check("asked", 2, undefined, "--cpu", "0");
    expect(asked.text.code).toBe(1);
    expect(asked.text.out).toContain("asked.core: DIFFERENT (4 levels)\n  info tlb");
    const root = await check("root", 2, undefined, "--root", "3000");
    expect(root.text.code).toBe(1);
    expect(root.text.out).not.toContain("CPU");
  });

  it("says of a CPU that can't be walked why", async () => {
    const notes = [{ cr3: 0x1000n }, { cr3: 0x3000n, cr0: 0x11n }, { cr3: 0x9000n }, { cr3: 0x3000n }].map(
      (registers) => qemuNote(registers),
    );
    const { text } = await check("real", 3, notes);
    expect(text.code).toBe(0);
    expect(text.out).toMatch(/equal \(4 levels, CPU 3\)\n {2}CPU 0: 4 DIFFERENT\n {2}CPU 1: .*CR0 0x11/);
    expect(text.out).toMatch(/ {2}CPU 2: .*does not hold the root table at 0x9000/);
  });
});

describe("X7: what is odd about an image", () => {
  it("is said by every command that reads one, as text and as JSON", async () => {
    const core = join(folder, "odd.core");
    const bytes = buildCore({
      segments: [
        { address: 0x1000n, bytes: table({ 0: 0x2003n }) },
        { address: 0x1000n, bytes: table({}) },
        { address: 0x7000n, bytes: table({}) },
      ],
      notes: [qemuNote({ cr3: 0x1000n })],
    });
    new DataView(bytes.buffer, 64 + 56 * 3).setBigUint64(24, 0xffff_ffff_ffff_ffffn, true);
    writeFileSync(core, bytes);
    writeFileSync(join(folder, "odd.info-tlb.txt"), "");
    const warnings = [
      expect.stringMatching(/^program header 3: p_paddr is -1/),
      expect.stringMatching(/^program header 2: 1 frame\(s\) from 0x1 overlap an earlier segment/),
    ];
    for (const args of [
      ["walk", core, "0"],
      ["audit", core],
      ["check-image", core],
    ] as const) {
      const { code, out } = await runCli(...args);
      expect(code).toBe(0);
      expect(out.split("\n").filter((line) => line.includes("warning: program header"))).toHaveLength(2);
      const { value } = await runJson(...args);
      expect([value].flat()).toMatchObject([{ warnings }]);
    }
  });
});

describe("audit", () => {
  it("prints the counts", async () => {
    const { code, out, err } = await runCli("audit", four);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toContain("68 tables (level 4: 1, ");
    expect(out).toMatch(/half +level +kind +entries +U\/S set/);
    expect(out).toMatch(
      /kernel-half leaves that user mode reaches: 1\n {2}ffffffffff600000 {2}level 1 {2}entry 8000000029e04125/,
    );
  });

  it("prints the same as JSON, with bigints as hexadecimal text", async () => {
    const { value } = await runJson("audit", five, "--examples", "1");
    expect(value).toMatchObject({
      levels: 5,
      cpu: 1,
      cr3: "0x1db8000",
      tables: 93,
      userReachableKernelLeaves: { count: 0 },
    });
  });

  it("takes another root", async () => {
    const root = join(folder, "two.core");
    const segments = [
      { address: 0x1000n, bytes: table({}) },
      { address: 0x2000n, bytes: table({ 511: 0x1003n }) },
    ];
    writeFileSync(root, buildCore({ segments, notes: [qemuNote({ cr3: 0x1000n })] }));
    expect((await runJson("audit", root)).value).toMatchObject({ tables: 1 });
    expect((await runJson("audit", root, "--root", "0x2000")).value).toMatchObject({ tables: 2 });
    expect((await runCli("audit", root, "--root", "9000")).err).toMatch(/does not hold the root table at 0x9000/);
  });
});

describe("walk", () => {
  it("shows every level of a walk that ends well", async () => {
    const { code, out } = await runCli("walk", four, "0xffffffffff600000", "--access", "user-read");
    expect(code).toBe(0);
    expect(out.split("\n").filter((line) => /^\d P/.test(line))).toHaveLength(4);
    expect(out).toMatch(/^1 PT .* 0x8000000029e04125 +ur-- +XD G A U\/S=1 R\/W=0$/m);
    expect(out).toContain("ok: physical address 0x0000000029e04000, 4 KiB page");
  });

  it("shows why a walk faults", async () => {
    const fetch = await runCli("walk", four, "ffffffffff600000", "--access", "user-fetch");
    expect(fetch.code).toBe(0);
    expect(fetch.out).toContain(
      "fault: page fault at level 1: fetch from a page that some level makes execute-disabled (XD)",
    );
    expect(fetch.out).toContain("error code 0x15 (present, user, fetch)");
    const none = await runCli("walk", four, "1000");
    expect(none.out).toMatch(/fault: page fault at level \d: the entry is not present; error code 0x0$/m);
    const bad = await runJson("walk", four, "800000000000");
    expect(bad.value).toMatchObject({ outcome: { kind: "non-canonical" }, chain: [] });
  });

  it("gives the chain as JSON", async () => {
    const { value } = await runJson("walk", five, "0x400000", "--access", "user-read");
    expect(value).toMatchObject({
      levels: 5,
      access: "user-read",
      address: "0x400000",
      outcome: { kind: "ok", level: 1 },
    });
    expect((value as { chain: { level: number }[] }).chain.map(({ level }) => level)).toEqual([5, 4, 3, 2, 1]);
  });
});

describe("errors", () => {
  it.each<[string, string[], RegExp]>([
    ["no such file", ["audit", "nowhere.core"], /^stalewalk: nowhere\.core: no such file or directory\n$/],
    [
      "a file that is no core",
      ["audit", "package.json"],
      /^stalewalk: package\.json: offset 0x0: magic number is .*\n$/,
    ],
    [
      "no such CPU",
      ["audit", four, "--cpu", "7"],
      /^stalewalk: .*core\.gz: no CPU 7: the core has 2 QEMU CPU note\(s\)\n$/,
    ],
    ["too large a gzip", ["audit", four, "--max-inflated", "999"], /^stalewalk: .*: inflates to more than 999 bytes/],
    [
      "an address that is none",
      ["walk", four, "12g"],
      /^stalewalk: .*12g.*Expected a hexadecimal number of 64 bits\.\n$/,
    ],
    [
      "an access that is none",
      ["walk", four, "0", "--access", "look"],
      /^stalewalk: .*Expected one of supervisor-read, /,
    ],
    ["a missing argument", ["walk", four], /^stalewalk: missing required argument 'address'\n$/],
    ["an unknown option", ["audit", four, "--frobnicate"], /^stalewalk: unknown option '--frobnicate'\n/],
    ["an unknown command", ["frobnicate"], /^stalewalk: unknown command 'frobnicate'\n/],
  ])("is one line and exit code 2 for %s", async (_, args, expected) => {
    const { code, out, err } = await runCli(...args);
    expect(err).toMatch(expected);
    expect(err.trimEnd().split("\n").length).toBe(1);
    expect({ code, out }).toEqual({ code: 2, out: "" });
  });
});

describe("help", () => {
  it("exits with 0 and lists every command", async () => {
    const { code, out } = await runCli("--help");
    expect(code).toBe(0);
    const program = await createProgram();
    for (const command of program.commands) expect(out).toContain(command.name());
    expect(program.commands.map((command) => command.name())).toEqual(Object.keys(commands));
  });

  it.each(Object.keys(commands))("of %s is the same whether others were loaded or not", async (name) => {
    const { out } = await runCli("help", name);
    expect(await runCli(name, "--help")).toEqual({ code: 0, out, err: "" });
  });

  it.each(["check-image", "audit", "walk"])("of %s has an example that runs", async (name) => {
    const { out } = await runCli(name, "--help");
    const example = /Example:\n {2}stalewalk (.+)/.exec(out)?.[1];
    expect((await runCli(...example!.split(" "))).code).toBe(0);
  });

  it("has --json on every image command", async () => {
    for (const command of (await createProgram()).commands)
      expect(command.options.map(({ long }) => long)).toContain("--json");
  });

  it("prints the version of the package", async () => {
    const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
    expect((await runCli("--version")).out).toBe(`${version}\n`);
  });
});
