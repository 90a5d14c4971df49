// A page for a lecture: an address in parts, the entries that a walk reads, bits to flip, and a TLB that does not hear of it.
import { Access, createMachine } from "stalewalk";

const NAMES = ["", "PT", "PD", "PDPT", "PML4"];
const BITS = { present: 0n, writable: 1n, user: 2n };
const [A, D] = [5n, 6n];
const bit = (entry, at) => Number((entry >> at) & 1n);
/** Where an entry stands in memory. */
const placeOf = (frame, index) => BigInt(frame * 4096 + index * 8);
const byId = (id) => document.getElementById(id);

// A CPU with a TLB of four entries over four tables, which map two pages.
const machine = await createMachine({ tables: 4, cpus: [{ l1: [{ entries: 4, ways: 4 }], root: 0x1000n }] });
const [cpu] = machine.cpus;
for (const [frame, index, entry] of [
  [1, 0xfe, 0x2007n],
  [2, 0, 0x3007n],
  [3, 2, 0x4007n],
  [4, 3, 0x5007n],
  [4, 4, 0x6005n],
]) {
  if (!machine.frames.has(frame)) machine.frames.setTable(frame);
  machine.frames.writeEntry(placeOf(frame, index), entry);
}

byId("kind").append(...Object.keys(Access).map((name) => new Option(name, name)));
byId("kind").value = "userWrite";
const asked = () => ({ va: BigInt(`0x${byId("va").value}`), access: Access[byId("kind").value] });

function say({ kind, physicalAddress, reason, errorCode, level }) {
  if (kind === "ok") return `physical address 0x${physicalAddress.toString(16)}`;
  if (kind === "fault") return `page fault: ${reason}, at the ${NAMES[level]}, error code ${errorCode}`;
  return kind;
}

/** A checkbox for a bit of an entry. */
function box({ tableFrame, index, entry }, name) {
  const input = Object.assign(document.createElement("input"), {
    type: "checkbox",
    checked: bit(entry, BITS[name]) === 1,
  });
  input.ariaLabel = `${name}, in frame ${tableFrame}`;
  input.onchange = () => {
    machine.frames.writeEntry(placeOf(tableFrame, index), entry ^ (1n << BITS[name]));
    draw();
  };
  return input;
}

/** Draws what a walk would do now. That has no effect on tables or TLB. */
function draw() {
  const { va, access } = asked();
  const parts = [4, 3, 2, 1].map((level) => [NAMES[level], (va >> BigInt(3 + 9 * level)) & 511n]);
  byId("address").replaceChildren(
    ...[...parts, ["offset", va & 4095n]].map(([name, part]) => {
      return Object.assign(document.createElement("span"), { textContent: `${name} ${part}` });
    }),
  );
  const { chain, outcome } = cpu.explain(va, access);
  byId("chain").replaceChildren();
  for (const step of chain) {
    const row = byId("chain").insertRow();
    const { level, tableFrame, index, entry } = step;
    for (const text of [NAMES[level], tableFrame, index, `0x${entry.toString(16)}`]) row.insertCell().append(text);
    for (const name of Object.keys(BITS)) row.insertCell().append(box(step, name));
    row.insertCell().append(`${bit(entry, A)} ${bit(entry, D)}`);
    row.className = outcome.kind === "fault" && outcome.level === level ? "stop" : "";
  }
  byId("walk").value = say(outcome);
}

function access() {
  const { va, access: kind } = asked();
  const before = cpu.counters.walks;
  const outcome = cpu.translate(va, kind);
  byId("cpu").value =
    `${say(outcome)} (${cpu.counters.walks === before ? "from the TLB, without a walk" : "by a walk"})`;
  draw();
}

const form = document.querySelector("form");
form.onsubmit = (event) => {
  event.preventDefault();
  access();
};
form.oninput = () => form.checkValidity() && draw();
byId("invlpg").onclick = () => {
  cpu.invlpg(asked().va);
  byId("cpu").value = "INVLPG: the TLB has forgotten the page";
};
draw();
