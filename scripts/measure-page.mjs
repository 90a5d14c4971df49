// What the page takes for a trace: until its first picture, until its whole, and how many frames a second it draws while it is zoomed and
// panned, by Chromium's own tracing. `node scripts/measure-page.mjs TRACE [REPORT.html]`; prints lines for docs/performance.md.
import { existsSync } from "node:fs";
import { cpus } from "node:os";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [trace, report] = process.argv.slice(2);
if (trace === undefined || [trace, report].some((file) => file !== undefined && !existsSync(file))) {
  console.error("usage: node scripts/measure-page.mjs TRACE [REPORT.html]: files that there are");
  process.exit(2);
}
/** Milliseconds of zooming, and of panning. */
const SPAN = 4000;
const PATIENCE = 3_600_000;

const browser = await chromium.launch({
  executablePath: process.env.STALEWALK_CHROMIUM ?? "/usr/bin/chromium",
  headless: true,
  args: ["--no-sandbox", "--disable-gpu"],
});
console.log(`${cpus()[0].model}, ${cpus().length} cores, Chromium ${browser.version()}`);
try {
  await ofTrace();
  if (report !== undefined) await ofReport();
} finally {
  await browser.close();
}

async function ofTrace() {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  page.setDefaultTimeout(PATIENCE);
  await page.goto(`${pathToFileURL(resolve("dist/page/index.html")).href}#/trace`);
  await page.locator(".opener input[type=file]").waitFor();
  const start = performance.now();
  await page.locator("input[type=file]").setInputFiles(resolve(trace));
  await page.locator(".chart-box .lines").waitFor();
  console.log(`first picture after ${seconds(performance.now() - start)}`);
  const partial = page.locator(".said progress");
  const share = async () => ((await partial.count()) > 0 ? Number(await partial.getAttribute("value")) : 1);
  console.log(`by then ${((await share()) * 100).toFixed(1)} % was read; ${await frames(page, "while it is read")}`);
  await page.waitForFunction(
    () => !document.querySelector(".said progress") && document.querySelector(".squares, .said"),
  );
  console.log(`whole after ${seconds(performance.now() - start)}: ${await page.locator(".said").textContent()}`);
  console.log(await frames(page, "once it is whole"));
  await page.close();
}

async function ofReport() {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  page.setDefaultTimeout(PATIENCE);
  const start = performance.now();
  await page.goto(`${pathToFileURL(resolve(report)).href}#/trace`);
  await page.locator(".chart-box .lines").waitFor();
  console.log(`a prepared report shows its time line after ${seconds(performance.now() - start)}`);
  console.log(await frames(page, "in the report"));
  await page.close();
}

/** Zooms in and out, then pans, by keys as fast as frames come; what tracing says of the frames. */
async function frames(page, when) {
  const client = await page.context().newCDPSession(page);
  const events = [];
  client.on("Tracing.dataCollected", ({ value }) => events.push(...value));
  await client.send("Tracing.start", {
    transferMode: "ReportEvents",
    traceConfig: {
      includedCategories: [
        "devtools.timeline",
        "disabled-by-default-devtools.timeline",
        "disabled-by-default-devtools.timeline.frame",
        "toplevel",
      ],
    },
  });
  const chart = page.locator(".chart-box");
  await chart.focus();
  const moved = await chart.evaluate((element, span) => {
    const press = (key) =>
      element.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
    const gaps = [];
    return new Promise((done) => {
      const begun = performance.now();
      let last = begun;
      let i = 0;
      const step = (now) => {
        gaps.push(now - last);
        last = now;
        const half = now - begun < span / 2;
        press(half ? (i++ % 40 < 20 ? "+" : "-") : i++ % 40 < 20 ? "ArrowRight" : "ArrowLeft");
        if (now - begun < span) requestAnimationFrame(step);
        else done(gaps.slice(1).sort((a, b) => a - b));
      };
      requestAnimationFrame(step);
    });
  }, SPAN);
  const complete = new Promise((done) => client.once("Tracing.tracingComplete", done));
  await client.send("Tracing.end");
  await complete;
  await client.detach();
  const drawn = events.filter(({ name }) => name === "DrawFrame").length;
  const main = events.find(({ name, args }) => name === "thread_name" && args?.name === "CrRendererMain");
  const tasks = events.filter(
    ({ name, tid, pid, tdur }) => name === "RunTask" && tdur > 0 && (!main || (tid === main.tid && pid === main.pid)),
  );
  // What the thread itself worked, which other processes do not add to.
  const work = tasks.reduce((sum, { tdur }) => sum + tdur, 0) / 1000 / Math.max(1, moved.length);
  const total = moved.reduce((sum, gap) => sum + gap, 0);
  const at = (share) => moved[Math.min(moved.length - 1, Math.floor(moved.length * share))]?.toFixed(1);
  return `zoomed and panned ${when}: ${((1000 * moved.length) / total).toFixed(0)} steps a second, ${((1000 * drawn) / SPAN).toFixed(0)} frames drawn a second; a frame takes ${at(0.5)} ms, of 95 in a hundred at most ${at(0.95)} ms; ${work.toFixed(1)} ms of the page's thread's own time a step`;
}

function seconds(ms) {
  return `${(ms / 1000).toFixed(2)} s`;
}
