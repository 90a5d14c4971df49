// After tsc: the raw .wasm for hosts that bring their own module, the executable bit of the command, and the libraries that are
// built in instead of installed, with their licences.
import { chmodSync, copyFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { rolldown } from "rolldown";

copyFileSync("build/release.wasm", "dist/stalewalk.wasm");
chmodSync("dist/cli/main.js", 0o755);

/** Modules of dist/ that a library is built into: it is imported nowhere else. */
const built = [{ module: "dist/base/schema.js", library: "valibot" }];

for (const { module } of built) {
  // What the module imports of this package stays an import.
  const bundle = await rolldown({ input: module, external: /^\.\.?\//, logLevel: "warn" });
  await bundle.write({ file: `${module}.tmp`, format: "esm" });
  await bundle.close();
  copyFileSync(`${module}.tmp`, module);
  rmSync(`${module}.tmp`);
  // Nobody outside needs its types, and they name the library.
  rmSync(module.replace(/\.js$/, ".d.ts"));
}

const notices = built.map(({ library }) => {
  const { version } = JSON.parse(readFileSync(`node_modules/${library}/package.json`, "utf8"));
  return `${library} ${version}\n\n${readFileSync(`node_modules/${library}/LICENSE.md`, "utf8").trim()}\n`;
});
writeFileSync("dist/THIRD-PARTY.txt", `Parts of these libraries are built into this package.\n\n${notices.join("\n")}`);
