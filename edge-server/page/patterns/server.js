// What the server does with tables: results that stay, plans that read little, every core, streams, SQL, and many at once.

import { COLUMNS, ask, bytes, card, count, json, largest, live, millis, plural, post, quantile, rust, section, socket, wait } from '/patterns/kit.js';

section('The server');

const type = 'application/json';
const url = encodeURIComponent;

/** How long each of many requests took, and what it gave. */
async function timed(run) {
  const begin = performance.now();
  const value = await run();
  return [performance.now() - begin, value];
}

card('P1', 'Handles', 'Results stay on the server and are named by a handle; what they share is counted once, and each lives on when it is used.', async (t) => {
  const { name, text, number } = await largest();
  const made = [];
  t.after(() => Promise.all(made.map((id) => ask(`/v1/handles/${id}`, { method: 'DELETE' }))));
  const make = async (more) => {
    const handle = await post('/v1/handles', JSON.stringify({ table: name, ...more }), type);
    made.push(handle.id);
    return handle;
  };
  const before = (await json('/v1/handles')).bytes;
  const columns = { plan: { columns: [text, number] } };
  await t.time('first handle', () => make(columns));
  const one = (await json('/v1/handles')).bytes - before;
  await t.time('nine more', () => Promise.all(Array.from({ length: 9 }, () => make(columns))));
  const ten = (await json('/v1/handles')).bytes - before;
  t.bytes('bytes of one', one);
  t.bytes('bytes of ten', ten);
  t.check(ten < 1.5 * one, 'ten handles cost more than one table');
  const short = await make({ ...columns, ttl: 4 });
  await wait(2_000);
  const left = async () => (await json('/v1/handles')).handles.find(({ id }) => id === short.id)?.expires_in ?? 0;
  const old = await left();
  await json(`/v1/handles/${short.id}/query?aggregate=count`, { headers: { accept: type } });
  const renewed = await left();
  t.row('seconds left, before and after use', `${old} → ${renewed}`);
  t.check(renewed > old, 'use did not extend its time');
  const [gone] = made.splice(0, 1);
  await ask(`/v1/handles/${gone}`, { method: 'DELETE' });
  const status = await ask(`/v1/handles/${gone}`).then(() => 200, (error) => error.status);
  t.check(status === 404 || status === 410, `a handle that was deleted answers ${status}`);
  t.prove(`Ten handles hold ${bytes(ten)}, one held ${bytes(one)}; a deleted one answers ${status}.`);
});

card('P2', 'Lazy evaluation', 'A query is a plan: only the columns and the pieces of the file that it needs are read, and it says how many.', async (t) => {
  const { path, number, text, columns } = await largest({ pages: true });
  const query = `columns=${url(text)}&filter[${url(number)}]gte=0&limit=10`;
  const explained = await (await ask(`${path}/explain?${query}`)).text();
  t.text(explained.trim());
  const [all, some] = [await timed(() => ask(`${path}/query?sort=-${url(number)}&limit=10`).then((answer) => answer.arrayBuffer())), await timed(() => ask(`${path}/query?${query}`).then((answer) => answer.arrayBuffer()))];
  t.millis('the ten greatest: all pieces', all[0]);
  t.millis('ten that pass: what is needed', some[0]);
  t.bytes('answer', some[1].byteLength);
  t.count('columns of the table', columns.length);
  const pieces = /pieces\s+(\d+) of (\d+)/.exec(explained);
  t.check(explained.includes(text) && /limit|rows|pieces/.test(explained), 'the plan is not told');
  t.prove(pieces ? `${pieces[1]} of ${plural(Number(pieces[2]), 'piece')} are read, and two of ${count(columns.length)} columns.` : `Two of ${count(columns.length)} columns are read; the table is in memory and has no pieces to leave out.`);
});

