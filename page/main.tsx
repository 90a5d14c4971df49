// Where the page begins. The same program runs in its workers, which have no document: there it searches.

import { render } from "preact";
import { serve } from "./search/serve.js";
import { App } from "./shell/app.js";
import "./styles/base.css";
import "./styles/walk.css";
import "./styles/story.css";
import "./styles/matrix.css";

if (typeof document === "undefined") serve();
else {
  const place = document.getElementById("page");
  if (!place) throw new Error("the document has no place for the page");
  place.replaceChildren();
  render(<App />, place);
}
