#!/usr/bin/env node
// The same kernels in V8 and natively, in one interleaved run: how much of a machine's speed WASM keeps.
//
//     node benches/wasm/compare.mjs                 # a million rows
//     node benches/wasm/compare.mjs --rows 100000 --rounds 5
//     node benches/wasm/compare.mjs --small         # built as the viewer builds them
//
// Both are built from benches/src/bin/speed.rs; the WASM one with simd128, run by Node's WASI. Each round runs the
// native program (once with all its vectors, once with those that every machine has) and the module. One JSON line for
// each task on standard output; a table of the minima on standard error.

import { execFileSync } from "node:child_process";
import { openSync, readFileSync, closeSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { WASI } from "node:wasi";

const option = (name, otherwise) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : process.argv[at + 1];
};
const rows = option("rows", "1000000");
const rounds = Number(option("rounds", "3"));
const features = process.argv.includes("--small") ? ["--features", "kernels/small"] : [];

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const target = process.env.CARGO_TARGET_DIR ?? join(root, "target");
const triple = "wasm32-wasip1";
const cargo = (extra, flags) =>
  execFileSync("cargo", ["build", "--release", "-q", "-p", "benches", "--bin", "speed", ...features, ...extra], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, ...flags },
  });
execFileSync("rustup", ["target", "add", triple], { cwd: root, stdio: "ignore" });
cargo([], {});
cargo(["--target", triple], { CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS: "-C target-feature=+simd128,+bulk-memory" });

const lines = (text) => text.trim().split("\n").map((line) => JSON.parse(line));
const native = (backend) =>
  lines(
    execFileSync(join(target, "release/speed"), [rows, "3"], {
      encoding: "utf8",
      env: { ...process.env, KERNELS_BACKEND: backend },
    }),
  );
const module = await WebAssembly.compile(readFileSync(join(target, triple, "release/speed.wasm")));
const wasm = async () => {
  const path = join(mkdtempSync(join(tmpdir(), "speed-")), "out");
  const stdout = openSync(path, "w+");
  const wasi = new WASI({ version: "preview1", args: ["speed", rows, "3"], stdout });
  wasi.start(await WebAssembly.instantiate(module, wasi.getImportObject()));
  closeSync(stdout);
  return lines(readFileSync(path, "utf8"));
};

const tasks = new Map();
const add = (engine, results) => {
  for (const { task, ms_min, checksum } of results) {
    const known = tasks.get(task) ?? {};
    known[engine] = Math.min(known[engine] ?? Infinity, ms_min);
    if (known.checksum !== undefined && known.checksum !== checksum) console.error(`${task}: results differ`);
    tasks.set(task, { ...known, checksum });
  }
};
for (let round = 0; round < rounds; round++) {
  add("native", native(""));
  add("plain", native("plain"));
  add("wasm", await wasm());
}

const digits = (number) => number.toPrecision(3);
console.error("| task | native | native, plain vectors | V8 | of native | of plain |\n|---|---|---|---|---|---|");
const logs = { native: 0, plain: 0 };
for (const [task, { native, plain, wasm }] of tasks) {
  console.log(JSON.stringify({ task, rows_in: Number(rows), native_ms: native, plain_ms: plain, wasm_ms: wasm }));
  const share = (other) => `${Math.round((100 * other) / wasm)} %`;
  console.error(`| ${[task, ...[native, plain, wasm].map(digits), share(native), share(plain)].join(" | ")} |`);
  logs.native += Math.log(native / wasm);
  logs.plain += Math.log(plain / wasm);
}
const mean = (sum) => Math.round(100 * Math.exp(sum / tasks.size));
console.error(`geometric mean: ${mean(logs.native)} % of native, ${mean(logs.plain)} % of native with plain vectors`);
