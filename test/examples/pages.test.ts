// examples/ that are pages, teacher and crash-dump: served as their READMEs say, worked in a real browser, and compared with the library.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrowserContext, Page } from "playwright-core";
import { createServer, type ViteDevServer } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadImage, openCore } from "../../src/image/index.js";
import { Access } from "../../src/index.js";
import { chromiumNote, chromiumPath, launchChromium } from "../support/chromium.js";
import { ROOT } from "../support/pack-package.js";

const CORE = join(ROOT, "test/fixtures/images/reduced-4level.core.gz");

describe.skipIf(!chromiumPath)(`examples that are pages, in Chromium${chromiumNote}`, () => {
  const complaints: string[] = [];
  let cache: string;
  let context: BrowserContext;
  let page: Page;
  let server: ViteDevServer | undefined;

  beforeAll(async () => {
    cache = mkdtempSync(join(tmpdir(), "stalewalk-vite-"));
    context = await launchChromium({ offline: false });
    page = await context.newPage();
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
  });
  afterAll(async () => {
    await server?.close();
    await context?.close();
    rmSync(cache, { recursive: true, force: true });
  });

  /** Serves an example, as `npx vite examples/NAME` does, and opens it. */
  async function open(name: string): Promise<void> {
    await server?.close();
    complaints.length = 0;
    server = await createServer({
      ...{ root: join(ROOT, "examples", name), configFile: false, cacheDir: cache, logLevel: "silent" },
      server: { host: "127.0.0.1", port: 0, hmr: false },
    });
    await server.listen();
    await page.goto(server.resolvedUrls?.local[0] ?? "");
  }

  /** What stands in an element. */
  const text = (selector: string) => page.locator(selector).innerText();

  it("teacher: a bit that is flipped changes the walk, and the TLB does not hear of it before INVLPG", async () => {
    await open("teacher");
    await page.getByText("physical address 0x5123").waitFor();
    expect(await page.locator("#address span").allInnerTexts()).toEqual([
      ...["PML4 254", "PDPT 0", "PD 2", "PT 3", "offset 291"],
    ]);
    const access = page.getByRole("button", { name: "Access it" });
    await access.click();
    expect(await text("#cpu")).toBe("physical address 0x5123 (by a walk)");
    // The walk has set A in every entry and D in the last.
    expect(await page.locator("#chain tr td:last-child").allInnerTexts()).toEqual(["1 0", "1 0", "1 0", "1 1"]);
    await page.getByRole("checkbox", { name: "present, in frame 4" }).click();
    expect(await text("#walk")).toBe("page fault: not-present, at the PT, error code 6");
    await access.click();
    expect(await text("#cpu")).toBe("physical address 0x5123 (from the TLB, without a walk)");
    await page.getByRole("button", { name: "INVLPG" }).click();
    await access.click();
    expect(await text("#cpu")).toBe("page fault: not-present, at the PT, error code 6 (by a walk)");
    await page.getByLabel("Virtual address").fill("7f0000404000");
    expect(await text("#walk")).toBe("page fault: write, at the PT, error code 7");
    expect(await page.locator("#chain .stop td").first().innerText()).toBe("PT");
    await page.getByLabel("Access").selectOption("userRead");
    expect(await text("#walk")).toBe("physical address 0x6000");
    expect(complaints).toEqual([]);
  });

  it("crash-dump: shows the walk and the memory that the library finds in the same core", async () => {
    const image = await openCore(readFileSync(CORE), { file: CORE });
    const { walker, context: used } = await loadImage(image);
    // A page of which the core holds the frame: a table, as the direct map has it.
    let held: { va: bigint; frame: number } | undefined;
    for (const { virtualAddress } of walker.mappings()) {
      for (const start of virtualAddress) {
        const outcome = walker.probe(start, Access.supervisorRead);
        // Leaves of 2 MiB have a table somewhere inside.
        for (let at = 0n; outcome.kind === "ok" && at < outcome.pageSize && !held; at += 4096n) {
          const frame = Number((outcome.physicalAddress + at) >> 12n);
          if (image.has(frame)) held = { va: start + at, frame };
        }
      }
    }
    if (!held) throw new Error("the core maps none of its own frames");
    await open("crash-dump");
    await page.getByLabel("Core").setInputFiles(CORE);
    await page.locator("#view").waitFor();
    expect(await text("#about")).toBe(`reduced-4level.core.gz: ${image.frameCount} frames, ${image.cpus.length} CPUs`);
    expect(await page.getByLabel("CPU").inputValue()).toBe(String(used.cpu?.index));
    expect(await text("#walk")).toBe(
      [
        "PML4  frame 407c  [511]  0000000029e27067",
        "PDPT  frame 29e27  [511]  0000000029e29067",
        "PD    frame 29e29  [507]  0000000029e2b067",
        "PT    frame 29e2b  [0]  8000000029e04125",
        "no translation: smap, at the PT",
      ].join("\n"),
    );
    await page.getByLabel("Virtual address").fill(held.va.toString(16));
    await page.getByRole("button", { name: "Look" }).click();
    await page.locator("#memory", { hasText: held.va.toString(16) }).waitFor();
    const lines = (await text("#memory")).split("\n");
    const bytes = lines.flatMap((line) => (line.split("  ")[1] ?? "").split(" ").map((it) => Number.parseInt(it, 16)));
    expect(bytes).toEqual([...image.frame(held.frame)!.subarray(0, 256)]);
    expect(complaints).toEqual([]);
  });

  it("crash-dump: says what is wrong with a file, and shows nothing", async () => {
    await open("crash-dump");
    const buffer = Buffer.from("no core ".repeat(20));
    await page.getByLabel("Core").setInputFiles({ name: "<b>text", mimeType: "text/plain", buffer });
    await page.getByRole("alert").filter({ hasText: "<b>text: " }).waitFor();
    expect(await page.locator("#view").isVisible()).toBe(false);
    expect(await text("#walk")).toBe("");
  });
});
