// `stalewalk open` as a process of its own: what it serves, to whom, and how it ends.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { toJson } from "../../src/replay/index.js";
import { replayOf } from "../support/report-results.js";
import { CORE, MAIN, TRACE } from "./process.js";

let folder: string;
let child: ChildProcessWithoutNullStreams | undefined;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "stalewalk-open-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(async () => {
  if (child && child.exitCode === null && child.signalCode === null) await end("SIGKILL");
  child = undefined;
});

/** Starts the command and waits for the address that it prints. */
async function open(...args: string[]): Promise<URL> {
  const started = spawn(process.execPath, [MAIN, "open", "--no-open", ...args]);
  child = started;
  let said = "";
  started.stderr.on("data", (chunk) => {
    said += chunk;
  });
  return new Promise((resolve, reject) => {
    let out = "";
    started.stdout.on("data", (chunk) => {
      out += chunk;
      if (out.endsWith("\n")) resolve(new URL(out.trim()));
    });
    started.once("exit", (code) => reject(new Error(`ended with ${code}: ${said}`)));
  });
}

async function end(signal: NodeJS.Signals): Promise<NodeJS.Signals | null> {
  const ended = new Promise<NodeJS.Signals | null>((resolve) => child!.once("exit", (_, by) => resolve(by)));
  child!.kill(signal);
  return ended;
}

interface Answer {
  status: number | undefined;
  text: string;
  headers: NodeJS.Dict<string | string[]>;
}

function ask(url: URL, options: { host?: string; path?: string; method?: string } = {}): Promise<Answer> {
  const { host = url.host, path = url.pathname, method = "GET" } = options;
  return new Promise((resolve, reject) => {
    const sent = request({ host: url.hostname, port: url.port, path, method, headers: { Host: host } }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode, text, headers: response.headers }));
    });
    sent.on("error", reject);
    sent.end();
  });
}

describe("open", () => {
  it("serves a trace's report on the loopback address, to who knows the name alone", async () => {
    const url = await open(TRACE);
    expect(url.hostname).toBe("127.0.0.1");
    expect(url.pathname).toMatch(/^\/[\w-]{24}\/$/);
    const { status, text, headers } = await ask(url);
    expect(status).toBe(200);
    expect(text).toContain('id="data"');
    expect(text).toContain("hugevmap.trace.txt");
    expect(headers["cache-control"]).toBe("no-store");
    expect(headers["content-security-policy"]).toBe("frame-ancestors 'none'");
    expect((await ask(url, { path: "/" })).status).toBe(404);
    expect((await ask(url, { path: url.pathname.replace(/.\/$/, "./") })).status).toBe(404);
    expect((await ask(url, { path: `${url.pathname}etc/passwd` })).status).toBe(404);
    expect((await ask(url, { host: `evil.example:${url.port}` })).status).toBe(421);
    expect((await ask(url, { host: `localhost:${url.port}` })).status).toBe(421);
    expect((await ask(url, { method: "POST" })).status).toBe(405);
    const head = await ask(url, { method: "HEAD" });
    expect([head.status, head.text, head.headers["content-length"]]).toEqual([
      200,
      "",
      String(Buffer.byteLength(text)),
    ]);
  });

  it("serves a result of replay --json, and the page without a file", async () => {
    const file = join(folder, "result.json");
    writeFileSync(file, toJson(await replayOf("hotplug")));
    expect((await ask(await open(file))).text).toContain(
      "hotplug.trace.txt, page tables freed and walked through</title>",
    );
    await end("SIGKILL");
    expect((await ask(await open())).text).toContain("<title>stalewalk</title>");
  });

  it("prints the address as JSON, if that is asked for", async () => {
    const started = spawn(process.execPath, [MAIN, "open", "--no-open", "--json"]);
    child = started;
    const text = await new Promise<string>((resolve) => started.stdout.once("data", (chunk) => resolve(String(chunk))));
    const { url } = JSON.parse(text) as { url: string };
    expect((await ask(new URL(url))).status).toBe(200);
  });

  it("puts a core into the page in place of its example", async () => {
    const { text } = await ask(await open(CORE));
    const [, example = ""] = /<script type="application\/json" id="example">(.*?)<\/script>/s.exec(text) ?? [];
    const { file, base64 } = JSON.parse(example) as { file: string; base64: string };
    expect(file).toBe("reduced-4level.core.gz");
    expect(Buffer.from(base64, "base64").equals(readFileSync(CORE))).toBe(true);
  });

  it.each(["SIGINT", "SIGTERM"] as const)("ends by %s as any command does", async (signal) => {
    await open();
    expect(await end(signal)).toBe(signal);
  });

  it.each([
    ["a file that is not there", "nothing.txt", undefined, /nothing\.txt: no such file/],
    ["a file of nothing", "empty.txt", "", /empty\.txt/],
    ["a result that is none", "bad.json", '{ "format": "stalewalk-replay", "version": 1 }', /bad\.json: .*result/],
  ])("says what is wrong with %s", async (_, name, content, says) => {
    const file = join(folder, name);
    if (content !== undefined) writeFileSync(file, content);
    await expect(open(file)).rejects.toThrow(says);
  });
});
