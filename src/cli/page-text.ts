// The page as the build made it: what `page` writes, and the template of reports. Node-only.
import { readFileSync } from "node:fs";

/** Its text. From the source, in tests, it is the one that was built last. */
export function pageText(): string {
  return readFileSync(new URL("../../dist/page/index.html", import.meta.url), "utf8");
}
