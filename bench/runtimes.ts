// What runs JavaScript and is installed here: the same cases are played in each (`bench --runtimes`).
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { type RuntimeName, runtimeOf } from "../src/cli/bench-contract.js";
import { LineProcess } from "./line-process.js";
import { besideCode } from "./root.js";

/** One of them. */
export interface Runtime {
  /** With its version: the contestant's name. */
  name: string;
  /** What else the header says of it. */
  about?: string;
  /** Starts a contestant in it: answers lines as worker.js does. */
  start(contestant: string): Promise<Asked>;
  /** Ends it, of all contestants. */
  end(): Promise<void>;
}

/** One contestant in it. */
export type Asked = Pick<LineProcess, "ask" | "close">;

interface Known {
  title: string;
  /** What it may be called, first choice first; what the system lacks is looked for by `PATH`. */
  programs: readonly string[];
  version: RegExp;
  /** What stands before the file that it runs; a browser runs none. */
  args?: readonly string[];
}

const KNOWN: Readonly<Record<RuntimeName, Known>> = {
  node: { title: "Node", programs: [process.execPath], version: /^v(\S+)/, args: [] },
  deno: { title: "Deno", programs: ["deno"], version: /^deno (\S+)/, args: ["run", "--quiet", "--allow-all"] },
  bun: { title: "Bun", programs: ["bun"], version: /^(\S+)/, args: ["run"] },
  chromium: {
    title: "Chromium",
    programs: [
      "chromium",
      "chromium-browser",
      "google-chrome-stable",
      "google-chrome",
      "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    ],
    version: /^(?:Chromium|Google Chrome)\D* (\d\S+)/m,
  },
  firefox: {
    title: "Firefox",
    programs: ["firefox", "firefox-esr", "/Applications/Firefox.app/Contents/MacOS/firefox"],
    version: /^Mozilla Firefox (\S+)/m,
  },
};

/** Seconds for which a browser may give no sign of life: a busy machine is no reason to leave it out. */
const PATIENCE = 120;

/** Milliseconds for a version. */
const VERSION_WAIT = 60_000;

/** Those of these names or programs that are installed, and why the others are not played. @throws Error if none is */
export function findRuntimes(
  names: readonly string[],
  patience = PATIENCE,
): { runtimes: Runtime[]; missing: string[] } {
  const runtimes: Runtime[] = [];
  const missing: string[] = [];
  for (const name of names) {
    const kind = runtimeOf(name) as RuntimeName;
    const { title, programs, version, args } = KNOWN[kind];
    // A path is one program and no other.
    const choices = name === kind ? programs : [name];
    const found = choices.map((program) => ({ program, number: versionOf(program, version) }));
    const { program, number } = found.find((it) => it.number !== undefined) ?? {};
    const full = `${title} ${number}`;
    if (program === undefined) missing.push(`${title}: ${choices[0]} is not installed here`);
    else if (runtimes.some((it) => it.name === full)) missing.push(`${name}: ${full} a second time`);
    else runtimes.push(args ? plainRuntime(full, program, args) : browserRuntime(full, kind, program, patience));
  }
  if (runtimes.length === 0) throw new Error(`--runtimes ${names.join(",")}: none of these is installed here`);
  return { runtimes, missing };
}

function versionOf(program: string, version: RegExp): string | undefined {
  if (program.includes("/") && !existsSync(program)) return undefined;
  const { status, stdout } = spawnSync(program, ["--version"], { encoding: "utf8", timeout: VERSION_WAIT });
  return status === 0 ? version.exec(stdout)?.[1] : undefined;
}

/** A process for each contestant. */
function plainRuntime(name: string, program: string, args: readonly string[]): Runtime {
  return {
    name,
    start: (contestant) => LineProcess.start(name, program, [...args, besideCode("worker.js"), contestant]),
    end: async () => {},
  };
}

/** One browser for all contestants, since it takes seconds to start; each has a worker of its own, which compiles anew. */
function browserRuntime(name: string, kind: RuntimeName, program: string, patience: number): Runtime {
  let process_: Promise<LineProcess> | undefined;
  return {
    name,
    async start(contestant) {
      process_ ??= LineProcess.start(name, process.execPath, [
        besideCode("browser.js"),
        kind,
        program,
        String(patience),
      ]);
      const started = await process_;
      // Where it does not come, the next answer says why.
      await started.ask(JSON.stringify({ fresh: contestant }));
      return { ask: (line) => started.ask(line), close: async () => {} };
    },
    end: async () => (await process_)?.close(),
  };
}

/** Starts each once: those that answer, with the step of their clocks, and why the others are not played. @throws Error if none does */
export async function greetRuntimes(all: readonly Runtime[]): Promise<{ runtimes: Runtime[]; missing: string[] }> {
  const greeted = await Promise.all(all.map(async (runtime) => ({ runtime, said: await greet(runtime) })));
  const runtimes = greeted.flatMap(({ runtime, said }) =>
    "step" in said ? { ...runtime, about: aboutOf(said.step) } : [],
  );
  const missing = greeted.flatMap(({ runtime, said }) => ("step" in said ? [] : `${runtime.name}: ${said.notPlayed}`));
  await Promise.all(greeted.filter(({ said }) => !("step" in said)).map(({ runtime }) => runtime.end()));
  if (runtimes.length === 0) throw new Error(`--runtimes: none of these answers: ${missing.join("; ")}`);
  return { runtimes, missing };
}

async function greet(runtime: Runtime): Promise<{ step: number } | { notPlayed: string }> {
  try {
    const started = await runtime.start("stalewalk");
    const said = (await started.ask(JSON.stringify({ hello: true }))) as { step: number } | { notPlayed: string };
    await started.close();
    return said;
  } catch (error) {
    return { notPlayed: (error as Error).message };
  }
}

function aboutOf(step: number): string {
  return `clock of ${step >= 1000 ? `${Number((step / 1000).toPrecision(2))} µs` : `${Math.round(step)} ns`}`;
}
