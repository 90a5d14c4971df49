// The recorder, run whole: on folders that stand in for tracefs, since the real one belongs to a kernel that has to be booted.
// What real kernels make of it is in docs/recording.md.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { recordHelp, summarizeTrace } from "../../src/trace/index.js";
import { fixture } from "./support.js";

const noShell = process.platform === "win32" || !existsSync("/bin/sh") ? "SKIPPED, no POSIX shell: " : undefined;

let folder: string;
const at = (name: string): string => join(folder, name);
const stats = (): string => readFileSync(at("out.gz.stats"), "utf8");
const recorded = (): Buffer => gunzipSync(readFileSync(at("out.gz")));
const isOn = (event: string): string => readFileSync(at(`kept/events/stalewalk/${event}/enable`), "utf8").trim();

/** A program of the test's own in front of the system's. */
function program(name: string, text: string): void {
  writeFileSync(at(`bin/${name}`), `#!/bin/sh\n${text}\n`);
  chmodSync(at(`bin/${name}`), 0o755);
}

const SYMBOLS = [
  "ffffffff81000100 t pmd_free_pte_page",
  "ffffffff81000180 T flush_tlb_all",
  "ffffffff81000200 T do_kernel_range_flush",
  "ffffffff81000240 t cpa_flush.isra.0",
  "ffffffff81000300 t kernel_pgtable_work_func",
  "ffffffff81000400 T next_function",
];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stalewalk-recorder-"));
  for (const name of ["bin", "tracing/instances", "new/events/tlb/tlb_flush", "new/per_cpu/cpu0"]) {
    mkdirSync(at(name), { recursive: true });
  }
  for (const event of ["free_pages", "__free_pages", "flush_one_kernel", "pmd_alloc", "pud_alloc"]) {
    mkdirSync(at(`new/events/stalewalk/${event}`), { recursive: true });
    writeFileSync(at(`new/events/stalewalk/${event}/enable`), "1\n");
  }
  writeFileSync(at("new/events/tlb/tlb_flush/enable"), "0\n");
  writeFileSync(at("new/per_cpu/cpu0/stats"), "overrun: 0\ncommit overrun: 0\ndropped events: 0\n");
  writeFileSync(at("new/trace"), fixture("hugevmap.trace.txt"));
  writeFileSync(at("tracing/kprobe_events"), "");
  writeFileSync(at("tracing/kprobe_profile"), "vfree 10 0\n__free_pages 35 7\n");
  writeFileSync(at("kallsyms"), `${SYMBOLS.join("\n")}\n`);
  // tracefs fills a new instance by itself and empties one that goes.
  program("mkdir", `/bin/cp -r ${at("new")} "$1"`);
  program("rmdir", `/bin/mv "$1" ${at("kept")}`);
  program("id", "echo 0");
  runningOn("6.18.15+deb13-amd64");
});
afterEach(() => rmSync(folder, { recursive: true }));

function runningOn(release: string): void {
  program("uname", `case $1 in -m) echo x86_64 ;; -r) echo ${release} ;; -rv) echo "${release} #1 SMP Debian" ;; esac`);
}

function script(): string {
  const text = recordHelp({ kernel: "6.18" });
  return text.replaceAll("/sys/kernel/tracing", at("tracing")).replaceAll("/proc/kallsyms", at("kallsyms"));
}

const options = () => ({ cwd: folder, env: { ...process.env, PATH: `${at("bin")}:${process.env["PATH"]}` } });

function record(seconds = "0.1"): { code: number | null; err: string } {
  writeFileSync(at("record.sh"), script());
  const { status, stderr } = spawnSync("sh", ["record.sh", seconds, "out.gz"], { ...options(), encoding: "utf8" });
  return { code: status, err: stderr };
}

interface Running {
  readonly child: ChildProcess;
  /** What it has said. */
  err(): string;
  /** Waits until it has said something. */
  says(text: string): Promise<void>;
  readonly end: Promise<number | null>;
}

