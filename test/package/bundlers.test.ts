// The packed package through bundlers as they are set by default, in browsers: page, module worker, shared worker and service worker, under a
// content-security policy that allows nothing but the application's own files and WebAssembly.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import type { BrowserContext } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chromiumNote, chromiumPath, launchChromium } from "../support/chromium.js";
import { hostFile, hostsInstalled, hostsNote, importHost } from "../support/hosts.js";
import { installAsStranger, type Stranger } from "../support/pack-package.js";

const firefoxPath = ["/usr/bin/firefox-esr", "/usr/bin/firefox"].find(existsSync);
/** Only the application's own files, and WebAssembly; and what a bundler writes into the page, by its hash. */
function policyOf(page: string): string {
  const inline = [...page.matchAll(/<script[^>]*>([^<]+)<\/script>/g)];
  const hashes = inline.map(([, text = ""]) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`);
  const scripts = ["'self'", "'wasm-unsafe-eval'", ...hashes].join(" ");
  return `default-src 'none'; script-src ${scripts}; worker-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'`;
}
const TYPES: Record<string, string> = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm" };

/** A walk in the engine's memory, and a policy. */
const SMALL = `
import { Access, checkPolicy, createMachine } from "stalewalk";

export async function small() {
  const machine = await createMachine({ tables: 1, cpus: [{ root: 0x1000n }] });
  return machine.cpus[0].translate(0x123n, Access.userWrite).kind + " " + checkPolicy({ name: "mine" }).scope;
}
`;
const SMALL_USED = "absent range";
/** Other entry points besides: a walk in the host's memory, and a trace. */
const USE = `
import { Access, createMachine, guestMemory } from "stalewalk/memory";
import { summarizeTrace } from "stalewalk/trace";
import { small } from "./small.js";

export async function use() {
  const bytes = new Uint8Array(2 ** 16);
  const view = new DataView(bytes.buffer);
  for (const frame of [1, 2, 3, 4]) view.setBigUint64(frame * 4096, BigInt(frame + 1) * 4096n + 7n, true);
  const machine = await createMachine({ memory: guestMemory(bytes), cpus: [{ root: 0x1000n }] });
  const { physicalAddress } = machine.cpus[0].translate(0x123n, Access.userWrite);
  const { lines } = await summarizeTrace(new TextEncoder().encode("# tracer: nop\\n#\\n"));
  return [await small(), physicalAddress.toString(16), lines].join(" ");
}
`;
const USED = "absent range 5123 2";
const SMALL_AS_USE = `export { small as use } from "./small.js";\n`;
const FILES = {
  "small.js": SMALL,
  "use.js": USE,
  "worker.js": `import { use } from "./use.js";\nuse().then(postMessage, (error) => postMessage(String(error)));\n`,
  "shared.js": `import { use } from "./use.js";
addEventListener("connect", ({ ports: [port] }) => use().then((it) => port.postMessage(it), (error) => port.postMessage(String(error))));
`,
  // Service workers know no import(), by which what inflates is loaded: traces and images are not for them.
  "service.js": `import { small } from "./small.js";
addEventListener("message", ({ ports: [port] }) => small().then((it) => port.postMessage(it), (error) => port.postMessage(String(error))));
`,
  "index.html": `<!doctype html><title>app</title><link rel="icon" href="data:,"><script type="module" src="./main.js"></script>\n`,
};

/** The page: asks every place in turn. The expressions are what a bundler wants to see, or plain paths. */
function pageOf(worker: string, shared: string, service: string): string {
  return `import { use } from "./use.js";
const answer = (target) => new Promise((resolve, reject) => {
  target.onmessage = ({ data }) => resolve(data);
  target.onerror = (event) => reject(new Error(event.message ?? "it could not be loaded"));
});
async function service() {
  const registration = await ${service};
  const worker = registration.installing ?? registration.waiting ?? registration.active;
  const channel = new MessageChannel();
  worker.postMessage("go", [channel.port2]);
  return answer(channel.port1);
}
const places = {
  page: use,
  worker: () => answer(${worker}),
  shared: () => answer(${shared}.port),
  service,
};
const told = {};
for (const [name, ask] of Object.entries(places)) told[name] = await ask().catch(String);
document.body.append(Object.assign(document.createElement("output"), { textContent: JSON.stringify(told) }));
`;
}

const url = (file: string) => `new URL("./${file}", import.meta.url)`;
const BY_URL = pageOf(
  `new Worker(${url("worker.js")}, { type: "module" })`,
  `new SharedWorker(${url("shared.js")}, { type: "module" })`,
  `navigator.serviceWorker.register(${url("service.js")}, { type: "module" })`,
);
const WITHOUT_SHARED = BY_URL.replace(/^ {2}shared: .*\n/m, "");
const BY_PATH = pageOf(
  `new Worker("./worker.js", { type: "module" })`,
  `new SharedWorker("./shared.js", { type: "module" })`,
  `navigator.serviceWorker.register("./service.js", { type: "module" })`,
);
const SCRIPTS = ["main.js", "worker.js", "shared.js", "service.js"];

interface Bundler {
  page: string;
  /** It sees no entry point but `stalewalk`. */
  mainOnly?: boolean;
  /** Besides, in the application's package.json. */
  settings?: object;
  /** Bundles the application in `from`, whose folder has the package, to `to`. */
  bundle(from: string, to: string): Promise<void> | void;
}

function run(from: string, program: string, ...args: string[]): void {
  execFileSync(process.execPath, [hostFile(program), ...args], { cwd: from, stdio: ["ignore", "pipe", "pipe"] });
}

const copyPage = (to: string): void => writeFileSync(join(to, "index.html"), FILES["index.html"]);

function byParcel(from: string, to: string): void {
  run(from, "parcel/lib/bin.js", "build", "index.html", "--dist-dir", to, "--no-cache", "--log-level", "error");
}

const bundlers: Record<string, Bundler> = {
  vite: {
    // Vite knows no service workers: it is an entry of its own.
    page: BY_URL.replace(url("service.js"), '"./service.js"'),
    async bundle(from, to) {
      const { build } = await importHost<{ build(options: object): Promise<unknown> }>("vite");
      const base = { root: from, configFile: false, logLevel: "silent" };
      await build({ ...base, build: { outDir: to } });
      const entry = { input: join(from, "service.js"), output: { entryFileNames: "service.js" } };
      await build({ ...base, build: { outDir: to, emptyOutDir: false, rollupOptions: entry } });
    },
  },
  webpack: {
    page: BY_URL,
    bundle(from, to) {
      run(from, "webpack/bin/webpack.js", "--mode", "production", "--entry", "./main.js", "-o", to);
      copyPage(to);
    },
  },
  // As it is set it knows no `exports`, only `main`. What two workers share it leaves out of both (parcel issues 8324, 10307).
  parcel: { page: WITHOUT_SHARED, mainOnly: true, bundle: byParcel },
  "parcel with packageExports": {
    page: WITHOUT_SHARED,
    settings: { "@parcel/resolver-default": { packageExports: true } },
    bundle: byParcel,
  },
  esbuild: {
    page: BY_PATH,
    async bundle(from, to) {
      const { build } = await importHost<{ build(options: object): Promise<unknown> }>("esbuild");
      await build({ absWorkingDir: from, entryPoints: SCRIPTS, outdir: to, bundle: true, format: "esm" });
      copyPage(to);
    },
  },
  rollup: {
    page: BY_PATH,
    async bundle(from, to) {
      const { rollup } = await importHost<{
        rollup(options: object): Promise<{ write(options: object): Promise<void>; close(): Promise<void> }>;
      }>("rollup");
      const { nodeResolve } = await importHost<{ nodeResolve(): object }>("@rollup/plugin-node-resolve");
      const input = SCRIPTS.map((file) => join(from, file));
      const bundle = await rollup({ input, plugins: [nodeResolve()] });
      await bundle.write({ dir: to, format: "esm" });
      await bundle.close();
      copyPage(to);
    },
  },
};

/** Serves a folder, every file under the policy. */
function serve(folder: string): Promise<Server> {
  const policy = policyOf(readFileSync(join(folder, "index.html"), "utf8"));
  const server = createServer(({ url: path = "/" }, response) => {
    const name = new URL(path, "http://localhost").pathname;
    const file = join(folder, name.endsWith("/") ? `${name}index.html` : name);
    if (!existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, {
      "Content-Type": TYPES[extname(file)] ?? "text/plain",
      "Content-Security-Policy": policy,
    });
    response.end(readFileSync(file));
  });
  return new Promise((resolve) => server.listen(0, "localhost", () => resolve(server)));
}

const addressOf = (server: Server): string => `http://localhost:${(server.address() as AddressInfo).port}/`;

describe.skipIf(!hostsInstalled)(`the packed package, bundled${hostsNote}`, () => {
  let stranger: Stranger;
  let out: string;
  let context: BrowserContext | undefined;
  const servers: Server[] = [];
  beforeAll(async () => {
    stranger = installAsStranger();
    out = mkdtempSync(join(tmpdir(), "stalewalk-bundles-"));
    if (chromiumPath) context = await launchChromium({ offline: false });
  });
  afterAll(async () => {
    await context?.close();
    for (const server of servers) server.close();
    for (const folder of [stranger?.folder, out]) if (folder) rmSync(folder, { recursive: true, force: true });
  });

  /** Bundles the application and serves it. */
  async function bundled(name: string): Promise<string> {
    const { page, bundle, mainOnly, settings } = bundlers[name] as Bundler;
    // Inside the stranger's folder, where the package is found.
    const from = join(stranger.folder, `app-${name.replaceAll(" ", "-")}`);
    const to = join(out, name.replaceAll(" ", "-"));
    if (!existsSync(from)) {
      mkdirSync(from);
      mkdirSync(to, { recursive: true });
      for (const [file, text] of Object.entries({
        ...FILES,
        "use.js": mainOnly ? SMALL_AS_USE : USE,
        "main.js": page,
      })) {
        writeFileSync(join(from, file), text);
      }
      const manifest = { name: "app", private: true, type: "module", ...settings };
      writeFileSync(join(from, "package.json"), JSON.stringify(manifest));
      await bundle(from, to);
      expect(readdirSync(to)).toContain("index.html");
    }
    const server = await serve(to);
    servers.push(server);
    return addressOf(server);
  }

  it.skipIf(!chromiumPath).each(Object.keys(bundlers))(
    `by %s: works in page, worker, shared worker and service worker of Chromium${chromiumNote}`,
    async (name) => {
      const address = await bundled(name);
      const page = await (context as BrowserContext).newPage();
      const complaints: string[] = [];
      page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
      page.on("pageerror", (error) => complaints.push(error.message));
      await page.goto(address);
      const told = JSON.parse(await page.locator("output").innerText());
      const used = bundlers[name]?.mainOnly ? SMALL_USED : USED;
      const shared = bundlers[name]?.page === WITHOUT_SHARED ? {} : { shared: used };
      expect(told).toEqual({ page: used, worker: used, ...shared, service: SMALL_USED });
      expect(complaints).toEqual([]);
      await page.close();
    },
  );

  it.skipIf(!firefoxPath).each(["vite", "esbuild"])(
    `by %s: works in page, worker and shared worker of Firefox${firefoxPath ? "" : " (SKIPPED: no Firefox)"}`,
    async (name) => {
      const address = await bundled(name);
      interface FirefoxPage {
        goto(address: string): Promise<unknown>;
        waitForSelector(selector: string, options: object): Promise<unknown>;
        evaluate(text: string): Promise<string>;
      }
      interface Puppeteer {
        launch(options: object): Promise<{ newPage(): Promise<FirefoxPage>; close(): Promise<void> }>;
      }
      const puppeteer = await importHost<{ default: Puppeteer }>("puppeteer-core");
      const browser = await puppeteer.default.launch({
        ...{ browser: "firefox", executablePath: firefoxPath, headless: true, timeout: 120_000 },
        protocolTimeout: 240_000,
      });
      try {
        const page = await browser.newPage();
        await page.goto(address);
        await page.waitForSelector("output", { timeout: 120_000 });
        // Firefox ESR has no service workers that are modules.
        const { service: _, ...told } = JSON.parse(await page.evaluate("document.querySelector('output').textContent"));
        expect(told).toEqual({ page: USED, worker: USED, shared: USED });
      } finally {
        await browser.close();
      }
    },
  );
});
