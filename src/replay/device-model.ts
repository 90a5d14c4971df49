// What devices do while the trace runs: no trace says which addresses they touch, so this is a model, and every number of
// it is an assumption that the result repeats.

import { checkInteger, InvalidOptionError } from "../base/errors.js";

/** The device-access model. All accesses are user-privileged requests with the PASID of one process. */
export interface DeviceModel {
  /** Start of the pseudo-random sequence, 32 bits. Same seed, same accesses. */
  readonly seed: number;
  /** Accesses per millisecond of trace time. */
  readonly ratePerMs: number;
  /** At most so many accesses between two events of the trace (long pauses are cut). */
  readonly maxPerGap: number;
  /** User pages of the bound process that the device works on, 4 KiB each. */
  readonly workingSet: number;
  /** Share of writes among user accesses, 0 to 1. */
  readonly writes: number;
  /** Share of accesses aimed at the kernel half, 0 to 1: an unprivileged process may name any address to its device. */
  readonly kernelProbes: number;
  /** How many of the latest kernel areas (mapped or already unmapped) the probes choose from. */
  readonly probedAreas: number;
  /** Accesses at the address of a table that is going away, after each step (clear, flush, free, reuse): the race an attacker runs. */
  readonly perStep: number;
  /** Somebody takes each freed frame at once and fills it with user-accessible leaves. */
  readonly reuse: boolean;
  /** Frames that they keep at a time; the oldest is given back. */
  readonly reusedFrames: number;
  /** The device has a TLB of its own and sends a page request for each access that is refused (ATS and PRI; VT-d only). */
  readonly pageRequests: boolean;
  /** Pages of each new kernel area that the CPU which mapped it touches. No device, but as little told by a trace. */
  readonly cpuTouches: number;
}

/** The defaults: a process that probes what the kernel maps and unmaps, at a modest rate. */
export const defaultDeviceModel: DeviceModel = {
  seed: 1,
  ratePerMs: 20,
  maxPerGap: 2000,
  workingSet: 256,
  writes: 0.3,
  kernelProbes: 0.25,
  probedAreas: 64,
  perStep: 2,
  reuse: true,
  reusedFrames: 16,
  pageRequests: false,
  cpuTouches: 4,
};

/**
 * Fills in what is not given.
 * @throws InvalidOptionError naming the field, the value and what is allowed
 */
export function checkDeviceModel(given: Partial<DeviceModel> = {}, field = "devices"): DeviceModel {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new InvalidOptionError(field, given, "an object");
  }
  for (const key of Object.keys(given)) {
    if (!(key in defaultDeviceModel)) {
      const known = Object.keys(defaultDeviceModel).join(", ");
      throw new InvalidOptionError(`${field}.${key}`, (given as Record<string, unknown>)[key], `one of ${known}`);
    }
  }
  const model = { ...defaultDeviceModel, ...given };
  checkInteger(`${field}.seed`, model.seed, 0, 0xffff_ffff);
  checkInteger(`${field}.maxPerGap`, model.maxPerGap, 0, 1_000_000);
  checkInteger(`${field}.workingSet`, model.workingSet, 1, 1 << 16);
  checkInteger(`${field}.probedAreas`, model.probedAreas, 1, 4096);
  checkInteger(`${field}.perStep`, model.perStep, 0, 1000);
  checkInteger(`${field}.reusedFrames`, model.reusedFrames, 1, 1024);
  checkInteger(`${field}.cpuTouches`, model.cpuTouches, 0, 512);
  checkNumber(`${field}.ratePerMs`, model.ratePerMs, 1e6);
  checkNumber(`${field}.writes`, model.writes, 1);
  checkNumber(`${field}.kernelProbes`, model.kernelProbes, 1);
  for (const name of ["reuse", "pageRequests"] as const) {
    if (typeof model[name] !== "boolean")
      throw new InvalidOptionError(`${field}.${name}`, model[name], "true or false");
  }
  return model;
}

function checkNumber(field: string, value: unknown, most: number): void {
  if (typeof value !== "number" || !(value >= 0 && value <= most)) {
    throw new InvalidOptionError(field, value, `a number from 0 to ${most}`);
  }
}
