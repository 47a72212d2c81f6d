#!/usr/bin/env node
// The same kernels in V8 and natively, in one interleaved run: how much of a machine's speed WASM keeps.
//
//     node benches/wasm/compare.mjs                 # a million rows
//     node benches/wasm/compare.mjs --rows 100000 --rounds 5
//     node benches/wasm/compare.mjs --small         # the kernels of the viewer, by its profile
//
// Both are built from benches/src/bin/speed.rs; the WASM one with simd128, run by Node's WASI. Each round runs the
// native program (once with all its vectors, once with those that every machine has) and the module. One JSON line for
// each task on standard output; a table of the minima on standard error.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { WASI } from "node:wasi";

const option = (name, otherwise) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : process.argv[at + 1];
};
const rows = option("rows", "1000000");
const rounds = Number(option("rounds", "3"));
const small = process.argv.includes("--small");
const features = small ? ["--features", "kernels/small"] : [];
const profile = small ? "viewer" : "release";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const target = process.env.CARGO_TARGET_DIR ?? join(root, "target");
const triple = "wasm32-wasip1";
const cargo = (extra, flags) =>
  execFileSync("cargo", ["build", "-q", "-p", "benches", "--bin", "speed", ...features, ...extra], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, ...flags },
  });
if (process.argv[2] === "--child") {
  const wasi = new WASI({ version: "preview1", args: ["speed", process.argv[3], "3"], returnOnExit: true });
  const module = await WebAssembly.compile(readFileSync(process.argv[4]));
  wasi.start(await WebAssembly.instantiate(module, wasi.getImportObject()));
  process.exit(0);
}
execFileSync("rustup", ["target", "add", triple], { cwd: root, stdio: "ignore" });
cargo(["--release"], {});
cargo(["--profile", profile, "--target", triple], { CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS: "-C target-feature=+simd128,+bulk-memory" });

const lines = (text) => text.trim().split("\n").map((line) => JSON.parse(line));
const native = (backend) =>
  lines(
    execFileSync(join(target, "release/speed"), [rows, "3"], {
      encoding: "utf8",
      env: { ...process.env, KERNELS_BACKEND: backend },
    }),
  );
// In a process of its own, as the native program is; compiled at once as well as V8 can, not when it has run for long.
const wasm = () => {
  const child = ["--no-warnings", "--no-liftoff", fileURLToPath(import.meta.url), "--child", rows, join(target, triple, profile, "speed.wasm")];
  return lines(execFileSync(process.execPath, child, { encoding: "utf8" }));
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
  add("wasm", wasm());
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
