// Fails a build when a policy has a hazard that is not known: node check.js POLICY.json KNOWN.json [KERNEL]
// Exit codes: 0 as known, 1 a hazard that is not known or a known one that is gone, 2 bad input.
import { readFileSync } from "node:fs";
import { verdicts } from "stalewalk/verdicts/node";

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new Error(`${file}: ${error.message}`);
  }
}

async function check(policyFile, knownFile, kernel) {
  const policy = readJson(policyFile);
  const known = readJson(knownFile);
  const notSeen = new Set(Object.keys(known));
  let wrong = 0;
  let safe = 0;
  const asked = { policies: [policy], agents: ["iommu"], hardware: "usual", ...(kernel && { kernel }) };
  for await (const { scenario, verdict, kind, witness } of verdicts(asked)) {
    if (verdict === "safe") {
      safe++;
    } else if (notSeen.delete(scenario)) {
      console.log(`known: ${scenario}: ${kind} (${known[scenario]})`);
    } else {
      wrong++;
      console.log(`HAZARD: ${scenario}: ${kind}`);
      for (const { number, text } of witness.steps) console.log(`  ${number} ${text}`);
    }
  }
  for (const scenario of notSeen) {
    wrong++;
    console.log(`NOT SEEN: ${scenario}: ${knownFile} names it, but it is safe or not there`);
  }
  console.log(`${safe} safe, ${wrong} not as known`);
  return wrong === 0 ? 0 : 1;
}

try {
  const [policyFile, knownFile, kernel] = process.argv.slice(2);
  if (!knownFile) throw new Error("expected POLICY.json KNOWN.json [KERNEL]");
  process.exitCode = await check(policyFile, knownFile, kernel);
} catch (error) {
  console.error(`check: ${error.message}`);
  process.exitCode = 2;
}
