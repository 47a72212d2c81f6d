// The viewer in Chromium: `node measure.mjs EDGE_SERVER FLIGHTS_3M.parquet [TEN_MILLION.arrow]`. One line of JSON for each figure.
//
// Needs playwright-core (`npm install` here) and a Chromium (`CHROMIUM`, or /usr/bin/chromium). Times are those of the page's
// own clock, between what a person does and the frame in which it shows.

import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const [program, flights, ten] = process.argv.slice(2);
const V = "document.querySelector('bodkin-table')";
const tell = (figure, more) => console.log(JSON.stringify({ figure, ...more }));
const sorted = (values) => Float64Array.from(values).sort();
const quantile = (values, share) => { const all = sorted(values); return all[Math.min(all.length - 1, Math.ceil(all.length * share) - 1)]; };
const round = (value) => Math.round(value * 100) / 100;

const port = await new Promise((resolve) => { const probe = net.createServer().listen(0, '127.0.0.1', () => { const { port } = probe.address(); probe.close(() => resolve(port)); }); });
const tables = [`flights=${flights}`, ...ten ? [`ten=${ten}`] : []].flatMap((table) => ['--table', table]);
const server = spawn(program, ['--addr', `127.0.0.1:${port}`, '--live', mkdtempSync(join(tmpdir(), 'measure-')), ...tables], { stdio: 'ignore' });
const url = `http://127.0.0.1:${port}`;
for (;;) {
  if (await fetch(`${url}/ready`).then(({ ok }) => ok, () => false)) break;
  await new Promise((done) => setTimeout(done, 100));
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--js-flags=--expose-gc'],
});

