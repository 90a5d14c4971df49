// The ABI of the build that walks memory of a host's (scripts/build-memory.mjs): that of index.ts, and one export more. It imports
// `load` and `compareExchange` of `memory`.

export * from "./index";
export { setHostFrames } from "./paging/imported/contents";
