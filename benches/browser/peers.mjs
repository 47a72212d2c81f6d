// The viewer beside its peers in one Chromium, on the same Arrow stream of three million flights.
//
//     npm install && node peers.mjs EDGE_SERVER FLIGHTS_3M.parquet            # three rounds, then the bytes
//     node peers.mjs EDGE_SERVER FLIGHTS_3M.parquet --rounds 1 --only bodkin,perspective
//
// Bodkin (the element), DuckDB-Wasm, Perspective (viewer and data grid) and apache-arrow (which only loads) take turns, each
// in a fresh page of a fresh context, so that a noisy minute hits all of them and none finds another's cache. All come from one
// small server, which has the peers' files and hands everything else on to edge-server: the same bytes by the same way. One
// line of JSON for each figure on standard output: minimum, median and all rounds; null where a peer has no such thing. A table
// of the minima on standard error.
//
// ready, first, all   milliseconds from the navigation: the library runs; the first rows are there; all are
// sort                by delay, descending, to the first 30 rows
// order               the same, but 30 rows from the middle of the table, for which all must be in order; of those whose sort
//                     makes the whole order anyway, the time until that is there
// filter              delay > 60, to the count and the first 30 rows in the page's hands
// filter, painted     the same, to the frame that shows them
// group               by origin, mean of delay and count
// loaded, peak        the greatest resident memory of the page's process (VmHWM, so Linux only), its workers and the
//                     browser's own 100 MB among it (see the peer `empty`): until all rows are there, and until the end
// code                bytes of all scripts, modules and styles that the page fetched; packed: each by brotli at quality 11
//
// "There" is "painted" for Bodkin (but where it is said otherwise) and Perspective, and "in the page's hands" for DuckDB-Wasm and apache-arrow, which paint
// nothing. Each task runs once in a page, two seconds after the load. Facts of the answers are compared; they must agree.

import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import http from 'node:http';
import net from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, constants } from 'node:zlib';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';

const option = (name, otherwise) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : process.argv[at + 1];
};
const [program, flights] = process.argv.slice(2);
const rounds = Number(option('rounds', 3));
const only = option('only', 'bodkin,duckdb,perspective,arrow,empty').split(',');
const TASKS = ['sort', 'order', 'filter', 'group'];
/** Who paints what it found. */
const PAINTING = ['bodkin', 'perspective'];

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, 'node_modules');
const built = join(modules, '.peers');
const versionOf = (name) => JSON.parse(readFileSync(join(modules, name, 'package.json'), 'utf8')).version;
const VERSIONS = { duckdb: '@duckdb/duckdb-wasm', perspective: '@perspective-dev/viewer', arrow: 'apache-arrow' };

await build({
  entryPoints: only.map((name) => join(here, 'peers', `${name}.js`)),
  outdir: built, bundle: true, minify: true, format: 'esm', target: 'es2022', external: ['/viewer/*'], logLevel: 'error',
});

// Files of the peers' packages, by the name that their pages ask for.
const FILES = {
  'duckdb-eh.wasm': '@duckdb/duckdb-wasm/dist/duckdb-eh.wasm',
  'duckdb-browser-eh.worker.js': '@duckdb/duckdb-wasm/dist/duckdb-browser-eh.worker.js',
  'perspective-server.wasm': '@perspective-dev/server/dist/wasm/perspective-server.wasm',
  'perspective-viewer.wasm': '@perspective-dev/viewer/dist/wasm/perspective-viewer.wasm',
  'perspective.css': '@perspective-dev/viewer/dist/css/pro.css',
};
for (const name of only) FILES[`${name}.js`] = `.peers/${name}.js`;
const STYLE = 'html, body { margin: 0; height: 100% } bodkin-table, perspective-viewer { display: block; position: absolute; inset: 0 }';
const html = (name) => `<!doctype html><meta charset="utf-8"><title>${name}</title><link rel="icon" href="data:,"><style>${STYLE}</style>
${name === 'perspective' ? '<link rel="stylesheet" href="/peers/perspective.css">' : ''}<body><script type="module" src="/peers/${name}.js"></script>`;
const TYPES = { js: 'text/javascript', wasm: 'application/wasm', css: 'text/css' };

