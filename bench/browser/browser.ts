// A process beside a browser that measures: `node browser.js KIND PROGRAM SECONDS`. It takes and answers lines as worker.js does, and
// {"fresh": CONTESTANT}, which begins anew in another worker. A browser that does not come, ends, or gives no sign of life for so many seconds
// is answered for by {"notPlayed": WHY}. When no more lines come, or at a signal, the browser is ended and its profile removed.
import { createInterface } from "node:readline";
import { ENDING_SIGNALS } from "../../src/cli/signals.js";
import type { BrowserKind } from "./launch.js";
import { BrowserSession } from "./session.js";

const [kind = "", program = "", seconds = ""] = process.argv.slice(2);
const browser = await BrowserSession.start(kind as BrowserKind, program, Number(seconds));

for (const signal of ENDING_SIGNALS) {
  process.once(signal, () => {
    browser.close().finally(() => process.exit(1));
  });
}
try {
  for await (const line of createInterface(process.stdin)) {
    console.log(JSON.stringify(await browser.ask(JSON.parse(line))));
  }
} finally {
  await browser.close();
}
