// Pictures of the README: registries show the text without the package's files, so that each has an absolute address. What it names is
// a file that the package carries: the address is that of the published package itself.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const HOST = "https://unpkg.com/stalewalk/";

describe("pictures of README.md", () => {
  const readme = readFileSync(join(ROOT, "README.md"), "utf8");
  const addresses = [...readme.matchAll(/!\[([^\]]*)\]\(([^)]+)\)/g)].map(([, text = "", address = ""]) => ({
    text,
    address,
  }));
  const { files } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { files: string[] };

  it("are there, and say in words what they show", () => {
    expect(addresses.length).toBeGreaterThan(0);
    for (const { text } of addresses) expect(text.length).toBeGreaterThan(40);
  });

  it.each(addresses)("$address is a file of the package", ({ address }) => {
    expect(address.startsWith(HOST)).toBe(true);
    const path = address.slice(HOST.length);
    expect(existsSync(join(ROOT, path))).toBe(true);
    expect(files).toContain(path.split("/")[0]);
    expect(files).not.toContain(`!${path}`);
  });
});
