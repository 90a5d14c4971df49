// Entry point `stalewalk/trace`: the reader of kernel traces. No Node built-ins; files are opened by node.ts.
export type { NearestVersion } from "../base/kernel-version.js";
export { EventBatch, type FieldValue } from "./batch.js";
export { type CompileOptions, type CompileSummary, compileTrace, TraceCompiler } from "./compile.js";
export { type Diagnostic, type DiagnosticKind, formatDiagnostic, TraceFormatError } from "./diagnostics.js";
export { EventTable, type EventType } from "./event-table.js";
export { EVENTS, type EventDefinition, type FieldDefinition, type FieldType } from "./events.js";
export { type ArgumentSource, type Condition, type LastEvent, MAPPING, type Rule } from "./mapping.js";
export { DEFAULT_MAPPING, joinMapping, type Mapping, MappingError, type MappingFile } from "./mapping-check.js";
export { OperationBatch } from "./operation-batch.js";
export {
  type ArgumentType,
  OPERATION_NAMES,
  OPERATIONS,
  type Operation,
  type OperationName,
  operationArguments,
  operationNumber,
} from "./operations.js";
export { parseTrace, summarizeTrace } from "./parse.js";
export { TraceReader } from "./reader.js";
export { RECORD_KERNELS, type RecordKernel, type RecordOptions, recorderFor, recordHelp } from "./record-help.js";
export type { TraceSource } from "./source.js";
export type { StringTable } from "./strings.js";
export type { LostEvents, TraceFormat, TraceSummary } from "./summary.js";
export type { TraceOptions } from "./trace-options.js";
