// The shell script that records a trace this reader understands. It works in a tracefs instance of its own, so that other
// tracing on the machine goes on undisturbed, and it removes what it set up.
import { probeName, probesFor, RECORD_KERNELS, type RecordKernel } from "./record-probes.js";

export { RECORD_KERNELS, type RecordKernel } from "./record-probes.js";

/** Options of {@link recordHelp}. */
export interface RecordOptions {
  /** Which kernel will be traced. Default "6.12". */
  readonly kernel?: RecordKernel;
  /** Buffer per CPU in KiB. Default 65536: some 400000 events. */
  readonly bufferKiB?: number;
}

/** Functions whose page frees are of interest: the return address of a free must lie in one of them. */
const FREE_SITES = [
  "pmd_free_pte_page",
  "pud_free_pmd_page",
  "remove_pagetable",
  "vmemmap_free",
  "unmap_pmd_range",
  "unmap_pte_range",
  "pgd_free",
];

/**
 * The script, for a POSIX shell run by root on the machine to be traced.
 * @throws RangeError if the kernel is not one of {@link RECORD_KERNELS} or the buffer is not a whole number of KiB
 */
export function recordHelp(options: RecordOptions = {}): string {
  const { kernel = "6.12", bufferKiB = 65536 } = options;
  if (!RECORD_KERNELS.includes(kernel)) {
    throw new RangeError(`kernel: ${JSON.stringify(kernel)}, expected one of ${RECORD_KERNELS.join(", ")}`);
  }
  if (!Number.isInteger(bufferKiB) || bufferKiB < 64 || bufferKiB > 1 << 22) {
    throw new RangeError(`bufferKiB: ${bufferKiB}, expected a whole number from 64 to ${1 << 22}`);
  }
  const probes = probesFor(kernel).map((line) => `${line.replace(":", ":stalewalk/")}`);
  const names = new Set(probesFor(kernel).map(probeName));
  const filters = [
    names.has("free_pages") && filter("free_pages", `$(inside pc ${FREE_SITES.join(" ")})`),
    names.has("__free_pages") && filter("__free_pages", "$(inside pc __change_page_attr_set_clr)"),
    names.has("flush_one_kernel") && filter("flush_one_kernel", "$(outside pc do_kernel_range_flush)"),
    names.has("pmd_alloc") && filter("pmd_alloc", "addr >= 0xffff800000000000"),
    names.has("pud_alloc") && filter("pud_alloc", "addr >= 0xffff800000000000"),
  ].filter((line) => line !== false);
  return `#!/bin/sh
# Records what Linux ${kernel} (x86-64) does with kernel page tables, TLBs and IOMMU caches, for stalewalk.
#
#   sh record.sh [SECONDS [OUTPUT]]        as root; SECONDS 10, OUTPUT stalewalk.trace.txt.gz
#
# Needs: CONFIG_KPROBE_EVENTS, tracefs, awk, gzip. Writes OUTPUT and OUTPUT.stats. While it runs, every probed call costs
# about a microsecond. It fits kernels ${kernel} and later up to the next version that record-help knows; probes that the
# running kernel does not accept are named in OUTPUT.stats and on standard error.
set -eu

seconds=\${1:-10}
out=\${2:-stalewalk.trace.txt.gz}
buffer_kib=\${BUFFER_KIB:-${bufferKiB}}   # per CPU; raise it if events are lost

[ "$(uname -m)" = x86_64 ] || { echo "x86-64 only: the probes read its argument registers" >&2; exit 1; }
[ "$(id -u)" = 0 ] || { echo "must be root" >&2; exit 1; }

root=/sys/kernel/tracing
[ -e "$root/kprobe_events" ] || mount -t tracefs tracefs "$root" 2>/dev/null || root=/sys/kernel/debug/tracing
[ -e "$root/kprobe_events" ] || { echo "no kprobe_events in tracefs: CONFIG_KPROBE_EVENTS is off" >&2; exit 1; }
instance=$root/instances/stalewalk
stats=$out.stats

clean() {
  if [ -d "$instance" ]; then
    echo 0 >"$instance/tracing_on"
    echo 0 >"$instance/events/enable"
    rmdir "$instance"
  fi
  # Remove our probes only.
  for name in $(sed -n 's|^[pr][0-9]*:\\(stalewalk/[^ ]*\\).*|\\1|p' "$root/kprobe_events"); do
    echo "-:$name" >>"$root/kprobe_events"
  done
}
[ ! -d "$instance" ] || { echo "$instance exists: is another recording running? (rmdir it)" >&2; exit 1; }
trap clean EXIT
trap 'exit 1' HUP INT TERM

mkdir "$instance"
: >"$stats"
uname -r >>"$stats"
echo mono >"$instance/trace_clock"
echo nolatency-format >"$instance/trace_options" 2>/dev/null || true
echo "$buffer_kib" >"$instance/buffer_size_kb"

# Addresses [first, next function) of functions, their .cold and .part pieces included, from /proc/kallsyms.
ranges() {
  LC_ALL=C sort /proc/kallsyms | awk -v wanted=" $* " '
    function base(name) { sub(/\\..*/, "", name); return name }
    open && $1 != start { print start, $1; open = 0 }
    $2 ~ /^[tT]$/ && index(wanted, " " base($3) " ") && !open { start = $1; open = 1 }'
}
# A filter on field $1: true inside (outside) the functions that follow.
inside() {
  field=$1; shift
  ranges "$@" | awk -v f="$field" '{ printf "%s(%s >= 0x%s && %s < 0x%s)", n++ ? " || " : "", f, $1, f, $2 }'
}
outside() {
  field=$1; shift
  ranges "$@" | awk -v f="$field" '{ printf "%s(%s < 0x%s || %s >= 0x%s)", n++ ? " && " : "", f, $1, f, $2 }'
}
awk '$3 == "flush_tlb_all" && $1 !~ /^0*$/ { found = 1 } END { exit !found }' /proc/kallsyms || {
  echo "/proc/kallsyms hides addresses: run  sysctl kernel.kptr_restrict=1" >&2
  exit 1
}

# Probes. Group stalewalk; the reader goes by the names behind it.
probe() {
  if ! echo "$1" 2>/dev/null >>"$root/kprobe_events"; then
    echo "probe not accepted: $1" | tee -a "$stats" >&2
  fi
}
${probes.map((line) => `probe '${line}'`).join("\n")}

# Filters keep the frequent functions to the calls of interest:
#   free_pages        return address in a function that frees kernel page tables
#   __free_pages      return address in __change_page_attr_set_clr
#   flush_one_kernel  not from do_kernel_range_flush, which is recorded as a whole
#   pmd_alloc, pud_alloc  kernel half only
set_filter() {
  event=$instance/events/stalewalk/$1
  [ -d "$event" ] || return 0
  if [ -z "$2" ]; then
    # Without its filter the event would flood the buffer: leave it off.
    echo "no filter for $1 (function not in /proc/kallsyms): event off" | tee -a "$stats" >&2
    off="$off $1"
  else
    echo "$2" >"$event/filter"
    echo "filter $1: $2" >>"$stats"
  fi
}
off=
${filters.join("\n")}

echo 0 >"$instance/tracing_on"
echo 1 >"$instance/events/stalewalk/enable"
for name in $off; do echo 0 >"$instance/events/stalewalk/$name/enable"; done
# Tracepoints, where the kernel has them (vmalloc from 6.2 on, intel_iommu with CONFIG_INTEL_IOMMU).
for event in tlb/tlb_flush vmalloc mmap/exit_mmap module/module_load module/module_free iommu intel_iommu; do
  if [ -e "$instance/events/$event/enable" ]; then
    echo 1 >"$instance/events/$event/enable"
  else
    echo "tracepoint absent: $event" >>"$stats"
  fi
done

echo "recording for $seconds s" >&2
echo 1 >"$instance/tracing_on"
sleep "$seconds"
echo 0 >"$instance/tracing_on"

gzip -9 <"$instance/trace" >"$out"

# Lost events. overrun: overwritten; commit overrun, dropped events: never stored. All must be 0.
bad=0
for cpu in "$instance"/per_cpu/cpu*; do
  for counter in overrun "commit overrun" "dropped events"; do
    n=$(sed -n "s/^$counter: //p" "$cpu/stats")
    echo "\${cpu##*/} $counter: $n" >>"$stats"
    [ "\${n:-0}" = 0 ] || bad=1
  done
done
# Missed hits: a probe that fires while another one runs on that CPU is not recorded (third column: misses).
echo "missed probe hits:" >>"$stats"
awk '$3 > 0 { print $1, $3 }' "$root/kprobe_profile" >>"$stats"

if [ "$bad" != 0 ]; then
  echo "EVENTS WERE LOST (see $stats): run again with a larger buffer, e.g. BUFFER_KIB=$((buffer_kib * 4)) sh $0" >&2
  exit 2
fi
echo "$out is complete; missed probe hits, if any, are in $stats" >&2
`;
}

function filter(name: string, expression: string): string {
  return `set_filter ${name} "${expression}"`;
}
