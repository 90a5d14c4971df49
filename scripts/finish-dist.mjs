// After tsc: the raw .wasm for hosts that bring their own module, and the executable bit of the command.
import { chmodSync, copyFileSync } from "node:fs";

copyFileSync("build/release.wasm", "dist/stalewalk.wasm");
chmodSync("dist/cli/main.js", 0o755);
