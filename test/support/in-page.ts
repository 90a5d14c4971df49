// What tests ask of a page, whichever browser shows it: functions that run in the page, and looks.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import { EFFORT } from "./effort.js";

/** The text of axe-core, to be evaluated in the page; then {@link AXE_RUN}. */
export const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** Runs it. */
export const AXE_RUN = "axe.run(document, { resultTypes: ['violations'] })";

/** Looks: colours and width. */
export interface Look {
  scheme: "light" | "dark" | "forced";
  width: 360 | 1280 | 2560;
}

/** Sets of colours. */
export const schemes = ["light", "dark", "forced"] as const;
const widths = [360, 1280, 2560] as const;

/** Every pair of colours and width by night; by day each of both at least once. */
export const looks: readonly Look[] = schemes.flatMap((scheme, i) =>
  widths
    .filter((_, j) => EFFORT === "nightly" || i === j || (scheme === "dark" && j === 1))
    .map((width) => ({ scheme, width })),
);

/** Height of a window of a width. */
export function heightOf(width: number): number {
  return width === 2560 ? 1440 : 900;
}

/** What axe-core has found, short enough to be read in a test's failure. */
export function findingsOf(result: AxeResults): { violations: unknown[]; passes: number } {
  return {
    violations: result.violations.map(({ id, nodes }) => [id, nodes.length, nodes[0]?.html, nodes[0]?.failureSummary]),
    passes: result.passes.length,
  };
}

/** Numbers every control that is shown, and says how many there are. Runs in the page. */
function numberControls(): number {
  const all = [
    ...document.querySelectorAll<HTMLElement>("a[href], button:enabled, input, select, summary, [tabindex='0']"),
  ];
  const shown = all.filter((control) => control.checkVisibility());
  for (const [i, control] of shown.entries()) control.dataset["number"] = String(i);
  return shown.length;
}

/** Number of the control that has the focus, and whether that is seen. Runs in the page. */
function focusedControl(): string {
  const active = document.activeElement as HTMLElement;
  const { outlineStyle, outlineWidth } = getComputedStyle(active);
  const seen = outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 1;
  return `${active.dataset["number"]}${seen ? "" : " without a visible focus"}`;
}

/** As much of a page as this needs, whoever drives it. */
interface DrivenPage {
  evaluate<T>(inside: () => T): Promise<T>;
  readonly keyboard: { press(key: "Tab"): Promise<void> };
}

/** Presses Tab once for each control that is shown: which ones have their turn, each with a focus that is seen. */
export async function tabThrough(page: DrivenPage): Promise<{ controls: number; reached: string[] }> {
  const controls = await page.evaluate(numberControls);
  const reached: string[] = [];
  for (let i = 0; i < controls; i++) {
    await page.keyboard.press("Tab");
    reached.push(await page.evaluate(focusedControl));
  }
  return { controls, reached };
}
