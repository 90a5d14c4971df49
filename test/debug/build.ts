// Builds of the engine from a copy of its sources, changed in one place.

import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../support/pack-package.js";

const ASC = join(ROOT, "node_modules/assemblyscript/bin/asc.js");

/** A copy of `assembly/` to change and to compile. */
export class SourceCopy {
  readonly folder: string;

  constructor(name: string) {
    this.folder = join(ROOT, "build", `${name}-${process.pid}`);
    mkdirSync(this.folder, { recursive: true });
    for (const part of ["assembly", "asconfig.json", "scripts"])
      cpSync(join(ROOT, part), join(this.folder, part), { recursive: true });
  }

  /** Files of the engine, `assembly/…`. */
  get files(): string[] {
    const names = readdirSync(join(this.folder, "assembly"), { recursive: true, encoding: "utf8" });
    return names.filter((name) => name.endsWith(".ts")).map((name) => `assembly/${name}`);
  }

  read(file: string): string {
    return readFileSync(join(this.folder, file), "utf8");
  }

  write(file: string, text: string): void {
    writeFileSync(join(this.folder, file), text);
  }

  /** Compiles a target and gives its bytes; `more` are further arguments of asc. */
  compile(target: "release" | "debug", ...more: string[]): Buffer<ArrayBuffer> {
    const out = join(this.folder, `${target}.wasm`);
    const args = ["--config", "asconfig.json", "--target", target, "--outFile", out, ...more];
    if (target === "debug") args.unshift("assembly/debug.ts");
    execFileSync(process.execPath, [ASC, ...args], { cwd: this.folder, stdio: ["ignore", "pipe", "pipe"] });
    return readFileSync(out);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}
