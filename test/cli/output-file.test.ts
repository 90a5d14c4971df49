// X3: files that the command writes: what is refused before the work, what an existing file keeps, and that nothing is left.

import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bash, MAIN, noShell, quoted, TRACE } from "./process.js";
import { runCli } from "./run-cli.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stalewalk-file-"));
});
afterEach(() => {
  chmodSync(folder, 0o755);
  rmSync(folder, { recursive: true });
});

const PAGE = /^<!DOCTYPE html>[\s\S]*<\/html>\n$/;
const commands = [
  ["replay", (file: string) => ["replay", TRACE, "--policy", "sva-off", "--html", file]],
  ["report", (file: string) => ["report", TRACE, "--policy", "sva-off", "--no-verdicts", "--html", file]],
] as const;

describe.each(commands)("%s --html", (_, command) => {
  /** It must not even look at the trace: there is none. */
  const refused = async (file: string) => {
    const args = command(file).map((word) => (word === TRACE ? join(folder, "no such trace") : word));
    const { code, out, err } = await runCli(...args);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    return err;
  };

  it.skipIf(noShell)(
    `${noShell ?? ""}X3: refuses a FIFO, a device and a folder, and leaves them as they are`,
    async () => {
      const fifo = join(folder, "fifo");
      bash(`mkfifo '${fifo}'`);
      expect(await refused(fifo)).toBe(
        `stalewalk: --html ${fifo}: is a pipe (FIFO); expected a regular file, or none yet\n`,
      );
      expect(lstatSync(fifo).isFIFO()).toBe(true);
      expect(await refused("/dev/null")).toMatch(/\/dev\/null: is a device; expected a regular file/);
      expect(statSync("/dev/null").isCharacterDevice()).toBe(true);
      expect(await refused("/dev/full")).toMatch(/is a device/);
      expect(await refused(folder)).toMatch(/is a folder; expected a regular file/);
      const link = join(folder, "link");
      symlinkSync(fifo, link);
      expect(await refused(link)).toMatch(/is a pipe/);
      // What is open as a pipe has a name there, but is no file.
      const { status, stderr } = bash(`${quoted(command("/dev/stdout"))} | cat`);
      expect(status).toBe(0);
      expect(stderr).toMatch(/--html \/dev\/stdout: is a pipe/);
    },
  );

  it("X3: follows symbolic links, also of several steps and to a file that is not there yet", async () => {
    mkdirSync(join(folder, "sub"));
    symlinkSync("sub/target.html", join(folder, "one.html"));
    symlinkSync("one.html", join(folder, "two.html"));
    for (let i = 0; i < 2; i++) {
      expect((await runCli(...command(join(folder, "two.html")))).code).toBe(0);
      expect(readFileSync(join(folder, "sub/target.html"), "utf8")).toMatch(PAGE);
    }
    expect(lstatSync(join(folder, "one.html")).isSymbolicLink()).toBe(true);
    expect(lstatSync(join(folder, "two.html")).isSymbolicLink()).toBe(true);
    expect(readdirSync(join(folder, "sub"))).toEqual(["target.html"]);
    symlinkSync("loop.html", join(folder, "loop.html"));
    expect(await refused(join(folder, "loop.html"))).toMatch(/symbolic link/);
    symlinkSync("gone/target.html", join(folder, "astray.html"));
    expect(await refused(join(folder, "astray.html"))).toMatch(/gone is no folder/);
  });

  it.each([0o600, 0o640, 0o755])("X3: keeps the rights %o of a file that is there", async (mode) => {
    const file = join(folder, "page.html");
    writeFileSync(file, "old");
    chmodSync(file, mode);
    expect((await runCli(...command(file))).code).toBe(0);
    expect((statSync(file).mode & 0o7777).toString(8)).toBe(mode.toString(8));
    expect(readFileSync(file, "utf8")).toMatch(PAGE);
    expect(readdirSync(folder)).toEqual(["page.html"]);
  });

  it.skipIf(noShell)(`${noShell ?? ""}gives a new file the rights that the umask says`, () => {
    expect(bash(`umask 027; ${quoted(command("new.html"))}`, folder).status).toBe(0);
    expect((statSync(join(folder, "new.html")).mode & 0o777).toString(8)).toBe("640");
  });

  it.each([240, 255])("X3: takes a name of %d bytes", async (bytes) => {
    const name = `${"é".repeat((bytes - 5) >> 1)}${bytes % 2 === 0 ? "x" : ""}.html`;
    expect(Buffer.byteLength(name)).toBe(bytes);
    expect((await runCli(...command(join(folder, name)))).code).toBe(0);
    expect(readdirSync(folder)).toEqual([name]);
  });

  it("X3: refuses a name longer than the file system allows, and none at all, before the work", async () => {
    expect(await refused(join(folder, `${"x".repeat(251)}.html`))).toMatch(/html: (file )?name too long\n$/);
    expect(await refused("")).toMatch(/--html : expected the name of a file/);
    expect(await refused("-")).toMatch(/--html -: expected the name of a file/);
    expect(await refused(`${join(folder, "page.html")}/`)).toMatch(/page\.html\/: names a folder; expected a file/);
    expect(await refused(join(TRACE, "page.html"))).toMatch(/not a directory|is no folder/);
  });

  it("never writes over what it reads", async () => {
    const copy = join(folder, "trace.txt");
    writeFileSync(copy, readFileSync(TRACE));
    symlinkSync("trace.txt", join(folder, "other.html"));
    linkSync(copy, join(folder, "hard.html"));
    for (const target of ["trace.txt", "other.html", "hard.html"]) {
      const args = command(join(folder, target)).map((word) => (word === TRACE ? copy : word));
      const { code, err } = await runCli(...args);
      expect(code).toBe(2);
      expect(err).toMatch(/is the input .*trace\.txt itself/);
    }
    const policy = join(folder, "policy.json");
    writeFileSync(policy, '{"name": "mine"}');
    const { err } = await runCli(...command(policy), "--policy", policy);
    expect(err).toMatch(/is the input .*policy\.json itself/);
    expect(readFileSync(policy, "utf8")).toBe('{"name": "mine"}');
    expect(readFileSync(copy, "utf8")).toBe(readFileSync(TRACE, "utf8"));
  });

  it.skipIf(noShell)(`${noShell ?? ""}never replaces the file that the figures go to`, () => {
    for (const [target, redirection] of [
      ["out.txt", "> out.txt"],
      ["out.txt", "2> out.txt"],
      ["/dev/stdout", "> out.txt"],
    ]) {
      const { status } = bash(`${quoted(command(target!))} ${redirection}`, folder);
      expect(status).toBe(2);
    }
    expect(bash(`${quoted(command("out.txt"))} > out.txt`, folder).stderr).toMatch(/is where standard output/);
    expect(readdirSync(folder)).toEqual(["out.txt"]);
  });

  it.skipIf(process.geteuid?.() !== 0)(
    `${process.geteuid?.() === 0 ? "" : "SKIPPED, not root, who alone can be another user: "}X3: asks before the work whether it may`,
    () => {
      const asNobody = (file: string) =>
        spawnSync(process.execPath, [MAIN, ...command(join(folder, file))], {
          encoding: "utf8",
          uid: 65534,
          gid: 65534,
        });
      chmodSync(folder, 0o777);
      for (const [name, mode, owner] of [
        ["mine.html", 0o644, 65534],
        ["readonly.html", 0o444, 65534],
        ["theirs.html", 0o666, 0],
      ] as const) {
        writeFileSync(join(folder, name), "old");
        chmodSync(join(folder, name), mode);
        chownSync(join(folder, name), owner, owner);
      }
      expect(asNobody("mine.html")).toMatchObject({ status: 0, stderr: "" });
      expect(asNobody("readonly.html")).toMatchObject({ status: 2, stdout: "" });
      expect(asNobody("readonly.html").stderr).toMatch(/readonly\.html: permission denied/);
      expect(asNobody("theirs.html").stderr).toMatch(/belongs to another user or group/);
      chmodSync(folder, 0o755);
      expect(asNobody("new.html").stderr).toMatch(/new\.html: .*: permission denied/);
      expect(readFileSync(join(folder, "readonly.html"), "utf8")).toBe("old");
      expect(readdirSync(folder).sort()).toEqual(["mine.html", "readonly.html", "theirs.html"]);
    },
  );

  it.skipIf(noShell)(`${noShell ?? ""}a full disk leaves the earlier file as it was, and nothing beside it`, () => {
    writeFileSync(join(folder, "page.html"), "old");
    const { status, stderr } = bash(`trap '' XFSZ; ulimit -f 4; ${quoted(command("page.html"))}`, folder);
    expect({ status, stderr }).toEqual({ status: 2, stderr: "stalewalk: --html page.html: file too large\n" });
    expect(readFileSync(join(folder, "page.html"), "utf8")).toBe("old");
    expect(readdirSync(folder)).toEqual(["page.html"]);
  });
});

