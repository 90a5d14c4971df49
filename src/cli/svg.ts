// Pictures for mails and slides: SVG documents that stand for themselves. Light colours, the same meanings as on the page: tables blue,
// data orange, hazards and refusals vermilion with a double border, what was told to the IOMMU green.
import { type HtmlPart, html, trusted } from "../report/html.js";

const STYLE = `
  text { font: 14px system-ui, "Segoe UI", sans-serif; fill: #1b1f24; }
  .mono { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: 12px; }
  .head { font-size: 17px; font-weight: 600; }
  .quiet { fill: #565e68; }
  .bad { fill: #b34300; font-weight: 600; }
  .good { fill: #00714f; font-weight: 600; }
  .box { fill: #e3f1fa; stroke: #0072b2; stroke-width: 1.5; }
  .page { fill: #fdf0d5; stroke: #8f5e00; stroke-width: 1.5; }
  .refused { fill: #fde8dc; stroke: #b34300; stroke-width: 2; }
  .inner { fill: none; stroke: #b34300; }
  .line { fill: none; stroke: #0072b2; stroke-width: 1.5; }
  .lane { fill: none; stroke: #c9ced4; }
  .dot { fill: #ffffff; stroke: #1b1f24; stroke-width: 1.5; }
  .dot.hazard { fill: #b34300; stroke: #b34300; }
  .in { fill: #ffffff; }
`;

/** A document of a size. @param title what it shows, for who does not see it */
export function svgDocument(title: string, width: number, height: number, body: HtmlPart): string {
  return `${html`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title">
<title id="title">${title}</title>
<style>${trusted(STYLE)}</style>
<rect width="${width}" height="${height}" fill="#ffffff"/>
${body}</svg>
`}`;
}

/** Text at a place. */
export function svgText(x: number, y: number, text: string, className = ""): HtmlPart {
  return html`<text x="${x}" y="${y}"${className !== "" && html` class="${className}"`}>${text}</text>\n`;
}

/** A text in lines of at most so many letters, broken between words; a word that is longer is broken too. */
export function wrapped(text: string, most: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ").flatMap((it) => it.match(new RegExp(`.{1,${most}}`, "gu")) ?? [])) {
    if (line !== "" && line.length + 1 + word.length > most) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return line === "" ? lines : [...lines, line];
}
