// The module in a host that is not JavaScript: examples/abi/walk.py, in Python with wasmtime, says what walk.js says. wasmtime comes from
// the registry of Python packages into build/python (or where STALEWALK_PYTHON says), once for each version.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT } from "../support/pack-package.js";

const WASMTIME = "49.0.0";
const FOLDER = process.env["STALEWALK_PYTHON"] ?? join(ROOT, "build/python");
const EXAMPLE = join(ROOT, "examples/abi");

/** @returns what was in the way */
function install(): string | undefined {
  if (existsSync(join(FOLDER, `wasmtime-${WASMTIME}.dist-info`))) return undefined;
  try {
    const args = [
      "-m",
      "pip",
      "install",
      "--quiet",
      "--disable-pip-version-check",
      "--retries",
      "1",
      "--target",
      FOLDER,
    ];
    execFileSync("python3", [...args, `wasmtime==${WASMTIME}`], {
      stdio: ["ignore", "pipe", "pipe"],
      timeout: 300_000,
    });
    return undefined;
  } catch (error) {
    const { stderr, message } = error as { stderr?: Buffer; message: string };
    return stderr?.toString().trim().split("\n").at(-1) || message;
  }
}

const inTheWay = install();
const note = inTheWay === undefined ? "" : ` (SKIPPED: wasmtime could not be installed: ${inTheWay})`;

describe.skipIf(inTheWay !== undefined)(`examples/abi in Python with wasmtime${note}`, () => {
  const python = (...args: string[]): string =>
    execFileSync("python3", args, { encoding: "utf8", env: { ...process.env, PYTHONPATH: FOLDER } });

  it("prints what JavaScript prints", () => {
    const expected = execFileSync(process.execPath, [join(EXAMPLE, "walk.js")], { encoding: "utf8" });
    expect(python(join(EXAMPLE, "walk.py"), join(ROOT, "dist/stalewalk.wasm"))).toBe(expected);
  });

  it("has the numbers that walk.js has, which are tested as the engine's own", () => {
    const numbers = (file: string): Map<string, number> => {
      const found = readFileSync(join(EXAMPLE, file), "utf8").matchAll(
        /^(?:const )?([A-Z_]+) = ([\d|x b]+?);?(?:\s+#.*)?$/gm,
      );
      const value = (text: string): number => text.split("|").reduce((sum, it) => sum | Number(it.trim()), 0);
      return new Map([...found].map(([, name = "", text = ""]) => [name, value(text)]));
    };
    const script = numbers("walk.js");
    expect(script.size).toBeGreaterThan(8);
    const other = numbers("walk.py");
    for (const [name, value] of other) expect([name, script.get(name)]).toEqual([name, value]);
    expect(other.size).toBeGreaterThan(5);
  });

  it("says how it is used, and ends with an error, when it is given no module", () => {
    const failed = (() => {
      try {
        return python(join(EXAMPLE, "walk.py"));
      } catch (error) {
        return (error as { stderr: string }).stderr;
      }
    })();
    expect(failed).toContain("usage: walk.py stalewalk.wasm");
  });
});
