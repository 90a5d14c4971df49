// Bytes as text for a script element of a page: five letters for four bytes, where base64 takes five and a third. The letters are those
// from "(" to "|" but "<", so that no text looks like markup. `scripts/bundle-page.mjs` has the reader once more, for the page's first script.

const FIRST = 40;
const LESS_THAN = 60;
/** What stands for "<". */
const INSTEAD = 126;
const BASE = 85;

/** Bytes as such a text. */
export function base85OfBytes(bytes: Uint8Array): string {
  const whole = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
  whole.set(bytes);
  const view = new DataView(whole.buffer);
  const letters = new Uint8Array((whole.length / 4) * 5);
  for (let group = 0; group < whole.length / 4; group++) {
    let value = view.getUint32(group * 4);
    for (let place = 4; place >= 0; place--) {
      const letter = FIRST + (value % BASE);
      letters[group * 5 + place] = letter === LESS_THAN ? INSTEAD : letter;
      value = Math.floor(value / BASE);
    }
  }
  // Of the last group one letter more than bytes.
  return new TextDecoder().decode(letters.subarray(0, letters.length - (whole.length - bytes.length)));
}

/** The bytes of such a text. */
export function bytesOfBase85(text: string): Uint8Array<ArrayBuffer> {
  const groups = Math.ceil(text.length / 5);
  const bytes = new Uint8Array(groups * 4);
  const view = new DataView(bytes.buffer);
  for (let group = 0; group < groups; group++) {
    let value = 0;
    for (let at = group * 5; at < group * 5 + 5; at++) {
      const letter = at < text.length ? text.charCodeAt(at) : FIRST + BASE - 1;
      value = value * BASE + (letter === INSTEAD ? LESS_THAN : letter) - FIRST;
    }
    view.setUint32(group * 4, value);
  }
  return bytes.subarray(0, text.length - groups);
}
