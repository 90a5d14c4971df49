// What commands print: results to stdout as text or JSON, progress to stderr and only on a terminal. Node-only.

/** Writes one line of a result to stdout. */
export function print(line = ""): void {
  process.stdout.write(`${line}\n`);
}

/** Writes a result to stdout as indented JSON. Bigints become strings like `"0x1a2b"`. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value, (_, item) => (typeof item === "bigint" ? `0x${item.toString(16)}` : item), 2));
}

/** Progress of one long piece of work. */
export interface Progress {
  /** Tells how far the work is; redrawn at most ten times a second. */
  update(done: number, total: number): void;
  /** Removes the line. */
  end(): void;
}

/** A progress line on stderr; does nothing if stderr is not a terminal. */
export function startProgress(label: string): Progress {
  if (!process.stderr.isTTY) return { update() {}, end() {} };
  let next = 0;
  return {
    update(done, total) {
      const now = performance.now();
      if (now < next) return;
      next = now + 100;
      const percent = total > 0 ? Math.min(100, Math.floor((100 * done) / total)) : 0;
      process.stderr.write(`\r\x1b[K${label}: ${percent}% (${done} of ${total})`);
    },
    end() {
      process.stderr.write("\r\x1b[K");
    },
  };
}

/** A table of columns padded with spaces; the first row is the heading. Columns whose name is in `right` align right. */
export function formatTable(rows: readonly (readonly (string | number)[])[], right: readonly number[] = []): string {
  const texts = rows.map((row) => row.map(String));
  const widths = (texts[0] ?? []).map((_, column) => Math.max(...texts.map((row) => row[column]?.length ?? 0)));
  return texts
    .map((row) =>
      row
        .map((cell, column) => (right.includes(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
