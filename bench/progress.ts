// One line of progress on standard error, only on a terminal.

/** A line that is written over. */
export class Progress {
  private shown = false;

  constructor(private readonly stream: NodeJS.WriteStream = process.stderr) {}

  /** Replaces the line. */
  show(text: string): void {
    if (!this.stream.isTTY) return;
    this.shown = true;
    this.stream.write(`\r\x1b[K${text.slice(0, (this.stream.columns || 80) - 1)}`);
  }

  /** Takes the line away. */
  clear(): void {
    if (this.shown) this.stream.write("\r\x1b[K");
    this.shown = false;
  }
}
