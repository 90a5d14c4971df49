// Where the debug build stops: an assertion that does not hold leaves its place here and traps, since the engine imports nothing
// that it could call. Compiled into build/debug.wasm only; test/debug/engine.ts reads it.

// ---- scratch: nothing survives a call ----
/** Addresses of strings (UTF-16; their length in bytes stands 4 bytes before them), 0 as long as nothing has failed. */
export let failedMessage: usize = 0;
export let failedFile: usize = 0;
export let failedLine: u32 = 0;
export let failedColumn: u32 = 0;

/** What the compiler calls when an assertion fails. */
export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  failedMessage = changetype<usize>(message);
  failedFile = changetype<usize>(file);
  failedLine = line;
  failedColumn = column;
  unreachable();
}
