// Seeds of random sequences.

/** What starts a random sequence, 0 to 2^64 - 1: the same seed gives the same sequence on every machine. */
export type Seed = bigint | number;
