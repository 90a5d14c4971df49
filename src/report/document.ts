// A document of ours: what it may do, by its own content-security policy, and what stands around its sections.

import { base64OfBytes } from "../base/base64.js";
import type { Application } from "./application.js";
import { type Section, section } from "./blocks.js";
import { type Html, type HtmlPart, html, trusted } from "./html.js";
import { STYLE } from "./style.js";

/** What the document may do: its style sheets and its program by their digests, workers made of that, and nothing else. */
function policyOf(style: string, application?: Application): string {
  const rest = "base-uri 'none'; form-action 'none'";
  if (!application) return `default-src 'none'; style-src '${style}'; ${rest}`;
  const { scriptHashes, styleHash } = application;
  return (
    `default-src 'none'; script-src ${scriptHashes} 'wasm-unsafe-eval'; style-src '${styleHash}' '${style}'; ` +
    `img-src data: blob:; worker-src blob:; ${rest}`
  );
}

/** A text as a policy names it. */
async function digestOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return `sha256-${base64OfBytes(new Uint8Array(digest))}`;
}

/** What stands around the sections of a document. */
export interface DocumentParts {
  readonly title: HtmlPart;
  readonly heading: HtmlPart;
  readonly lead: HtmlPart;
  /** Of the package, if it is known. */
  readonly version: string | undefined;
  readonly sections: readonly Section[];
  /** Whither the first link leads, in a word; default: results. */
  readonly skipTo?: string;
  /** Before the sections. */
  readonly notice?: HtmlPart;
  /** The page, and what it is to show; without it there is no script. */
  readonly application?: Application | undefined;
  readonly data?: string | undefined;
}

/** A document of sections that opens offline and asks for nothing. */
export async function documentOf(parts: DocumentParts): Promise<string> {
  const { title, heading, lead, version, sections, skipTo = "results", notice, application, data } = parts;
  const by = version === undefined ? "" : ` ${version}`;
  return `${html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${trusted(policyOf(await digestOf(STYLE), application))}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="generator" content="stalewalk${by}">
${application && trusted('<link rel="icon" href="data:,">\n')}<title>${title}</title>
${application && html`<style>${trusted(application.style)}</style>\n`}<style>${trusted(STYLE)}</style>
</head>
<body>
${application && trusted('<div id="page"></div>\n')}<div id="report" class="report">
<a class="skip" href="#main">Skip to the ${skipTo}</a>
<main id="main" tabindex="-1">
<h1>${heading}</h1>
<p class="lead">${lead}</p>
<nav class="contents" aria-label="Contents"><ul>
${sections.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>\n`)}</ul></nav>
${notice !== undefined && html`${notice}\n`}${sections.map(section)}</main>
<footer>Made by stalewalk${by}. Opens offline, and asks for nothing.${application && " Without JavaScript it is this text; with it, there are views to zoom and step through."}</footer>
</div>
${application && data !== undefined && scripts(application, data)}</body>
</html>
`}`;
}

function scripts({ example, program, loader }: Application, data: string): Html {
  // Base85, and parts of the package's own page.
  return trusted(`<script type="text/plain" id="data">${data}</script>
<script type="application/json" id="example">${example}</script>
<script type="text/plain" id="packed">${program}</script>
<script id="loader">${loader}</script>
`);
}
