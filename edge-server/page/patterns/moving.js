// Large things on their way: files with ranges, chunks over a socket, streams into the module's memory, packed bytes, and first
// loads into the viewer.

import { Skip, ask, bytes, card, count, frame, largest, millis, plural, rust, section, socket } from '/patterns/kit.js';

section('Large things on their way');

const MEGABYTE = 1 << 20;
const ARROW = 'application/vnd.apache.arrow.stream';

/** Whether two pieces of memory hold the same. */
const same = (one, other) => one.length === other.length && one.every((byte, at) => byte === other[at]);

card('5.1', 'Download by the browser', 'A table’s file goes straight to the disk: its length is told, parts can be asked for, and what was cut short goes on where it ended.', async (t) => {
  const { path, name } = await largest({ pages: true });
  const head = await ask(`${path}/file`, { method: 'HEAD' }).catch((error) => {
    throw error.status === 404 ? new Skip(`Not here: ${name} is not one file.`) : error;
  });
  const told = (header) => head.headers.get(header) ?? '';
  const size = Number(told('content-length'));
  t.bytes('the file', size);
  t.check(size > 0 && told('accept-ranges') === 'bytes', 'no length, or no ranges');
  t.check(/^attachment; filename="/.test(told('content-disposition')), 'the browser would not keep it as a file');
  const end = Math.min(size, 8 * MEGABYTE);
  const cut = Math.floor(end / 3);
  const part = async (from, to) => {
    const response = await ask(`${path}/file`, { headers: { range: `bytes=${from}-${to - 1}`, 'if-range': told('etag') } });
    t.check(response.status === 206, `the answer to a range is ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  };
  const first = await t.time(`first ${bytes(cut)}`, () => part(0, cut));
  const rest = await t.time(`went on at byte ${count(cut)}`, () => part(cut, end));
  const whole = await part(0, end);
  t.check(same(whole.subarray(0, cut), first) && same(whole.subarray(cut), rest), 'the parts are not the whole');
  t.prove(`${/filename="([^"]*)"/.exec(told('content-disposition'))[1]}: two parts of ${bytes(first.length)} and ${bytes(rest.length)} are the bytes of one.`);
});

card('5.2', 'Chunks to one allocation', 'Over a socket comes the total first and then chunks of one size; Rust makes room once, and each chunk is let go when it is in its place.', async (t) => {
  const { m, memory, receive } = await rust();
  const line = await socket(t, '/patterns/assembly', 'bodkin.assembly');
  const announcement = new Uint8Array(await line.next());
  const head = new DataView(announcement.buffer);
  const [chunk, total] = [head.getUint32(4, true), Number(head.getBigUint64(8, true))];
  // One place for chunks on their way, used by all of them.
  const place = receive(new Uint8Array(chunk + 4));
  m.forget();
  const [held, grown] = [m.held(), memory.buffer.byteLength];
  const whole = new m.Whole(announcement, 256 * MEGABYTE);
  const [, largestOne] = m.peak();
  let pieces = 0;
  const begin = performance.now();
  for (let progress = [0, total]; progress[0] < total; pieces++) {
    const message = await line.next();
    t.check(message, `the line ended after ${plural(pieces, 'chunk')}`);
    const length = message.byteLength;
    new Uint8Array(memory.buffer, place.at(), length).set(new Uint8Array(message));
    // The script's copy goes now, not when somebody collects it.
    message.transfer?.(0);
    progress = whole.push(place, length);
  }
  const time = performance.now() - begin;
  const peak = m.peak()[0] - held;
  place.free();
  const [rows, , borrowed, columns] = whole.finish();
  t.bytes('announced', total);
  t.count('chunks', pieces);
  t.bytes('largest allocation', largestOne);
  t.bytes('peak beyond what was held', peak);
  t.bytes('memory grown by', memory.buffer.byteLength - grown);
  t.millis('received', time);
  t.check(largestOne >= total && largestOne < total + 1_024, 'the room is not that of the whole');
  t.check(peak < total * 1.01, `the peak is ${bytes(peak)}`);
  t.check(borrowed === columns && rows > 0, 'columns were copied out of the whole');
  t.prove(`${plural(pieces, 'chunk')} became ${count(rows)} rows in one allocation of ${bytes(largestOne)}; the peak was ${bytes(peak - total)} above it, and no column was copied.`);
});

card('5.3', 'Fetch stream into WASM memory', 'The length is told, room is made once, and the page writes each piece where it belongs, also after the memory has grown.', async (t) => {
  const { m, memory } = await rust();
  const response = await ask('/patterns/whole');
  const length = Number(response.headers.get('content-length'));
  t.check(length > 0, 'the length was not told');
  m.forget();
  const held = m.held();
  const received = new m.Received(length);
  const [peak, largestOne] = m.peak();
  let [at, pieces, views] = [0, 0, 1];
  let view = new Uint8Array(memory.buffer, received.at(), length);
  let more = null;
  const begin = performance.now();
  for await (const piece of response.body) {
    // Half way somebody else makes the memory grow, and the view is dead.
    if (!more && at > length / 2) {
      const size = memory.buffer.byteLength;
      more = new m.Received(size);
      t.bytes('memory grown midway by', memory.buffer.byteLength - size);
    }
    if (view.buffer !== memory.buffer) {
      view = new Uint8Array(memory.buffer, received.at(), length);
      views++;
    }
    view.set(piece, at);
    at += piece.length;
    pieces++;
  }
  t.millis('received', performance.now() - begin);
  more?.free();
  t.bytes('received', at);
  t.count('pieces', pieces);
  t.bytes('largest allocation', largestOne);
  t.bytes('held for it', peak - held);
  t.count('views made', views);
  const [rows, sum, borrowed, columns] = received.readStream();
  t.check(at === length && largestOne === length && peak - held < length + 1_024, `${bytes(peak - held)} for ${bytes(at)}`);
  t.check(views > 1, 'the memory did not grow');
  t.check(sum === (rows * (rows - 1)) / 2 && borrowed === columns, 'the rows are others, or were copied');
  t.prove(`${count(rows)} rows in one allocation of their length; the view was made anew when the memory grew, and the sum of a column is right.`);
});

card('5.4', 'Compression', 'The same rows plain, with packed buffers, packed as a whole, and as Parquet: what each costs in bytes and time.', async (t) => {
  const { path, name } = await largest({ pages: true });
  const query = `${path}/query?limit=100000`;
  const table = await t.stage();
  const sizes = [];
  const forms = [['Arrow', ARROW], ['Arrow, lz4', `${ARROW};codecs=lz4`], ['Arrow, zstd', `${ARROW};codecs=zstd`], ['Parquet, zstd', 'application/vnd.apache.parquet']];
  let plain = null;
  for (const [form, accept] of forms) {
    const begin = performance.now();
    const response = await ask(query, { headers: { accept } });
    const came = await response.blob();
    const time = performance.now() - begin;
    sizes.push([form, came.size]);
    t.bytes(form, came.size);
    t.millis('made and sent', time);
    plain ??= came;
    // The viewer reads Arrow, plain or with LZ4; the others are for clients that have their decoders.
    if (form === 'Arrow' || form === 'Arrow, lz4') {
      await t.time('read by the viewer', () => table.open(new File([came], 'rows.arrow')));
      t.check(table.state().rowsLoaded > 0 && !table.state().error, `${form}: ${table.state().error?.detail}`);
    }
  }
  const packed = await t.time('Arrow in gzip, packed', () => new Response(plain.stream().pipeThrough(new CompressionStream('gzip'))).blob());
  t.bytes('Arrow in gzip', packed.size);
  sizes.push(['Arrow in gzip', packed.size]);
  await t.time('unpacked by the browser', () => new Response(packed.stream().pipeThrough(new DecompressionStream('gzip'))).arrayBuffer());
  const [best, least] = sizes.toSorted((a, b) => a[1] - b[1])[0];
  t.check(sizes.every(([form, size]) => form === 'Arrow' || size < plain.size), 'something packed is not smaller');
  t.prove(`The first 100,000 rows of ${name} at most: ${best} is the smallest, ${(plain.size / least).toFixed(1)} times smaller than plain.`);
});

card('11.1', 'Bootstrap snapshot', 'The whole table comes with progress as a number and a bar, and memory does not hold it twice.', async (t) => {
  const { path, name } = await largest();
  const parts = [];
  const bars = [];
  const table = await t.stage({
    engine: 'worker',
    on: { progress: ({ part }) => {
      parts.push(part);
      bars.push(document.querySelector('#stage bodkin-table')?.shadowRoot.querySelector('[role=progressbar]')?.getAttribute('aria-valuenow'));
    } },
  });
  await t.time('loaded', () => table.load(`${path}/data`));
  const { rowsLoaded, rowsTotal, bytes: size } = table.state();
  const memory = await table.memory();
  t.bytes('the table', size);
  t.bytes('memory of the worker', memory);
  t.count('reports of progress', parts.length);
  t.row('the bar went through', `${new Set(bars).size} places`);
  t.check(rowsLoaded === (rowsTotal ?? rowsLoaded) && rowsLoaded > 0, 'rows are missing');
  t.check(parts.every((part, at) => at === 0 || part >= parts[at - 1]), 'progress went back');
  t.check(memory < 2 * size + 16 * MEGABYTE, `${bytes(memory)} for a table of ${bytes(size)}`);
  t.prove(`${count(rowsLoaded)} rows of ${name} in ${(memory / size).toFixed(2)} times their bytes of memory.`);
});

card('11.2', 'Early render', 'The first rows are on the screen while the others are still coming.', async (t) => {
  const { path } = await largest();
  const table = await t.stage({ engine: 'worker' });
  await frame();
  const begin = performance.now();
  const done = table.load(`${path}/data`).then(() => performance.now() - begin);
  let [first, early] = [null, 0];
  const watched = (async () => {
    while (first === null) {
      await frame();
      const { rowsShown, loading } = table.state();
      if (rowsShown > 0) [first, early] = [performance.now() - begin, loading ? rowsShown : 0];
    }
  })();
  const whole = await done;
  await watched;
  const { rowsLoaded } = table.state();
  t.millis('first rows on the screen', first);
  t.count('rows then', early || rowsLoaded);
  t.millis('all rows', whole);
  t.count('rows in all', rowsLoaded);
  t.check(first <= whole + 20, 'nothing was shown before all rows were there');
  t.prove(`Rows were seen after ${millis(first)} ms of ${millis(whole)}.`);
});
