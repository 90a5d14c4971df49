// Taking time with Benchmark.js, one play of a program a sample.
import Benchmark from "benchmark";

/**
 * Seconds that `play` takes, each sample after a call of `prepare`.
 * @param samples least number of samples
 * @param seconds goes on until this much time has passed
 * @throws what `play` or `prepare` throws
 */
export function timeWithBenchmark(play: () => void, prepare: () => void, samples: number, seconds: number): number[] {
  // Benchmark.js plays a test once, untimed, before every sample, to see whether it runs at all. These programs are long
  // and known to run: that call does nothing.
  let trial = true;
  let plays = 0;
  const parts = {
    prepare() {
      if (!trial) prepare();
    },
    play() {
      if (!trial) {
        play();
        plays++;
      }
      trial = !trial;
    },
  };
  // Benchmark.js compiles these texts into its timing loop, where `this` is the benchmark. It would do the same with the
  // text of functions, which then could not see what they close over.
  const bench = new Benchmark({
    fn: "this.play();",
    setup: "this.prepare();",
    minSamples: samples,
    // One play a sample, whatever it takes; the programs are long enough for the timer.
    initCount: 1,
    minTime: 1e-9,
    maxTime: seconds || 1e-9,
  });
  Object.assign(bench, parts);
  bench.run();
  if (bench.error) throw bench.error;
  const times = bench.stats.sample as number[];
  if (times.length !== plays) throw new Error(`Benchmark.js took ${times.length} samples of ${plays} plays`);
  return times;
}
