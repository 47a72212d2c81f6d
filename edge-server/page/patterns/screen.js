// What is on the screen and who paints it; what a page's script gets of it and says to it; and what a browser brings along.

import { ask, bytes, card, count, frame, largest, make, millis, plural, quantile, rust, section, until, wait } from '/patterns/kit.js';

section('Rows on the screen');

/** The largest table on the stage, with all its rows. */
async function staged(t, engine = 'worker', options = {}) {
  const found = await largest();
  const table = await t.stage({ src: `${found.path}/data`, engine, ...options });
  await table.whenLoaded();
  const { rowsLoaded, bytes: size } = table.state();
  t.count('rows', rowsLoaded);
  return { ...found, table, rows: rowsLoaded, size };
}

/** Milliseconds of many calls, each waited for. */
async function times(number, run) {
  const all = [];
  for (let time = 0; time < number; time++) {
    const begin = performance.now();
    await run(time);
    all.push(performance.now() - begin);
  }
  return all;
}

card('8.1', 'Only the visible rows', 'What is seen costs the rows in sight, not the table.', async (t) => {
  let told = false;
  const { path, rows, table } = await staged(t, 'worker', { on: { profile: () => { told = true; } } });
  // The worker also looks at all columns, for their headers; what is measured here comes after that.
  await until(() => told, 'headers know their columns').then(() => wait(300));
  const windows = async () => quantile(await times(20, (time) => table.cells(Math.floor(((time * 7919) % 97) / 97 * Math.max(0, table.state().rowsShown - 40)), 40)), 0.5);
  const large = await windows();
  t.millis('40 rows of all', large);
  const few = Math.max(100, Math.floor(rows / 100));
  await table.load(`${path}/query?limit=${few}`);
  t.count('rows of a small table', table.state().rowsLoaded);
  const small = await windows();
  t.millis('40 rows of those', small);
  t.check(large < 8 * small + 3, 'the cost grows with the table');
  t.prove(`A window costs ${millis(large)} ms in a table of ${count(rows)} rows and ${millis(small)} ms in one of ${count(table.state().rowsLoaded)}.`);
});

card('8.2', 'JavaScript sees Rust’s memory', 'A typed array over a column where it lies, which dies loudly when the memory grows; and addresses for the Arrow C data interface.', async (t) => {
  const { table, number, path } = await staged(t, 'page');
  // Made first: a copy goes through the memory, which may grow by it.
  const copied = await table.column(number);
  const chunks = table.chunks();
  const view = table.columnView(number, chunks.indexOf(Math.max(...chunks)));
  const { buffer, length, byteOffset } = view.array;
  t.count(`values of ${number}`, length);
  t.row('address', `0x${byteOffset.toString(16)}`);
  let sum = 0;
  await t.time('summed up in JavaScript', () => { let total = 0; for (const value of view.array) total += Number(value); sum = total; });
  const structs = table.arrowStructs(0);
  t.check(structs.memory.buffer === buffer && structs.array > 0 && structs.schema > 0, 'the structs are elsewhere');
  t.row('C data interface', `0x${structs.array.toString(16)}`);
  structs.release();
  const before = chunks.slice(0, chunks.indexOf(Math.max(...chunks))).reduce((sum, rows) => sum + rows, 0);
  // What lies under a null is nobody's value.
  const isNull = (at) => copied.validity && !(copied.validity[at >> 3] >> (at & 7) & 1);
  t.check(view.array.every((value, at) => value === copied.values[before + at] || isNull(before + at)), 'the view and a copy differ');
  await table.load(`${path}/query?limit=10`);
  let died = '';
  try { view.array.at(0); } catch (error) { died = error.message; }
  t.check(died && !view.isAlive, 'the view outlives its table');
  t.prove(`${count(length)} values read without a copy. Later: “${died.split(':').slice(0, 2).join(':').split('. ')[0]}”.`);
});

card('8.3', 'Values copied to JavaScript', 'Rows as objects and columns as typed arrays; 64-bit integers stay exact.', async (t) => {
  const { m } = await rust();
  const table = await t.stage({ engine: 'worker' });
  await table.open(new File([m.rowsStream(4_000_000_000, 50_000, 0.5)], 'rows.arrows'));
  const rows = await t.time('1,000 rows as objects', () => table.rows(0, 1_000));
  const column = await t.time('50,000 values as an array', () => table.column('id'));
    t.row('the column', column.values.constructor.name);
  t.bytes('its bytes', column.values.byteLength);
  t.text(`{ ${Object.entries(rows[1]).map(([name, value]) => `${name}: ${typeof value === 'bigint' ? `${value}n` : JSON.stringify(value)}`).join(', ')} }`);
  t.check(rows.length === 1_000 && rows[1].id === 4_000_000_001n && typeof rows[1].value === 'number', 'values are not exact');
  t.check(column.values instanceof BigInt64Array && column.values[49_999] === 4_000_049_999n, 'the column is not exact');
  t.prove(`The last id is ${column.values.at(-1)}, a ${typeof column.values[0]}: exact beyond 32 bits.`);
});

