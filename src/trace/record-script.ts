// The recorder as a shell script, POSIX, run by root. It works in a tracefs instance of its own, so that other tracing on the
// machine goes on undisturbed, removes what it set up, and writes what it recorded also when it is stopped early.
// `sh`, `awk`, `sed`, `gzip` of a rescue system (busybox) are enough.
import { versionNumbers } from "../base/kernel-version.js";

/** What the script is made of. */
export interface Recorder {
  /** The kernel that it is for, as in `RECORD_KERNELS`, and the first one that it is not for any more. */
  readonly kernel: string;
  readonly next: string | undefined;
  /** What was asked for, if that was another version: what it was taken for. */
  readonly madeFor: string;
  /** Where its facts are from. */
  readonly source: string;
  readonly bufferKiB: number;
  /** Lines of kprobe_events, without the group. */
  readonly probes: readonly string[];
  /** Filters, as the shell makes them, and the functions that they look for. */
  readonly filters: readonly {
    readonly event: string;
    readonly filter: string;
    readonly functions: readonly string[];
  }[];
  /** What no probe shows. */
  readonly unseen: readonly string[];
}

/** Major and minor as one number that a shell can compare. */
function series(version: string): number {
  const [major, minor] = versionNumbers(version)!;
  return major * 1000 + minor;
}

/** In single quotes: no ' is allowed inside. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "’")}'`;
}

/** The whole script. */
export function recorderScript(recorder: Recorder): string {
  const { kernel, next, madeFor, source, bufferKiB, probes, filters, unseen } = recorder;
  const fits = next === undefined ? `Linux ${kernel} and later` : `Linux ${kernel} up to before ${next}`;
  return `#!/bin/sh
# Records what Linux ${kernel} (x86-64) does with kernel page tables, TLBs and IOMMU caches, for stalewalk.
#
#   sh record.sh [SECONDS [OUTPUT]]        as root; SECONDS 10, OUTPUT stalewalk.trace.txt.gz
#
# Needs: CONFIG_KPROBE_EVENTS, tracefs, awk, gzip. Writes OUTPUT and OUTPUT.stats: read the second, it says what the recording
# does not show. Ctrl-C or TERM ends the recording early; what was recorded until then is written. While it runs, every probed
# call costs about a microsecond.
# It fits ${fits} (${source}).${madeFor === "" ? "" : `\n# Made for ${madeFor}.`}
set -eu

seconds=\${1:-10}
out=\${2:-stalewalk.trace.txt.gz}
buffer_kib=\${BUFFER_KIB:-${bufferKiB}}   # per CPU; raise it if events are lost

# A terminal that is gone must not end the recording.
trap '' PIPE
say() { echo "$*" >&2 || :; }
fail() { say "$*"; exit 1; }

[ "$(uname -m)" = x86_64 ] || fail "x86-64 only: the probes read its argument registers"
[ "$(id -u)" = 0 ] || fail "must be root"
case $seconds in "" | . | *[!0-9.]* | *.*.*) fail "SECONDS is '$seconds'; expected a number" ;; esac
for tool in awk sed gzip; do command -v "$tool" >/dev/null || fail "$tool is needed, and is not there"; done

root=/sys/kernel/tracing
[ -e "$root/kprobe_events" ] || mount -t tracefs tracefs "$root" 2>/dev/null || root=/sys/kernel/debug/tracing
[ -e "$root/kprobe_events" ] || fail "no kprobe_events in tracefs: CONFIG_KPROBE_EVENTS is off"
instance=$root/instances/stalewalk
stats=$out.stats
[ ! -d "$instance" ] || fail "$instance exists: is another recording running? (rmdir it)"

remove_probes() { # ours only
  for name in $(sed -n 's|^[pr][0-9]*:\\(stalewalk/[^ ]*\\).*|\\1|p' "$root/kprobe_events"); do
    echo "-:$name" >>"$root/kprobe_events" || say "probe $name could not be removed"
  done
}
clean() {
  if [ -d "$instance" ]; then
    { echo 0 >"$instance/tracing_on" && echo 0 >"$instance/events/enable" && rmdir "$instance"; } || say "$instance is left"
  fi
  remove_probes
}

