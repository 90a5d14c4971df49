// A process of its own that reads traces and says as JSON how fast: `node read-traces.js REPETITIONS LIBRARY FILE…`. LIBRARY is the
// folder of another build, or empty. contender.ts starts some, since the same code differs by more between processes than within one.
import { readerOf, traceThroughput } from "./trace-throughput.js";

const [repetitions, library = "", ...paths] = process.argv.slice(2);
const reading = await traceThroughput(paths, Number(repetitions), await readerOf(library));
console.log(JSON.stringify({ ...reading, residentBytes: process.resourceUsage().maxRSS * 1024 }));
