// The page of a browser that measures, on the loopback address: the package's own files, the lines that it is to answer, what it answers.
// Requests must know a token and ask for this host, as those of `stalewalk open`. Node-only.
import { readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { Loopback, PRIVATE_HEADERS } from "../../src/cli/loopback.js";
import { packageRoot } from "../root.js";
import { type Hello, paths } from "./protocol.js";

/** No page of another origin can be in the same process: that is what browsers give a finer clock for. */
const HEADERS = { ...PRIVATE_HEADERS, "Cross-Origin-Embedder-Policy": "require-corp" };
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
  /** A line that the page has not taken yet. */
  private line: string | undefined;
  private files: readonly string[] = [];
  /** The page, where it waits for a line. */
  private waiting: { response: ServerResponse; timer: NodeJS.Timeout } | undefined;
  private loopback!: Loopback;

  private constructor(private readonly listener: Listener) {}

  static async start(listener: Listener): Promise<BrowserServer> {
    const made = new BrowserServer(listener);
    made.loopback = await Loopback.start((request, response, loopback) => {
      made.serve(request, response, loopback).catch((error: Error) => listener.failed(error.message));
    });
    return made;
  }

  get url(): string {
    return this.loopback.url;
  }

  /** Hands a line to the page, which may read these files for it. */
  hand(line: string, files: readonly string[]): void {
    this.line = line;
    this.files = files;
    this.give();
  }

  close(): void {
    this.release(204);
    this.loopback.closeNow();
  }

  private async serve(request: IncomingMessage, response: ServerResponse, loopback: Loopback): Promise<void> {
    const refuse = (status: number): void => {
      response.writeHead(status, HEADERS).end();
    };
    if (!loopback.isAskedBy(request)) return refuse(421);
    const path = loopback.pathOf(request);
    if (path === undefined) return refuse(404);
    this.listener.alive();
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
