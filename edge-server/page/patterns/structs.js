// Structs that server and browser share: archives with text and lists, and structs of fixed layout. The module of the page
// reads and changes them in the bytes that came; the addresses and the counts of allocations are its own.

import { allocations, ask, bytes, card, count, largest, octets, plural, rust, section } from '/patterns/kit.js';

section('Shared structs');

/** Asks for a struct and puts it into the module. */
async function fetched(t, path) {
  const { m, memory, receive } = await rust();
  const came = await t.time('fetched', () => octets(path));
  t.bytes('received', came.length);
  const received = receive(came);
  t.after(() => received.free());
  return { m, memory, receive, came, received };
}

/** Text where it lies in the module. */
const textAt = (memory, at, length) => new TextDecoder().decode(new Uint8Array(memory.buffer, at, length));

/** What a call complains of; nothing when it does not. */
function complaint(run) {
  try {
    run();
    return '';
  } catch (error) {
    return error.message;
  }
}

card('1.1', 'Shared struct, any size', 'A struct with text and lists: its bytes are checked once, then fields are read where they lie.', async (t) => {
  const { m, memory, receive, came, received } = await fetched(t, '/patterns/panel');
  t.often('checked', () => received.checkPanel());
  const [lines, values] = received.panelSize();
  const fields = 3 + 2 * lines + values;
  t.count('fields', fields);
  t.often('all fields read', () => received.readPanel(1));
  const allocated = await allocations(m, () => received.readPanel(10));
  t.count('allocations of ten readings', allocated);
  t.check(allocated === 0, `${allocated} allocations while fields were read`);
  const [title, length, at, size] = received.panelPlaces(lines - 1);
  const inside = (place) => place >= received.at() && place < received.at() + came.length;
  t.check(inside(title) && inside(at), 'a field lies outside of the bytes that came');
  const line = new Float64Array(memory.buffer, at, size);
  t.check(line.every((value, index) => value === (lines - 1 + index) / 8), 'the values of the last line are others');
  const cut = receive(came.subarray(0, came.length - 8));
  const told = complaint(() => cut.checkPanel());
  cut.free();
  t.check(told, 'a panel that was cut short was taken for one');
  t.prove(`“${textAt(memory, title, length)}” and ${plural(size, 'value')} of its last line were read inside the ${bytes(came.length)} that came.`);
});

card('1.2', 'The same, to be changed', 'One explicit step makes values of its own out of the bytes; they can be changed, and the bytes stay as they were.', async (t) => {
  const { m, memory, came, received } = await fetched(t, '/patterns/panel');
  let owned;
  const held = m.held();
  const allocated = await allocations(m, () => t.time('made into values', () => { owned = new m.OwnedPanel(received); }));
  t.count('allocations', allocated);
  t.bytes('held by the values', m.held() - held);
  owned.setTitle('Delays by hour, corrected');
  const values = owned.pushValue(0, 99);
  t.check(owned.title() === 'Delays by hour, corrected', 'the title did not change');
  const [title, length] = received.panelPlaces(0);
  const before = textAt(memory, title, length);
  t.check(before !== owned.title(), 'the bytes changed as well');
  const same = new Uint8Array(memory.buffer, received.at(), came.length).every((byte, at) => byte === came[at]);
  owned.free();
  t.check(same, 'the bytes changed as well');
  t.prove(`The title is another and a line has ${count(values)} values; the bytes still say “${before}”.`);
});

card('1.3', 'Fixed layout, read only', 'The struct is its bytes: it is read by reference in the buffer that came, and wrong bytes are an error.', async (t) => {
  const { m, came, received } = await fetched(t, '/patterns/gauge');
  const size = came.length;
  const place = received.gaugeAt(0, size);
  t.check(place === received.at(), 'the struct does not lie where the bytes came');
  t.often('one field read', () => received.field(2));
  const allocated = await allocations(m, () => { for (let time = 0; time < 1_000; time++) received.field(2); });
  t.count('allocations of 1,000 reads', allocated);
  t.check(allocated === 0, `${allocated} allocations while fields were read`);
  const view = new DataView(came.buffer);
  t.check([0, 1, 2].every((field) => received.field(field) === view.getFloat64(8 * field, true)), 'fields are not what the bytes say');
  const short = complaint(() => received.gaugeAt(0, size - 1));
  t.check(short, 'a struct that was cut short was taken for one');
  t.row('address of bytes and struct', `0x${place.toString(16)}`);
  t.prove(`Least ${received.field(1)}, greatest ${received.field(2)}, read at the address of the bytes. Cut by a byte: “${short}”.`);
});

card('1.4', 'Fixed layout, changed in place', 'The same bytes, as a struct that is written to: they change, and nothing is allocated.', async (t) => {
  const { m, memory, came, received } = await fetched(t, '/patterns/gauge');
  const [size, place] = [memory.buffer.byteLength, received.at()];
  const before = received.field(3);
  const times = 1_000_000;
  const allocated = await allocations(m, () => t.time(`${count(times)} values recorded`, () => received.record(times)));
  const now = Number(new DataView(memory.buffer, place, came.length).getBigUint64(24, true));
  t.count('allocations', allocated);
  t.bytes('memory grown by', memory.buffer.byteLength - size);
  t.check(allocated === 0 && memory.buffer.byteLength === size, 'something was allocated');
  t.check(now === before + times && received.at() === place, `the bytes say ${now} values`);
  t.prove(`JavaScript sees ${count(now)} values in the bytes that came, where there were ${count(before)}.`);
});

