// Charts: Vega draws a specification into SVG text, without a browser. The page needs no script for them. Colours are the
// page's CSS variables, so a chart follows light, dark and print as the text around it does.

import { type Axis, parse, type Spec, View, version, Warn } from "vega";
import { expressionInterpreter } from "vega-interpreter";
import { details } from "./blocks.js";
import { type Html, type HtmlPart, html, trusted, visible } from "./html.js";

/** Widths of the drawing, CSS pixels: for windows, and for telephones. The style sheet shows one of them. */
export const WIDE = 960;
export const NARROW = 340;

/** What draws. */
export const chartLibrary = `Vega ${version}`;

/** What a chart is drawn with. */
export const ink = "var(--ink)";
export const faint = "var(--line)";
/** Room for an axis with its title below a chart, CSS pixels. */
export const AXIS = 42;
export const font = "system-ui, sans-serif";

/** A chart and its alternatives. */
export interface Chart {
  readonly id: string;
  /** One line: what it shows. */
  readonly title: string;
  /** How to read it, and what it says, in words. */
  readonly text: HtmlPart;
  /** The same for the picture's own name. */
  readonly label: string;
  /** Colours (names of the style sheet's) and what they stand for, if a chart has several. */
  readonly legend?: readonly { readonly name: string; readonly colour: string }[];
  /** Specification for a width. */
  readonly draw: (width: number) => Spec;
  /** The data as a table. */
  readonly data: Html;
}

// A chart's data come with it: whatever a specification would want to fetch is a fault.
const refuse = {
  load: (uri: string) => Promise.reject(new Error(`a chart must not load ${uri}`)),
  sanitize: (uri: string) => Promise.reject(new Error(`a chart must not link to ${uri}`)),
  http: (uri: string) => Promise.reject(new Error(`a chart must not load ${uri}`)),
  file: (uri: string) => Promise.reject(new Error(`a chart must not load ${uri}`)),
};

/** Draws a specification: SVG whose size follows the page. */
async function draw(spec: Spec, label: string, className: string): Promise<Html> {
  // Expressions are interpreted, not compiled: hosts that forbid code made of text (a strict CSP, workerd) draw charts too.
  const runtime = parse(spec, undefined, { ast: true });
  const view = new View(runtime, { renderer: "none", logLevel: Warn, loader: refuse, expr: expressionInterpreter });
  try {
    const svg = await view.toSVG();
    const [, width, height] = /^<svg [^>]*viewBox="0 0 (\d+) (\d+)">/.exec(svg) ?? [];
    if (width === undefined || height === undefined) throw new Error(`no SVG of Vega's: ${svg.slice(0, 120)}`);
    const head = html`<svg class="chart ${className}" role="img" aria-label="${label}" viewBox="0 0 ${width} ${height}"
 width="${width}" height="${height}">`;
    return html`${head}${trusted(svg.slice(svg.indexOf(">") + 1))}\n`;
  } finally {
    view.finalize();
  }
}

/** A figure: caption, the chart for both widths, and its data. */
export async function figure(chart: Chart): Promise<Html> {
  const wide = await draw(chart.draw(WIDE), chart.label, "wide");
  const narrow = await draw(chart.draw(NARROW), chart.label, "narrow");
  return html`<figure id="${chart.id}" aria-labelledby="${chart.id}-title">
<figcaption><h3 id="${chart.id}-title">${chart.title}</h3>
<p>${chart.text}</p></figcaption>
${chart.legend && chart.legend.length > 0 && html`<ul class="legend" aria-label="Colours">${chart.legend.map(({ name, colour }) => html`<li><span class="swatch ${colour}"></span>${name}</li>\n`)}</ul>\n`}${wide}${narrow}${details(html`${chart.title}: the data as a table`, chart.data)}</figure>
`;
}

/** A text for a chart of a width: what cannot be seen is spelled out, what has no room is cut. Vega escapes it. */
export function label(text: string, width: number): string {
  const shown = visible(text);
  const most = Math.floor(width / 8);
  return shown.length > most ? `${shown.slice(0, most - 1)}…` : shown;
}

/** The time axis below a chart of a width: fewer ticks where there is less room. */
export function timeAxis(title: string, width: number): Axis {
  return {
    orient: "bottom",
    scale: "time",
    title,
    tickCount: width === WIDE ? 10 : 4,
    aria: false,
    labelColor: ink,
    titleColor: ink,
    tickColor: ink,
    domainColor: ink,
    labelFont: font,
    titleFont: font,
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: "normal",
    labelFlush: true,
  };
}
