// A process of its own that reads traces and says as JSON how fast: `node read-traces.js REPETITIONS FILE…`. trace-rows.ts starts
// some, since the same code differs by more between processes than within one.
import { traceThroughput } from "./trace-throughput.js";

const [repetitions, ...paths] = process.argv.slice(2);
const reading = await traceThroughput(paths, Number(repetitions));
console.log(JSON.stringify({ ...reading, residentBytes: process.resourceUsage().maxRSS * 1024 }));