card('2.3', 'Patch a fixed struct', 'A patch says where it begins and which bytes are written there; it is applied in place.', async (t) => {
  const { m, memory, came, receive, received } = await fetched(t, '/patterns/gauge');
  const patches = receive(await octets('/patterns/patches'));
  t.bytes('patches received', patches.length());
  const [place, low, number] = [received.at(), received.field(1), received.field(3)];
  let applied = 0;
  const allocated = await allocations(m, () => { applied = received.patch(patches, 1); });
  t.often('one patch', () => received.patch(patches, 1));
  t.count('patches applied', applied);
  t.count('allocations', allocated);
  const last = new DataView(memory.buffer, place, came.length).getFloat64(0, true);
  patches.free();
  t.check(allocated === 0 && received.at() === place, 'the struct has moved');
  t.check(last === received.field(2) && received.field(1) === low && received.field(3) === number, 'other fields changed');
  t.prove(`${plural(applied, 'patch').replace(/hs$/, 'hes')} set the last value, the greatest and the time (${last}, ${last}, ${received.field(4)} ms); the other fields and the address stayed.`);
});

card('2.4', 'Merge a struct with a list', 'Patches set single fields, push lines to the list’s end, or splice it in the middle; the rest stays where it is.', async (t) => {
  const { m, receive, received } = await fetched(t, '/patterns/panel');
  const owned = new m.OwnedPanel(received);
  t.after(() => owned.free());
  const before = owned.places();
  for (const name of ['merge', 'push', 'splice']) {
    const came = await octets(`/patterns/${name}`);
    const patch = receive(came);
    await t.time(`${name}, ${bytes(came.length)}`, () => owned.merge(patch));
    patch.free();
  }
  const [names, now] = [owned.names(), new Set(owned.places())];
  const stayed = before.filter((place) => now.has(place)).length;
  t.count('lines before', before.length);
  t.count('lines now', names.length);
  t.count('lines whose values did not move', stayed);
  t.check(owned.every() === 100 && owned.remark() === 'late', 'fields were not merged');
  t.check(names.at(-1) === 'all day' && names[2] === 'hours 2 to 4', `the lines are ${names}`);
  t.check(stayed >= before.length - 3, 'lines moved that no patch names');
  t.prove(`Every ${owned.every()} ms, remark “${owned.remark()}”, “${names.at(-1)}” pushed, “${names[2]}” in the place of three.`);
});

card('10.2', 'A buffer used again and again', 'State of fixed size takes many thousand updates in place, and memory stays flat.', async (t) => {
  const { m, memory, receive, received } = await fetched(t, '/patterns/gauge');
  const patches = receive(await octets('/patterns/patches'));
  const rounds = 50_000;
  let applied = 0;
  const fixed = await allocations(m, () => t.time(`${count(rounds * 3)} patches of the struct`, () => { applied = received.patch(patches, rounds); }));
  patches.free();
  const table = new m.Follower(8_192, 65_536);
  t.after(() => table.free());
  const rows = receive(m.upsert(Uint32Array.from({ length: 10_000 }, (_, id) => id), 1));
  table.applyLocal(rows);
  table.patchOften(10_000);
  const [held, size, places] = [m.held(), memory.buffer.byteLength, table.places()];
  const times = 20_000;
  await t.time(`${count(times)} patches of a table`, () => table.patchOften(times));
  t.count('allocations by the struct', fixed);
  t.bytes('held before', held);
  t.bytes('held after', m.held());
  t.bytes('memory grown by', memory.buffer.byteLength - size);
  t.check(applied === rounds * 3 && fixed === 0, 'the struct allocated');
  t.check(Math.abs(m.held() - held) < 4_096 && memory.buffer.byteLength === size, 'memory grew');
  t.check(table.places().every((place, at) => place === places[at]), 'a column moved');
  t.prove(`${count(rounds * 3 + times)} updates; no column moved, and as many bytes are held as before.`);
});

card('6.1', 'Typed request', 'One type of plan is built here in Rust and run by the server; people write the same as JSON or as a URL.', async (t) => {
  const { m } = await rust();
  const { path, text, name } = await largest({ pages: true });
  const packed = m.planBytes(text, 5);
  const written = JSON.stringify({ group_by: [text], aggregates: [{ function: 'count' }], sort: [{ column: 'count', descending: true }], limit: 5 });
  const url = `group=${encodeURIComponent(text)}&aggregate=count&sort=-count&limit=5`;
  const accept = { accept: 'application/json' };
  const ways = [
    ['bytes', packed.length, () => ask(`${path}/query`, { method: 'POST', body: packed, headers: { ...accept, 'content-type': 'application/vnd.bodkin.plan' } })],
    ['JSON', written.length, () => ask(`${path}/query`, { method: 'POST', body: written, headers: { ...accept, 'content-type': 'application/json' } })],
    ['URL', url.length, () => ask(`${path}/query?${url}`, { headers: accept })],
  ];
  const answers = [];
  for (const [way, size, run] of ways) {
    t.bytes(`as ${way}`, size);
    await t.time(`answered`, async () => {
      const response = await run();
      answers.push([response.headers.get('etag'), await response.text()]);
    });
  }
  const [[tag, first]] = answers;
  t.check(answers.every(([etag, body]) => etag === tag && body === first), 'the three ask different things');
  const [group] = JSON.parse(first);
  t.prove(`The largest group of ${name} by ${text} is ${group[text]} with ${count(group.count)} rows: three notations, one entity tag, one answer.`);
});
