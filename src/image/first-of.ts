// Warnings of one kind: a file can give rise to one for each of a hundred thousand segments.

const TOLD = 20;

/** Keeps the first warnings and counts the rest. */
export class FirstOf {
  readonly #told: string[] = [];
  #more = 0;

  /** @param before what was odd already; told in full */
  constructor(private readonly before: readonly string[] = []) {}

  /** Takes one more. */
  add(warning: string): void {
    if (this.#told.length < TOLD) this.#told.push(warning);
    else this.#more++;
  }

  /** The warnings, and how many are not among them. */
  told(): string[] {
    const more = this.#more > 0 ? [`${this.#more} more warnings like the last one`] : [];
    return [...this.before, ...this.#told, ...more];
  }
}
