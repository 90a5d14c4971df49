// What the package needs only for some commands, and does not install: without it these say how to install it, and all others work.
// A sweep over a queue and its workers need BullMQ and ioredis; the package is installed as a stranger has it, without them.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { installAsStranger, ROOT, type Stranger } from "../support/pack-package.js";

const PLAN = { verdicts: { kernels: ["7.3"], policies: ["none"], sites: ["exit"], depth: 1 } };
const QUEUE = "redis://127.0.0.1:6379";
const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
  dependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
  peerDependenciesMeta: Record<string, { optional: boolean }>;
};
/** The first version that a range allows, as far as the install line has it. */
const major = (name: string): string => (manifest.peerDependencies[name] ?? "").replace(/^\^(\d+)\..*$/, "$1");

describe("without BullMQ and ioredis", () => {
  let stranger: Stranger;
  beforeAll(() => {
    stranger = installAsStranger();
    writeFileSync(join(stranger.folder, "plan.json"), JSON.stringify(PLAN));
  });
  afterAll(() => rmSync(stranger.folder, { recursive: true }));

  const stalewalk = (...args: string[]) => {
    const command = join(stranger.folder, "node_modules/stalewalk/dist/cli/main.js");
    const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...args], {
      cwd: stranger.folder,
      encoding: "utf8",
    });
    return { status, stdout, stderr };
  };

  it("they are not there: no install brings them", () => {
    for (const name of ["bullmq", "ioredis"]) {
      expect(existsSync(join(stranger.folder, "node_modules", name))).toBe(false);
      expect(manifest.peerDependenciesMeta[name]).toEqual({ optional: true });
      expect(manifest.dependencies).not.toHaveProperty(name);
    }
  });

  it.each([
    ["sweep", ["plan.json", "--out", "queued", "--queue", QUEUE]],
    ["work", ["--queue", QUEUE]],
  ])("%s says what is missing and the line that installs it, and ends with 2", (command, args) => {
    const line = `npm install bullmq@${major("bullmq")} ioredis@${major("ioredis")}`;
    expect(stalewalk(command, ...args)).toEqual({
      status: 2,
      stdout: "",
      stderr: `stalewalk: a queue needs bullmq, which is not installed beside stalewalk: ${line}\n`,
    });
  });

  it("names ioredis where that alone is missing", () => {
    // What it needs itself it finds where it really is.
    symlinkSync(join(ROOT, "node_modules/bullmq"), join(stranger.folder, "node_modules/bullmq"));
    const { status, stderr } = stalewalk("work", "--queue", QUEUE);
    expect(status).toBe(2);
    expect(stderr).toMatch(
      /^stalewalk: a queue needs ioredis, which is not installed beside stalewalk: npm install .*\n$/,
    );
  });

  it("a sweep without a queue does all jobs", () => {
    const { status, stdout, stderr } = stalewalk("sweep", "plan.json", "--out", "here");
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("1 jobs, 0 of them done before, 1 now");
  });
});
