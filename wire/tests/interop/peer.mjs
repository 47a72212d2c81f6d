// Reads Arrow streams and files with arrow-js and writes what it read, for the test that compares.
//
//     node peer.mjs NODE_MODULES IN OUT
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [modules, source, out] = process.argv.slice(2);
const { tableFromIPC, tableToIPC } = createRequire(join(modules, "here.js"))("apache-arrow");
mkdirSync(out, { recursive: true });
for (const name of readdirSync(source).sort()) {
  try {
    const table = tableFromIPC(readFileSync(join(source, name)));
    writeFileSync(join(out, name), tableToIPC(table, "stream"));
  } catch (error) {
    writeFileSync(join(out, `${name}.error`), String(error));
  }
}
