// What hosts that import `.wasm` files give for one.

declare module "*.wasm" {
  const module: import("./wasm-module.js").WasmModule;
  export default module;
}
