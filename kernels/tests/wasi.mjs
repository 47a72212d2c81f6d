// Runs a test program that was built for WASI, in Node: the kernels in the vectors of simd128, as the viewer has them.
// `.ci/simd128` does so with all that it needs.
//
// It runs in a process of its own, which says that it got to its end: Node 20 may fall over on its way out, after that.

import { spawnSync } from 'node:child_process';
import { readFileSync, writeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { WASI } from 'node:wasi';

const [file, ...args] = process.argv.slice(2);
if (process.env.WASI_TELLS) {
  const wasi = new WASI({ version: 'preview1', args: [file, ...args], env: process.env, returnOnExit: true });
  const module = await WebAssembly.compile(readFileSync(file));
  const code = wasi.start(await WebAssembly.instantiate(module, wasi.getImportObject()));
  writeSync(3, String(code ?? 0));
} else {
  const child = ['--no-warnings', fileURLToPath(import.meta.url), file, ...args];
  const { output } = spawnSync(process.execPath, child, {
    env: { ...process.env, WASI_TELLS: '1' },
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  });
  process.exitCode = Number(output[3]?.toString() || 1);
}