function start(seconds: string): Running {
  writeFileSync(at("record.sh"), script());
  // A process group of its own, as a terminal's foreground job is: a Ctrl-C goes to all of it.
  const child = spawn("sh", ["record.sh", seconds, "out.gz"], {
    ...options(),
    detached: true,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let text = "";
  const waiting: { text: string; done: () => void }[] = [];
  child.stderr!.on("data", (chunk: Buffer) => {
    text += chunk.toString();
    for (const one of waiting) if (text.includes(one.text)) one.done();
  });
  const says = (wanted: string): Promise<void> =>
    new Promise((done) => (text.includes(wanted) ? done() : waiting.push({ text: wanted, done })));
  return { child, err: () => text, says, end: new Promise((done) => child.on("close", (code) => done(code))) };
}

describe.skipIf(noShell)(`${noShell ?? ""}the recorder`, () => {
  it("writes the trace, the version of its kernel, and what is not seen", async () => {
    const { code, err } = record();
    expect(err).toMatch(/^recording for 0\.1 s$/m);
    expect(code).toBe(0);
    const text = recorded().toString();
    expect(text.split("\n")[0]).toBe("# stalewalk: kernel 6.18.15+deb13-amd64 #1 SMP Debian");
    expect(text.slice(text.indexOf("\n") + 1)).toBe(Buffer.from(fixture("hugevmap.trace.txt")).toString());
    const summary = await summarizeTrace(readFileSync(at("out.gz")), { mode: "strict" });
    expect(summary).toMatchObject({ kernel: "6.18.15+deb13-amd64", format: "trace", damaged: false });
    expect(stats()).toMatch(/^not seen: cpa_collapse_large_pages: inlined into cpa_flush/m);
    expect(stats()).toMatch(/^not seen: tracepoint vmalloc, /m);
    expect(stats()).toMatch(
      /^filter __free_pages: no functions of this kernel: pud_free_pmd_page .* cpa_collapse_large_pages/m,
    );
    expect(stats()).toMatch(/^missed probe hits:\n__free_pages 7$/m);
    const inside = (start: string, end: string) => `(pc >= 0xffffffff81000${start} && pc < 0xffffffff81000${end})`;
    expect(stats()).toContain(
      `filter __free_pages: ${[inside("100", "180"), inside("240", "300"), inside("300", "400")].join(" || ")}\n`,
    );
    // Everything that was set up is given back.
    expect(readFileSync(at("kept/tracing_on"), "utf8")).toBe("0\n");
    const probes = readFileSync(at("tracing/kprobe_events"), "utf8").split("\n");
    const set = probes.filter((line) => /^[pr]/.test(line)).map((line) => `-:${/stalewalk\/\S+/.exec(line)![0]}`);
    expect(set.length).toBeGreaterThan(70);
    expect(probes.filter((line) => line.startsWith("-"))).toEqual(set);
  });

  it("R2: no word of a file size that has changed, though tracefs says that every file is empty", () => {
    // Files of /proc say so too.
    rmSync(at("new/trace"));
    symlinkSync("/proc/version", at("new/trace"));
    const { code, err } = record();
    expect(err).not.toMatch(/gzip|size/);
    expect(code).toBe(0);
    expect(recorded().toString()).toMatch(/\nLinux version /);
  });

  it("R4: a sort that fails is not needed; where it is, its own reason is said, and the event stays off", () => {
    program("sort", 'echo "sort: write failed: /tmp/sortAbC: No space left on device" >&2; exit 2');
    expect(record()).toMatchObject({ code: 0, err: expect.not.stringMatching(/sort:|not seen:/) });
    expect(isOn("free_pages")).toBe("1");
    rmSync(at("kept"), { recursive: true });
    writeFileSync(at("tracing/kprobe_events"), "");
    writeFileSync(at("kallsyms"), `${[...SYMBOLS].reverse().join("\n")}\n`);
    const { code, err } = record();
    const reason =
      "not seen: free_pages, its event is off: " +
      `${at("kallsyms")} could not be searched: sort: write failed: /tmp/sortAbC: No space left on device`;
    expect(err).toContain(`${reason}\n`);
    expect(stats()).toContain(`${reason}\n`);
    expect(code).toBe(0);
    expect([isOn("free_pages"), isOn("__free_pages"), isOn("pmd_alloc")]).toEqual(["0", "0", "1"]);
  });

  it("R4: functions that are not there are another reason", () => {
    writeFileSync(at("kallsyms"), `${SYMBOLS.filter((line) => !/free|cpa|work/.test(line)).join("\n")}\n`);
    expect(record().err).toContain("not seen: free_pages, its event is off: none of its functions is in ");
  });

  it.each([
    ["TERM", "SIGTERM", false],
    ["INT", "SIGINT", true],
    ["HUP", "SIGHUP", false],
  ] as const)("R5: %s writes what was recorded so far, and says so", async (name, signal, group) => {
    const { child, err, says, end } = start("600");
    await says("recording for");
    process.kill(group ? -child.pid! : child.pid!, signal);
    expect(await end).toBe(0);
    expect(err()).toContain(`stopped by ${name}: writing what was recorded until then to out.gz\n`);
    expect(err()).toMatch(/out\.gz holds what was recorded until (TERM|INT|HUP);/);
    expect(stats()).toContain(`stopped by ${name} before the 600 s were over\n`);
    expect((await summarizeTrace(readFileSync(at("out.gz")), { mode: "strict" })).events).toBe(31);
    expect(existsSync(at("tracing/instances/stalewalk"))).toBe(false);
  });

  it("R5: a second Ctrl-C does not cut off what is being written", async () => {
    program("gzip", '/bin/sleep 1; exec /bin/gzip "$@"');
    const { child, err, says, end } = start("600");
    await says("recording for");
    process.kill(-child.pid!, "SIGINT");
    await says("writing what was recorded");
    process.kill(-child.pid!, "SIGINT");
    expect(await end, err()).toBe(0);
    expect((await summarizeTrace(readFileSync(at("out.gz")), { mode: "strict" })).damaged).toBe(false);
  });

  it("R5: before the recording there is nothing to write: it cleans up and says so", async () => {
    program("mkdir", `/bin/cp -r ${at("new")} "$1"; echo made >&2; /bin/sleep 1`);
    const { child, err, says, end } = start("600");
    await says("made");
    process.kill(child.pid!, "SIGTERM");
    expect(await end).toBe(143);
    expect(err()).toContain("stopped by TERM before the recording began: nothing is written\n");
    expect(existsSync(at("out.gz"))).toBe(false);
    expect(existsSync(at("tracing/instances/stalewalk"))).toBe(false);
  });

  it("says that events were lost, and ends with 2", () => {
    writeFileSync(at("new/per_cpu/cpu0/stats"), "overrun: 3\ncommit overrun: 0\ndropped events: 0\n");
    const { code, err } = record();
    expect(err).toContain("EVENTS WERE LOST");
    expect(code).toBe(2);
    expect(stats()).toContain("cpu0 overrun: 3\n");
  });

  it("says that it is made for another kernel, and which command prints the right one", () => {
    runningOn("6.12.117+deb12-amd64");
    expect(record().err).toContain("this machine:  stalewalk record-help --kernel 6.12.117+deb12-amd64\n");
    expect(stats()).toMatch(/^made for Linux 6\.18 up to before 7\.3, run on 6\.12\.117/m);
    rmSync(at("kept"), { recursive: true });
    runningOn("7.2.9");
    expect(record().err).not.toContain("this machine");
  });

  it("refuses what it cannot do, before it sets anything up", () => {
    expect(record("ten")).toEqual({ code: 1, err: "SECONDS is 'ten'; expected a number\n" });
    program("id", "echo 1000");
    expect(record()).toEqual({ code: 1, err: "must be root\n" });
    expect(readFileSync(at("tracing/kprobe_events"), "utf8")).toBe("");
  });
});
