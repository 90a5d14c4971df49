// The replay that the page is about: what a report holds, a result that was dropped, or one that is being made in this page. One for
// all views, which hear of it when it changes.

import { useEffect, useState } from "preact/hooks";
import { type ReportData, unpackData } from "../../src/report/data.js";
import { takeVerdicts } from "../search/known.js";

/** A replay as the views have it. */
export interface Given extends Partial<Pick<ReportData, "command">> {
  result: ReportData["result"];
  /** What it is of, while it is not whole yet: how much has been read, 0 to 1. */
  partial?: number;
}

let given: Given | undefined;
const listeners = new Set<() => void>();

/** The document's own part that is the report as text; the playground has none. */
export function reportElement(): HTMLElement | null {
  return document.getElementById("report");
}

/** Reads what the document holds, if it holds anything. */
export function takeGiven(): void {
  const data = document.getElementById("data")?.textContent;
  if (!data) return;
  const { verdicts, ...rest } = unpackData(data);
  given = rest;
  takeVerdicts(verdicts);
}

/** The kernel that a report is about, in its own words; the playground is about none. */
export function kernelOfReport(): string | undefined {
  return reportElement() === null ? undefined : given?.result.configuration.kernel.version;
}

/** Another replay is shown from now on. */
export function give(next: Given | undefined): void {
  given = next;
  for (const listener of listeners) listener();
}

/** The replay of now. */
export function useGiven(): Given | undefined {
  const [, redraw] = useState(0);
  useEffect(() => {
    const listener = (): void => redraw((count) => count + 1);
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }, []);
  return given;
}