card('8.4', 'Values written to HTML', 'The text of rows goes into elements of the page, of its own style.', async (t) => {
  const { table } = await staged(t);
  const body = make('tbody');
  t.element(make('table', { className: 'table-out' }, body));
  await t.time('200 rows into elements', () => table.fill(body, 0, 200));
  const cells = await table.cells(0, 200);
  const right = [...body.rows].every((row, at) => [...row.cells].every((cell, column) => cell.textContent === (cells[at][column] ?? '')));
  t.count('elements made', body.querySelectorAll('*').length);
  t.check(body.rows.length === Math.min(200, table.state().rowsShown) && right, 'the text is another');
  const { length } = body.rows;
  for (const row of [...body.rows].slice(4)) row.remove();
  for (const row of body.rows) for (const cell of [...row.cells].slice(4)) cell.remove();
  t.prove(`${count(length)} rows stood as elements, each cell as the grid has it; four of them are left below.`);
});

card('9.1', 'Rust draws', 'The canvas is Rust’s: a frame is painted in WASM, and no value becomes a JavaScript object.', async (t) => {
  const { table, rows } = await staged(t, 'page');
  const canvas = table.element.shadowRoot.querySelector('canvas');
  const pixels = () => {
    const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    let hash = 0;
    for (let at = 0; at < data.length; at += 16) hash = (Math.imul(hash, 31) + data[at] + data[at + 1]) | 0;
    return hash;
  };
  const seen = new Set();
  await frame();
  for (let step = 0; step < 5; step++) {
    table.scrollToRow(Math.floor(step * rows / 6));
    await frame();
    await frame();
    seen.add(pixels());
  }
  const gaps = [];
  let last = await frame();
  for (let step = 0; step < 40; step++) {
    table.scrollToRow(Math.floor(rows * ((step * 37) % 41) / 42));
    const now = await frame();
    gaps.push(now - last);
    last = now;
  }
  t.row('canvas', `${count(canvas.width)} × ${count(canvas.height)}`);
  t.count('pictures that differ', seen.size);
  t.millis('between frames, median', quantile(gaps, 0.5));
  t.millis('between frames, longest', Math.max(...gaps));
  t.check(seen.size === 5 || rows < 200, 'the canvas did not change');
  t.prove(`40 jumps through ${count(rows)} rows, each painted by the next frame; only the canvas changed.`);
});

card('9.2', 'Signals', 'What happens is told in small events: rows, order, filters, selection, progress.', async (t) => {
  const heard = new Map();
  let size = 0;
  const hear = (name) => (detail) => {
    heard.set(name, (heard.get(name) ?? 0) + 1);
    size = Math.max(size, JSON.stringify(detail).length);
  };
  const names = ['schema', 'progress', 'load', 'view', 'select', 'columns'];
  const { table, number, text } = await staged(t, 'worker', { on: Object.fromEntries(names.map((name) => [name, hear(name)])) });
  await table.setSort([`-${number}`]);
  await table.setFilter(text, '!null');
  table.select([0, 0], [3, 1]);
  table.setColumns([{ name: number, pinned: true }]);
  await until(() => names.every((name) => heard.has(name)), `the page heard of ${[...heard.keys()]}`, 5_000);
  for (const [name, number] of heard) t.count(`bodkin-${name}`, number);
  t.bytes('longest event as JSON', size);
  t.prove(`${plural([...heard.values()].reduce((a, b) => a + b), 'event')} of six kinds told of a load, a sort, a filter, a selection and a column.`);
});

card('9.3', 'Island', 'Rust has one element of the page: the page calls its methods and hears its events, and it leaves nothing behind.', async (t) => {
  const { table, text } = await staged(t);
  const { element } = table;
  const home = element.parentElement;
  t.count('children of its place', home.childElementCount);
  t.count('styles in the page’s head', document.head.querySelectorAll('style').length);
  const event = new Promise((done) => document.addEventListener('bodkin-view', ({ detail }) => done(detail), { once: true }));
  await table.setSort([text]);
  const { sort } = await event;
  t.check(element.localName === 'bodkin-table' && sort.join() === text, 'no event came out of it');
  table.destroy();
  t.check(home.childElementCount === 0 && !element.isConnected, 'it is still there');
  t.prove(`<${element.localName}> sorted by ${text} when it was told to, said so to the page, and went.`);
});

