// One document on the loopback address, for who knows its name. Node-only.
import { randomBytes, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { InputError } from "./errors.js";

/** A document that is served. */
export interface PageServer {
  /** Where: with the token in it. */
  readonly url: string;
  close(): void;
}

const HEADERS = {
  "Cache-Control": "no-store",
  // The document has the rest of its policy in itself; who may frame it can be said here only.
  "Content-Security-Policy": "frame-ancestors 'none'",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
};

/** Serves a document until the process ends, on a port that is free. */
export async function servePage(document: string): Promise<PageServer> {
  const token = randomBytes(18).toString("base64url");
  const body = Buffer.from(document);
  let host = "";
  const server = createServer((request, response) => answer(request, response, { body, token, host }));
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(new InputError(`no port on the loopback address: ${error.message}`)));
    // Never more than this machine: no other address is listened on.
    server.listen(0, "127.0.0.1", resolve);
  });
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url: `http://${host}/${token}/`, close: () => server.close() };
}

interface Served {
  readonly body: Buffer;
  readonly token: string;
  readonly host: string;
}

function answer(request: IncomingMessage, response: ServerResponse, { body, token, host }: Served): void {
  const refuse = (status: number, text: string): void => {
    response.writeHead(status, { ...HEADERS, "Content-Type": "text/plain; charset=utf-8" }).end(`${text}\n`);
  };
  const [path = ""] = (request.url ?? "").split("?", 1);
  // A name that somebody else's server gives out for this address comes in as another host: pages of that name get nothing.
  if (request.headers.host !== host) refuse(421, "another host was asked for");
  else if (request.method !== "GET" && request.method !== "HEAD") refuse(405, "there is something to read only");
  else if (!same(path, `/${token}/`)) refuse(404, "there is nothing of this name");
  else {
    response.writeHead(200, { ...HEADERS, "Content-Type": "text/html; charset=utf-8", "Content-Length": body.length });
    response.end(request.method === "HEAD" ? undefined : body);
  }
}

/** Whether two texts are the same, in a time that does not tell how much of them is. */
function same(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
