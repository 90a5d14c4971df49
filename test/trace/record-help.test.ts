// The recording script: valid shell, and every probe in it is an event the reader knows, with the same fields.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EVENTS, RECORD_KERNELS, recordHelp } from "../../src/trace/index.js";
import { runCli, runJson } from "../cli/run-cli.js";

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

  it("R3: has the probes and filters by which each kernel's frees are seen", () => {
    for (const kernel of ["6.18", "7.3"]) {
      const script = recordHelp({ kernel });
      expect(script).toContain(
        "__free_pages page=%di:x64 order=%si:u32 caller=$stack0:symbol pc=$stack0:x64 base=@vmemmap_base:x64'",
      );
      expect(script).toContain("pagetable_free_kernel page=%di:x64 caller=$stack0:symbol pc=$stack0:x64 base=");
      const callers = /^set_filter __free_pages "\$\(inside pc (.*)\)"$/m.exec(script)![1]!.split(" ");
      expect(callers).toEqual(
        expect.arrayContaining(
          (
            "pmd_free_pte_page pud_free_pmd_page remove_pagetable free_pagetable vmemmap_free cpa_flush unmap_pmd_range " +
            "__unmap_pmd_range try_to_free_pmd_page __change_page_attr_set_clr kernel_pgtable_work_func"
          ).split(" "),
        ),
      );
      // Its probe is always refused: the frees say it.
      expect(script).not.toMatch(/^probe .*cpa_collapse/m);
      expect(script).toMatch(/^note 'not seen: cpa_collapse_large_pages: inlined into cpa_flush/m);
    }
    for (const kernel of ["6.1", "6.6", "6.12"]) {
      // free_pages() jumps to __free_pages() there: with one filter for both every free would come twice.
      expect(recordHelp({ kernel })).toMatch(/^set_filter __free_pages "\$\(inside pc __change_page_attr_set_clr\)"$/m);
      expect(recordHelp({ kernel })).not.toContain("pagetable_free_kernel");
    }
    expect(recordHelp({ kernel: "6.1" })).toMatch(/^note 'not seen: remove_pagetable, .* of order 0 are tables/m);
    expect(recordHelp({ kernel: "6.1" })).not.toMatch(/^probe .*remove_pagetable /m);
    for (const kernel of RECORD_KERNELS) {
      const script = recordHelp({ kernel });
      const callers = /^set_filter free_pages "\$\(inside pc (.*)\)"$/m.exec(script)![1]!.split(" ");
      expect(callers).toEqual(
        expect.arrayContaining(["free_pagetable", "__unmap_pmd_range", "try_to_free_pmd_page", "remove_pagetable"]),
      );
      expect(script).toMatch(/^note 'not seen: removal of memory that was there at boot/m);
    }
  });

  it.each([
    ["6.12.117+deb12-amd64", "6.12", "taken for 6.12"],
    ["7.3.4", "7.3", "taken for 7.3"],
    ["6.1.0-53-amd64", "6.1", ""],
    ["6.16.3", "6.15", "taken for 6.15: nothing is known of 6.16"],
    ["7.0", "6.18", "taken for 6.18: nothing is known of 7.0"],
    ["9.1", "7.3", "taken for 7.3: nothing is known of 9.1"],
  ])("R1: --kernel %s prints the script of %s, and says so", async (asked, version, note) => {
    const { code, out, err } = await runCli("record-help", "--kernel", asked);
    expect(code).toBe(0);
    expect(err).toBe(note === "" ? "" : `stalewalk: the recorder for Linux ${asked}: ${note}\n`);
    expect(out).toContain(`# Records what Linux ${version} (x86-64) does`);
    if (note !== "") expect(out).toContain(`# Made for ${asked}: ${note}.\n`);
    shell(out, "-n");
    const { value } = await runJson("record-help", "--kernel", asked);
    expect(value).toEqual({ kernel: version, asked, note, script: out });
  });

  it("R1: is the newest one's by default; what is below the oldest is refused by name, and so is what is no version", async () => {
    expect(recordHelp()).toBe(recordHelp({ kernel: "7.3" }));
    expect(await runCli("record-help", "--kernel", "5.15")).toEqual({
      code: 2,
      out: "",
      err: 'stalewalk: kernel is "5.15"; expected 6.1 or later: nothing is known of older kernels\n',
    });
    expect((await runCli("record-help", "--kernel", "newest")).err).toMatch(
      /^stalewalk: kernel is "newest"; expected a version/,
    );
    expect(() => recordHelp({ kernel: "5.4" })).toThrow('kernel is "5.4"; expected 6.1 or later');
    expect(() => recordHelp({ bufferKiB: Number.NaN })).toThrow("bufferKiB: NaN");
  });

  it("is a command", async () => {
    const { out } = await runCli("record-help", "--kernel", "6.1", "--buffer", "128");
    expect(out).toBe(recordHelp({ kernel: "6.1", bufferKiB: 128 }));
  });
});
