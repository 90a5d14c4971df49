// Where the page begins.

import { render } from "preact";
import { App } from "./shell/app.js";
import "./styles/base.css";
import "./styles/walk.css";

const place = document.getElementById("page");
if (!place) throw new Error("the document has no place for the page");
place.replaceChildren();
render(<App />, place);
