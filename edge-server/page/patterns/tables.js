// Tables that change: the server's live tables, followed by the module's table, whose columns can be watched where they lie,
// and by the viewer.

import {
  COLUMNS, bytes, card, count, frame, largest, live, millis, plural, post, quantile, rust, section, socket, until, wait,
} from '/patterns/kit.js';

section('Tables that change');

const UPDATE = 'application/octet-stream';
const ids = (from, to) => Uint32Array.from({ length: to - from }, (_, index) => from + index);

/** A live table of chunks, and a table in the module that follows it over a socket. */
async function following(t, chunks = 21, rows = 10_000) {
  const { m, memory, receive } = await rust();
  const path = await live(t);
  const table = new m.Follower(8_192, rows);
  t.after(() => table.free());
  const line = await socket(t, `${path}/subscribe`, 'bodkin.discrete');
  let moved = 0;
  /** Takes messages in until the table has an update. */
  const reach = async (sequence) => {
    let done = [0, 0, 0, 0];
    while (table.sequence() < sequence) {
      const message = await line.next();
      if (!message) throw new Error('the line ended');
      if (typeof message === 'string') continue;
      moved += message.byteLength;
      done = table.apply(receive(new Uint8Array(message)));
    }
    return done;
  };
  const change = async (message) => {
    const { sequence } = await post(`${path}/updates`, message, UPDATE);
    return reach(sequence);
  };
  // The first message is the table as it is: nothing.
  for (let chunk = 0; chunk < chunks; chunk++) {
    const { sequence } = await post(`${path}/rows`, m.rowsStream(chunk * rows, rows, chunk), 'application/vnd.apache.arrow.stream');
    await reach(sequence);
  }
  return { m, memory, table, path, change, moved: () => moved };
}

/** Chunks of which no column has another address. */
function kept(before, after) {
  const width = COLUMNS.length;
  let same = 0;
  for (let at = 0; at < Math.min(before.length, after.length); at += width) {
    same += Number(before.slice(at, at + width).every((place, column) => place === after[at + column]));
  }
  return same;
}

card('2.1', 'Merge by key, rows come and go', 'An update names rows by their key: they are put in, changed in some columns, or removed. Chunks that it does not touch are not copied.', async (t) => {
  const { m, table, change, moved } = await following(t);
  const [places, rows, before] = [table.places(), table.rows(), moved()];
  const [inserted, updated, removed] = await t.time('sent, kept on disk, followed', async () => {
    const one = await change(m.upsertValues(Uint32Array.of(70_001, 70_002, 70_003), 5));
    const two = await change(m.upsert(Uint32Array.of(900_000), 7));
    const three = await change(m.removeRows(Uint32Array.of(70_010, 70_011)));
    return [two[0], one[1], three[2]];
  });
  const [now, chunks] = [table.places(), places.length / COLUMNS.length];
  const same = kept(places, now);
  t.bytes('messages received', moved() - before);
  t.count('rows', table.rows());
  t.count('chunks', chunks);
  t.count('chunks at their old addresses', same);
  t.check(inserted === 1 && updated === 3 && removed === 2 && table.rows() === rows - 1, `${inserted} inserted, ${updated} updated, ${removed} removed`);
  t.check(table.value(70_002) > 5 && table.value(70_002) < 6, 'the cell has its old value');
  t.check(same >= chunks - 1, `only ${same} of ${chunks} chunks kept their addresses`);
  t.prove(`${plural(updated, 'row')} upserted, ${inserted} put in, ${removed} removed; the other ${plural(same, 'chunk')} kept their addresses.`);
});

card('2.2', 'Patch cells in place', 'Rows stay where they are and some cells get other values, in the memory that the column has.', async (t) => {
  const { m, memory, table, change, moved } = await following(t, 8);
  const numbers = Uint32Array.of(5, 20_001, 45_000);
  // The bytes of a message belong to who sent it: the first patch of a column gives it memory of its own.
  await change(m.patchRows(numbers, 1));
  const [places, size, before] = [table.places(), memory.buffer.byteLength, moved()];
  const [, updated] = await t.time('sent, kept on disk, followed', () => change(m.patchRows(numbers, 42)));
  t.bytes('message received', moved() - before);
  t.bytes('memory grown by', memory.buffer.byteLength - size);
  const same = table.places().filter((place, at) => place === places[at]).length;
  t.row('columns at their addresses', `${same} of ${places.length}`);
  t.check(updated === 3 && Math.floor(table.value(20_001)) === 42, 'the cells have their old values');
  t.check(same === places.length, `${places.length - same} columns moved`);
  t.prove(`${plural(updated, 'cell')} changed; no buffer of the table moved.`);
});