async function page(table, more = '') {
  const made = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  // When the module runs, and when its first rows are painted.
  await made.addInitScript(() => {
    window.marks = {};
    const instantiate = WebAssembly.instantiate;
    WebAssembly.instantiate = async (...all) => { const done = await instantiate(...all); window.marks.module ??= performance.now(); return done; };
    // The frame after the first in which there are rows.
    const look = () => {
      if (document.querySelector('bodkin-table')?.state?.().rowsLoaded > 0) requestAnimationFrame(() => { window.marks.first = performance.now(); });
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
    addEventListener('bodkin-load', () => { window.marks.all ??= performance.now(); }, true);
  });
  await load(made, table, more);
  return made;
}

async function load(made, table, more = '') {
  await made.goto(`${url}/${more}#${table}`);
  for (;;) {
    if (await made.evaluate(`${V}?.state?.().loading === false && ${V}.state().rowsLoaded > 0`)) break;
    await made.waitForTimeout(20);
  }
}

/** Milliseconds from a script's call to the frame after its rows are shown. */
const shown = (made, call) => made.evaluate(`(async () => {
  const begin = performance.now();
  await ${V}.${call};
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  return performance.now() - begin;
})()`);

/** The same of a sort, and before that to the frame after its first rows are shown. */
const sortShown = (made, call) => made.evaluate(`(async () => {
  const painted = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now()))));
  const begin = performance.now();
  const head = new Promise((done) => {
    const take = () => painted().then(done);
    for (const name of ['bodkin-head', 'bodkin-view']) ${V}.addEventListener(name, take, { once: true });
  });
  await ${V}.${call};
  const all = await painted();
  return [await head - begin, all - begin];
})()`);

// First rows of three million: in a tab that is open, since with a new one the browser also builds its own surface.
const firsts = [];
{
  const made = await page('flights');
  await made.waitForTimeout(3000);
  for (let turn = 0; turn < 9; turn++) {
    await made.goto('about:blank');
    await made.waitForTimeout(600);
    await load(made, 'flights');
    firsts.push(await made.evaluate('window.marks'));
  }
  await made.close();
}
tell('load of 3 million rows', {
  module_to_first_row_ms: round(Math.min(...firsts.map(({ module, first }) => first - module))),
  median_module_to_first_row_ms: round(quantile(firsts.map(({ module, first }) => first - module), 0.5)),
  navigation_to_first_row_ms: round(Math.min(...firsts.map(({ first }) => first))),
  navigation_to_all_rows_ms: round(Math.min(...firsts.map(({ all }) => all))),
});

// What is asked for of three million and of ten million rows.
const asked = {
  flights: [['sort', "setSort(['-delay'])"], ['filter', "setFilter('delay', '> 60')"], ['group', "setGroup(['origin'], [['count'], ['mean', 'delay']])"]],
  ten: [['sort floats', "setSort(['v3'])"], ['sort ints', "setSort(['id6'])"], ['filter', "setFilter('v3', '> 90')"], ['group', "setGroup(['id1'], [['sum', 'v1']])"]],
};
for (const table of ten ? ['flights', 'ten'] : ['flights']) {
  const made = await page(table);
  await made.waitForTimeout(4000);
  for (const [what, call] of asked[table]) {
    const [times, firsts] = [[], []];
    for (let turn = 0; turn < 3; turn++) {
      if (what.startsWith('sort')) {
        const [first, all] = await sortShown(made, call);
        firsts.push(first);
        times.push(all);
      } else times.push(await shown(made, call));
      await made.evaluate(`${V}.reset()`);
    }
    if (firsts.length) tell(`${what}, asked to first rows painted`, { table, min_ms: round(Math.min(...firsts)), all_ms: firsts.map(round) });
    tell(`${what}, asked to painted`, { table, min_ms: round(Math.min(...times)), all_ms: times.map(round) });
  }
  await made.close();
}

// Frames while ten million (or three million) rows are scrolled: by the wheel, and by pulling the thumb.
{
  const made = await page(ten ? 'ten' : 'flights');
  await made.waitForTimeout(4000);
  const frames = await made.evaluate(`(async () => {
    const { Viewer } = await import('/viewer/bodkin.js');
    const paints = [];
    const paint = Viewer.prototype.paint;
    Viewer.prototype.paint = function () { const begin = performance.now(); paint.call(this); paints.push(performance.now() - begin); };
    const table = ${V};
    const rows = table.state().rowsShown;
    const work = [];
    const frame = async (step) => {
      await new Promise((done) => requestAnimationFrame(() => { const begin = performance.now(); step(); const end = performance.now();
        setTimeout(() => done(work.push(end - begin))); }));
    };
    const canvas = table.shadowRoot.querySelector('canvas');
    for (let turn = 0; turn < 300; turn++) await frame(() => canvas.dispatchEvent(new WheelEvent('wheel', { deltaY: 60, bubbles: true, cancelable: true })));
    const wheel = paints.splice(0);
    for (let turn = 0; turn < 300; turn++) await frame(() => table.scrollToRow(Math.floor(rows * turn / 300)));
    Viewer.prototype.paint = paint;
    return { wheel, thumb: paints, work };
  })()`);
  for (const way of ['wheel', 'thumb']) {
    tell('painting of a frame while scrolling', { way, frames: frames[way].length, p50_ms: round(quantile(frames[way], 0.5)), p99_ms: round(quantile(frames[way], 0.99)), max_ms: round(quantile(frames[way], 1)) });
  }
  tell('handling of a frame’s input', { p99_ms: round(quantile(frames.work, 0.99)) });
  await made.close();
}

// Rows that are posted, to the frame that shows them.
{
  await fetch(`${url}/v1/tables/beat`, { method: 'PUT', body: JSON.stringify({ columns: [{ name: 'sent', type: 'Float64' }, { name: 'value', type: 'Float64' }] }) });
  await fetch(`${url}/v1/tables/beat/rows`, { method: 'POST', headers: { 'content-type': 'text/csv' }, body: 'sent,value\n0,0\n' });
  const made = await page('beat');
  await made.waitForTimeout(1500);
  const latencies = await made.evaluate(`(async () => {
    const table = ${V};
    const sent = [];
    const seen = [];
    let shown = table.state().rowsShown;
    const base = shown;
    table.addEventListener('bodkin-update', () => requestAnimationFrame(() => {
      const now = performance.now();
      const rows = table.state().rowsShown;
      for (; shown < rows; shown++) seen.push(now - sent[shown - base]);
    }));
    const socket = new WebSocket(location.origin.replace('http', 'ws') + '/v1/tables/beat/ingest?rows=10000&milliseconds=1');
    await new Promise((done) => { socket.onopen = done; });
    const begin = performance.now();
    const total = 5000;
    while (sent.length < total) {
      while (sent.length < total && sent.length < performance.now() - begin) {
        sent.push(performance.now());
        socket.send(JSON.stringify({ sent: sent.length, value: 1 }));
      }
      await new Promise((done) => setTimeout(done));
    }
    const end = performance.now() + 5000;
    while (seen.length < total && performance.now() < end) await new Promise((done) => setTimeout(done, 20));
    return { seen, seconds: (performance.now() - begin) / 1000 };
  })()`);
  const { seen } = latencies;
  tell('append, sent to painted', { updates: seen.length, per_second: 1000, p50_ms: round(quantile(seen, 0.5)), p99_ms: round(quantile(seen, 0.99)), max_ms: round(quantile(seen, 1)) });
  await made.close();
}

// Memory: of a load, of the same load again and again.
{
  const made = await page('flights');
  await made.waitForTimeout(3000);
  const memory = await made.evaluate(`(async () => {
    const table = ${V};
    const size = table.state().bytes;
    const loads = [await table.memory()];
    const settle = () => new Promise((done) => table.addEventListener('bodkin-load', () => done(), { once: true }));
    // The page's own module, which is not made anew with each load.
    const again = settle();
    table.setAttribute('engine', 'page');
    await again;
    const page = [await table.memory()];
    for (let turn = 0; turn < 4; turn++) { await table.load(table.src); page.push(await table.memory()); }
    return { table_bytes: size, worker: loads[0], worker_share: loads[0] / size, page, page_share: page[0] / size };
  })()`);
  tell('memory of the module', memory);
  await made.close();
}

// A thousand small loads.
{
  const made = await page('beat');
  const cycles = await made.evaluate(`(async () => {
    const table = ${V};
    const settle = () => new Promise((done) => table.addEventListener('bodkin-load', () => done(), { once: true }));
    const again = settle();
    table.setAttribute('engine', 'page');
    await again;
    const at = [];
    for (let turn = 0; turn <= 1000; turn++) {
      await table.load(table.src);
      if (turn % 250 === 0) { gc?.(); at.push([turn, await table.memory(), performance.memory?.usedJSHeapSize ?? null]); }
    }
    return at;
  })()`);
  tell('a thousand loads', { cycles });
  await made.close();
}

await browser.close();
server.kill();
