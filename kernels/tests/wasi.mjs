// Runs a test program that was built for WASI, in Node: the kernels in the vectors of simd128, as the viewer has them.
//
//     CARGO_TARGET_WASM32_WASIP1_RUNNER="node --no-warnings kernels/tests/wasi.mjs" cargo test -p kernels --target wasm32-wasip1
//
// `.ci/run simd128` does so with all that it needs.

import { readFileSync } from 'node:fs';
import { WASI } from 'node:wasi';

const [file, ...args] = process.argv.slice(2);
const wasi = new WASI({ version: 'preview1', args: [file, ...args], env: process.env, returnOnExit: true });
const module = await WebAssembly.compile(readFileSync(file));
process.exitCode = wasi.start(await WebAssembly.instantiate(module, wasi.getImportObject()));
