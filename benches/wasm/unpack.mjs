#!/usr/bin/env node
// Packed streams decoded in V8 by the decoders that a viewer can carry, and natively by the same.
//
//     node benches/wasm/unpack.mjs FILE.arrow-stream...
//
// One JSON line for each file and engine. Files are written by `wire pack` (see benches/src/bin/wire).

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { WASI } from "node:wasi";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const target = process.env.CARGO_TARGET_DIR ?? join(root, "target");
const triple = "wasm32-wasip1";
const runs = "5";
if (process.argv[2] === "--child") {
  const file = resolve(process.argv[3]);
  const preopens = { "/data": dirname(file) };
  const args = ["unpack", `/data/${file.split("/").pop()}`, runs];
  const wasi = new WASI({ version: "preview1", args, preopens, returnOnExit: false });
  const module = await WebAssembly.compile(readFileSync(join(target, triple, "release/unpack.wasm")));
  wasi.start(await WebAssembly.instantiate(module, wasi.getImportObject()));
  process.exit(0);
}
const cargo = (extra, flags) =>
  execFileSync("cargo", ["build", "--release", "-q", "-p", "benches", "--bin", "unpack", "--features", "unpack", ...extra], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, ...flags },
  });
execFileSync("rustup", ["target", "add", triple], { cwd: root, stdio: "ignore" });
cargo([], {});
cargo(["--target", triple], { CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS: "-C target-feature=+simd128,+bulk-memory" });
for (const file of process.argv.slice(2)) {
  const native = JSON.parse(execFileSync(join(target, "release/unpack"), [file, runs], { encoding: "utf8" }));
  const child = ["--no-warnings", "--no-liftoff", fileURLToPath(import.meta.url), "--child", file];
  const wasm = JSON.parse(execFileSync(process.execPath, child, { encoding: "utf8" }));
  console.log(JSON.stringify({ file: file.split("/").pop(), native_ms: native.ms_min, wasm_ms: wasm.ms_min, rows: wasm.rows }));
}
