// How the command fails and prints, apart from any command.
import { afterEach, describe, expect, it, vi } from "vitest";
import { EXIT, InputError, reportError } from "../../src/cli/errors.js";
import { printJson, redirectOutput, startProgress } from "../../src/cli/output.js";
import { formatTable } from "../../src/cli/table.js";
import { memorySink } from "./run-cli.js";

function captured(stream: "stdout" | "stderr", run: () => void, isTerminal = false): string {
  const sinks = { stdout: memorySink({ isTerminal }), stderr: memorySink({ isTerminal }) };
  redirectOutput(sinks);
  run();
  redirectOutput();
  return sinks[stream].text;
}

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

describe("reportError", () => {
  it("is one line for bad input, without a stack", () => {
    vi.stubEnv("DEBUG", "");
    const text = captured("stderr", () => expect(reportError(new InputError("x: two\nlines"))).toBe(EXIT.badInput));
    expect(text).toBe("stalewalk: x: two\\nlines\n");
  });

  it("shows the stack if DEBUG is set", () => {
    vi.stubEnv("DEBUG", "1");
    const text = captured("stderr", () => reportError(new InputError("x")));
    expect(text).toMatch(/^stalewalk: x\nInputError: x\n\s+at /);
  });

  it("says so if the fault is the program's own", () => {
    vi.stubEnv("DEBUG", "");
    const text = captured("stderr", () => expect(reportError(new TypeError("boom"))).toBe(EXIT.internal));
    expect(text).toBe("stalewalk: internal error: boom\nstalewalk: set DEBUG=1 to see where\n");
    expect(captured("stderr", () => expect(reportError("text")).toBe(EXIT.internal))).toContain("internal error: text");
  });
});

describe("output", () => {
  it("writes bigints in JSON as hexadecimal text", () => {
    expect(captured("stdout", () => printJson({ a: 255n, b: [1] }))).toBe(
      '{\n  "a": "0xff",\n  "b": [\n    1\n  ]\n}\n',
    );
  });

  it("pads tables, without spaces at line ends", () => {
    expect(
      formatTable(
        [
          ["a", "bb", "c"],
          [100, 2, ""],
        ],
        [1],
      ),
    ).toBe("a    bb  c\n100   2");
  });

  it("shows progress on a terminal only, ten times a second at most, and removes it", () => {
    const shown = (isTerminal: boolean) => {
      const work = () => {
        const progress = startProgress("work");
        for (let i = 0; i < 1000; i++) progress.update({ done: i, total: 1000, unit: "cells" });
        progress.end();
      };
      return captured("stderr", work, isTerminal).replaceAll("\r\x1b[K", "|");
    };
    expect(shown(false)).toBe("");
    expect(shown(true)).toMatch(/^\|work: 0% \(0 of 1000\)(\|work: [^|]*)?\|$/);
  });

  it.each([
    ["operations", 2_500_000, 10_000_000, 2000, "25% (2500000 of 10000000, 1.25 million a second, 6 s left)"],
    ["bytes", 30_000_000, 120_000_000, 10_000, "25% (30000000 of 120000000, 3.0 MB a second, 30 s left)"],
    ["cells", 10, 104, 20_000, "9% (10 of 104, 0.5 a second, 4 min left)"],
    ["jobs", 300, 90_000, 1000, "0% (300 of 90000, 300 a second, 5 min left)"],
    ["jobs", 1, 1000, 60_000, "0% (1 of 1000, 0.0 a second, 17 h left)"],
    ["cells", 104, 104, 20_000, "100% (104 of 104, 5.2 a second)"],
    // Of less than a second nothing can be told.
    ["cells", 3, 104, 900, "2% (3 of 104)"],
    ["cells", 0, 104, 5000, "0% (0 of 104)"],
  ] as const)("tells the pace of %s and the time that is left: %i of %i in %i ms", (unit, done, total, ms, figures) => {
    vi.spyOn(performance, "now").mockReturnValueOnce(0).mockReturnValueOnce(ms);
    const work = () => {
      const progress = startProgress("work");
      progress.update({ done, total, unit });
      progress.end();
    };
    expect(captured("stderr", work, true)).toContain(`work: ${figures}`);
  });

  it("leaves the pace out where the terminal has no room for it beside the name", () => {
    const shown = (columns: number) => {
      vi.spyOn(performance, "now").mockReturnValueOnce(0).mockReturnValueOnce(2000);
      const stderr = memorySink({ isTerminal: true, columns });
      redirectOutput({ stdout: memorySink(), stderr });
      const progress = startProgress("a long name of a trace.txt");
      progress.update({ done: 2_500_000, total: 10_000_000, unit: "operations" });
      redirectOutput();
      return stderr.text.replace("\r\x1b[K", "");
    };
    expect(shown(72)).toBe("… trace.txt: 25% (2500000 of 10000000, 1.25 million a second, 6 s left)");
    expect(shown(66)).toBe("a long name of a trace.txt: 25% (2500000 of 10000000)");
    expect(shown(30).length).toBeLessThan(30);
  });
});
