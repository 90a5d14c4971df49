// Opens a core in the page, walks its tables for an address, and shows the memory that they lead to.
import { Access } from "stalewalk";
import { imageContext, loadImage, openCore } from "stalewalk/image";

const TABLES = ["", "PT", "PD", "PDPT", "PML4", "PML5"];
const PAGE = 4096n;
const byId = (id) => document.getElementById(id);
const hex = (value, digits = 0) => value.toString(16).padStart(digits, "0");

let image;
/** The walker of the CPU that is chosen. */
let walker;

/** Does something with the core; what is wrong with it is said, and nothing else is shown. */
async function attempt(task) {
  byId("error").textContent = "";
  byId("walk").textContent = "";
  byId("memory").textContent = "";
  try {
    await task();
  } catch (error) {
    byId("error").textContent = error.message;
  }
}

async function open(file) {
  byId("view").hidden = true;
  image = await openCore(file, { file: file.name });
  byId("about").textContent = `${file.name}: ${image.frameCount} frames, ${image.cpus.length} CPUs`;
  const names = image.cpus.map(({ index, cr3 }) => new Option(`${index}, CR3 ${hex(cr3)}`, index));
  byId("cpu").replaceChildren(...names);
  // Not every core holds the tables of every CPU.
  byId("cpu").value = imageContext(image).cpu.index;
  byId("view").hidden = false;
}

async function look() {
  walker?.dispose();
  walker = undefined;
  ({ walker } = await loadImage(image, { cpu: Number(byId("cpu").value) }));
  const va = BigInt(`0x${byId("va").value}`);
  const { chain, outcome } = walker.explain(va, Access.supervisorRead);
  const lines = chain.map(({ level, tableFrame, index, entry }) => {
    return `${TABLES[level].padEnd(4)}  frame ${hex(tableFrame)}  [${index}]  ${hex(entry, 16)}`;
  });
  byId("walk").textContent = [...lines, told(outcome)].join("\n");
  byId("memory").textContent = outcome.kind === "ok" ? dump(va, outcome.physicalAddress) : "";
}

function told({ kind, physicalAddress, pageSize, reason, level, frame }) {
  if (kind === "ok") return `physical address ${hex(physicalAddress)}, in a page of ${pageSize / 1024} KiB`;
  if (kind === "fault") return `no translation: ${reason}, at the ${TABLES[level]}`;
  if (kind === "absent") return `the core does not hold frame ${hex(frame)}, the ${TABLES[level]}`;
  return "the address is not canonical";
}

/** The rest of the page from an address on, at most 256 bytes, as hexdump -C prints them. */
function dump(va, physicalAddress) {
  const frame = image.frame(Number(physicalAddress / PAGE));
  if (!frame) return "the core does not hold this frame";
  const at = Number(physicalAddress % PAGE);
  const bytes = frame.subarray(at, at + 256);
  const lines = [];
  for (let i = 0; i < bytes.length; i += 16) {
    const line = [...bytes.subarray(i, i + 16)];
    const text = line.map((byte) => (byte > 31 && byte < 127 ? String.fromCharCode(byte) : ".")).join("");
    lines.push(
      `${hex(va + BigInt(i), 16)}  ${line
        .map((byte) => hex(byte, 2))
        .join(" ")
        .padEnd(47)}  |${text}|`,
    );
  }
  return lines.join("\n");
}

byId("file").onchange = ({ target }) => attempt(() => open(target.files[0]).then(look));
byId("view").onsubmit = (event) => {
  event.preventDefault();
  attempt(look);
};