card('10.1', 'The page asks Rust', 'Sort, filter, group, select and scroll, from a script as by hand.', async (t) => {
  const { table, number, text, rows } = await staged(t);
  await t.time(`sorted by ${number}`, () => table.setSort([`-${number}`]));
  const [[first]] = await table.cells(0, 1).then(() => table.rows(0, 1)).then((all) => [[all[0][number]]]);
  await t.time(`filtered by ${text}`, () => table.setFilter(text, '!null'));
  const { rowsShown } = table.state();
  await t.time(`grouped by ${text}`, () => table.setGroup([text], [['count'], ['max', number]]));
  const groups = table.state().rowsShown;
  t.count('groups', groups);
  await table.setGroup([], []);
  table.select([0, 0], [9, 1]);
  table.scrollToRow(Math.floor(rowsShown / 2));
  await frame();
  const { topRow, selected } = table.state();
  t.check(groups > 0 && selected.rows[1] === 10, 'something was not done');
  t.check(Math.abs(topRow - Math.floor(rowsShown / 2)) < 1 || rowsShown < 100, `the top row is ${topRow}`);
  t.prove(`Of ${count(rows)} rows the greatest ${number} is ${first}; ${plural(groups, 'group')}, ten rows selected, row ${count(topRow)} at the top.`);
});

section('The browser');

card('W1', 'Fetch, file, drag and drop', 'A table comes from an address, from a file of this computer, or is dropped; what it is, its bytes tell.', async (t) => {
  const { m } = await rust();
  const { path } = await largest({ pages: true });
  const table = await t.stage({ src: `${path}/query?limit=1000` });
  table.element.setAttribute('files', '');
  await table.whenLoaded();
  t.count('rows by fetch', table.state().rowsLoaded);
  const stream = m.rowsStream(0, 20_000, 1);
  await t.time(`Arrow, ${bytes(stream.length)}`, () => table.open(new File([stream], 'rows.bin')));
  t.check(table.state().rowsLoaded === 20_000, 'the Arrow file was not read');
  const text = `id,name,day\n${Array.from({ length: 20_000 }, (_, id) => `${id},"row, ${id}",2024-01-31`).join('\n')}\n`;
  await t.time(`CSV, ${bytes(text.length)}`, () => table.open(new File([text], 'rows.bin')));
  const types = table.state().columns.map(({ type }) => type).join(', ');
  t.check(table.state().rowsLoaded === 20_000, 'the CSV was not read');
  const carried = new DataTransfer();
  carried.items.add(new File([text.slice(0, 2_000)], 'dropped.csv'));
  const opened = new Promise((done) => table.element.addEventListener('bodkin-load', done, { once: true }));
  table.element.dispatchEvent(new DragEvent('drop', { dataTransfer: carried, bubbles: true, cancelable: true }));
  await opened;
  t.count('rows dropped', table.state().rowsLoaded);
  // Parquet is the server's to read: the viewer has an Arrow stream of it.
  const parquet = await (await ask(`${path}/query?limit=1000&format=parquet`)).blob();
  await table.open(new File([parquet], 'rows.parquet'));
  const { error } = table.state();
  t.check(/parquet/i.test(`${error?.title} ${error?.detail}`), 'Parquet is not told apart');
  t.row('Parquet of one’s own', 'named, not read');
  t.prove(`An address, an Arrow file, a CSV (${types}) and a drop were read, none of them by its name.`);
});

card('W2', 'Workers', 'Long work goes on beside the page’s thread: frames keep coming while a table is loaded and sorted.', async (t) => {
  const { path, number, text } = await largest();
  const table = await t.stage({ engine: 'worker' });
  const gaps = [];
  let watching = true;
  const watched = (async () => {
    let last = await frame();
    while (watching) {
      const now = await frame();
      gaps.push(now - last);
      last = now;
    }
  })();
  await t.time('loaded', () => table.load(`${path}/data`));
  await t.time('sorted by two columns', () => table.setSort([text, `-${number}`]));
  await t.time('grouped', () => table.setGroup([text], [['median', number]]));
  watching = false;
  await watched;
  t.count('frames meanwhile', gaps.length);
  t.millis('between frames, median', quantile(gaps, 0.5));
  t.millis('between frames, longest', Math.max(...gaps));
  t.check(table.state().engine === 'worker', `the rows are held by the ${table.state().engine}`);
  t.check(gaps.length > 2, 'the page stood still');
  t.prove(`${count(gaps.length)} frames came while the worker loaded, sorted and grouped.`);
});

