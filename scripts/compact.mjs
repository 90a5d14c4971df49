// How bundled JavaScript is written: without indentation and comments, a quarter less to install and to read at every start. Names stay, so that
// stack traces and profiles can be read.
export const COMPACT = { compress: false, mangle: false, codegen: { removeWhitespace: true } };
/** The benchmark, most of which is Benchmark.js and lodash: local names go, those of functions and classes stay. */
export const SMALL = { ...COMPACT, mangle: { keepNames: { function: true, class: true } } };
