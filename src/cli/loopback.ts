// A server on the loopback address, for who knows its name: what `stalewalk open` shows, and what a browser that measures is given.
// Node-only.
import { randomBytes, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What every answer says: it is kept by nobody, and for pages of this origin alone. */
export const PRIVATE_HEADERS = {
  "Cache-Control": "no-store",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
};

/** Answers the requests of a server. */
export type Serve = (request: IncomingMessage, response: ServerResponse, loopback: Loopback) => void;

/** The server: its address has a token in it that nobody can guess. */
export class Loopback {
  private readonly begin = `/${randomBytes(18).toString("base64url")}/`;
  private host = "";
  private readonly server: Server;

  private constructor(serve: Serve) {
    this.server = createServer((request, response) => serve(request, response, this));
  }

  /** Listens on a port that is free. @throws Error if there is none */
  static async start(serve: Serve): Promise<Loopback> {
    const made = new Loopback(serve);
    await new Promise<void>((resolve, reject) => {
      made.server.once("error", reject);
      // Never more than this machine: no other address is listened on.
      made.server.listen(0, "127.0.0.1", resolve);
    });
    made.host = `127.0.0.1:${(made.server.address() as AddressInfo).port}`;
    return made;
  }

  /** Where, with the token in it. */
  get url(): string {
    return `http://${this.host}${this.begin}`;
  }

  /** A name that somebody else's server gives out for this address comes in as another host: pages of that name get nothing. */
  isAskedBy(request: IncomingMessage): boolean {
    return request.headers.host === this.host;
  }

  /** What is asked for, below the token; undefined if the token is not there. */
  pathOf(request: IncomingMessage): string | undefined {
    const [path = ""] = (request.url ?? "").split("?", 1);
    return same(path.slice(0, this.begin.length), this.begin) ? path.slice(this.begin.length) : undefined;
  }

  /** Takes no more requests; those that are open go on. */
  close(): void {
    this.server.close();
  }

  /** Ends those that are open too. */
  closeNow(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

/** Whether two texts are the same, in a time that does not tell how much of them is. */
function same(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
