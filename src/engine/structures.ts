// Reading what the engine leaves in its memory, by the descriptions in abi.ts: fields of structures, counters by name.

/** A field of a structure: where it begins in the structure, and how long it is. */
export interface Field {
  readonly at: number;
  readonly bytes: 1 | 2 | 4 | 8;
}

/** A field as a number; those of 8 bytes hold numbers below 2^53. `from`: where the structure begins in the view. */
export function readNumber(view: DataView, { at, bytes }: Field, from = 0): number {
  if (bytes === 1) return view.getUint8(from + at);
  if (bytes === 2) return view.getUint16(from + at, true);
  if (bytes === 4) return view.getUint32(from + at, true);
  return Number(view.getBigUint64(from + at, true));
}

/** A field of 8 bytes. */
export function readWord(view: DataView, { at }: Field & { readonly bytes: 8 }, from = 0): bigint {
  return view.getBigUint64(from + at, true);
}

/** Writes a field of up to 4 bytes; the caller has checked that the value fits. */
export function writeNumber(
  view: DataView,
  { at, bytes }: Field & { readonly bytes: 1 | 2 | 4 },
  value: number,
  from: number,
): void {
  if (bytes === 1) view.setUint8(from + at, value);
  else if (bytes === 2) view.setUint16(from + at, value, true);
  else view.setUint32(from + at, value, true);
}

/** Writes a field of 8 bytes. */
export function writeWord(view: DataView, { at }: Field & { readonly bytes: 8 }, value: bigint, from: number): void {
  view.setBigUint64(from + at, value, true);
}

/** Counters by name; `read` gives the one with a number. */
export function readCounters<Name extends string>(
  names: readonly Name[],
  read: (number: number) => bigint,
): Record<Name, number> {
  return Object.fromEntries(names.map((name, number) => [name, Number(read(number))])) as Record<Name, number>;
}
