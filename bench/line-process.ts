// A process that answers lines of commands with lines of JSON: the native contestant, and workers. Node-only.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";

/** One process, started and spoken to. */
export class LineProcess {
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly lines: AsyncIterator<string>;
  private readonly reader: Interface;
  private errors = "";

  private constructor(
    private readonly name: string,
    program: string,
    args: readonly string[],
  ) {
    this.child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
    this.child.stderr.on("data", (text) => {
      this.errors += text;
    });
    // A process that died early makes writing fail; what it said is in the answer that does not come.
    this.child.stdin.on("error", () => {});
    this.reader = createInterface(this.child.stdout);
    this.lines = this.reader[Symbol.asyncIterator]();
  }

  /** Starts a process; `name` is for messages. @throws Error if it cannot be started */
  static async start(name: string, program: string, args: readonly string[] = []): Promise<LineProcess> {
    const started = new LineProcess(name, program, args);
    await once(started.child, "spawn");
    return started;
  }

  /** Sends bytes, as fast as they are taken. */
  async send(bytes: Uint8Array): Promise<void> {
    if (!this.child.stdin.write(bytes))
      await Promise.race([once(this.child.stdin, "drain"), once(this.child, "close")]);
  }

  /** Sends one line and waits for the answer. @throws Error with what the process said, if it ended instead */
  async ask(command: string): Promise<unknown> {
    this.child.stdin.write(`${command}\n`);
    const { value, done } = await this.lines.next();
    if (done) throw new Error(`${this.name} ended: ${this.errors.trim() || "without a word"}`);
    return JSON.parse(value);
  }

  /** Ends the process: it is told that no more commands come. */
  async close(): Promise<void> {
    this.reader.close();
    const closed =
      this.child.exitCode === null && this.child.signalCode === null ? once(this.child, "close") : undefined;
    this.child.stdin.end();
    await closed;
  }
}
