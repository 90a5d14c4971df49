// The page of a browser that measures, on the loopback address: the package's own files, the lines that it is to answer, what it answers.
// Requests must know a token and ask for this host, as those of `stalewalk open`. Node-only.
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { packageRoot } from "../root.js";
import { type Hello, paths } from "./protocol.js";

/** No page of another origin can be in the same process: that is what browsers give a finer clock for. */
const HEADERS = {
  "Cache-Control": "no-store",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
};
const DOCUMENT = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>stalewalk bench</title><link rel="icon" href="data:,">
<script type="module" src="dist/bench/browser-page.js"></script></html>
`;
/** A file of the package: names without a way up. */
const SCRIPT = /^dist\/(?:[\w-]+\/)*[\w.-]+\.js$/;
/** Milliseconds after which a page that waits is told to ask again. */
const WAIT = 20_000;
const JSON_TYPE = "application/json";

/** What the page tells. */
export interface Listener {
  hello(hello: Hello): void;
  answer(text: string): void;
  alive(): void;
  failed(why: string): void;
}

/** The server of one browser. */
export class BrowserServer {
  private readonly token = randomBytes(18).toString("base64url");
  private host = "";
  /** A line that the page has not taken yet. */
  private line: string | undefined;
  private files: readonly string[] = [];
  /** The page, where it waits for a line. */
  private waiting: { response: ServerResponse; timer: NodeJS.Timeout } | undefined;
  private readonly server: Server;

  private constructor(private readonly listener: Listener) {
    this.server = createServer((request, response) => {
      this.serve(request, response).catch((error: Error) => listener.failed(error.message));
    });
  }

  static async start(listener: Listener): Promise<BrowserServer> {
    const made = new BrowserServer(listener);
    await new Promise<void>((resolve, reject) => {
      made.server.once("error", reject);
      made.server.listen(0, "127.0.0.1", resolve);
    });
    made.host = `127.0.0.1:${(made.server.address() as AddressInfo).port}`;
    return made;
  }

  get url(): string {
    return `http://${this.host}/${this.token}/`;
  }

  /** Hands a line to the page, which may read these files for it. */
  hand(line: string, files: readonly string[]): void {
    this.line = line;
    this.files = files;
    this.give();
  }

  close(): void {
    this.release(204);
    this.server.closeAllConnections();
    this.server.close();
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = request.url ?? "";
    const begin = `/${this.token}/`;
    const refuse = (status: number): void => {
      response.writeHead(status, HEADERS).end();
    };
    if (request.headers.host !== this.host) return refuse(421);
    if (!url.startsWith(begin)) return refuse(404);
    this.listener.alive();
    const path = url.slice(begin.length);
    if (request.method === "POST") return this.take(path, await textOf(request), response);
    if (path === paths.next) return this.wait(response);
    if (path === "") return send(response, "text/html; charset=utf-8", DOCUMENT);
    const file = this.fileOf(path);
    if (file === undefined) return refuse(404);
    send(response, file.endsWith(".js") ? "text/javascript" : "application/octet-stream", await readFile(file));
  }

  private fileOf(path: string): string | undefined {
    if (SCRIPT.test(path)) return join(packageRoot, path);
    return path.startsWith(paths.file) ? this.files[Number(path.slice(paths.file.length))] : undefined;
  }

  private take(path: string, text: string, response: ServerResponse): void {
    response.writeHead(204, HEADERS).end();
    if (path === paths.hello) this.listener.hello(JSON.parse(text) as Hello);
    else if (path === paths.answer) this.listener.answer(text);
    else if (path === paths.failed) this.listener.failed(JSON.parse(text) as string);
  }

  private wait(response: ServerResponse): void {
    this.release(204);
    this.waiting = { response, timer: setTimeout(() => this.release(204), WAIT) };
    this.give();
  }

  private give(): void {
    const { line, waiting } = this;
    if (line === undefined || !waiting) return;
    clearTimeout(waiting.timer);
    this.waiting = undefined;
    this.line = undefined;
    send(waiting.response, JSON_TYPE, line);
  }

  private release(status: number): void {
    if (!this.waiting) return;
    clearTimeout(this.waiting.timer);
    this.waiting.response.writeHead(status, HEADERS).end();
    this.waiting = undefined;
  }
}

function send(response: ServerResponse, type: string, body: string | Uint8Array): void {
  response.writeHead(200, { ...HEADERS, "Content-Type": type }).end(body);
}

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString("utf8");
}
