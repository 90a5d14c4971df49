// Where the page begins. The same program runs in its workers, which have no document: there it searches.

import { render } from "preact";
import { reportElement, takeGiven } from "./report/given.js";
import { serve } from "./search/serve.js";
import { App } from "./shell/app.js";
import "./styles/base.css";
import "./styles/walk.css";
import "./styles/story.css";
import "./styles/matrix.css";
import "./styles/proof.css";
import "./styles/trace.css";
import "./styles/costs.css";
import "./styles/bench.css";

if (typeof document === "undefined") serve();
else {
  const place = document.getElementById("page");
  if (!place) throw new Error("the document has no place for the page");
  place.replaceChildren();
  document.documentElement.classList.add("app");
  takeGiven();
  // The text of a report is one of the views: that shows it.
  const report = reportElement();
  if (report) report.hidden = true;
  render(<App />, place);
}
