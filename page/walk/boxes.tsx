// The path as a row of boxes from the root to the page: the part of the address above each, what the entry says inside, the rights
// so far and the caches below.

import type { JSX } from "preact";
import { pageSizes } from "../../src/index.js";
import { describeSize, TABLE_NAMES } from "../../src/paging/describe.js";
import type { PathRights } from "../../src/paging/rights.js";
import { Term } from "../shell/term.js";
import { hex } from "../words.js";
import { type Column, type Path, partsOf } from "./path.js";

/** The boxes; `step`: how many entries are read, `level`: whose entry is shown below. */
export function Boxes(props: {
  path: Path;
  address: bigint;
  levels: number;
  step: number;
  level: number | undefined;
  onLevel: (level: number) => void;
}): JSX.Element {
  const { path, address, levels, step, level, onLevel } = props;
  const { columns, outcome } = path;
  const leaf = columns.at(-1)?.leaf ? (columns.at(-1)?.level ?? 1) : 1;
  const parts = partsOf(address, levels, leaf);
  const offset = parts.at(-1);
  return (
    <ol class="path" aria-label="The path" style={{ "--columns": parts.length + 1 }}>
      <li class="root reached">
        <span class="part" />
        <div class="box">
          <b>CR3</b>
          <span class="mono">{hex(path.root)}</span>
        </div>
      </li>
      {parts.slice(0, -1).map((part) => {
        const column = columns.find((it) => it.level === part.level);
        const reached = column !== undefined && columns.indexOf(column) < step;
        return (
          <li key={part.level} class={reached ? "reached" : "ahead"}>
            <Part part={part} />
            {column ? (
              <TableBox column={column} chosen={level === part.level} reached={reached} onLevel={onLevel} />
            ) : (
              <div class="box none">
                <b>{TABLE_NAMES[part.level]}</b>
                <span>not reached</span>
              </div>
            )}
            {column && reached && <RightsSoFar rights={column.rights} present={column.present} />}
            {column && reached && <CachedIn column={column} />}
          </li>
        );
      })}
      <li class={step > columns.length ? "reached" : "ahead"}>
        {offset && <Part part={offset} />}
        {outcome.kind === "ok" ? (
          <div class="box page">
            <b>page</b>
            <span class="mono">{hex(outcome.physicalAddress >> 12n)}</span>
            <span>{describeSize(pageSizes[outcome.level])}</span>
          </div>
        ) : (
          <div class="box refused">
            <b>✗ {outcome.kind === "fault" ? outcome.reason.replaceAll("-", " ") : outcome.kind}</b>
            {outcome.kind === "fault" && <span>error code {hex(outcome.errorCode)}</span>}
          </div>
        )}
      </li>
    </ol>
  );
}

function Part({ part: { level, value, high, low } }: { part: ReturnType<typeof partsOf>[number] }): JSX.Element {
  return (
    <span class="part">
      <small>
        bits {high}–{low}
      </small>
      <span class="mono">{level === 0 ? hex(value) : value}</span>
    </span>
  );
}

function TableBox(props: {
  column: Column;
  chosen: boolean;
  reached: boolean;
  onLevel: (level: number) => void;
}): JSX.Element {
  const { column, chosen, reached, onLevel } = props;
  const { level, table, index, entry, present } = column;
  const name = TABLE_NAMES[level] ?? "";
  return (
    <button
      type="button"
      class={`box table${chosen ? " chosen" : ""}${present ? "" : " empty"}`}
      aria-pressed={chosen}
      onClick={() => onLevel(level)}
    >
      <b>{name}</b>
      <span class="mono">{hex(table)}</span>
      {reached ? (
        <span class="slot">
          <span class="mono">[{index}]</span> <Chips column={column} />
        </span>
      ) : (
        <span class="slot mono">[{index}]</span>
      )}
      <span class="mono wordy">{reached ? hex(entry) : "…"}</span>
    </button>
  );
}

const CHIPS: readonly { name: string; bit: bigint; leaf?: true; on: string; off: string }[] = [
  { name: "P", bit: 0n, on: "present", off: "not present" },
  { name: "W", bit: 1n, on: "writable", off: "read-only" },
  { name: "U", bit: 2n, on: "user", off: "supervisor" },
  { name: "A", bit: 5n, on: "accessed", off: "not accessed" },
  { name: "D", bit: 6n, leaf: true, on: "dirty", off: "not dirty" },
  { name: "XD", bit: 63n, on: "no fetch", off: "fetch allowed" },
];

function Chips({ column: { entry, leaf } }: { column: Column }): JSX.Element {
  return (
    <span class="chips">
      {CHIPS.filter((chip) => leaf || !chip.leaf).map(({ name, bit, on, off }) => {
        const set = ((entry >> bit) & 1n) === 1n;
        return (
          <span key={name} class={set ? "chip on" : "chip off"} title={set ? on : off}>
            <span aria-hidden="true">{set ? name : "–"}</span>
            <span class="hidden">{set ? on : off}, </span>
          </span>
        );
      })}
    </span>
  );
}

function RightsSoFar({ rights, present }: { rights: PathRights; present: boolean }): JSX.Element {
  if (!present) return <span class="rights">ends here</span>;
  const words = [
    ["U", rights.user, "user"],
    ["W", rights.write, "write"],
    ["X", rights.fetch, "fetch"],
  ] as const;
  return (
    <span class="rights">
      <small>so far</small>{" "}
      {words.map(([letter, given, word]) => (
        <span key={letter} class={given ? "chip on" : "chip off"} title={`${word}: ${given ? "allowed" : "refused"}`}>
          <span aria-hidden="true">{given ? letter : "–"}</span>
          <span class="hidden">
            {word} {given ? "allowed" : "refused"},{" "}
          </span>
        </span>
      ))}
    </span>
  );
}

function CachedIn({ column: { cached, leaf } }: { column: Column }): JSX.Element {
  const kind = leaf ? "TLB" : "paging-structure cache";
  return (
    <span class={`cached ${cached.length > 0 ? "held" : ""}`}>
      <Term of={kind}>{leaf ? "TLB" : "PSC"}</Term> {cached.length > 0 ? `✓ ${cached.join(", ")}` : "–"}
    </span>
  );
}