# A signal before the recording ends the script, one during it ends the recording.
stopped= sleeper= recording=
stop() {
  [ -n "$stopped" ] || stopped=$1
  if [ -z "$recording" ]; then
    say "stopped by $1 before the recording began: nothing is written"
    exit "$2"
  fi
  # By KILL: a child that has not come as far as its own program still has this shell's traps, and would lose a TERM.
  [ -z "$sleeper" ] || kill -KILL "$sleeper" 2>/dev/null || :
}
trap clean EXIT
trap 'stop HUP 129' HUP
trap 'stop INT 130' INT
trap 'stop TERM 143' TERM

remove_probes   # of a recorder that was killed
mkdir "$instance"
: >"$stats"
note() { echo "$*" >>"$stats"; }
not_seen() { say "not seen: $*"; note "not seen: $*"; }
uname -rv >>"$stats"
note "recorder of stalewalk for Linux ${kernel}"
echo mono >"$instance/trace_clock"
echo nolatency-format >"$instance/trace_options" 2>/dev/null || :
echo "$buffer_kib" >"$instance/buffer_size_kb"

running=$(uname -r | awk -F '[.-]' '{ print $1 * 1000 + $2 }')
if [ "$running" -lt ${series(kernel)} ]${next === undefined ? "" : ` || [ "$running" -ge ${series(next)} ]`}; then
  say "this recorder is for ${fits}; for this machine:  stalewalk record-help --kernel $(uname -r)"
  note "made for ${fits}, run on $(uname -r)"
fi

# What this kernel is known not to show.
${unseen.map((sentence) => `note ${quoted(`not seen: ${sentence}`)}`).join("\n")}

# Addresses [first, next function) of functions, their .cold and .part pieces included, from /proc/kallsyms. That is in order of
# addresses; should it not be, it is sorted first.
ranges() {
  find='
    function base(name) { sub(/\\..*/, "", name); return name }
    NF > 3 { next }
    "x" $1 < last { unordered = 1; exit }
    { last = "x" $1 }
    open && $1 "" != start "" { out = out start " " $1 "\\n"; open = 0 }
    $2 ~ /^[tT]$/ && index(wanted, " " base($3) " ") && !open { start = $1; open = 1 }
    END { if (unordered) exit 3; printf "%s", out }'
  LC_ALL=C awk -v wanted=" $* " "$find" /proc/kallsyms && return
  [ $? = 3 ] || return 1
  sorted=$(LC_ALL=C sort /proc/kallsyms) || return 1
  echo "$sorted" | LC_ALL=C awk -v wanted=" $* " "$find"
}
# A filter on field $1: true inside (outside) the functions that follow. "!" and the reason if there is no telling.
inside() {
  field=$1; shift
  list=$(ranges "$@" 2>&1) || { echo "!/proc/kallsyms could not be searched: $list"; return; }
  echo "$list" | awk -v f="$field" 'NF == 2 { printf "%s(%s >= 0x%s && %s < 0x%s)", n++ ? " || " : "", f, $1, f, $2 }'
}
outside() {
  field=$1; shift
  list=$(ranges "$@" 2>&1) || { echo "!/proc/kallsyms could not be searched: $list"; return; }
  echo "$list" | awk -v f="$field" 'NF == 2 { printf "%s(%s < 0x%s || %s >= 0x%s)", n++ ? " && " : "", f, $1, f, $2 }'
}
awk '$3 == "flush_tlb_all" && $1 !~ /^0*$/ { found = 1 } END { exit !found }' /proc/kallsyms ||
  fail "/proc/kallsyms hides addresses: run  sysctl kernel.kptr_restrict=1"

# Probes. Group stalewalk; the reader goes by the names behind it.
probe() {
  # The last argument may read a variable that not every kernel has: what it tells is a help, not needed.
  for line in "$1" "\${1% base=@*}"; do
    if echo "$line" 2>/dev/null >>"$root/kprobe_events"; then
      [ "$line" = "$1" ] || note "probe without its base: $line"
      return 0
    fi
  done
  not_seen "the kernel does not accept the probe $1"
}
${probes.map((line) => `probe '${line.replace(":", ":stalewalk/")}'`).join("\n")}

