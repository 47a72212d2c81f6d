// What workers read: parts of a table, and batches for training loops.

import { ask, card, count, json, largest, section } from '/patterns/kit.js';

section('Workers');

const url = encodeURIComponent;
/** Rows that the cards look at, whatever the table has. */
const SAMPLE = 20_000;

/** Rows of one column of a sample, as the server gives them. */
async function values(path, column, query) {
  const rows = await json(`${path}/batches?columns=${url(column)}&sample=${SAMPLE}&format=json&${query}`);
  return rows.map((row) => row[column]);
}

card('P8', 'Partitioning', 'Workers that know nothing of each other read parts of one table: by the hash of keys, or by ranges. No row is in two parts, and together they are the table.', async (t) => {
  const { path, text, number } = await largest();
  const parts = [0, 1, 2, 3];
  const hash = await t.time('four parts by hash', () => Promise.all(parts.map((part) => values(path, text, `by=${url(text)}&parts=4&part=${part}`))));
  const range = await t.time('four parts by range', () => Promise.all(parts.map((part) => values(path, number, `by=${url(number)}&method=range&parts=4&part=${part}`))));
  const all = await values(path, text, '');
  const sum = (lists) => lists.reduce((rows, list) => rows + list.length, 0);
  const sizes = (lists) => lists.map((list) => count(list.length)).join(' · ');
  t.row('rows by hash', sizes(hash));
  t.row('rows by range', sizes(range));
  t.check(sum(hash) === all.length && sum(range) === all.length, `parts of ${all.length} rows have ${sum(hash)} and ${sum(range)}`);
  const distinct = new Set(all).size;
  t.check(hash.reduce((values, list) => values + new Set(list).size, 0) === distinct, 'a key is in two parts');
  const ends = range.map((list) => list.filter((value) => value !== null)).filter((list) => list.length);
  t.check(ends.every((list, at) => at === 0 || Math.max(...ends[at - 1]) < Math.min(...list)), 'ranges overlap');
  t.prove(`Each of ${count(all.length)} rows is in one part of four, and each of ${count(distinct)} keys, too.`);
});

card('W7', 'Batches for training', 'Batches of a fixed number of rows, in the order of the table or of a seed: each row once in an epoch, the same again for the same seed, and from any batch on.', async (t) => {
  const { path, number, rows } = await largest();
  const head = await ask(`${path}/batches?size=1024&shuffle=7&columns=${url(number)}`, { method: 'HEAD' });
  const batches = Number(head.headers.get('x-bodkin-batches'));
  t.count('batches of 1,024 rows', batches);
  t.row('shuffled over', head.headers.get('x-bodkin-shuffle'));
  t.check(batches === Math.ceil(rows / 1_024), `${batches} batches of ${rows} rows`);
  const first = await t.time('a shuffled sample', () => values(path, number, 'size=1024&shuffle=7'));
  const [again, next, rest, plain] = await Promise.all(['shuffle=7', 'shuffle=7&epoch=1', 'shuffle=7&from=10', ''].map((query) => values(path, number, `size=1024&${query}`)));
  const [text, sorted] = [JSON.stringify, (list) => JSON.stringify([...list].sort((a, b) => (a ?? -1e300) - (b ?? -1e300)))];
  t.check(text(again) === text(first), 'another order for the same seed');
  t.check(text(next) !== text(first) && sorted(next) === sorted(first) && sorted(plain) === sorted(first), 'an epoch has other rows, or the same order');
  t.check(text(rest) === text(first.slice(10 * 1_024)), 'it does not go on where it was');
  t.prove(`${count(first.length)} rows by seed: the same twice, in another order in the next epoch, and from batch 10 on.`);
});
