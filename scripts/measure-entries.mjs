// What each entry point costs to import: the files of dist/ that it reaches, their bytes, and what is left of them in gzip. Run after a build:
// npm run measure:entries
import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import ts from "typescript";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

/** Files that an entry point imports, itself included; what it imports only later by `import()` is left out. */
function filesOf(entry) {
  const seen = new Set();
  const pending = [entry];
  for (let file = pending.pop(); file !== undefined; file = pending.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.ES2022);
    for (const { moduleSpecifier } of source.statements) {
      if (moduleSpecifier?.text.startsWith(".")) pending.push(resolve(dirname(file), moduleSpecifier.text));
    }
  }
  return [...seen];
}

/** A row for each entry point that is JavaScript. */
export function measureEntries(root = ROOT) {
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return Object.entries(exports).flatMap(([name, target]) => {
    if (typeof target === "string" || !target.default.endsWith(".js")) return [];
    const texts = filesOf(join(root, target.default)).map((file) => readFileSync(file));
    const bytes = texts.reduce((sum, text) => sum + text.length, 0);
    const gzip = gzipSync(Buffer.concat(texts), { level: 9 }).length;
    return [{ entry: name.replace(/^\./, "stalewalk"), files: texts.length, bytes, gzip }];
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const { entry, files, bytes, gzip } of measureEntries()) {
    const kB = (value) => `${(value / 1000).toFixed(0)} kB`.padStart(7);
    console.log(`${entry.padEnd(24)} ${String(files).padStart(3)} files ${kB(bytes)}, in gzip ${kB(gzip)}`);
  }
}
