// A browser that is asked line by line, with an end to waiting: what it does not answer is answered for. Node-only.
import { type BrowserKind, RunningBrowser } from "./launch.js";
import { filesOf, type Hello, type Line } from "./protocol.js";
import { BrowserServer } from "./server.js";

/** One browser with one page, and its server. */
export class BrowserSession {
  private lastSign = performance.now();
  private hello: Hello | undefined;
  private answer: unknown;
  /** Why it answers nothing more. */
  private over: string | undefined;
  /** Who waits for something of it. */
  private wake = (): void => {};
  private server!: BrowserServer;
  private browser!: RunningBrowser;

  private constructor(private readonly seconds: number) {}

  /** @param seconds how long it may give no sign of life */
  static async start(kind: BrowserKind, program: string, seconds: number): Promise<BrowserSession> {
    const session = new BrowserSession(seconds);
    session.server = await BrowserServer.start({
      hello: (hello) => session.take(() => (session.hello = hello)),
      answer: (text) => session.take(() => (session.answer = JSON.parse(text))),
      failed: (why) => session.end(why),
      alive: () => (session.lastSign = performance.now()),
    });
    session.browser = RunningBrowser.start(kind, program, session.server.url);
    void session.browser.ended.then((why) => session.end(why));
    return session;
  }

  /** What it answers, or why it does not. */
  async ask(line: Line): Promise<unknown> {
    if ((await this.wait(() => this.hello)) === undefined) return { notPlayed: this.over };
    this.answer = undefined;
    const isFresh = "fresh" in line;
    if (isFresh) this.hello = undefined;
    this.server.hand(JSON.stringify(line), filesOf(line));
    return (await this.wait(() => (isFresh ? this.hello : this.answer))) ?? { notPlayed: this.over };
  }

  async close(): Promise<void> {
    this.end("it was ended");
    this.server.close();
    await this.browser.close();
  }

  private take(keep: () => void): void {
    keep();
    this.wake();
  }

  private end(why: string): void {
    this.over ??= why;
    this.wake();
  }

  /** Waits until there is something, or no more to wait for. */
  private async wait<T>(look: () => T | undefined): Promise<T | undefined> {
    for (;;) {
      const found = look();
      if (found !== undefined && this.over === undefined) return found;
      const left = this.lastSign + this.seconds * 1000 - performance.now();
      if (left <= 0) this.end(`it gave no sign of life for ${this.seconds} s${this.browser.lastWords}`);
      if (this.over !== undefined) return undefined;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}
