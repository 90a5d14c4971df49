// A file of one's own: picked, or dropped anywhere on the page. It is read here and goes nowhere.

import type { JSX } from "preact";
import type { GivenFile } from "../example.js";
import { FileInput } from "../shell/file-input.js";

/** Says which file is open, and takes another. */
export function FileChoice(props: {
  name: string;
  onFile: (file: GivenFile) => void;
  onError: (message: string) => void;
}): JSX.Element {
  const { name, onFile, onError } = props;
  return (
    <FileInput take={(file) => give(file, onFile, onError)}>
      Tables of <b>{name}</b>. Drop an ELF core here (plain or gzip; QEMU's dump-guest-memory makes one), or pick it:
    </FileInput>
  );
}

/** Reads a file. */
export function give(file: File, onFile: (file: GivenFile) => void, onError: (message: string) => void): void {
  file.arrayBuffer().then(
    (buffer) => onFile({ name: file.name, bytes: new Uint8Array(buffer) }),
    (error: Error) => onError(`${file.name}: ${error.message}`),
  );
}
