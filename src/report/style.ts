// The report's style sheet: light and dark, from 360 pixels up to 4K, and paper. It holds for what stands in `.report` alone, so that it
// lies beside the style sheet of the application. Every colour has at least 4.5:1 against the ground it stands on; the six colours
// of costs stay apart with the common kinds of colour blindness (least distance 34 in CIELAB). The others mean what they mean in the
// application (docs/architecture.md, "Page").

/** The style sheet as text. */
export const STYLE = `
:root { color-scheme: light dark; background: light-dark(#fbfbfa, #16191e); }
body { margin: 0; }
.report {
  --paper: light-dark(#fbfbfa, #16191e); --raised: light-dark(#f1f2f4, #20252c); --ink: light-dark(#1b1f24, #e4e7ea);
  --soft: light-dark(#4a5058, #b3bac2); --line: light-dark(#7c8591, #7c8794); --link: light-dark(#0b5c91, #5cb3e8);
  --hazard: light-dark(#b34300, #ff8f52); --told: light-dark(#00714f, #3fc79a); --wait: light-dark(#6b6200, #e6d94a);
  --free: light-dark(#5c6670, #98a2ad); --banner: light-dark(#fff1d6, #3d2c06); --banner-ink: light-dark(#5c3a00, #ffe0a3);
  --c1: light-dark(#446699, #9977bb); --c2: light-dark(#220066, #eeddff); --c3: light-dark(#995555, #ee7722);
  --c4: light-dark(#9900ee, #dd00ff); --c5: light-dark(#cc1100, #119977); --c6: light-dark(#330011, #88ff99);
  background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere;
  padding-bottom: 2rem; -webkit-text-size-adjust: 100%;
}
.report, .report * { box-sizing: border-box; }
.report[hidden] { display: none; }
.report .skip { position: absolute; left: -100vw; top: 0; background: var(--paper); padding: .5rem 1rem; z-index: 1; }
.report .skip:focus { left: 0; }
.app .report .skip, html:not(.app) .report .door { display: none; }
.report main, .report > footer { display: block; max-width: 110rem; margin: 0 auto; padding: 0 clamp(1rem, 2vw, 3rem); }
.report main { padding-top: 1rem; }
.report main:focus { outline: none; }
.report h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .25rem; }
.report h2 { font-size: 1.3rem; line-height: 1.25; margin: 2.5rem 0 .75rem; padding-top: .75rem; border-top: 1px solid var(--line); }
.report h3 { font-size: 1.1rem; margin: 1.75rem 0 .5rem; }
.report h4 { font-size: 1rem; margin: 0 0 .5rem; } .report h5 { font-size: .95rem; margin: 0 0 .5rem; }
.report details > h4 { margin-top: 1.75rem; }
.report p, .report ul, .report ol, .report dl { margin: .6rem 0; max-width: 56rem; }
.report li { margin: .25rem 0; }
.report dt { font-weight: 600; } .report dd { margin: 0 0 .5rem 1rem; }
.report a { color: var(--link); }
.report .lead { color: var(--soft); margin-top: 0; }
.report code { font-family: ui-monospace, "Cascadia Mono", Menlo, Consolas, monospace; font-size: .9em; unicode-bidi: isolate; }
.report .contents ul { list-style: none; margin: 1rem 0 0; padding: 0; display: flex; flex-wrap: wrap; gap: .25rem 1rem; max-width: none; }
.report .contents li { margin: 0; } .report .contents a { display: inline-block; padding: .25rem 0; }
.report :focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 2px; }
.report .verdict { font-size: 1.15rem; }
.report .bad { color: var(--hazard); font-weight: 600; } .report .good { color: inherit; }
.report .banner { background: var(--banner); color: var(--banner-ink); border: 2px solid; border-radius: 6px; padding: .25rem 1rem; margin: 1rem 0; }
.report .banner summary { color: inherit; }
.report .facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(14rem, 1fr)); gap: .5rem 1.5rem; max-width: none; margin: 1rem 0; }
.report .facts > div { border-left: 3px solid var(--line); padding-left: .75rem; }
.report .facts dt { font-weight: 400; color: var(--soft); font-size: .9rem; }
.report .facts dd { margin: 0; font-weight: 600; }
.report .scroll { overflow-wrap: normal; overflow-x: auto; max-width: 100%; margin: .75rem 0; }
.report table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
.report th, .report td { text-align: left; vertical-align: top; padding: .35rem .65rem; border-bottom: 1px solid var(--line); }
.report thead th { vertical-align: bottom; background: var(--raised); border-bottom-width: 2px; min-width: 4rem; }
.report tbody th { font-weight: 600; }
.report td code, .report th code { white-space: nowrap; }
.report .figure, .report .figures td { text-align: right; }
.report td.figure, .report td.short, .report .figures td, .report .shorts td { white-space: nowrap; }
.report .figures td.text, .report .figures td.short { text-align: left; }
.report .figures td.text, .report .shorts td.text { white-space: normal; }
.report .squares { min-width: 12rem; max-width: 40rem; font-size: 1.05rem; line-height: 1.25; letter-spacing: .12em; overflow-wrap: anywhere; color: var(--free); }
.report details { margin: .75rem 0; }
.report summary { cursor: pointer; padding: .35rem 0; color: var(--link); font-weight: 600; }
.report pre { background: var(--raised); padding: .75rem 1rem; font: .85rem/1.45 ui-monospace, "Cascadia Mono", Menlo, Consolas, monospace; }
.report figure { margin: 1rem 0 2rem; }
.report figcaption h3 { margin-top: .5rem; }
.report .chart { display: block; width: 100%; height: auto; max-width: 100rem; font: 12px system-ui, sans-serif; }
.report .narrow { display: none; max-width: 28rem; }
.report .legend { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; max-width: none; }
.report .swatch { display: inline-block; width: .9em; height: .9em; margin-right: .5em; vertical-align: -.08em; forced-color-adjust: none; print-color-adjust: exact; }
.report .c1 { background: var(--c1); } .report .c2 { background: var(--c2); } .report .c3 { background: var(--c3); }
.report .c4 { background: var(--c4); } .report .c5 { background: var(--c5); } .report .c6 { background: var(--c6); }
@media (max-width: 44rem) { .report .wide { display: none; } .report .narrow { display: block; } }
.report .witness { border-left: 3px solid var(--hazard); padding: .25rem 0 .25rem 1rem; margin: 1.25rem 0; }
.report .steps { padding-left: 1.75rem; }
.report > footer { color: var(--soft); margin-top: 3rem; padding-top: 1rem; }
@media screen and (min-width: 100rem) {
  .report #summary { display: grid; grid-template-columns: 1fr 1fr; gap: 0 3rem; align-items: start; }
  .report #summary > h2, .report #summary > .facts { grid-column: 1 / -1; }
  .report #summary > .scroll { grid-column: 2; grid-row: 2 / span 4; }
}
@media (min-width: 120rem) { .report .witnesses { columns: 2; column-gap: 3rem; } .report .witness { break-inside: avoid; margin-top: 0; } }
@media (forced-colors: active) {
  .report { --paper: Canvas; --ink: CanvasText; --line: CanvasText; --link: LinkText; --hazard: CanvasText; --free: CanvasText; }
  .report .chart { forced-color-adjust: none; background: Canvas; }
  .report .chart { --told: CanvasText; --wait: CanvasText; }
}
@media print {
  :root { color-scheme: light; background: #fff; }
  .report {
    --paper: #ffffff; --raised: #f1f2f4; --ink: #000000; --soft: #333333; --link: #000000; --banner: #ffffff; --banner-ink: #000000;
    font-size: 10pt; padding: 0;
  }
  #page, .report .contents, .report .skip, .report .door, .report .bulk { display: none; }
  .report[hidden] { display: block; }
  .report details > summary { display: none; }
  .report details::details-content { display: block; content-visibility: visible; }
  .report main, .report > footer { max-width: none; padding: 0; }
  .report .scroll { overflow: visible; } .report table { font-size: 7.5pt; } .report th, .report td { padding: .15rem .3rem; }
  .report thead th { min-width: 0; } .report pre { white-space: pre-wrap; }
  .report h2, .report h3, .report h4, .report h5 { break-after: avoid; } .report tr, .report .witness li { break-inside: avoid; }
  .report .wide { display: block; max-height: 23cm; } .report .narrow { display: none; }
}
`;
