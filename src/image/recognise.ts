// Files that are no ELF core: which format they are by their magic numbers, and the way to an image that is read.
// Sources of the numbers: makedumpfile's IMPLEMENTATION and diskdump_mod.h, QEMU's dump.json and migration/savevm.c,
// LiME's doc/README.md, AVML's image.rs, VMware's vmss2core, Windows' DUMP_HEADER64.
import { compressedFormat, startsWith } from "../formats/magic.js";

/** How many of a file's first bytes are looked at. */
export const RECOGNISED_BYTES = 4096 + 16 + 8;

const DUMP =
  "`dump-guest-memory FILE` in QEMU's monitor, without -z, -l, -s or -w, or `virsh dump --memory-only --format elf`";
const VMCORE = "`makedumpfile -E` in place of -c, -l, -p or -z makes an ELF core of /proc/vmcore";
const NO_REGISTERS = "it has no registers either, so that CR3 would not be known";

const IMAGES: readonly (readonly [magic: string | readonly number[], what: string, way: string])[] = [
  ["KDUMP   ", "a compressed dump (KDUMP)", `${DUMP}; ${VMCORE}`],
  ["DISKDUMP", "a dump of diskdump", `${DUMP}; ${VMCORE}`],
  ["EMiL", "memory recorded by LiME", `${DUMP}; ${NO_REGISTERS}`],
  ["AVML", "memory recorded by AVML", `${DUMP}; ${NO_REGISTERS}`],
  ["PAGEDU64", "a crash dump of Windows", DUMP],
  ["PAGEDUMP", "a crash dump of Windows", DUMP],
  ["MDMP", "a minidump", DUMP],
  ["hibr", "a hibernation file of Windows", DUMP],
  ["HIBR", "a hibernation file of Windows", DUMP],
  [[0xd0, 0xbe, 0xd2, 0xbe], "a suspended machine of VMware", "`vmss2core -N6 FILE.vmss FILE.vmem` makes a core of it"],
  [[0xd1, 0xba, 0xd1, 0xba], "a suspended machine of VMware", "`vmss2core -N6 FILE.vmss FILE.vmem` makes a core of it"],
  [[0xd2, 0xbe, 0xd2, 0xbe], "a snapshot of VMware", "`vmss2core -N6 FILE.vmsn FILE.vmem` makes a core of it"],
  ["LibvirtQemudSave", "a machine saved by libvirt", `\`virsh restore\`, then ${DUMP}`],
  ["QEVM", "a machine's state, migrated or saved by QEMU", `\`qemu-system-x86_64 -incoming\`, then ${DUMP}`],
  [[0x51, 0x46, 0x49, 0xfb], "a qcow2 disk image", `start the machine and use ${DUMP}`],
  ["KDMV", "a VMDK disk image", DUMP],
  ["vhdxfile", "a VHDX disk image", DUMP],
  ["\x7fVirtualBox Saved", "a machine saved by VirtualBox", "`VBoxManage debugvm NAME dumpvmcore` makes an ELF core"],
  [[0xcf, 0xfa, 0xed, 0xfe], "a Mach-O file", "an ELF core"],
  ["EVF\x09\x0d\x0a\xff", "an EnCase image", "`ewfexport` gives what is inside"],
  ["PERFILE2", "a perf.data", "a trace goes to `stalewalk replay`, as text: `perf script -i FILE`"],
  [
    [0x17, 0x08, 0x44, 0x74, 0x72, 0x61, 0x63],
    "a trace.dat",
    "a trace goes to `stalewalk replay`, as text: `trace-cmd report FILE`",
  ],
];

/** What a file is that is no ELF file, and what to do; undefined if nothing is known of it. */
export function recogniseImage(head: Uint8Array): { what: string; way: string } | undefined {
  if (startsWith(head, bytesOf("makedumpfile\0"))) return flattened(head);
  const found = IMAGES.find(([magic]) => startsWith(head, typeof magic === "string" ? bytesOf(magic) : magic));
  if (found) return { what: found[1], way: found[2] };
  const packed = compressedFormat(head);
  if (packed) return { what: packed.what, way: `unpack it: \`${packed.command} > NAME.core\`` };
  if (isRealModeTable(head)) return { what: "raw memory", way: `${DUMP}; ${NO_REGISTERS}` };
  return undefined;
}

/** Of `makedumpfile -F`, and of QEMU's kdump-zlib, kdump-lzo and kdump-snappy: an image in pieces, each with its place. */
function flattened(head: Uint8Array): { what: string; way: string } {
  // A header of 4096 bytes, then offset and size of the first piece, 8 bytes each, then its bytes.
  const inside = recogniseImage(head.subarray(4096 + 16));
  const unpack = "`makedumpfile -R NAME.core < FILE` puts it together";
  if (inside === undefined) return { what: "a flattened dump of makedumpfile", way: unpack };
  return { what: `a flattened dump of makedumpfile that holds ${inside.what}`, way: inside.way };
}

/** The memory of a PC begins with the interrupt vectors of real mode; most lead into the BIOS at segment f000 or c000. */
function isRealModeTable(head: Uint8Array): boolean {
  if (head.length < 1024) return false;
  let inBios = 0;
  for (let vector = 0; vector < 32; vector++) {
    const segment = head[vector * 4 + 2]! | (head[vector * 4 + 3]! << 8);
    if (segment === 0xf000 || segment === 0xc000) inBios++;
  }
  return inBios >= 16;
}

function bytesOf(text: string): number[] {
  return [...text].map((letter) => letter.charCodeAt(0));
}
