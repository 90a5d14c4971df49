// One document on the loopback address, for who knows its name. Node-only.
import type { IncomingMessage, ServerResponse } from "node:http";
import { InputError } from "./errors.js";
import { Loopback, PRIVATE_HEADERS } from "./loopback.js";

/** A document that is served. */
export type PageServer = Pick<Loopback, "url" | "close">;

const HEADERS = {
  ...PRIVATE_HEADERS,
  // The document has the rest of its policy in itself; who may frame it can be said here only.
  "Content-Security-Policy": "frame-ancestors 'none'",
};

/** Serves a document until the process ends, on a port that is free. */
export async function servePage(document: string): Promise<PageServer> {
  const body = Buffer.from(document);
  try {
    return await Loopback.start((request, response, loopback) => answer(request, response, { body, loopback }));
  } catch (error) {
    throw new InputError(`no port on the loopback address: ${(error as Error).message}`);
  }
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { body, loopback }: { body: Buffer; loopback: Loopback },
): void {
  const refuse = (status: number, text: string): void => {
    response.writeHead(status, { ...HEADERS, "Content-Type": "text/plain; charset=utf-8" }).end(`${text}\n`);
  };
  if (!loopback.isAskedBy(request)) refuse(421, "another host was asked for");
  else if (request.method !== "GET" && request.method !== "HEAD") refuse(405, "there is something to read only");
  else if (loopback.pathOf(request) !== "") refuse(404, "there is nothing of this name");
  else {
    response.writeHead(200, { ...HEADERS, "Content-Type": "text/html; charset=utf-8", "Content-Length": body.length });
    response.end(request.method === "HEAD" ? undefined : body);
  }
}
