// Random access to the bytes of an image, so that the same reader serves memory, files larger than memory, and tests.

/** Bytes that can be read at any offset, synchronously. */
export interface ByteSource {
  /** Total size in bytes. */
  readonly size: number;
  /**
   * Reads `length` bytes from `offset`. The caller stays within `size`. The result may be a view of the source:
   * it must not be written to.
   */
  read(offset: number, length: number): Uint8Array;
}

/** A {@link ByteSource} over bytes in memory; its reads are views, not copies. */
export function memorySource(bytes: Uint8Array): ByteSource {
  return { size: bytes.length, read: (offset, length) => bytes.subarray(offset, offset + length) };
}
