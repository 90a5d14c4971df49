// What a document of ours may do, by its own content-security policy.

import { base64OfBytes } from "../base/base64.js";
import type { Application } from "./application.js";

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