describe("report without --html", () => {
  it("says before the work when the trace's own name makes too long a one", async () => {
    const trace = join(folder, `${"x".repeat(245)}.txt`);
    writeFileSync(trace, readFileSync(TRACE));
    const { code, err } = await runCli("report", trace, "--no-verdicts");
    expect(code).toBe(2);
    expect(err).toMatch(/report\.html: (file )?name too long/);
  });
});

describe("a signal while a file is put in its place", () => {
  it.skipIf(noShell).each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
    `${noShell ?? ""}%s waits until it is done, and then ends the command`,
    (signal) => {
      const signals = pathToFileURL(join(MAIN, "../../../build/js/cli/signals.js")).href;
      const script = `
        import { writeFileSync } from "node:fs";
        import { holdingSignals } from "${signals}";
        await holdingSignals(() => {
          process.kill(process.pid, "${signal}");
          for (const end = Date.now() + 50; Date.now() < end; );
          writeFileSync("done", "");
        });
        writeFileSync("never", "");`;
      const args = ["--input-type=module", "--eval", script];
      const result = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
      expect(result).toMatchObject({ status: null, signal, stderr: "" });
      expect(existsSync(join(folder, "done"))).toBe(true);
      expect(existsSync(join(folder, "never"))).toBe(false);
    },
  );
});
