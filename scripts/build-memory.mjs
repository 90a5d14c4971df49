// Builds the engine that walks memory of its host's, to build/memory.wasm: the same sources, with the seam
// assembly/paging/contents.ts exchanged as it is read. `stalewalk/memory` brings it.
import { buildBehind } from "./build-behind.mjs";

await buildBehind({
  entry: "assembly/memory.ts",
  seam: "assembly/paging/contents.ts",
  behind: 'export * from "./imported/contents";\n',
  out: "build/memory.wasm",
});
