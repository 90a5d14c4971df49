"""The engine from a host outside JavaScript: Python with wasmtime (pip install wasmtime), and the numbers of docs/abi.md.

The same machine as walk.js, step by step. Run: python3 examples/abi/walk.py dist/stalewalk.wasm
"""

import struct
import sys

from wasmtime import Instance, Module, Store

# ---- numbers of docs/abi.md ----
LEVELS = 4
MAX_PHYSICAL_BITS = 46
IS_CPU = 1  # flag of an agent
LEAVES, PATHS = 0b1110, 1  # a cache's bits for leaves of levels 1 to 3, and for paths
LRU = 0
TABLE = 1  # state of a frame
CONTROLS = 1 | 64  # of a context: WP and NXE
USER_READ, USER_WRITE = 4, 5
OK_ADDRESS, OK_LEVEL_SHIFT, REASON_SHIFT, LEVEL_SHIFT = (1 << 56) - 1, 60, 56, 52
REASONS = {1: "not-present", 10: "absent"}

if len(sys.argv) != 2:
    sys.exit("usage: walk.py stalewalk.wasm")
store = Store()
exports = Instance(store, Module.from_file(store.engine, sys.argv[1]), []).exports(store)


def call(name, *arguments):
    return exports[name](store, *arguments)


def made(pointer):
    """Whatever a creator gives: 0 says that memory is out. An i32 is a pointer without a sign."""
    if not pointer:
        raise MemoryError("the engine has found no memory")
    return pointer & 0xFFFFFFFF


# ---- a machine: everything is made before the first access ----
call("setPagingMode", LEVELS, MAX_PHYSICAL_BITS, 1)
made(call("createRequesters"))
agent = made(call("createAgent", 0, IS_CPU, 4096, 4096))
tlb = made(call("createCache", call("leavesOf", agent), 16, 4, LEAVES, 0, LRU))
call("addTranslationCache", agent, 1, tlb)
pd_cache = made(call("createCache", call("pathsOf", agent), 4, 4, PATHS, 21, LRU))
call("setPagingStructureCache", agent, 2, pd_cache)
cpu = made(call("createContext", agent, 0))
call("setControls", cpu, CONTROLS, 0)
RAM_FRAMES = 256
made(call("createFrameStore", RAM_FRAMES))
made(call("claimFrames", 0, RAM_FRAMES, TABLE))

# ---- its RAM ----
memory = exports["memory"]
base = call("contentsOf", 1) & 0xFFFFFFFF


def write(at, entry):
    memory.write(store, struct.pack("<Q", entry), base + at)


def read(at):
    return struct.unpack("<Q", memory.read(store, base + at, base + at + 8))[0]


write(0x1000, 0x2007)
write(0x2000, 0x3007)
write(0x3000, 0x4007)
write(0x4038, 0x5007)
write(0x4040, 0xABCDE007)
write(0x3008, 0xABCDE007)
call("movToCr3", cpu, 1, 0, 0)


def tell(what, outcome):
    word = outcome & 0xFFFFFFFFFFFFFFFF
    if word >> 63 == 0:
        print(f"{what}: {word & OK_ADDRESS:x}, a leaf of level {(word >> OK_LEVEL_SHIFT) & 7}")
        return
    reason = REASONS[(word >> REASON_SHIFT) & 0x7F]
    kind = "frame" if reason == "absent" else "error code"
    detail = word & ((1 << LEVEL_SHIFT) - 1)
    print(f"{what}: {reason} at level {(word >> LEVEL_SHIFT) & 15}, {kind} {detail:x}")


tell("a write to 7123", call("translate", cpu, 0x7123, USER_WRITE))
print(f"the leaf is now {read(0x4038):x}")
write(0x4038, 0)
tell("a read after the page was taken away", call("translate", cpu, 0x7123, USER_READ))
call("invlpg", cpu, 0x7000)
tell("and after INVLPG", call("translate", cpu, 0x7123, USER_READ))
tell("a page outside RAM", call("translate", cpu, 0x8000, USER_READ))
tell("a table outside RAM", call("translate", cpu, 0x200000, USER_READ))
print(f"the TLB answered {call('cacheCounter', tlb, 0)} of {call('agentCounter', agent, 0)} accesses")
