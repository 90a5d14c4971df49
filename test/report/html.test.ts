// What keeps a trace's texts from becoming markup.

import { describe, expect, it } from "vitest";
import { escapeHtml, type HtmlPart, html, trusted, visible } from "../../src/report/html.js";
import { runs } from "../support/effort.js";
import fc from "../support/fast-check.js";

describe("the template", () => {
  it("escapes texts in elements and attributes", () => {
    const name = `</p><img src=x onerror='a' title="b">&amp;`;
    expect(`${html`<p title="${name}">${name}</p>`}`).toBe(
      '<p title="&lt;/p&gt;&lt;img src=x onerror=&#39;a&#39; title=&quot;b&quot;&gt;&amp;amp;">' +
        "&lt;/p&gt;&lt;img src=x onerror=&#39;a&#39; title=&quot;b&quot;&gt;&amp;amp;</p>",
    );
  });

  it("keeps markup, joins lists, and leaves out what is not there", () => {
    const items: HtmlPart[] = ["a<b", 3, undefined, false, html`<b>${"&"}</b>`, trusted("<i>")];
    expect(`${html`${items}`}`).toBe("a&lt;b3<b>&amp;</b><i>");
    expect(`${html`${0}${""}`}`).toBe("0");
  });

  it("lets no text begin a tag or end a quote, whatever it is", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(`${html`<p title="${text}">${text}</p>`}`).toMatch(/^<p title="[^"<>]*">[^<>]*<\/p>$/);
      }),
      { numRuns: runs(2000) },
    );
  });
});

describe("what cannot be seen", () => {
  it("is spelled out: controls, bidirectional marks, zero widths, lone surrogates", () => {
    expect(visible("a\u0000b\u001bc\u202ed\u200be\u2066f\ud800g\udc00h")).toBe(
      "a\\u0000b\\u001bc\\u202ed\\u200be\\u2066f\\ud800g\\udc00h",
    );
  });

  it("is not: letters of any script, pairs of surrogates, line breaks and tabs", () => {
    const text = "Kernel-Tabelle Ä 表 😀\n\t\u00a0µ";
    expect(visible(text)).toBe(text);
    expect(escapeHtml(text)).toBe(text);
  });
});
