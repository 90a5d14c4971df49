// Why the kernel refuses an operation (rules.md section 10): what stood in the way first.

/** A reason, by name. */
export type Refusal =
  | "empty-range"
  | "not-kernel-half"
  | "not-user-half"
  | "not-aligned"
  | "no-free-frame"
  | "nothing-taken"
  | "table-absent"
  | "large-leaf-above"
  | "no-large-leaf"
  | "no-page-table"
  | "no-such-mm"
  | "mm-exists"
  | "mm-runs"
  | "pasid-taken"
  | "not-bound"
  | "sharing-off"
  | "not-in-this-kernel"
  | "general-protection"
  | "leaves-differ";

/** What comes of an operation: it is done, or refused for a reason. */
export type Answer = "done" | Refusal;