# Filters keep the frequent functions to the calls of interest:
#   free_pages, __free_pages   return address in a function that frees kernel page tables
#   flush_one_kernel           not from do_kernel_range_flush, which is recorded as a whole
#   pmd_alloc, pud_alloc       kernel half only
off=
set_filter() {
  event=$instance/events/stalewalk/$1
  [ -d "$event" ] || return 0
  case $2 in
  "") why="none of its functions is in /proc/kallsyms" ;;
  "!"*) why=\${2#!} ;;
  *)
    if echo "$2" 2>/dev/null >"$event/filter"; then
      note "filter $1: $2"
      return 0
    fi
    why="the kernel does not accept its filter $2"
    ;;
  esac
  # Without its filter the event would flood the buffer: it stays off.
  not_seen "$1, its event is off: $why"
  off="$off $1"
}
# Callers that a filter looks for and that are no functions here: they are part of others, or this kernel does not have them.
absent() {
  event=$1; shift
  awk -v event="$event" -v wanted="$*" '
    { name = $3; sub(/\\..*/, "", name); if (index(" " wanted " ", " " name " ")) found[name] = 1 }
    END {
      n = split(wanted, names, " ")
      for (i = 1; i <= n; i++) if (!(names[i] in found)) list = list " " names[i]
      if (list != "") print "filter " event ": no functions of this kernel:" list
    }' /proc/kallsyms >>"$stats"
}
${filters.map(({ event, filter }) => `set_filter ${event} "${filter}"`).join("\n")}
${filters
  .filter(({ functions }) => functions.length > 0)
  .map(({ event, functions }) => `absent ${event} ${functions.join(" ")}`)
  .join("\n")}

echo 0 >"$instance/tracing_on"
echo 1 >"$instance/events/stalewalk/enable"
for name in $off; do echo 0 >"$instance/events/stalewalk/$name/enable"; done
# Tracepoints, where the kernel has them (vmalloc from 6.2 on, intel_iommu with CONFIG_INTEL_IOMMU).
for event in tlb/tlb_flush vmalloc mmap/exit_mmap module/module_load module/module_free iommu intel_iommu; do
  if [ -e "$instance/events/$event/enable" ]; then
    echo 1 >"$instance/events/$event/enable"
  else
    note "not seen: tracepoint $event, which this kernel does not have"
  fi
done

bad=0
recording=1
say "recording for $seconds s"
echo 1 >"$instance/tracing_on"
sleep "$seconds" & sleeper=$!; [ -z "$stopped" ] || kill -KILL "$sleeper" || :; wait "$sleeper" || [ -n "$stopped" ] || bad=1
echo 0 >"$instance/tracing_on"
# Nothing may cut short what follows, a second Ctrl-C neither.
trap '' HUP INT TERM
if [ -n "$stopped" ]; then
  say "stopped by $stopped: writing what was recorded until then to $out"
  note "stopped by $stopped before the $seconds s were over"
elif [ "$bad" = 1 ]; then
  say "sleep $seconds failed: writing what was recorded until then to $out"
  note "sleep $seconds failed: the recording is too short"
fi

{
  echo "# stalewalk: kernel $(uname -rv)"
  cat "$instance/trace" || note "NOT WHOLE: reading $instance/trace failed"
} | gzip -9 >"$out" || fail "$out could not be written"
! grep -q '^NOT WHOLE' "$stats" || bad=1

# Lost events. overrun: overwritten; commit overrun, dropped events: never stored. All must be 0.
lost=0
for cpu in "$instance"/per_cpu/cpu*; do
  for counter in overrun "commit overrun" "dropped events"; do
    n=$(sed -n "s/^$counter: //p" "$cpu/stats")
    note "\${cpu##*/} $counter: $n"
    [ "\${n:-0}" = 0 ] || lost=1
  done
done
# Missed hits: a probe that fires while another one runs on that CPU is not recorded (third column: misses).
note "missed probe hits:"
awk '$3 > 0 { print $1, $3 }' "$root/kprobe_profile" >>"$stats"

if [ "$lost" != 0 ]; then
  say "EVENTS WERE LOST (see $stats): run again with a larger buffer, e.g. BUFFER_KIB=$((buffer_kib * 4)) sh $0"
  exit 2
fi
[ "$bad" = 0 ] || { say "$out is not whole (see $stats)"; exit 2; }
if [ -n "$stopped" ]; then
  say "$out holds what was recorded until $stopped; missed probe hits, if any, and what is not seen are in $stats"
else
  say "$out is complete; missed probe hits, if any, and what is not seen are in $stats"
fi
`;
}
