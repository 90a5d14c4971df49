// For `npm run check:…`: runs a command of dist/ on the files given after `--`, or on the fixtures if none are given.
//   node scripts/run-check.mjs COMMAND FALLBACK [OPTION | FILE]…
import { run } from "../dist/cli/program.js";

const [command, fallback, ...given] = process.argv.slice(2);
const files = given.every((argument) => argument.startsWith("-")) ? [fallback] : [];
process.exitCode = await run([command, ...files, ...given]);
