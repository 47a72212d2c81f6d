// What every card of the pattern page is made with: `card` puts one into the page, and the trial that its run is given
// measures, counts, checks and shows. Nothing that is shown was known before it was measured.

import { token } from '/signin.js';

/** A card that cannot be tried on this server, and why. */
export class Skip extends Error {}

const cards = [];
let group = null;
const SIGNS = { idle: '', running: '·', passed: '✓', skipped: '–', failed: '✕' };

/** An element with properties and children. */
export function make(name, properties = {}, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

/** The cards in their order. */
export const all = () => cards;

/** Begins a group of cards. */
export function section(title) {
  group = make('div', { className: 'grid' });
  document.querySelector('#cards').append(make('section', {}, make('h3', { textContent: title }), group));
}

/** Adds a card: its id, its name, what it is for, and what is done when it is run. */
export function card(id, name, what, run) {
  const button = make('button', { className: 'run', type: 'button', textContent: 'Run' });
  button.setAttribute('aria-label', `run ${id}, ${name}`);
  const result = make('div', { className: 'result' });
  const element = make('article', { className: 'card', id: `p-${id}` },
    make('div', { className: 'head' },
      make('a', { className: 'id', href: `#p-${id}`, textContent: id.replace('-memory', '') }), make('h4', { textContent: name }), button),
    make('p', { className: 'what', textContent: what }), result);
  element.dataset.state = 'idle';
  const one = { id, name, element, run: () => perform(one, run, button, result) };
  button.addEventListener('click', () => one.run());
  group.append(element);
  cards.push(one);
}

let turn = Promise.resolve();

/** Runs a card once those before it are done: what is measured beside another measurement is worth nothing. */
function perform(one, run, button, result) {
  button.disabled = true;
  const done = turn.then(async () => {
    const trial = new Trial(one, result);
    trial.state('running', 'running');
    try {
      await run(trial);
      trial.state('passed', trial.proof);
    } catch (error) {
      if (error instanceof Skip) trial.state('skipped', error.message);
      else {
        console.warn(one.id, error);
        trial.state('failed', error?.message || String(error));
      }
    }
    await trial.end();
    button.disabled = false;
    button.textContent = 'Again';
    document.dispatchEvent(new CustomEvent('pattern', { detail: { id: one.id, state: one.element.dataset.state } }));
  });
  turn = done;
  return done;
}

// Numbers as people read them.

const grouped = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
export const count = (number) => grouped.format(number);
/** Milliseconds, with as many digits as mean something. */
export const millis = (time) => (time < 0.995 ? time.toFixed(3) : time < 99.5 ? time.toFixed(1) : count(time));
export const bytes = (number) => `${count(number)} B`;
export const plural = (number, word) => `${count(number)} ${word}${number === 1 ? '' : 's'}`;

/** The value below which this part of some lies. */
export function quantile(values, part) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))];
}

export const wait = (time) => new Promise((done) => setTimeout(done, time));
export const frame = () => new Promise((done) => requestAnimationFrame(done));

/** Waits until something is true, looking at it in every frame. */
export async function until(what, why, patience = 30_000) {
  const end = performance.now() + patience;
  for (;;) {
    const found = await what();
    if (found) return found;
    if (performance.now() > end) throw new Error(`waited in vain: ${why}`);
    await wait(4);
  }
}

/** One run of a card. */
class Trial {
  #result;
  #list = null;
  #ends = [];
  #one;
  proof = '';

