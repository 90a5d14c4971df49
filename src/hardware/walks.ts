// Walks under way: walks that are made step by step, with other operations in between (docs/rules.md section 14).

import { checkAddress, checkInteger } from "../base/errors.js";
import { oneOf, optional } from "../base/schema.js";
import { agentFlag, walk as field, maxWalks, walkSize } from "../engine/abi.js";
import type { Engine } from "../engine/instance.js";
import { readNumber, readWord } from "../engine/structures.js";
import type { Access } from "../paging/access.js";
import { unpackWalk, type WalkOutcome } from "../paging/outcome.js";
import { checkAccess } from "./context.js";

/** How an agent's walks may be made, and which of them its invalidations wait for. */
export interface WalkOptions {
  /** `atomic` (default): whole, as one step. `stepwise`: also step by step, each read of memory and each setting of A or D. */
  walks?: "atomic" | "stepwise";
  /**
   * Which walks that have begun end before an invalidation is complete: `all` (default) of the PASID, or of the CPU; only those to
   * a `page` that it names; `none`.
   */
  drain?: "all" | "page" | "none";
}

const WALKS = ["atomic", "stepwise"] as const;
const DRAINS = ["all", "page", "none"] as const;

/** Fields of {@link WalkOptions}. @internal */
export const walkFields = { walks: optional(oneOf(WALKS)), drain: optional(oneOf(DRAINS)) };

/** Flags of an agent with these options. @internal */
export function walkFlags({ walks, drain }: WalkOptions): number {
  const waits = { all: 0, page: agentFlag.drainPage, none: agentFlag.drainNone }[drain ?? "all"];
  return (walks === "stepwise" ? agentFlag.stepwiseWalks : 0) | waits;
}

/** A walk that is under way. */
export interface WalkUnderWay {
  /** Number of the requester, as in programs. */
  requester: number;
  /** Virtual address. */
  address: bigint;
  /** What it is for. */
  access: Access;
  /** Level of the entry that the next step reads or marks. */
  level: number;
  /** Frame number of its table. */
  frame: number;
  /** The next step reads the entry, or sets A or D in it. */
  next: "read" | "mark";
}

/** The walks of a machine, by number: 0 and 1. */
export class Walks {
  /** @internal */
  constructor(
    private readonly engine: Engine,
    private readonly requesters: number,
  ) {}

  /**
   * Begins a walk: all that an access does before its first read of memory. On an agent whose walks are atomic, the whole access.
   * @param requester number of a CPU, or of a PASID or device of an IOMMU
   * @returns undefined if a walk of this number is under way already
   * @throws InvalidOptionError naming the field, the value and what is allowed
   */
  begin(walk: number, requester: number, va: bigint, access: Access): WalkOutcome | undefined {
    const { exports } = this.engine;
    const address = checkAddress("virtual address", va);
    checkInteger("requester", requester, 0, this.requesters - 1);
    return unpackWalk(exports.beginWalk(number(walk), requester, address, checkAccess(access)));
  }

  /** One step. @returns undefined if no walk of this number is under way */
  step(walk: number): WalkOutcome | undefined {
    return unpackWalk(this.engine.exports.stepWalk(number(walk)));
  }

  /** All steps that are left. @returns undefined if no walk of this number is under way */
  finish(walk: number): WalkOutcome | undefined {
    return unpackWalk(this.engine.exports.finishWalk(number(walk)));
  }

  /** Whether a walk is under way. @internal */
  isUnderWay(walk: number): boolean {
    return readNumber(this.engine.view(this.engine.exports.walkAt(walk), walkSize), field.requester) !== 0;
  }

  /** Where each walk stands; undefined for one that is not under way. */
  underWay(): (WalkUnderWay | undefined)[] {
    return Array.from({ length: maxWalks }, (_, i) => this.at(i));
  }

  private at(walk: number): WalkUnderWay | undefined {
    const view = this.engine.view(this.engine.exports.walkAt(walk), walkSize);
    const requester = readNumber(view, field.requester);
    if (requester === 0) return undefined;
    return {
      requester: requester - 1,
      address: readWord(view, field.address),
      access: readNumber(view, field.access) as Access,
      level: readNumber(view, field.level),
      frame: readNumber(view, field.frame),
      next: readNumber(view, field.marks) ? "mark" : "read",
    };
  }
}

function number(walk: number): number {
  return checkInteger("walk", walk, 0, maxWalks - 1);
}
