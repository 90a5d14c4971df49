// The page's building blocks: sections with headings, tables that scroll by keyboard, lists of facts, parts to open.

import { type Html, type HtmlPart, html } from "./html.js";

type Kind = "figure" | "name" | "short" | "text";

/** A column of a table. */
export interface Column<Row> {
  readonly head: HtmlPart;
  readonly cell: (row: Row) => HtmlPart;
  /** Figures align right, a `name` heads its row, what is short stays on one line. */
  readonly kind?: Kind;
  /** What a cell says of itself by its colour, beside its words. */
  readonly mark?: (row: Row) => "good" | "bad" | undefined;
}

/** A table in a region that scrolls sideways, reachable by keyboard. `label` says what it holds. */
export function table<Row>(label: string, columns: readonly Column<Row>[], rows: readonly Row[]): Html {
  const usual = usualKind(columns);
  const heads = columns.map((column) => html`<th scope="col"${classOf(column)}>${column.head}</th>`);
  const body = rows.map((row) => {
    const cells = columns.map((column) =>
      column.kind === "name"
        ? html`<th scope="row">${column.cell(row)}</th>`
        : html`<td${classOf(column, usual, column.mark?.(row))}>${column.cell(row)}</td>`,
    );
    return html`<tr>${cells}</tr>\n`;
  });
  return html`<div class="scroll" role="region" tabindex="0" aria-label="Table: ${label}"><table${usual !== "text" && html` class="${usual}s"`}>
<thead><tr>${heads}</tr></thead>
<tbody>
${body}</tbody></table></div>
`;
}

/** What most columns are: the table says it once, so that a thousand cells need not. */
function usualKind(columns: readonly { readonly kind?: Kind }[]): Kind {
  const count = (wanted: Kind): number => columns.filter(({ kind = "text" }) => kind === wanted).length;
  const [most = "text"] = (["text", "figure", "short"] as const).toSorted((a, b) => count(b) - count(a));
  return most;
}

function classOf({ kind = "text" }: { readonly kind?: Kind }, usual: Kind = "text", mark?: string): Html | undefined {
  const names = [...(kind === usual || kind === "name" ? [] : [kind]), ...(mark === undefined ? [] : [mark])];
  return names.length > 0 ? html` class="${names.join(" ")}"` : undefined;
}

/** A section with its heading; the id is also where the contents lead to. */
export interface Section {
  readonly id: string;
  readonly title: string;
  readonly body: HtmlPart;
}

/** A section of the page. */
export function section({ id, title, body }: Section): Html {
  return html`<section id="${id}" aria-labelledby="${id}-title">
<h2 id="${id}-title">${title}</h2>
${body}
</section>
`;
}

/** A part that is closed at first. `bulk`: what paper does without. */
export function details(summary: HtmlPart, body: HtmlPart, bulk = false): Html {
  return html`<details${bulk && html` class="bulk"`}><summary>${summary}</summary>
${body}
</details>
`;
}

/** Facts: what, and how much. */
export function facts(rows: readonly (readonly [HtmlPart, HtmlPart])[]): Html {
  return html`<dl class="facts">
${rows.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>\n`)}</dl>
`;
}

/** A bulleted list. */
export function bullets(items: readonly HtmlPart[]): Html {
  return html`<ul>${items.map((item) => html`<li>${item}</li>\n`)}</ul>`;
}

/** A numbered list: the steps of a story, from `first` on. */
export function steps(items: readonly HtmlPart[], first = 1): Html {
  return html`<ol class="steps"${first > 1 && html` start="${first}"`}>${items.map((item) => html`<li>${item}</li>\n`)}</ol>`;
}