card('3.1', 'Replace the table, other row count', 'The new rows take the place of the old ones at once: a frame shows the one or the other, and the old memory is free again.', async (t) => {
  const { m, table: copy, path, change } = await following(t, 2);
  const table = await t.stage({ src: `${path}/data`, engine: 'page' });
  await until(() => table.state().live?.state === 'live' && table.state().rowsShown === 20_000, 'the viewer follows');
  const seen = new Map();
  let watching = true;
  const watch = async () => {
    while (watching) {
      await frame();
      const { rowsShown } = table.state();
      const [[id], [last]] = [(await table.cells(0, 1))[0] ?? [], (await table.cells(rowsShown - 1, 1))[0] ?? []];
      seen.set(`${count(rowsShown)} rows`, `${count(id)} – ${count(last)}`);
    }
  };
  const watched = watch();
  const held = m.held();
  await t.time('replaced, kept on disk, followed', () => change(m.replace(500_000, 3_000, 2)));
  await until(() => table.state().rowsShown === 3_000, 'the viewer shows the new rows');
  await wait(60);
  watching = false;
  await watched;
  t.count('states that frames showed', seen.size);
  for (const [rows, span] of seen) t.row(`${rows}, their ids`, span);
  t.bytes('held by the copy before', held);
  t.bytes('held by the copy now', m.held());
  t.check(copy.rows() === 3_000 && seen.size <= 2, `frames showed ${[...seen.keys()].join('; ')}`);
  t.check(m.held() < held, 'the old rows are still held');
  t.prove(`20,000 rows became 3,000; no frame showed anything between. ${bytes(held - m.held())} are free again.`);
});

card('3.2', 'Replace the table, same row count', 'The same table once more takes the memory of the one before.', async (t) => {
  const { path, name } = await largest();
  const table = await t.stage({ src: `${path}/data`, engine: 'worker' });
  await table.whenLoaded();
  const { rowsLoaded, bytes: size } = table.state();
  t.bytes('loaded', size);
  // The second time the old rows are still there when the new ones begin to come; from then on there is room for both.
  await table.load(`${path}/data`);
  const first = await table.memory();
  t.bytes('memory', first);
  for (const round of [1, 2, 3]) {
    await t.time(`loaded again, ${round}`, () => table.load(`${path}/data`));
  }
  const last = await table.memory();
  t.bytes('memory after that', last);
  t.check(table.state().rowsLoaded === rowsLoaded, 'rows are missing');
  // Memory comes in pages of 64 KiB; one of them is what a header may need.
  const grown = Math.max(0, last - first);
  t.check(grown <= 65_536, `memory grew by ${bytes(grown)}`);
  t.prove(`${name} with ${count(rowsLoaded)} rows was loaded three more times, and memory grew by ${bytes(grown)}.`);
});

card('4.1', 'Small frequent appends', 'One row after another goes to the server and comes back to the screen; what counts is the slowest of a hundred.', async (t) => {
  const path = await live(t);
  const table = await t.stage({ src: `${path}/data` });
  await until(() => table.state().live?.state === 'live', 'the viewer follows');
  const line = await socket(t, `${path}/ingest?rows=1&milliseconds=1`, 'bodkin.ingest');
  const [times, written] = [[], []];
  for (let id = 0; id < 100; id++) {
    const begin = performance.now();
    line.send(JSON.stringify({ id, name: 'row', value: id / 2 }));
    const answer = line.next();
    Promise.resolve(answer).then(() => written.push(performance.now() - begin));
    await until(() => table.state().rowsShown === id + 1, 'the row shows');
    await frame();
    times.push(performance.now() - begin);
    await answer;
  }
  t.count('rows', times.length);
  t.millis('sent to disk, median', quantile(written, 0.5));
  t.millis('sent to pixels, median', quantile(times, 0.5));
  t.millis('sent to pixels, 99 of 100', quantile(times, 0.99));
  t.check(JSON.stringify(await table.cells(99, 1)) === '[["99","row","49.5"]]', 'the last row is another');
  t.prove(`100 rows, one by one: half of them were on the screen within ${millis(quantile(times, 0.5))} ms, 99 of them within ${millis(quantile(times, 0.99))} ms.`);
});

