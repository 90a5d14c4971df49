// From page/ to dist/page/index.html: the application as one file that opens from anywhere. Vite compiles it with Preact and the
// engine into one script and one style sheet; here both are set into the document, the script compressed behind a small one that unpacks
// it, with a content-security policy that allows these by their hashes, and nothing else but compiling WebAssembly and workers made
// of the same text. The document is also the template of reports (src/report/application.ts).
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "vite";

const FOLDER = "dist/page";
/** Unpacks the program (`src/base/base85.ts` says how it is written) and sets it into the document, where its digest lets it run. What is packed is of no use any more. */
const LOADER = `(async () => {
  const packed = document.getElementById("packed");
  const text = packed.textContent;
  packed.remove();
  const groups = Math.ceil(text.length / 5);
  const view = new DataView(new ArrayBuffer(groups * 4));
  for (let group = 0; group < groups; group++) {
    let value = 0;
    for (let at = group * 5; at < group * 5 + 5; at++) {
      const letter = at < text.length ? text.charCodeAt(at) : 124;
      value = value * 85 + (letter === 126 ? 60 : letter) - 40;
    }
    view.setUint32(group * 4, value);
  }
  const bytes = view.buffer.slice(0, text.length - groups);
  const script = document.createElement("script");
  script.id = "program";
  script.textContent = await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  document.body.append(script);
})();`;
const ESCAPES = { '"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r" };
const EXAMPLE = "test/fixtures/images/reduced-4level.core.gz";

/** Writes dist/page/index.html and returns what became of which module, as rolldown tells it. */
export async function bundlePage() {
  // It is built by now.
  const { base85OfBytes } = await import("../build/js/base/base85.js");
  const { version } = JSON.parse(readFileSync("package.json", "utf8"));
  const engine = createHash("sha256").update(readFileSync("build/release.wasm")).digest("hex");
  const built = { version, engine };
  const bundled = await build({
    root: "page",
    configFile: false,
    envDir: false,
    publicDir: false,
    logLevel: "warn",
    // What the page has of bench/ uses the package by its name.
    resolve: {
      alias: [
        { find: /^stalewalk$/, replacement: resolve("src/index.ts") },
        { find: /^stalewalk\/([a-z]+)$/, replacement: `${resolve("src")}/$1/index.ts` },
      ],
    },
    define: { __BUILT__: JSON.stringify(built) },
    oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
    build: {
      write: false,
      target: "es2022",
      // It is one file: nothing is loaded ahead.
      modulePreload: false,
      reportCompressedSize: false,
      chunkSizeWarningLimit: 4096,
      // A classic script: a worker may be made of its text even where the page is a local file, of a module's it may not.
      lib: { entry: "main.tsx", formats: ["iife"], name: "page", fileName: "page", cssFileName: "page" },
    },
  });
  const { output } = Array.isArray(bundled) ? bundled[0] : bundled;
  const [script, ...others] = output.filter(({ type }) => type === "chunk");
  const styles = output.filter(({ fileName }) => fileName.endsWith(".css"));
  if (others.length > 0 || styles.length !== 1) throw new Error("the page is to be one script and one style sheet");
  mkdirSync(FOLDER, { recursive: true });
  const style = String(styles[0].source).trim();
  const program = withBytes(script.code.trim());
  const text = fill(readFileSync("page/index.html", "utf8"), {
    POLICY: policyOf([LOADER, program], style),
    STYLE: style,
    EXAMPLE: JSON.stringify({
      file: EXAMPLE.replace(/^.*\//, ""),
      base64: readFileSync(EXAMPLE).toString("base64"),
    }),
    PACKED: base85OfBytes(gzipSync(program, { level: 9 })),
    LOADER,
  });
  writeFileSync(`${FOLDER}/index.html`, text);
  return [{ ...script, fileName: "page/index.html", modules: script.modules }];
}

/**
 * The program with its WebAssembly modules as strings of bytes, of which it makes base64 as it begins: base64 is packed by a third worse
 * than what it stands for.
 */
function withBytes(code) {
  return code.replace(/(["'`])(AGFzbQ[\w+/]{200,}={0,2})\1/g, (_, _quote, base64) => {
    const bytes = Buffer.from(base64, "base64").toString("latin1");
    return `btoa("${bytes.replace(/["\\\n\r]/g, (letter) => ESCAPES[letter])}")`;
  });
}

function policyOf(scripts, style) {
  return [
    "default-src 'none'",
    `script-src ${scripts.map((text) => `'${hashOf(text)}'`).join(" ")} 'wasm-unsafe-eval'`,
    `style-src '${hashOf(style)}'`,
    "img-src data: blob:",
    "worker-src blob:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
}

function hashOf(text) {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}

function fill(template, parts) {
  return template.replace(/%([A-Z]+)%/g, (_, name) => {
    if (!Object.hasOwn(parts, name)) throw new Error(`page/index.html asks for ${name}`);
    return parts[name];
  });
}
