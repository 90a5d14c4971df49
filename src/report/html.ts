// HTML by a tagged template that escapes everything it is not told to trust. Names, symbols and findings come from traces,
// so from anybody: they reach the page only through `html`.

/** Markup that may stand in a page as it is. Made by {@link html} and {@link trusted} only. */
export class Html {
  /** @internal */
  constructor(readonly text: string) {}

  toString(): string {
    return this.text;
  }
}

/** What a template takes: texts and numbers are escaped, markup stays, lists are joined, undefined and false are nothing. */
export type HtmlPart = Html | string | number | undefined | false | readonly HtmlPart[];

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** C0 and C1 controls, soft hyphen, zero-width and bidirectional controls, lone surrogates: what a reader would not see. */
const INVISIBLE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that must not get through
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** A text whose invisible characters are spelled out: `\u202e`. */
export function visible(text: string): string {
  return text.replace(INVISIBLE, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** A text as it may stand in an element or between the quotes of an attribute. */
export function escapeHtml(text: string): string {
  return visible(text).replace(/[&<>"']/g, (char) => ENTITIES[char]!);
}

/** A long text for an element, never for an attribute: quotes stay as they are. */
export function textOnly(text: string): Html {
  return new Html(visible(text).replace(/[&<>]/g, (char) => ENTITIES[char]!));
}

/** Markup of our own making: style sheets, charts. Never for anything that comes from a trace. */
export function trusted(text: string): Html {
  return new Html(text);
}

/** The tag. Attributes must be quoted in the template. */
export function html(strings: TemplateStringsArray, ...parts: readonly HtmlPart[]): Html {
  let text = strings[0]!;
  for (const [i, part] of parts.entries()) text += render(part) + strings[i + 1]!;
  return new Html(text);
}

function render(part: HtmlPart): string {
  if (part === undefined || part === false) return "";
  if (part instanceof Html) return part.text;
  if (typeof part === "object") return part.map(render).join("");
  return escapeHtml(String(part));
}