card('4.2', 'Appends through builders', 'Rows go into a hot chunk with room, where they can be read at once; it is closed by rows or by age, and chunks are merged.', async (t) => {
  const { m, receive } = await rust();
  const table = new m.Follower(1_000, 8_000);
  t.after(() => table.free());
  let most = 0;
  let late = 0;
  const messages = 2_000;
  await t.time(`${count(messages)} messages of ten rows`, () => {
    for (let message = 0; message < messages; message++) {
      table.applyLocal(receive(m.upsert(ids(message * 10, message * 10 + 10), message)));
      most = Math.max(most, table.chunks());
      // The row that has just come is there for readers.
      if (message % 50 === 0) late += Number(Math.floor(table.value(message * 10 + 9)) !== message);
    }
  });
  const chunks = table.chunks();
  table.applyLocal(receive(m.upsert(ids(900_000, 900_003), 1)));
  table.tick(5_000);
  table.applyLocal(receive(m.upsert(ids(900_003, 900_006), 1)));
  t.count('rows', table.rows());
  t.count('messages for each chunk', Math.floor(messages / chunks));
  t.count('most chunks at a time', most);
  t.check(table.rows() === messages * 10 + 6 && late === 0, `${late} rows could not be read at once`);
  t.check(most <= 16, `${most} chunks`);
  t.prove(`${count(messages)} appends made never more than ${plural(most, 'chunk')}; every row could be read as soon as it had come.`);
});

card('4.5', 'Insert and remove in one update', 'Rows come and others go by key, in one change: nobody sees the one without the other.', async (t) => {
  const { m, table, change, moved } = await following(t, 2);
  const [before, rows, sequence] = [moved(), table.rows(), table.sequence()];
  const [inserted, , removed] = await t.time('sent, kept on disk, followed', () => change(m.exchange(ids(100, 110), ids(800_000, 800_004), 3)));
  t.bytes('message received', moved() - before);
  t.count('updates', table.sequence() - sequence);
  t.count('rows before', rows);
  t.count('rows now', table.rows());
  t.check(table.sequence() === sequence + 1, 'it was more than one update');
  t.check(inserted === 4 && removed === 10 && table.rows() === rows - 6, `${inserted} came and ${removed} went`);
  t.prove(`${inserted} rows came and ${removed} went in one update.`);
});

card('10.1-memory', 'Lifetime of snapshots', 'Many views stand on one buffer, which is freed as one when the last of them goes.', async (t) => {
  const { m, receive } = await rust();
  const begin = m.held();
  const table = new m.Follower(8_192, 65_536);
  table.applyLocal(receive(m.upsert(ids(0, 50_000), 1)));
  const one = m.held() - begin;
  t.bytes('one table', one);
  const views = Array.from({ length: 10 }, () => table.snapshot());
  const ten = m.held() - begin;
  t.bytes('with ten views', ten);
  const { length } = views;
  table.free();
  t.bytes('the table gone, ten views left', m.held() - begin);
  while (views.length > 1) views.pop().free();
  const last = m.held() - begin;
  t.bytes('one view left', last);
  t.check(views[0].rows() === 50_000, 'the view has lost its rows');
  views[0].free();
  const rest = m.held() - begin;
  t.bytes('none left', rest);
  t.check(ten - one < one / 20, `${length} views cost ${bytes(ten - one)}`);
  // Of each row at least its number and its value, eight bytes each.
  t.check(last >= 50_000 * 16, 'the view has lost its memory');
  t.check(rest < one / 20, `${bytes(rest)} are still held`);
  t.prove(`Ten views cost ${bytes(ten - one)}; ${bytes(last - rest)} went at once with the last of them.`);
});
