// The page's building blocks: sections with headings, tables that scroll by keyboard, lists of facts, parts to open.

import { type Html, type HtmlPart, html } from "./html.js";

/** A column of a table. */
export interface Column<Row> {
  readonly head: HtmlPart;
  readonly cell: (row: Row) => HtmlPart;
  /** Figures align right, a `name` heads its row, what is short stays on one line. */
  readonly kind?: "figure" | "name" | "short" | "text";
}

/** A table in a region that scrolls sideways, reachable by keyboard. `label` says what it holds. */
export function table<Row>(label: string, columns: readonly Column<Row>[], rows: readonly Row[]): Html {
  const heads = columns.map((column) => html`<th scope="col"${classOf(column)}>${column.head}</th>`);
  const body = rows.map((row) => {
    const cells = columns.map((column) =>
      column.kind === "name"
        ? html`<th scope="row">${column.cell(row)}</th>`
        : html`<td${classOf(column)}>${column.cell(row)}</td>`,
    );
    return html`<tr>${cells}</tr>\n`;
  });
  return html`<div class="scroll" role="region" tabindex="0" aria-label="Table: ${label}"><table>
<thead><tr>${heads}</tr></thead>
<tbody>
${body}</tbody></table></div>
`;
}

function classOf(column: { readonly kind?: string }): Html | undefined {
  return column.kind === "figure" || column.kind === "short" ? html` class="${column.kind}"` : undefined;
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

/** A numbered list: the steps of a story. */
export function steps(items: readonly HtmlPart[]): Html {
  return html`<ol class="steps">${items.map((item) => html`<li>${item}</li>\n`)}</ol>`;
}