card('P3', 'Every core, or one', 'Work is cut into pieces for all cores; one thread gives the same answer.', async (t) => {
  const rows = 2_000_000;
  const one = await json(`/patterns/sort?rows=${rows}&threads=1`);
  const every = await json(`/patterns/sort?rows=${rows}&threads=0`);
  t.count('numbers sorted', rows);
  t.millis('on one thread', one.milliseconds);
  t.millis(`on ${plural(every.threads, 'thread')}`, every.milliseconds);
  t.row('times as fast', (one.milliseconds / every.milliseconds).toFixed(2));
  t.check(one.sum === every.sum && one.threads === 1, 'the orders differ');
  t.prove(`The same order on ${plural(every.threads, 'thread')} as on one.`);
});

card('P4', 'Streaming reads', 'A table is read batch by batch while it is sent: the first bytes leave before the last are read, and memory stays bounded.', async (t) => {
  const { path, bytes: size } = await largest();
  const memory = async () => (await json('/status')).memoryBytes ?? 0;
  const before = await memory();
  const begin = performance.now();
  const response = await ask(`${path}/data`);
  let [first, received, pieces, most] = [0, 0, 0, before];
  for await (const piece of response.body) {
    first ||= performance.now() - begin;
    received += piece.length;
    if (++pieces % 64 === 1) most = Math.max(most, await memory());
  }
  const whole = performance.now() - begin;
  t.bytes('the table in memory, or its file', size);
  t.bytes('received', received);
  t.count('pieces', pieces);
  t.millis('first bytes', first);
  t.millis('all bytes', whole);
  if (before) t.bytes('the server’s memory grew by', Math.max(0, most - before));
  t.check(received < 1e6 || (pieces > 1 && first < whole), 'it came in one piece');
  t.prove(`The first bytes came after ${millis(first)} ms of ${millis(whole)}, in ${plural(pieces, 'piece')}.`);
});

card('P5', 'WebSocket source', 'Rows that are pushed over a socket are gathered by count or time, written at once, and answered one by one.', async (t) => {
  const path = await live(t, { columns: COLUMNS });
  const line = await socket(t, `${path}/ingest?rows=500&milliseconds=20`, 'bodkin.ingest');
  const messages = 2_000;
  const numbers = new Set();
  let size = 0;
  await t.time('pushed, on disk, answered', async () => {
    for (let id = 0; id < messages; id++) {
      const message = JSON.stringify({ id, name: `row ${id}`, value: id / 4 });
      size += message.length;
      line.send(message);
    }
    for (let id = 0; id < messages; id++) {
      const answer = JSON.parse(await line.next());
      t.check(!answer.error, answer.error);
      numbers.add(answer.sequence);
    }
  });
  const { rows } = await json(path);
  t.count('messages', messages);
  t.bytes('sent', size);
  t.count('batches that they became', numbers.size);
  t.count('rows in the table', rows);
  t.check(rows === messages && numbers.size < messages / 4, 'rows are missing, or each was a batch');
  t.prove(`${count(messages)} messages became ${plural(numbers.size, 'batch').replace(/hs$/, 'hes')}, and every one was answered.`);
});

const TYPES = {
  Int8: -8, Int16: -16, Int32: -32, Int64: -64, UInt8: 8, UInt16: 16, UInt32: 32, UInt64: 64, Float32: 0.5, Float64: 0.25,
  'Decimal128(20, 4)': '12345.6789', Date32: '2024-01-31', 'Time64(µs)': '10:00:00.5', 'Timestamp(ms, "Europe/Berlin")': '2024-01-31T10:00:00Z',
  'Timestamp(ns)': '2024-01-31T10:00:00', 'Duration(ms)': 1500, Utf8: 'text', LargeUtf8: 'large text', Utf8View: 'a view of text',
  Boolean: true, 'List(Int32)': [1, 2, 3], Binary: '00ff',
};

