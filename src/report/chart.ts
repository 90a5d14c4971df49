// Charts: SVG as markup, drawn when the page is made. They need no script. Colours are the page's CSS variables, so that a chart follows
// light, dark and print as the text around it does.

import { details } from "./blocks.js";
import { type Html, type HtmlPart, html, visible } from "./html.js";
import type { Scale } from "./scale.js";

/** Widths of the drawing, CSS pixels: for windows, and for telephones. The style sheet shows one of them. */
export const WIDE = 960;
export const NARROW = 340;

/** What a chart is drawn with. */
export const ink = "var(--ink)";
const faint = "var(--line)";
/** Room for an axis with its title below a chart, CSS pixels. */
const AXIS = 42;

/** What is drawn: marks, and the room that they take. */
export interface Drawing {
  readonly height: number;
  readonly marks: HtmlPart;
}

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
  /** Draws for a width. */
  readonly draw: (width: number) => Drawing;
  /** The data as a table. */
  readonly data: Html;
}

/** A figure: caption, the chart for both widths, and its data. */
export function figure(chart: Chart): Html {
  const svg = (width: number, name: string): Html => {
    const { height, marks } = chart.draw(width);
    return html`<svg class="chart ${name}" role="img" aria-label="${chart.label}" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">${marks}</svg>\n`;
  };
  return html`<figure id="${chart.id}" aria-labelledby="${chart.id}-title">
<figcaption><h3 id="${chart.id}-title">${chart.title}</h3>
<p>${chart.text}</p></figcaption>
${chart.legend && chart.legend.length > 0 && html`<ul class="legend" aria-label="Colours">${chart.legend.map(({ name, colour }) => html`<li><span class="swatch ${colour}"></span>${name}</li>\n`)}</ul>\n`}${svg(WIDE, "wide")}${svg(NARROW, "narrow")}${details(html`${chart.title}: the data as a table`, chart.data, true)}</figure>
`;
}

/** A text in a chart: what cannot be seen is spelled out, what has no room is cut. */
export function text(
  value: string,
  at: { readonly x: number; readonly y: number; readonly room: number; readonly end?: boolean },
): Html {
  const shown = visible(value);
  const most = Math.floor(at.room / 8);
  const cut = shown.length > most ? `${shown.slice(0, most - 1)}…` : shown;
  return html`<text x="${round(at.x)}" y="${round(at.y)}" fill="${ink}"${at.end && html` text-anchor="end"`}>${cut}</text>`;
}

/** A filled box. */
export function box(x: number, y: number, width: number, height: number, colour: string): Html {
  return html`<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" fill="${colour}"/>`;
}

/** Bars that stand on one foot: a single shape, since as boxes they are most of a report's bytes. */
export function barsFrom(
  foot: number,
  bars: readonly { readonly x: number; readonly width: number; readonly tall: number }[],
  colour: string,
): Html {
  const tenth = (value: number): number => Math.round(value * 10) / 10;
  const path = bars.map(({ x, width, tall }) => `M${tenth(x)} ${foot}v${-tenth(tall)}h${tenth(width)}v${tenth(tall)}`);
  return html`<path d="${path.join("")}" fill="${colour}"/>`;
}

/** A faint line across. */
export function rule(x: number, y: number, width: number): Html {
  return html`<path d="M${round(x)} ${round(y)}h${round(width)}" stroke="${faint}" fill="none"/>`;
}

/** An axis with its title below a chart: fewer ticks where there is less room. */
export function axis(title: string, scale: Scale, place: { left: number; top: number; width: number }): Drawing {
  const { left, top, width } = place;
  const ticks = scale.ticks(width > WIDE / 2 ? 10 : 4);
  const marks = ticks.map(({ value, text: name }) => {
    const x = left + scale.at(value);
    const anchor = x < left + 8 ? "start" : x > left + width - 8 ? "end" : "middle";
    return html`<path d="M${round(x)} ${round(top)}v5" stroke="${ink}" fill="none"/><text x="${round(x)}" y="${round(top + 18)}" fill="${ink}" text-anchor="${anchor}">${name}</text>`;
  });
  const line = html`<path d="M${round(left)} ${round(top)}h${round(width)}" stroke="${ink}" fill="none"/>`;
  const middle = html`<text x="${round(left + width / 2)}" y="${round(top + 36)}" fill="${ink}" text-anchor="middle">${title}</text>`;
  return { height: AXIS, marks: [line, ...marks, middle] };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
