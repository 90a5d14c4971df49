// What ends the descent of a walk that is made for an access: the faults, the same whether the walk leaves marks behind
// (walk.ts) or only says what it would find (explain.ts). Rules: docs/rules.md section 3.
//
// A visitor extends this and adds what it does on the way (target, read, leaf, enter). It must not override what is here: a call of
// an overridden method looks the class up in the object's header, and a visitor is no object.

import { isUser } from "../paging/access";
import { EntryAt } from "../paging/contents";
import { isUserReachable, malformed, notPresent, supervisorEntry } from "../paging/format";
import { ABSENT, fault } from "../paging/outcome";
import { hasFlag, STOP_AT_SUPERVISOR } from "./agent";
import { agentOf, controlsOf, isMalformed } from "./context";

@unmanaged
export class Request {
  @inline
  absent(level: u32, frame: u64): u64 {
    return fault(ABSENT, level, frame);
  }

  @inline
  hole(context: usize, access: u32, level: u32, at: EntryAt): u64 {
    return notPresent(controlsOf(context), access, level);
  }

  @inline
  isMalformed(context: usize, entry: u64, level: u32, leaf: bool): bool {
    return isMalformed(context, entry, level, leaf);
  }

  @inline
  malformed(context: usize, access: u32, level: u32): u64 {
    return malformed(controlsOf(context), access, level);
  }

  @inline
  refuses(context: usize, access: u32, level: u32, rights: u64): u64 {
    if (isUserReachable(rights) || !isUser(access) || !hasFlag(agentOf(context), STOP_AT_SUPERVISOR)) return 0;
    return supervisorEntry(controlsOf(context), access, level);
  }
}
