// The type of a compiled module, for hosts whose types know WebAssembly (browsers' libraries) and for those whose types do not.

/** A compiled WebAssembly module: `WebAssembly.Module`, or any object where the types of the host have no such name. */
export type WasmModule = typeof globalThis extends { WebAssembly: { Module: { prototype: infer Module } } }
  ? Module
  : object;