const freePort = () => new Promise((resolve) => {
  const probe = net.createServer().listen(0, '127.0.0.1', () => {
    const { port } = probe.address();
    probe.close(() => resolve(port));
  });
});
const behind = await freePort();
const edge = spawn(program, ['--addr', `127.0.0.1:${behind}`, '--table', `flights=${flights}`], { stdio: 'ignore' });
process.on('exit', () => edge.kill());
while (!await fetch(`http://127.0.0.1:${behind}/ready`).then(({ ok }) => ok, () => false)) await new Promise((done) => setTimeout(done, 100));
// The columns are decoded once, for nobody's account.
for await (const piece of (await fetch(`http://127.0.0.1:${behind}/v1/tables/flights/data`)).body) void piece;

/** What a page fetched: its code, by path. */
let fetched = new Map();
const server = http.createServer((request, response) => {
  const [path] = request.url.split('?');
  const page = path.match(/^\/(\w+)\.html$/)?.[1];
  if (page) {
    response.writeHead(200, { 'content-type': 'text/html' }).end(html(page));
    return;
  }
  const file = path.startsWith('/peers/') && FILES[path.slice('/peers/'.length)];
  if (file) {
    const bytes = readFileSync(join(modules, file));
    fetched.set(path, bytes);
    response.writeHead(200, { 'content-type': TYPES[path.split('.').pop()], 'content-length': bytes.length }).end(bytes);
    return;
  }
  const headers = { ...request.headers, 'accept-encoding': 'identity' };
  const asked = http.request({ host: '127.0.0.1', port: behind, path: request.url, method: request.method, headers }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
    if (!path.startsWith('/viewer/') || answer.statusCode !== 200) return;
    const pieces = [];
    answer.on('data', (piece) => pieces.push(piece)).on('end', () => fetched.set(path, Buffer.concat(pieces)));
  });
  asked.on('error', () => response.destroy());
  response.on('close', () => asked.destroy());
  request.pipe(asked);
}).listen(0, '127.0.0.1');
await new Promise((done) => server.on('listening', done));
const url = `http://127.0.0.1:${server.address().port}`;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update'],
});
const control = await browser.newBrowserCDPSession();
const renderers = async () => {
  const { processInfo } = await control.send('SystemInfo.getProcessInfo');
  return processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id);
};

/** The process with the greatest resident memory at its peak: the page's, as all others are closed, and spare ones are small. */
const largest = async () => {
  let found = { id: 0, bytes: 0 };
  for (const id of await renderers()) {
    try {
      const bytes = Number(readFileSync(`/proc/${id}/status`, 'utf8').match(/VmHWM:\s+(\d+)/)[1]) * 1024;
      if (bytes > found.bytes) found = { id, bytes };
    } catch { /* It went. */ }
  }
  return found;
};
/** Begins the counting of peaks anew. */
const forget = async () => {
  for (const id of await renderers()) {
    try {
      writeFileSync(`/proc/${id}/clear_refs`, '5');
    } catch { /* It went, or is not ours to clear. */ }
  }
};

const figures = new Map();
const facts = new Map();
const code = new Map();
const note = (name, figure, value) => {
  const key = `${name} ${figure}`;
  if (!figures.has(key)) figures.set(key, []);
  figures.get(key).push(value);
};