  constructor(one, result) {
    [this.#one, this.#result] = [one, result];
    result.replaceChildren();
  }

  /** Says how it stands. */
  state(state, text) {
    this.#one.element.dataset.state = state;
    let line = this.#result.querySelector('.state');
    if (!line) this.#result.prepend(line = make('p', { className: 'state' }));
    line.replaceChildren(make('i', { textContent: SIGNS[state] }), make('span', { textContent: text }));
    line.firstChild.setAttribute('aria-label', state);
  }

  /** What shows that it holds. */
  prove(text) { this.proof = text; }

  /** Ends the run in red, unless something is so. */
  check(holds, why) {
    if (!holds) throw new Error(why);
  }

  /** A line of the result: what, and how much of it. */
  row(name, value, unit = '') {
    if (!this.#list) this.#result.append(this.#list = make('dl'));
    this.#list.append(make('div', {}, make('dt', { textContent: name }), make('dd', {}, value, make('small', { textContent: unit }))));
  }

  bytes(name, number) { this.row(name, count(number), 'B'); }
  count(name, number) { this.row(name, count(number)); }
  millis(name, time) { this.row(name, millis(time), 'ms'); }

  /** Does something, shows how long it took, and gives what it gave. */
  async time(name, run) {
    const begin = performance.now();
    const result = await run();
    this.millis(name, performance.now() - begin);
    return result;
  }

  /** The same for what is too short for the clock: the mean of as many as take ten milliseconds. */
  often(name, run) {
    const begin = performance.now();
    let times = 0;
    let time = 0;
    for (let next = 1; time < 10; next *= 2) {
      for (; times < next; times++) run();
      time = performance.now() - begin;
    }
    const micros = time / times * 1e3;
    if (micros < 10) this.row(name, micros.toPrecision(2), 'µs');
    else this.millis(name, micros / 1e3);
  }

  text(text) { this.#result.append(make('pre', { textContent: text })); }
  element(element) { this.#result.append(element); }

  /** What is to be done when the run is over, however it ends. */
  after(run) { this.#ends.unshift(run); }

  async end() {
    for (const run of this.#ends) {
      // What cannot be put away any more has gone.
      try { await run(); } catch { /* gone */ }
    }
  }

  /** A table on the stage; it stays there until the next one comes. */
  async stage(options = {}) {
    const { mount } = await import('/viewer/bodkin.js');
    const home = document.querySelector('#stage');
    home.replaceChildren();
    const theme = document.documentElement.dataset.theme;
    const table = mount(home, { token, ...theme ? { theme } : {}, ...options });
    document.querySelector('#caption').textContent = `${this.#one.id.replace('-memory', '')} · ${this.#one.name}`;
    // Without an address it has begun when it knows that it has no columns; only then it can be told to load something.
    if (!options.src) await until(() => table.state().columns, 'the viewer begins').then(frame).then(frame);
    // A table that is followed goes with the run; any other stays to be looked at.
    this.after(() => table.state().live?.state !== 'off' && table.destroy());
    return table;
  }
}

// The server.

const bearer = () => (token() ? { authorization: `Bearer ${token()}` } : {});

/** Asks the server; what is no good answer is an error with the server's words. */
export async function ask(path, { headers = {}, ...rest } = {}) {
  const response = await fetch(path, { ...rest, headers: { ...bearer(), ...headers } });
  if (response.ok) return response;
  const { title, detail } = await response.json().catch(() => ({}));
  const why = detail ?? title ?? response.statusText;
  if (response.status === 501 || response.status === 403) throw new Skip(`Not here: ${why}.`);
  throw Object.assign(new Error(`${path}: ${response.status} ${why}`), { status: response.status });
}

export const json = async (path, rest) => (await ask(path, rest)).json();
export const octets = async (path, rest) => new Uint8Array(await (await ask(path, rest)).arrayBuffer());
export const put = (path, value) => ask(path, { method: 'PUT', body: JSON.stringify(value) });
export const post = (path, body, type) => json(path, { method: 'POST', body, headers: type ? { 'content-type': type } : {} });

/** A socket whose messages are waited for one by one. */
export async function socket(t, path, protocol) {
  const url = new URL(path, location.href);
  url.protocol = url.protocol.replace('http', 'ws');
  const line = new WebSocket(url, [protocol, ...token() ? [`bearer.${token()}`] : []]);
  line.binaryType = 'arraybuffer';
  const [waiting, come] = [[], []];
  let over = false;
  line.onmessage = ({ data }) => (waiting.length ? waiting.shift()(data) : come.push(data));
  line.onclose = () => { over = true; waiting.splice(0).forEach((done) => done(null)); };
  t.after(() => line.close());
  await new Promise((done, fail) => {
    line.onopen = done;
    line.onerror = () => fail(new Error(`no socket at ${path}`));
  });
  return {
    send: (data) => line.send(data),
    close: () => line.close(),
    /** The next message; nothing when the line has ended. */
    next: () => (come.length ? come.shift() : over ? null : new Promise((done) => waiting.push(done))),
  };
}

/** Bytes of rows that a card loads into the browser at most. */
const ROOM = 300e6;

/**
 * The table with the most rows that is served from files and has a column of numbers beside one of text. Unless a card asks
 * for pages of it only, all of it must have room in a browser.
 */
export async function largest({ pages = false } = {}) {
  const { tables } = await json('/status');
  const files = tables.filter(({ live, rows }) => !live && rows > 0).sort((a, b) => b.rows - a.rows);
  if (!files.length) throw new Skip('Not here: the server has no table of a file with rows.');
  for (const table of files) {
    const path = `/v1/tables/${encodeURIComponent(table.name)}`;
    const { columns } = await json(path);
    const of = (kind) => columns.filter(({ type }) => kind.test(type)).map(({ name }) => name);
    const [texts, numbers] = [of(/^(Large)?Utf8/), of(/^(U?Int|Float)(8|16|32|64)$/)];
    if (!texts.length || !numbers.length) continue;
    const size = Number((await ask(`${path}/data`, { method: 'HEAD' })).headers.get('x-bodkin-bytes'));
    if (!pages && size > ROOM) continue;
    // Names are all that is known of columns: some of them promise more different values than others.
    const number = numbers.find((name) => /delay|price|value|amount/.test(name)) ?? numbers.at(-1);
    return { ...table, path, columns, text: texts[0], number };
  }
  throw new Skip('Not here: no table has text and numbers and is small enough for a browser.');
}

/** The columns of tables that cards make for themselves. */
export const COLUMNS = [
  { name: 'id', type: 'Int64', nullable: false }, { name: 'name', type: 'Utf8' }, { name: 'value', type: 'Float64' },
];

/** Makes a live table that goes with the run; gives its path. */
export async function live(t, definition = { columns: COLUMNS, key: ['id'] }) {
  const path = `/v1/tables/pattern-${Math.random().toString(36).slice(2, 10)}`;
  await put(path, definition);
  t.after(() => ask(path, { method: 'DELETE' }));
  return path;
}

// The module that does in Rust what the viewer need not.

let loading;

/** The module, its memory, and a way to put bytes into it. */
export async function rust() {
  loading ??= import('/viewer/patterns-module.js').then(async (m) => {
    const { memory } = await m.default({ module_or_path: fetch('/viewer/patterns.wasm') });
    const receive = (from) => {
      const received = new m.Received(from.length);
      new Uint8Array(memory.buffer, received.at(), from.length).set(from);
      return received;
    };
    return { m, memory, receive };
  });
  loading.catch(() => { loading = undefined; });
  return loading;
}

/** How often something allocates in the module. */
export async function allocations(m, run) {
  const before = m.allocations();
  await run();
  return m.allocations() - before;
}
