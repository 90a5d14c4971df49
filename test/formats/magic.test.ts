// Compressed formats that are not read are named with the command that opens them; text that only begins alike is text.
import { describe, expect, it } from "vitest";
import { compressedFormat } from "../../src/formats/magic.js";
import { parseTrace } from "../../src/trace/index.js";
import { bytes, line, readAll } from "../trace/support.js";

describe("compressed formats", () => {
  it.each([
    ["zstd", "\x28\xb5\x2f\xfd", "zstd -dc FILE"],
    ["xz", "\xfd7zXZ\0", "xz -dc FILE"],
    ["bzip2", "BZh91AY&SY", "bzip2 -dc FILE"],
    ["lz4", "\x04\x22\x4d\x18", "lz4 -dc FILE"],
    ["lzip", "LZIP\x01", "lzip -dc FILE"],
    ["zip", "PK\x03\x04", "unzip -p FILE"],
    ["7-Zip", "7z\xbc\xaf\x27\x1c", "7z x -so FILE"],
  ])("%s is named, of a trace too", async (_, head, command) => {
    const file = bytes(head.padEnd(600, "."));
    expect(compressedFormat(file)?.command).toBe(command);
    await expect(readAll(file)).rejects.toThrow(`run \`${command}\``);
  });

  it.each(["BZh", "BZh9", "LZIP", "PK"])("a task named %s is none", async (task) => {
    const text = bytes(line("do_flush_all: (f)", { task }).trimStart());
    expect(compressedFormat(text)).toBeUndefined();
    const reader = parseTrace(text);
    for await (const _ of reader);
    expect(reader.summary.diagnosticCounts.get("wrong-file")).toBeUndefined();
  });

  it("a trace that has a tar's letters where a tar has them is none", async () => {
    const first = line("do_flush_all: (f)");
    const text = bytes(`${first.repeat(8).padEnd(257, " ").slice(0, 257)}ustar`);
    expect(compressedFormat(text)?.command).toBe("tar -xOf FILE");
    await expect(readAll(text)).resolves.toBeDefined();
  });
});
