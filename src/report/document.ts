// What a document of ours may do, by its own content-security policy; and one that has no script.

import { base64OfBytes } from "../base/base64.js";
import type { Application } from "./application.js";
import { type Section, section } from "./blocks.js";
import { type HtmlPart, html, trusted } from "./html.js";
import { STYLE } from "./style.js";

/** What the document may do: its style sheets and its program by their digests, workers made of that, and nothing else. */
export function policyOf(style: string, application?: Application): string {
  const rest = "base-uri 'none'; form-action 'none'";
  if (!application) return `default-src 'none'; style-src '${style}'; ${rest}`;
  const { scriptHashes, styleHash } = application;
  return (
    `default-src 'none'; script-src ${scriptHashes} 'wasm-unsafe-eval'; style-src '${styleHash}' '${style}'; ` +
    `img-src data: blob:; worker-src blob:; ${rest}`
  );
}

/** A text as a policy names it. */
export async function digestOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return `sha256-${base64OfBytes(new Uint8Array(digest))}`;
}

/** What stands around the sections of a document without script. */
export interface Plain {
  readonly title: string;
  readonly heading: string;
  readonly lead: HtmlPart;
  /** Of the package, if it is known. */
  readonly version: string | undefined;
  readonly sections: readonly Section[];
}

/** A document of sections that has no script, opens offline and asks for nothing. */
export async function plainDocument({ title, heading, lead, version, sections }: Plain): Promise<string> {
  const by = version === undefined ? "" : ` ${version}`;
  return `${html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${trusted(policyOf(await digestOf(STYLE)))}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="generator" content="stalewalk${by}">
<title>${title}</title>
<style>${trusted(STYLE)}</style>
</head>
<body>
<div id="report" class="report">
<a class="skip" href="#main">Skip to the results</a>
<main id="main" tabindex="-1">
<h1>${heading}</h1>
<p class="lead">${lead}</p>
<nav class="contents" aria-label="Contents"><ul>
${sections.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>\n`)}</ul></nav>
${sections.map(section)}</main>
<footer>Made by stalewalk${by}. Opens offline, and asks for nothing.</footer>
</div>
</body>
</html>
`}`;
}
