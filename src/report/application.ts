// The application that a report carries: the parts of the package's own page (`dist/page/index.html`), taken out of its text. That file
// is a whole document, and it is the template of reports.

import { base64OfBytes } from "../base/base64.js";

/** Parts of the page that a report takes over. */
export interface Application {
  /** Its style sheet, with the digest that its policy names. */
  readonly style: string;
  readonly styleHash: string;
  /** The small script that unpacks the program, and the packed program. */
  readonly loader: string;
  readonly program: string;
  /** Digests of loader and program, as the policy has them. */
  readonly scriptHashes: string;
  /** The example that it brings along: JSON. */
  readonly example: string;
}

/** Finds the parts in the page's text. @throws Error for a text that is not that page */
export function applicationOf(page: string): Application {
  const [, scriptHashes] = /script-src ((?:'sha256-[A-Za-z0-9+/=]+' ?)+)'wasm-unsafe-eval'/.exec(page) ?? [];
  const [, styleHash] = /style-src '(sha256-[A-Za-z0-9+/=]+)'/.exec(page) ?? [];
  if (scriptHashes === undefined || styleHash === undefined) {
    throw new Error("`page` is not the text of stalewalk/page.html: it has no policy with digests");
  }
  return {
    style: between(page, "<style>", "</style>"),
    styleHash,
    loader: between(page, '<script id="loader">', "</script>"),
    program: between(page, '<script type="text/plain" id="packed">', "</script>"),
    scriptHashes: scriptHashes.trim(),
    example: between(page, '<script type="application/json" id="example">', "</script>"),
  };
}

/**
 * The page with another core in the place of its example.
 * @param page the text of `stalewalk/page.html`
 * @throws Error for a text that is not that page
 */
export function withExample(page: string, file: string, core: Uint8Array): string {
  const { example } = applicationOf(page);
  // In JSON, nothing that a name holds may look like the end of the element.
  const text = JSON.stringify({ file, base64: base64OfBytes(core) }).replaceAll("<", "\\u003c");
  return page.replace(example, () => text);
}

function between(page: string, start: string, end: string): string {
  const from = page.indexOf(start);
  const to = page.indexOf(end, from);
  if (from < 0 || to < 0) throw new Error(`\`page\` is not the text of stalewalk/page.html: it has no ${start}`);
  return page.slice(from + start.length, to);
}
