// The report as text stands in the document, made by the command: this view shows it, and nothing beside it.

import { useLayoutEffect } from "preact/hooks";
import { reportElement } from "./given.js";

/** Shows the text as long as the view is there. */
export function ReportView(): null {
  useLayoutEffect(() => {
    const report = reportElement();
    if (report) report.hidden = false;
    // A link into the text, followed from another view.
    const target = /^#[\w-]+$/.test(location.hash) ? document.querySelector(location.hash) : null;
    target?.scrollIntoView();
    return () => {
      if (report) report.hidden = true;
    };
  }, []);
  return null;
}
