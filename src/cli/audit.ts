// `stalewalk audit CORE`: what the page tables of an image look like, counted. Node-only.
import type { Command } from "commander";
import { auditTables, type ImageAudit, imageContext, imageTables, type LeafFinding } from "../image/index.js";
import { fileOption } from "./choices.js";
import { addImageOptions, type ImageFlags, openImage, parseCount, printWarnings } from "./image-options.js";
import { print, printJson, printTable } from "./output.js";
import { checkOutputFile } from "./output-file.js";
import { auditSarif } from "./sarif.js";

interface Flags extends ImageFlags {
  json?: boolean;
  sarif?: string;
  examples: number;
}

/** Registers `audit`. */
export function register(program: Command): void {
  const command = program
    .command("audit")
    .argument("<core>", "a core NAME.core[.gz]")
    .summary("count what the tables of a page-table image hold")
    .description(
      "Counts the leaves by size, U/S by level and half, the kernel-half pages user mode can reach, the pages both " +
        "writable and executable, and the tables that several entries lead to. Counts are per virtual address, unless " +
        "they say slots or tables.",
    )
    .option("--examples <number>", "leaves and tables listed for each finding", parseCount, 8)
    .option("--json", "print the result as JSON")
    .addOption(fileOption("--sarif <file>", "write the findings as SARIF, which code hosts and editors show, too"));
  addImageOptions(command)
    .addHelpText("after", "\nExample:\n  stalewalk audit test/fixtures/images/reduced-4level.core.gz")
    .action(run);
}

async function run(path: string, flags: Flags): Promise<void> {
  const findings = flags.sarif === undefined ? undefined : checkOutputFile("--sarif", flags.sarif, [path]);
  const { image, load, close } = await openImage(path, flags);
  try {
    const context = imageContext(image, load);
    const audit = auditTables(image, imageTables(image, context), { examples: flags.examples });
    await findings?.write(auditSarif(path, audit));
    if (flags.json) {
      const { cpu, root, controls } = context;
      printJson({ file: path, cpu: cpu?.index, cr3: root, controls, ...audit, warnings: image.warnings });
    } else {
      print(`${path}: ${context.cpu ? `CPU ${context.cpu.index}, ` : ""}root 0x${context.root.toString(16)}`);
      report(audit, image.frameCount);
      printWarnings(image);
    }
  } finally {
    close();
  }
}

function report(audit: ImageAudit, frames: number): void {
  const byLevel = audit.tablesByLevel.slice(1).map((n, i) => `level ${i + 1}: ${n}`);
  print(`${audit.tables} tables (${byLevel.reverse().join(", ")}), of ${frames} frames in the core`);
  print(`leaves: ${audit.leaves["4K"]} of 4 KiB, ${audit.leaves["2M"]} of 2 MiB, ${audit.leaves["1G"]} of 1 GiB`);
  print();
  const heading = ["half", "level", "kind", "entries", "U/S set", "U/S clear", "R/W set", "XD set", "G set"];
  const rows = audit.entries.map((row) => [
    row.half,
    row.level,
    row.kind,
    row.total,
    row.userSet,
    row.userClear,
    row.writeSet,
    row.xdSet,
    row.kind === "leaf" ? row.globalSet : "",
  ]);
  printTable([heading, ...rows], [1, 3, 4, 5, 6, 7, 8], 3);
  print();
  reportLeaves("kernel-half leaves with U/S set", audit.kernelLeavesWithUser);
  reportLeaves("kernel-half leaves that user mode reaches", audit.userReachableKernelLeaves);
  reportLeaves("writable and executable pages, user half", audit.writableExecutable.user);
  reportLeaves("writable and executable pages, kernel half", audit.writableExecutable.kernel);
  print(`tables that several slots lead to: ${audit.sharedTableCount}`);
  for (const table of audit.sharedTables) {
    const where = `frame 0x${table.frame.toString(16)}  level ${table.levels.join(" and ")}`;
    print(`  ${where}  ${table.slots} slots, ${table.visits} addresses`);
  }
  print(`tables at several levels: ${audit.tablesAtSeveralLevels}`);
  print(`slots not present but not zero: ${audit.nonPresentNonZeroSlots}`);
  print(`slots with a reserved bit set: ${audit.reservedSlots}`);
  print(`slots whose table is not in the core: ${audit.missingTableSlots}`);
}

function reportLeaves(what: string, found: LeafFinding): void {
  print(`${what}: ${found.count}`);
  for (const leaf of found.examples) {
    const address = leaf.address.toString(16).padStart(16, "0");
    const entry = leaf.entry.toString(16).padStart(16, "0");
    print(`  ${address}  level ${leaf.level}  entry ${entry}${leaf.visits > 1 ? `  at ${leaf.visits} addresses` : ""}`);
  }
}