card('P6', 'The types', 'Whole numbers, floats, decimals, dates, times, zones, durations, text of three kinds, bytes, truth, dictionaries, lists.', async (t) => {
  const entries = Object.entries(TYPES);
  const columns = entries.map(([of], at) => ({ name: `c${at}`, type: of }));
  const path = await live(t, { columns });
  const row = Object.fromEntries(entries.map(([, value], at) => [`c${at}`, value]));
  await t.time('written', () => post(`${path}/rows`, `${JSON.stringify(row)}\n{}\n`, 'application/x-ndjson'));
  const [back, empty] = await t.time('read back', () => json(`${path}/query?limit=2`, { headers: { accept: type } }));
  const told = (value) => (typeof value === 'object' ? JSON.stringify(value) : String(value));
  for (const [at, [of]] of entries.entries()) t.row(of, told(back[`c${at}`]));
  const table = await t.stage({ src: `${path}/data`, engine: 'page' });
  await table.whenLoaded();
  t.check(entries.every((_, at) => back[`c${at}`] !== null && back[`c${at}`] !== undefined), 'a value is missing');
  t.check(entries.every((_, at) => (empty[`c${at}`] ?? null) === null), 'a null is none');
  t.check(back.c3 === -64 && told(back.c10).startsWith('12345.6789'), 'a number is not exact');
  t.check(table.state().columns.length === entries.length, 'the viewer has other columns');
  // What no text format has: codes for words, as Arrow.
  const { m } = await rust();
  await table.open(new File([m.wordsStream()], 'words.arrows'));
  const [{ type: words }] = table.state().columns;
  t.row(words, (await table.cells(0, 3)).map(([cell]) => cell ?? 'null').join(', '));
  t.prove(`${plural(entries.length, 'column')} of as many types, one value and one null of each, written and read back.`);
});

card('P7', '/exec', 'SQL in the shape of QuestDB’s endpoint: what speaks to the one speaks to the other.', async (t) => {
  const { name, text, number } = await largest({ pages: true });
  const sql = `SELECT "${text}", count(*) AS n, max("${number}") AS most FROM "${name}" GROUP BY "${text}" ORDER BY n DESC LIMIT 3`;
  t.text(sql);
  const answer = await t.time('answered', () => json(`/exec?query=${url(sql)}`));
  for (const row of answer.dataset) t.row(row[0] ?? 'null', `${count(row[1])}, ${row[2]}`);
  t.check(answer.columns.length === 3 && answer.count === answer.dataset.length && answer.query === sql, 'the answer has another shape');
  const wrong = await fetchText(`/exec?query=${url('SELECT nothing FROM')}`);
  t.check(typeof wrong.error === 'string' && Number.isInteger(wrong.position), 'a fault has no place');
  t.prove(`${plural(answer.count, 'row')} with ${answer.columns.map((column) => column.type).join(', ')}; a broken statement is told with its place, ${wrong.position}.`);
});

/** An answer whatever its status. */
async function fetchText(path) {
  const { token } = await import('/signin.js');
  const headers = token() ? { authorization: `Bearer ${token()}` } : {};
  return (await fetch(path, { headers })).json();
}

