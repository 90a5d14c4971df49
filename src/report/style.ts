// The page's style sheet: light and dark, from 360 pixels up, and paper. Every colour has at least 4.5:1 against the ground
// it stands on; the six chart colours stay apart with the common kinds of colour blindness (least distance 34 in CIELAB).

/** The style sheet as text. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #ffffff; --raised: #f3f5f8; --ink: #1a1d21; --soft: #4a5058; --line: #7a828c; --link: #0b5394;
  --hazard: #b3261e; --banner: #fff1d6; --banner-ink: #5c3a00;
  --c1: #446699; --c2: #220066; --c3: #995555; --c4: #9900ee; --c5: #cc1100; --c6: #330011;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #15181d; --raised: #20252c; --ink: #e8eaed; --soft: #b9c0c8; --line: #8b939d; --link: #8ab8ff;
    --hazard: #ff8a80; --banner: #3d2c06; --banner-ink: #ffe0a3;
    --c1: #9977bb; --c2: #eeddff; --c3: #ee7722; --c4: #dd00ff; --c5: #119977; --c6: #88ff99;
  }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; -webkit-text-size-adjust: 100%; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
.skip { position: absolute; left: -100vw; top: 0; background: var(--paper); padding: .5rem 1rem; z-index: 1; }
.skip:focus { left: 0; }
header, main, footer { max-width: 80rem; margin: 0 auto; padding: 0 1rem; }
header { padding-top: 1.5rem; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .25rem; }
h2 { font-size: 1.3rem; line-height: 1.25; margin: 2.5rem 0 .75rem; padding-top: .75rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.1rem; margin: 1.75rem 0 .5rem; }
h4 { font-size: 1rem; margin: 0 0 .5rem; }
p, ul, ol, dl { margin: .6rem 0; max-width: 48rem; }
li { margin: .25rem 0; }
dt { font-weight: 600; } dd { margin: 0 0 .5rem 1rem; }
a { color: var(--link); }
.lead { color: var(--soft); margin-top: 0; }
code { font-family: ui-monospace, "Cascadia Mono", Menlo, Consolas, monospace; font-size: .9em; unicode-bidi: isolate; }
nav ul { list-style: none; margin: 1rem 0 0; padding: 0; display: flex; flex-wrap: wrap; gap: .25rem 1rem; max-width: none; }
nav li { margin: 0; } nav a { display: inline-block; padding: .25rem 0; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 2px; }
main:focus { outline: none; }
.verdict { font-size: 1.15rem; }
.bad { color: var(--hazard); font-weight: 600; } .good { color: inherit; }
.banner { background: var(--banner); color: var(--banner-ink); border: 2px solid; border-radius: 6px; padding: .25rem 1rem; margin: 1rem 0; }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(14rem, 1fr)); gap: .5rem 1.5rem; max-width: none; margin: 1rem 0; }
.facts > div { border-left: 3px solid var(--c1); padding-left: .75rem; }
.facts dt { font-weight: 400; color: var(--soft); font-size: .9rem; }
.facts dd { margin: 0; font-weight: 600; }
.scroll { overflow-wrap: normal; overflow-x: auto; max-width: 100%; margin: .75rem 0; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .35rem .65rem; border-bottom: 1px solid var(--line); }
thead th { vertical-align: bottom; background: var(--raised); border-bottom-width: 2px; min-width: 4rem; }
tbody th { font-weight: 600; }
td code, th code { white-space: nowrap; }
.figure { text-align: right; }
td.figure, td.short { white-space: nowrap; }
details { margin: .75rem 0; }
summary { cursor: pointer; padding: .35rem 0; color: var(--link); font-weight: 600; }
pre { background: var(--raised); padding: .75rem 1rem; font: .85rem/1.45 ui-monospace, "Cascadia Mono", Menlo, Consolas, monospace; }
figure { margin: 1rem 0 2rem; }
figcaption h3 { margin-top: .5rem; }
.chart { display: block; width: 100%; height: auto; max-width: 70rem; }
.narrow { display: none; max-width: 28rem; }
.legend { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; max-width: none; }
.swatch { display: inline-block; width: .9em; height: .9em; margin-right: .5em; vertical-align: -.08em; forced-color-adjust: none; print-color-adjust: exact; }
.swatch.c1 { background: var(--c1); } .swatch.c2 { background: var(--c2); } .swatch.c3 { background: var(--c3); }
.swatch.c4 { background: var(--c4); } .swatch.c5 { background: var(--c5); } .swatch.c6 { background: var(--c6); }
@media (max-width: 44rem) { .wide { display: none; } .narrow { display: block; } }
.witness { border-left: 3px solid var(--hazard); padding: .25rem 0 .25rem 1rem; margin: 1.25rem 0; }
.steps { padding-left: 1.75rem; }
footer { color: var(--soft); border-top: 1px solid var(--line); margin-top: 3rem; padding-top: 1rem; padding-bottom: 2rem; }
@media (forced-colors: active) {
  :root { --paper: Canvas; --ink: CanvasText; --line: CanvasText; --link: LinkText; --hazard: CanvasText; }
  .chart { forced-color-adjust: none; background: Canvas; }
}
@media print {
  :root {
    color-scheme: light;
    --paper: #ffffff; --raised: #f3f5f8; --ink: #000000; --soft: #333333; --line: #7a828c; --link: #000000;
    --hazard: #b3261e; --banner: #ffffff; --banner-ink: #000000;
    --c1: #446699; --c2: #220066; --c3: #995555; --c4: #9900ee; --c5: #cc1100; --c6: #330011;
  }
  nav, .skip, details:not([open]) { display: none; }
  body { font-size: 10pt; }
  header, main, footer { max-width: none; padding: 0; }
  .scroll { overflow: visible; } table { font-size: 7.5pt; } th, td { padding: .15rem .3rem; }
  thead th { min-width: 0; } pre { white-space: pre-wrap; }
  h2, h3, h4 { break-after: avoid; } tr, .witness li { break-inside: avoid; }
  .wide { display: block; max-height: 23cm; } .narrow { display: none; }
}
`;
