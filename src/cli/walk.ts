// `stalewalk walk CORE ADDRESS`: one walk through the tables of an image, level by level. Node-only.
import type { Command } from "commander";
import type { Explanation } from "../hardware/context.js";
import { type LoadedImage, loadImage } from "../image/index.js";
import { Access } from "../paging/access.js";
import { ACCESS_BY_NAME, describeEntry, describeOutcome, hexAddress, TABLE_NAMES } from "../paging/describe.js";
import { isLeaf } from "../paging/levels.js";
import { describeRights, rightsAlong } from "../paging/rights.js";
import { choiceOption, fileOption } from "./choices.js";
import { addImageOptions, type ImageFlags, openImage, parseAddress, printWarnings } from "./image-options.js";
import { isShown, outputWidth, print, printJson, printTable } from "./output.js";
import { checkOutputFile } from "./output-file.js";
import { walkBoxes } from "./walk-boxes.js";
import { walkSvg } from "./walk-svg.js";

interface Flags extends ImageFlags {
  json?: boolean;
  svg?: string;
  access: string;
}

const ACCESSES = [...ACCESS_BY_NAME.keys()];

/** Registers `walk`. */
export function register(program: Command): void {
  const command = program
    .command("walk")
    .argument("<core>", "a core NAME.core[.gz]")
    .argument("<address>", "virtual address, hexadecimal", parseAddress)
    .summary("show one walk through a page-table image, level by level")
    .description(
      "Walks the tables of a core for one address and shows every entry read, the rights so far, and how it ends. " +
        "A fault is a result: the exit code is 0.",
    )
    .addOption(choiceOption("--access <kind>", `one of ${ACCESSES.join(", ")}`, ACCESSES).default("supervisor-read"))
    .option("--json", "print the result as JSON")
    .addOption(fileOption("--svg <file>", "draw the walk, too"));
  addImageOptions(command)
    .addHelpText(
      "after",
      "\nExample:\n  stalewalk walk test/fixtures/images/reduced-4level.core.gz ffffffffff600000 --access user-read",
    )
    .action(run);
}

async function run(path: string, address: bigint, flags: Flags): Promise<void> {
  const picture = flags.svg === undefined ? undefined : checkOutputFile("--svg", flags.svg, [path]);
  const opened = await openImage(path, flags);
  try {
    const loaded = await loadImage(opened.image, opened.load);
    const explanation = loaded.walker.explain(address, ACCESS_BY_NAME.get(flags.access) ?? Access.supervisorRead);
    await picture?.write(walkSvg({ address, access: flags.access, root: loaded.context.root, explanation }));
    if (flags.json) {
      const { cpu, root, rules, controls } = loaded.context;
      printJson({
        file: path,
        cpu: cpu?.index,
        cr3: root,
        levels: rules.levels,
        controls,
        address,
        access: flags.access,
        ...explanation,
        warnings: opened.image.warnings,
      });
    } else {
      report(path, loaded, address, flags.access, explanation);
      printWarnings(opened.image);
    }
  } finally {
    opened.close();
  }
}

function report(path: string, loaded: LoadedImage, address: bigint, access: string, explanation: Explanation): void {
  const { cpu, root, rules, controls } = loaded.context;
  const on = Object.entries(controls).filter(([, value]) => value === true);
  print(`${path}: ${cpu ? `CPU ${cpu.index}, ` : ""}root ${hexAddress(root)}, ${rules.levels} levels`);
  print(
    `controls: ${on.map(([name]) => name.toUpperCase()).join(" ") || "none"}, PKRU 0x${controls.pkru.toString(16)}`,
  );
  print(`${access} of ${hexAddress(address)}`);
  const { chain, outcome } = explanation;
  const boxes = isShown() ? walkBoxes({ root, explanation }, outputWidth()) : undefined;
  if (boxes) {
    for (const line of boxes) print(line);
    print(`${outcome.kind === "ok" ? "ok" : outcome.kind}: ${describeOutcome(outcome)}`);
    return;
  }
  const rights = rightsAlong(chain.map(({ entry }) => entry)).map(describeRights);
  const rows = chain.map(({ level, tableFrame, index, entry }, i) => {
    const soFar = rights[i] as string;
    const bits = describeEntry(entry, isLeaf(entry, level));
    return [`${level} ${TABLE_NAMES[level]}`, `0x${tableFrame.toString(16)}`, index, hexAddress(entry), soFar, bits];
  });
  if (rows.length > 0) printTable([["level", "table frame", "index", "entry", "path", "bits"], ...rows], [2]);
  print(`${outcome.kind === "ok" ? "ok" : outcome.kind}: ${describeOutcome(outcome)}`);
}