/** One peer's turn. */
async function turn(name) {
  fetched = new Map();
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  page.on('pageerror', (error) => console.error(`${name}: ${error}`));
  await forget();
  await page.goto(`${url}/${name}.html`);
  const marks = await page.evaluate(async () => {
    while (!window.peer) await new Promise((done) => setTimeout(done, 5));
    return window.peer.load;
  });
  for (const mark of ['ready', 'first', 'all']) note(name, mark, marks[mark] ?? null);
  note(name, 'loaded', (await largest()).bytes);
  await page.waitForTimeout(2000);
  let whole = null;
  for (const task of TASKS) {
    if (task === 'order' && await page.evaluate(() => window.peer.sortsAll)) {
      note(name, task, whole);
      continue;
    }
    const done = await page.evaluate((task) => window.peer.run(task), task);
    note(name, task, done?.ms ?? null);
    if (task === 'sort') whole = done?.all ?? null;
    if (task === 'filter') note(name, 'filter, painted', PAINTING.includes(name) ? done?.all ?? null : null);
    if (done) {
      if (!facts.has(task)) facts.set(task, new Map());
      facts.get(task).set(name, done.facts);
    }
    await page.waitForTimeout(500);
  }
  const { id, bytes } = await largest();
  // Linux misses the peak of what is shared with another process and given back by it.
  note(name, 'peak', Math.max(bytes, figures.get(`${name} loaded`).at(-1)));
  if (process.env.PEERS_SHOTS) await page.screenshot({ path: join(process.env.PEERS_SHOTS, `${name}.png`) });
  await context.close();
  // The next page's memory must not be taken for this one's.
  while ((await renderers()).includes(id)) await new Promise((done) => setTimeout(done, 100));
  code.set(name, fetched);
}

for (let round = 0; round < rounds; round++) {
  // Nobody is always the one after the same other.
  for (const name of round % 2 ? only.toReversed() : only) await turn(name);
}
await browser.close();
server.close();
edge.kill();

// Answers must agree. Means may differ in their last digits.
const close = (a, b) => a === b || Math.abs(a - b) < 1e-6 * Math.abs(a);
let agree = true;
for (const [task, answers] of facts) {
  const [[first, expected], ...others] = answers;
  for (const [name, found] of others) {
    if (Object.keys(expected).every((key) => close(expected[key], found[key]))) continue;
    agree = false;
    console.error(`${task}: ${first} says ${JSON.stringify(expected)}, ${name} ${JSON.stringify(found)}`);
  }
}

/** Bytes by brotli; what was packed once is kept, as 34 MB take a minute. */
async function packed(bytes) {
  const kept = join(built, `${createHash('sha256').update(bytes).digest('hex')}.br`);
  mkdirSync(built, { recursive: true });
  if (!readdirSync(built).includes(kept.slice(built.length + 1))) {
    const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
    writeFileSync(kept, await promisify(brotliCompress)(bytes, { params }));
  }
  return readFileSync(kept).length;
}
for (const name of only.filter((name) => name !== 'empty')) {
  const files = [...code.get(name)];
  note(name, 'code', files.reduce((sum, [, bytes]) => sum + bytes.length, 0));
  let sum = 0;
  for (const [, bytes] of files) sum += await packed(bytes);
  note(name, 'packed', sum);
}

const FIGURES = ['code', 'packed', 'ready', 'first', 'all', ...TASKS.flatMap((task) => (task === 'filter' ? [task, 'filter, painted'] : task)), 'loaded', 'peak'];
const least = (values) => values?.[0] == null ? null : Math.min(...values);
const median = (values) => values[0] == null ? null : values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const round1 = (value) => value == null ? null : Math.round(value * 10) / 10;
for (const figure of FIGURES) {
  for (const name of only) {
    const values = figures.get(`${name} ${figure}`);
    if (!values) continue;
    const unit = ['code', 'packed', 'loaded', 'peak'].includes(figure) ? 'bytes' : 'ms';
    console.log(JSON.stringify({
      figure, peer: name, version: VERSIONS[name] ? versionOf(VERSIONS[name]) : null, unit,
      min: round1(least(values)), median: round1(median(values)), all: values.map(round1),
    }));
  }
}
console.error(`\n| | ${only.join(' | ')} |\n|${'---|'.repeat(only.length + 1)}`);
for (const figure of FIGURES) {
  const isBytes = ['code', 'packed', 'loaded', 'peak'].includes(figure);
  const cells = only.map((name) => least(figures.get(`${name} ${figure}`)))
    .map((value) => value === null ? '–' : isBytes ? `${(value / 1e6).toFixed(2)} MB` : `${value.toFixed(0)} ms`);
  console.error(`| ${figure} | ${cells.join(' | ')} |`);
}
console.error(agree ? '\nanswers agree' : '\nANSWERS DIFFER');
process.exit(agree ? 0 : 1);
