// Numbers as the page writes them.

/** A number in hexadecimal. */
export function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}

/** An address with all of its digits, in groups of four. */
export function grouped(address: bigint): string {
  return (address.toString(16).padStart(16, "0").match(/.{4}/g) ?? []).join(" ");
}
