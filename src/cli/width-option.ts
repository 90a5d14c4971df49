// The option of all commands: how wide text is laid out. Node-only by place, not by need.
import { InvalidArgumentError, Option } from "commander";

/** Narrower than this nothing can be laid out. */
export const LEAST_WIDTH = 20;

/** `--width`. */
export function widthOption(): Option {
  const about = "lay text out for so many columns (default: the terminal's, else no limit)";
  return new Option("--width <columns>", about).argParser(parseWidth);
}

function parseWidth(text: string): number {
  const width = Number(text);
  if (!/^\d+$/.test(text) || width < LEAST_WIDTH) throw new InvalidArgumentError(`Expected ${LEAST_WIDTH} or more.`);
  return width;
}
