// The recording script: valid shell, and every probe in it is an event the reader knows, with the same fields.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EVENTS, RECORD_KERNELS, recordHelp } from "../../src/trace/index.js";
import { runCli } from "../cli/run-cli.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stalewalk-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function shell(script: string, ...flags: string[]): string {
  const path = join(folder, "script.sh");
  writeFileSync(path, script);
  return execFileSync("sh", [...flags, path], { encoding: "utf8" });
}

describe("record-help", () => {
  it.each(RECORD_KERNELS)("%s: sh accepts it, and the reader knows its probes", (kernel) => {
    const script = recordHelp({ kernel });
    shell(script, "-n");
    expect(script).toContain(`Linux ${kernel} `);
    const probes = [...script.matchAll(/^probe '[pr]\d*:stalewalk\/(\S+) \S+ ?(.*)'$/gm)];
    expect(probes.length).toBeGreaterThan(70);
    for (const [, name, list] of probes) {
      const event = EVENTS.find((e) => e.name === name);
      expect(event, name).toBeDefined();
      const fields = list!.split(" ").filter((item) => item !== "");
      const names = fields.map((item) => item.split("=")[0]!);
      // What other kernels' probes tell besides may be missing.
      const [told, other] = [true, false].map((is) => event!.fields.filter((f) => names.includes(f.name) === is));
      expect(told!.map((f) => f.name)).toEqual(names);
      expect(told!.map((f) => f.type === "symbol")).toEqual(fields.map((item) => item.endsWith(":symbol")));
      expect(
        other!.filter((f) => !f.optional),
        name,
      ).toEqual([]);
    }
  });

  it("finds functions and their pieces in kallsyms, and writes filters on them", () => {
    const symbols = join(folder, "kallsyms");
    writeFileSync(
      symbols,
      [
        "ffffffff81000200 T next_function",
        "ffffffff81000100 t pmd_free_pte_page",
        "ffffffff81000340 d some_data",
        "ffffffff81000300 t pgd_free.cold",
        "ffffffff81000180 t pmd_free_pte_pages",
        "",
      ].join("\n"),
    );
    const functions = /^ranges\(\)[\s\S]*?(?=^awk)/m.exec(recordHelp())![0].replaceAll("/proc/kallsyms", symbols);
    expect(
      shell(`${functions}inside pc pmd_free_pte_page pgd_free; echo; outside pc pgd_free; echo; inside pc none`),
    ).toBe(
      "(pc >= 0xffffffff81000100 && pc < 0xffffffff81000180) || (pc >= 0xffffffff81000300 && pc < 0xffffffff81000340)\n" +
        "(pc < 0xffffffff81000300 || pc >= 0xffffffff81000340)\n",
    );
  });

  it("refuses what it does not know", () => {
    expect(() => recordHelp({ kernel: "5.4" as never })).toThrow('kernel: "5.4", expected one of 6.1, 6.6, 6.12, 6.18');
    expect(() => recordHelp({ bufferKiB: Number.NaN })).toThrow("bufferKiB: NaN");
  });

  it("is a command", async () => {
    const { out } = await runCli("record-help", "--kernel", "6.1", "--buffer", "128");
    expect(out).toBe(recordHelp({ kernel: "6.1", bufferKiB: 128 }));
  });
});
