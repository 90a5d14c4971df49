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

  it("tells the pace of operations and the time that is left", () => {
    vi.spyOn(performance, "now").mockReturnValueOnce(0).mockReturnValueOnce(2000);
    const work = () => {
      const progress = startProgress("work");
      progress.update({ done: 2_500_000, total: 10_000_000, unit: "operations" });
      progress.end();
    };
    expect(captured("stderr", work, true)).toContain(
      "work: 25% (2500000 of 10000000, 1.25 million a second, 6 s left)",
    );
  });
});
