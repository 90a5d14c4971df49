// The example that the document brings along: a core of a small virtual machine.

/** A file as the page gets it: dropped, picked, or brought along. */
export interface GivenFile {
  name: string;
  bytes: Uint8Array;
}

/** The example. */
export function exampleFile(): GivenFile {
  const { file, base64 } = JSON.parse(document.getElementById("example")?.textContent ?? "") as {
    file: string;
    base64: string;
  };
  return { name: file, bytes: Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)) };
}
