// `node scripts/say-tests.mjs [REPORT]`: one line, "N passed, N failed, N skipped", counted from the JSON report that vitest
// has written (build/test-report.json). A file that could not be run, and an error outside of any test, count as failed: a
// run that failed never says "0 failed". Exits with 1 if there is no report, or nothing in it.
import { readFileSync } from "node:fs";

const path = process.argv[2] ?? "build/test-report.json";

/** The report's results, file by file. */
function read() {
  let report;
  try {
    report = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new Error(`${path}: no report of a test run: ${error.message}`);
  }
  const files = report?.testResults;
  if (!Array.isArray(files) || files.length === 0) throw new Error(`${path}: the report has no test file in it`);
  if (typeof report.success !== "boolean")
    throw new Error(`${path}: the report does not say whether the run succeeded`);
  return { files, success: report.success };
}

/** How many tests of a file ended in one of some ways. */
const ended = ({ assertionResults }, ...ways) => assertionResults.filter(({ status }) => ways.includes(status)).length;

function count({ files, success }) {
  let [passed, failed, skipped] = [0, 0, 0];
  for (const file of files) {
    passed += ended(file, "passed");
    skipped += ended(file, "skipped", "pending", "todo", "disabled");
    const own = ended(file, "failed");
    failed += own === 0 && file.status === "failed" ? 1 : own;
    const known = ended(file, "passed", "skipped", "pending", "todo", "disabled", "failed");
    if (known !== file.assertionResults.length)
      throw new Error(`${path}: ${file.name}: a test that neither passed nor failed nor was skipped`);
  }
  if (passed + failed === 0) throw new Error(`${path}: the report has no test that ran`);
  return [passed, !success && failed === 0 ? 1 : failed, skipped];
}

try {
  const [passed, failed, skipped] = count(read());
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