card('P10', 'Python', 'Results open in pyarrow, polars and pandas from plain HTTP; here is what they get, and the lines that ask for it.', async (t) => {
  const { path } = await largest({ pages: true });
  const forms = [['arrow', 'ff ff ff ff'], ['arrow-file', '41 52 52 4f 57 31'], ['parquet', '50 41 52 31']];
  for (const [form, magic] of forms) {
    const came = new Uint8Array(await (await ask(`${path}/query?limit=1000&format=${form}`)).arrayBuffer());
    const begins = [...came.subarray(0, magic.split(' ').length)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    t.bytes(form, came.length);
    t.check(begins === magic, `${form} begins with ${begins}`);
  }
  const address = `${location.origin}${path}`;
  t.text(`import polars, pyarrow as pa, urllib.request\ntable = pa.ipc.open_stream(urllib.request.urlopen(\n    "${address}/data")).read_all()\nframe = table.to_pandas()\nframe = polars.read_parquet("${address}/query?format=parquet")`);
  t.prove('A stream, a file and Parquet, each with the first bytes that its readers look for.');
});

card('C1', 'CSV', 'The server writes rows as CSV and the browser reads them, in pieces and with progress; large files are read by the server in the same manner, on every core.', async (t) => {
  const { path, rows } = await largest({ pages: true });
  const [written, text] = await timed(async () => (await ask(`${path}/query?limit=100000&format=csv`)).blob());
  const rate = (time) => `${(text.size / time / 1e3).toFixed(1)}`;
  t.bytes('CSV', text.size);
  t.millis('written and sent', written);
  t.row('', rate(written), 'MB/s');
  let reports = 0;
  const table = await t.stage({ engine: 'worker', on: { progress: () => { reports++; } } });
  const [read] = await timed(() => table.open(new File([text], 'rows.csv')));
  t.millis('read by the browser', read);
  t.row('', rate(read), 'MB/s');
  t.count('reports of progress', reports);
  const { rowsLoaded, error } = table.state();
  t.check(!error && reports > 0, error?.detail ?? 'no progress was told');
  t.check(rowsLoaded === Math.min(100_000, rows), `${rowsLoaded} rows`);
  const { loading } = await json('/status');
  t.row('large files being read', count(loading?.length ?? 0));
  t.prove(`${count(rowsLoaded)} rows went out as CSV and came in as a table.`);
});

card('C2', 'Pages of a large table', 'Any page of a sorted view: the first one pays for the order, all others are read where they lie.', async (t) => {
  const { path, number, rows } = await largest({ pages: true });
  const page = (offset) => timed(async () => (await ask(`${path}/query?sort=-${url(number)}&offset=${offset}&limit=100`)).arrayBuffer());
  const [first] = await page(0);
  const times = [];
  let size = 0;
  for (let turn = 1; turn <= 30; turn++) {
    const [time, came] = await page(Math.floor(((turn * 7919) % 101) / 101 * Math.max(1, rows - 100)));
    times.push(time);
    size += came.byteLength;
  }
  t.count('rows of the view', rows);
  t.millis('first page', first);
  t.millis('any page, median', quantile(times, 0.5));
  t.millis('any page, slowest of 30', Math.max(...times));
  t.bytes('a page', Math.round(size / times.length));
  t.check(quantile(times, 0.5) < 100, `half of the pages took more than ${millis(quantile(times, 0.5))} ms`);
  t.prove(`30 pages from all over ${count(rows)} rows: half of them within ${millis(quantile(times, 0.5))} ms.`);
});

card('C3', 'Twenty users at once', 'Twenty ask at the same time, each for something else, and each gets its own right answer.', async (t) => {
  const { path, text, number, rows } = await largest();
  const users = 20;
  const times = [];
  const begin = performance.now();
  const wrong = (await Promise.all(Array.from({ length: users }, async (_, user) => {
    let wrong = 0;
    for (let turn = 0; turn < 5; turn++) {
      const [time, groups] = await timed(() => json(`${path}/query?group=${url(text)}&aggregate=count,max(${url(number)})&limit=${user + turn + 100_000}`, { headers: { accept: type } }));
      times.push(time);
      wrong += Number(groups.reduce((sum, group) => sum + group.count, 0) !== rows);
    }
    return wrong;
  }))).reduce((sum, one) => sum + one, 0);
  const whole = performance.now() - begin;
  t.count('answers', times.length);
  t.row('answers in a second', count(times.length / whole * 1e3));
  t.millis('median', quantile(times, 0.5));
  t.millis('95 of 100', quantile(times, 0.95));
  t.check(wrong === 0, `${wrong} answers do not count all rows`);
  t.prove(`${users} at once asked ${count(times.length)} questions; every answer counts all ${count(rows)} rows.`);
});