card('W3', 'A cache in the browser', 'The second visit shows the table from the browser’s own files; the server is asked only whether it still holds.', async (t) => {
  const { path } = await largest({ pages: true });
  const src = `${path}/query?limit=20000`;
  const checked = [];
  const on = { checked: ({ found }) => checked.push(found), load: ({ cached }) => loads.push(cached) };
  const loads = [];
  const { clearCache } = await import('/viewer/bodkin.js');
  t.after(() => clearCache());
  await clearCache();
  const url = new URL(src, location.href).href;
  const visit = async (which) => {
    performance.clearResourceTimings();
    const table = await t.stage({ src, cache: true, on, engine: 'page' });
    await t.time(`${which} visit`, () => table.whenLoaded());
    const { rowsLoaded } = table.state();
    // What was received is kept a moment later.
    await (which === 'first' ? wait(400) : until(() => checked.length, 'the server was asked'));
    const sent = performance.getEntriesByName(url).reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0);
    t.bytes(`sent for the ${which} visit`, sent);
    return [rowsLoaded, sent];
  };
  const [rows] = await visit('first');
  const [again, sent] = await visit('second');
  t.row('the server said', checked.join());
  t.check(loads[0] === false && loads[1] === true && again === rows, `loads from the cache: ${loads}`);
  t.check(checked.join() === 'unchanged' && sent === 0, `${bytes(sent)} were sent; ${checked}`);
  t.prove(`${count(again)} rows came from the browser’s files, and the entity tag said that they still hold.`);
});

card('W4', 'Progress as a number and a bar', 'While rows come, events tell the part that is here, and a bar shows it to people and to screen readers.', async (t) => {
  const { path } = await largest();
  const seen = [];
  const table = await t.stage({ engine: 'page' });
  const bar = table.element.shadowRoot.querySelector('[role=progressbar]');
  table.element.addEventListener('bodkin-progress', ({ detail: { rows, part } }) => seen.push([rows, part, Number(bar.getAttribute('aria-valuenow'))]));
  await t.time('loaded', () => table.load(`${path}/data`));
  t.count('events', seen.length);
  for (const at of [0, 0.5, 1]) {
    const [rows, part, now] = seen[Math.round(at * (seen.length - 1))];
    t.row(`${count(rows)} rows`, `${(part * 100).toFixed(1)} %, bar ${now}`);
  }
  const [, last] = seen.at(-1);
  t.check(last === 1 && bar.getAttribute('role') === 'progressbar', `the last part is ${last}`);
  t.prove(`${plural(seen.length, 'event')} from ${(seen[0][1] * 100).toFixed(1)} % to 100 %.`);
});

card('W5', 'Strict policy, origins', 'The page runs without inline scripts, inline styles or eval; WebAssembly is all that is allowed beside its own files.', async (t) => {
  const policy = (await ask('/patterns')).headers.get('content-security-policy') ?? '';
  const { memory } = await rust();
  const refused = [];
  const hear = ({ effectiveDirective, violatedDirective }) => refused.push(effectiveDirective || violatedDirective);
  document.addEventListener('securitypolicyviolation', hear);
  t.after(() => document.removeEventListener('securitypolicyviolation', hear));
  let evaluated = false;
  try { evaluated = new Function('return true')(); } catch { /* as it should be */ }
  const inline = make('script', { textContent: 'window.inlineRan = true' });
  document.head.append(inline);
  inline.remove();
  await until(() => refused.length >= 2, 'nothing was refused', 3_000);
  for (const part of policy.split(';')) {
    const [name, ...values] = part.trim().split(/\s+/);
    t.row(name, values.join(' '));
  }
  t.check(!evaluated && !window.inlineRan, 'eval or an inline script ran');
  t.check(policy.includes("'wasm-unsafe-eval'") && !policy.includes("'unsafe-eval'") && !policy.includes("'unsafe-inline'"), policy);
  t.prove(`eval and an inline script were refused (${[...new Set(refused)].join(', ')}); WebAssembly runs, in ${bytes(memory.buffer.byteLength)}.`);
});

card('W6', 'As fast as native', 'The same kernel over the same numbers, here as WASM and on the server natively, each on one thread. The aim is 80 %.', async (t) => {
  const { m } = await rust();
  const rows = 1_000_000;
  const numbers = new m.Numbers(rows);
  t.after(() => numbers.free());
  let sum = 0;
  const here = Math.min(...await times(5, () => { sum = numbers.sort(); }));
  const { milliseconds, sum: other, optimised } = await (await ask(`/patterns/sort?rows=${rows}&threads=1`)).json();
  t.count('numbers sorted', rows);
  t.millis('here', here);
  t.millis('natively', milliseconds);
  t.row('of native speed', `${Math.round(milliseconds / here * 100)}`, '%');
  t.check(sum === other, 'the two orders differ');
  t.prove(`The same order, at ${Math.round(milliseconds / here * 100)} % of native speed${optimised ? '' : '; the server is a debug build'}.`);
});
