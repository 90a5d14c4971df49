// Where the page is, as a URL fragment: `#/walk?address=ffffffffff600000&by=cpu`. A link to it opens the same view, and Back goes back.

import { useEffect, useState } from "preact/hooks";

/** Every view, in the order in which the page names them. */
const allViews = ["report", "trace", "costs", "matrix", "story", "walk", "benchmark"] as const;

/** Name of a view. */
export type ViewName = (typeof allViews)[number];

/** Those that this document has: the text of a report is in reports only. */
export function viewNames(): readonly ViewName[] {
  return allViews.filter((name) => name !== "report" || document.getElementById("report") !== null);
}

/** The one that is shown first: of a report its text, of the playground the matrix. */
function firstView(): ViewName {
  return document.getElementById("report") === null ? "matrix" : "report";
}

/** A view and what it shows. */
export interface Route {
  view: ViewName;
  parameters: URLSearchParams;
}

/** What a fragment says; the first view, if it names none. */
export function parseRoute(fragment: string): Route {
  const [path = "", query = ""] = fragment.replace(/^#\/?/, "").split("?", 2);
  const view = viewNames().find((name) => name === path) ?? firstView();
  return { view, parameters: new URLSearchParams(query) };
}

/** The fragment of a view; parameters that are undefined or empty are left out. */
export function routeText(view: ViewName, parameters: Record<string, string | number | undefined> = {}): string {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== "");
  const query = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return `#/${view}${query === "" ? "" : `?${query}`}`;
}

/** The fragment as it is, read again whenever it changes. */
export function useRoute(): Route {
  const [route, setRoute] = useState(() => parseRoute(location.hash));
  useEffect(() => {
    const read = (): void => setRoute(parseRoute(location.hash));
    addEventListener("hashchange", read);
    return () => removeEventListener("hashchange", read);
  }, []);
  return route;
}

/** Says in the fragment what a view shows by now, without a step of its own in the history and without an event. */
export function noteRoute(view: ViewName, parameters: Record<string, string | number | undefined>): void {
  const text = routeText(view, parameters);
  if (parseRoute(location.hash).view === view && location.hash !== text) history.replaceState(history.state, "", text);
}
