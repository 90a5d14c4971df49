// Texts that come from tracers but are not in a form that tells enough: recognised by their lines, once it is clear that
// none could be read, and named together with what converts them or makes the tracer write another form.

/** What a text seems to be, and how to get one that can be read. */
export interface Form {
  readonly what: string;
  readonly expected: string;
}

const PERF_FIELDS = "`perf script -F comm,tid,cpu,time,event,trace`";
const perfWithout = (field: string): Form => ({
  what: `perf script without the field ${field}`,
  expected: PERF_FIELDS,
});
const again = (option: string): string =>
  `a trace recorded with \`echo ${option} > trace_options\` (trace_options is in the tracefs folder)`;

const TIME = String.raw`\d+\.\d{6}(?:\d{3})?:`;
const EVENT = String.raw`[a-z_]\w*:[A-Za-z_]\w*:`;
/** As that, or an event of perf's own: "cycles:", "cpu-clock:u:". */
const SAMPLE = String.raw`[a-z_][\w.-]*:`;

/** Forms by a line of theirs; the first that fits. */
const FORMS: readonly (readonly [RegExp, Form])[] = [
  [
    /^\[ *\d+\.\d+\] +\S.*-\d+ +\d+\S{3,6} /,
    { what: "a trace dumped into the kernel's log", expected: "the tracefs file trace" },
  ],
  // The flags stand behind the CPU without brackets: kernel/trace/trace_output.c lat_print_generic().
  [
    /-\d+\s+\d+[a-zA-Z.#][a-zA-Z0-9.#]{2,6}\s+\d+(?:\.\d+)?(?:us|ms)?\s*[!+#*@$]?\s*: /,
    { what: "the latency format", expected: `${again("nolatency-format")}, or \`trace-cmd report\` without -l` },
  ],
  [/^\d+ \d+ \d+ (?:type: \d+|\?)/, { what: "tracefs text with option raw", expected: again("noraw") }],
  [/^(?:[0-9a-f]{8} ){2}[0-9a-f]{16} /, { what: "tracefs text with option hex", expected: again("nohex") }],
  [/^0x[0-9a-f]+ \[0x[0-9a-f]+\]: /, { what: "perf script -D", expected: PERF_FIELDS }],
  [/\[FAILED TO PARSE\]/, { what: "trace-cmd report of a newer kernel's events", expected: "a newer trace-cmd" }],
  [/^\s*<(?:!DOCTYPE|html)/i, { what: "an HTML page", expected: "the trace itself, as the kernel wrote it" }],
  [/^\s*\{/, { what: "JSON", expected: `${PERF_FIELDS} in place of \`perf data convert\`` }],
  [
    /^\[\d\d:\d\d:\d\d\.\d+\] \(\+/,
    { what: "text of babeltrace (CTF)", expected: "tracefs, trace-cmd or perf script: LTTng does not tell enough" },
  ],
  [new RegExp(`^\\s*${EVENT}`), perfWithout("time")],
  [new RegExp(`\\s\\[\\d+\\]\\s+(?:\\d+\\s+)?${EVENT}`), perfWithout("time")],
  [new RegExp(`^\\s*${TIME}\\s+(?:\\d+\\s+)?${SAMPLE}`), perfWithout("tid, and cpu")],
  [
    new RegExp(`\\s\\d+(?:/\\d+)?\\s+(?:\\d{1,3}\\s+)?${TIME}\\s+(?:\\d+\\s+)?${SAMPLE}`),
    perfWithout("cpu (or with -L)"),
  ],
  [new RegExp(`^(?!.*\\d\\s+\\[\\d+\\]).*\\[\\d+\\]\\s+${TIME}\\s+(?:\\d+\\s+)?${EVENT}`), perfWithout("tid")],
  [new RegExp(`\\s\\d+\\s+\\[\\d+\\]\\s+${TIME}\\s+(?:\\(|\\S+=|\\d+\\s*$|$)`), perfWithout("event")],
  // Fields by name, where the event has a text of its own: the numbers of symbols, not their names.
  [/: \S+: .*\b\w+=0x[0-9a-f]+ \(-?\d+\)/, { what: "tracefs text with option fields", expected: again("nofields") }],
  [/: +(?:\w+): +(?:\w+=\S+\s*)+$/, { what: "trace-cmd report -R", expected: "`trace-cmd report` without -R" }],
];

/** An event at the beginning of the line: nothing says who, where and when. */
const BARE_EVENT = /^\s*([A-Za-z_]\w*): /;

/**
 * What a text may be, by some of its lines that could not be read.
 * @param isEvent whether the reader knows an event of that name
 */
export function likelyForm(lines: readonly string[], isEvent: (name: string) => boolean): Form | undefined {
  for (const line of lines) {
    for (const [pattern, form] of FORMS) if (pattern.test(line)) return form;
    const bare = BARE_EVENT.exec(line)?.[1];
    if (bare !== undefined && isEvent(bare)) {
      return { what: "tracefs text with option nocontext-info", expected: again("context-info") };
    }
    if (hasControls(line)) return { what: "binary data", expected: again("nobin") };
  }
  return undefined;
}

/** Whether there are bytes below the blank that no text has: tab, carriage return and escape are none. */
function hasControls(line: string): boolean {
  for (let i = 0; i < line.length; i++) {
    const c = line.charCodeAt(i);
    if (c < 9 || (c > 13 && c < 27)) return true;
  }
  return false;
}
