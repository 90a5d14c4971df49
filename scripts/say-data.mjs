// Before the tests: says whether the recorded data are there, since suites that need them are skipped without.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = process.env["STALEWALK_DATA"] ?? fileURLToPath(new URL("../../shared/data", import.meta.url));
console.log(
  existsSync(folder)
    ? "Recorded data found: nothing is skipped for want of them."
    : "Recorded data NOT found (../shared/data beside the checkout, or STALEWALK_DATA): the suites on recorded walk vectors, " +
        "images and traces are skipped; the excerpts in test/fixtures are used.",
);
