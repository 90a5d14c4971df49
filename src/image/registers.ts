// Text of QEMU's monitor command `info registers -a`: only the values that matter to a walk. It is the one place where
// EFER can be read, which the QEMU note of a core does not hold.
import { ListingFormatError } from "./error.js";

/** Registers of one CPU from `info registers`. */
export interface ListedRegisters {
  /** Number after `CPU#`; 0 if the text has no such heading. */
  cpu: number;
  /** Register CR0. */
  cr0: bigint;
  /** Register CR3. */
  cr3: bigint;
  /** Register CR4. */
  cr4: bigint;
  /** MSR EFER. */
  efer: bigint;
  /** Current privilege level, 0..3. */
  cpl: number;
}

const WANTED = ["CPL", "CR0", "CR3", "CR4", "EFER"] as const;

/**
 * Parses the text of `info registers` (one CPU, without heading) or `info registers -a`.
 *
 * @throws ListingFormatError if a CPU lacks one of CPL, CR0, CR3, CR4, EFER, shows one twice, or has a CPL above 3
 */
export function parseInfoRegisters(text: string, file = "info registers"): ListedRegisters[] {
  const result: ListedRegisters[] = [];
  const lines = text.split("\n");
  let cpu = 0;
  let heading = 1;
  let headed = false;
  let values = new Map<string, string>();
  const finish = () => {
    const missing = WANTED.filter((name) => !values.has(name));
    if (missing.length > 0) {
      throw new ListingFormatError(file, heading, lines[heading - 1] ?? "", `${missing.join(", ")} for CPU ${cpu}`);
    }
    const value = (name: (typeof WANTED)[number]) => BigInt(`0x${values.get(name)}`);
    result.push({
      cpu,
      cr0: value("CR0"),
      cr3: value("CR3"),
      cr4: value("CR4"),
      efer: value("EFER"),
      cpl: Number(value("CPL")),
    });
  };
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!;
    const match = /^CPU#(\d{1,6})\s*$/.exec(line);
    if (match) {
      if (headed || values.size > 0) finish();
      headed = true;
      cpu = Number(match[1]);
      heading = i + 1;
      values = new Map();
      continue;
    }
    for (const [, name, value] of line.matchAll(/\b(CPL|CR0|CR3|CR4|EFER)=([0-9a-f]{1,16})\b/g)) {
      if (values.has(name!)) throw new ListingFormatError(file, i + 1, line, `one ${name} for CPU ${cpu}`);
      if (name === "CPL" && !/^[0-3]$/.test(value!)) throw new ListingFormatError(file, i + 1, line, "CPL=0 to CPL=3");
      values.set(name!, value!);
    }
  }
  finish();
  return result;
}
