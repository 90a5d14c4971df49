// What a worker of the pool knows. Node-only.

/** What all workers of the pool were told. */
export function shared<Told>(): Told {
  return process.__tinypool_state__.workerData as Told;
}
