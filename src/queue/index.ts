// Invalidation queues: descriptors as objects, to and from their words.
export { type AmdCommand, amdTypes, decodeAmd, encodeAmd } from "./amd.js";
export { DescriptorError, type QueueStatus } from "./fields.js";
export { QueueCounter, type QueueSummary } from "./summary.js";
export { decodeVtd, encodeVtd, type VtdDescriptor, vtdAddressMask, vtdTypes } from "./vtd.js";
