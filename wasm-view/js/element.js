// <bodkin-table src="URL of an Arrow stream">: the custom element around the viewer.
//
// The module above holds data, view and pixels. Here is what only a page can do: the element and its shadow
// tree, the fetch, the boxes that people type into, and the pointer's and keyboard's events on their way in.

const PAINT = 1, LAYOUT = 2, SELECTION = 4, VIEW = 8, CAPTURE = 16, SCHEMA = 32, ROWS = 64;
const CURSORS = ['default', 'pointer', 'col-resize'];
const FUNCTIONS = ['count', 'sum', 'mean', 'min', 'max'];
/** While a load runs, a filtered or sorted view is found anew at most this often (ms). */
const REFRESH_EVERY = 400;
/** Quiet after a keystroke before a filter runs (ms). */
const TYPING = 140;

const LIGHT = `--bodkin-background:#fff;--bodkin-header:#f7f9f9;--bodkin-line:#e6eaeb;--bodkin-text:#1a2226;
--bodkin-muted:#5a666d;--bodkin-faint:#6d797f;--bodkin-hover:#f3f7f7;--bodkin-selected:#e3f3f0;--bodkin-accent:#0b6b62;
--bodkin-thumb:#c4cdd0;--bodkin-field:#fff;--bodkin-error:#b3261e;color-scheme:light;`;
const DARK = `--bodkin-background:#0f1416;--bodkin-header:#151b1e;--bodkin-line:#252e32;--bodkin-text:#e6ecee;
--bodkin-muted:#9aa6ac;--bodkin-faint:#87939a;--bodkin-hover:#161d20;--bodkin-selected:#12312d;--bodkin-accent:#4fd1bd;
--bodkin-thumb:#3c484d;--bodkin-field:#0f1416;--bodkin-error:#ff8a80;color-scheme:dark;`;
const STYLE = `
:host{${LIGHT}--bodkin-font:ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
display:block;height:100%;min-height:220px;contain:strict;font:13px/1.4 var(--bodkin-font);color:var(--bodkin-text)}
@media (prefers-color-scheme:dark){:host{${DARK}}}
:host([theme=light]){${LIGHT}} :host([theme=dark]){${DARK}}
:host([hidden]){display:none}
[hidden]{display:none!important}
*{box-sizing:border-box}
.frame{display:flex;flex-direction:column;height:100%;background:var(--bodkin-background);overflow:hidden}
.bar,.status{display:flex;align-items:center;gap:12px;padding:0 14px;flex:none;white-space:nowrap}
.bar{min-height:48px;border-bottom:1px solid var(--bodkin-line)}
.status{height:30px;border-top:1px solid var(--bodkin-line);color:var(--bodkin-muted);font-size:12px;background:var(--bodkin-header)}
.count b{font-weight:600;font-variant-numeric:tabular-nums}
.dim{color:var(--bodkin-muted)}
.grow{flex:1;min-width:0;overflow:hidden;text-overflow:ellipsis}
.chips{display:flex;flex-wrap:wrap;gap:6px;min-width:0}
.bar .chips{flex:1;flex-wrap:nowrap;overflow:hidden}
.chip{display:inline-flex;align-items:center;gap:4px;height:26px;padding:0 4px 0 10px;border-radius:13px;max-width:260px;
background:var(--bodkin-selected);color:var(--bodkin-accent);font-size:12px;font-weight:500}
.chip span{overflow:hidden;text-overflow:ellipsis}
button,select,input{font:inherit;color:inherit}
.chip button{all:unset;cursor:pointer;width:18px;height:18px;border-radius:9px;text-align:center;line-height:17px;font-size:14px}
.chip button:hover{background:var(--bodkin-accent);color:var(--bodkin-background)}
.button{height:30px;padding:0 12px;border:1px solid var(--bodkin-line);border-radius:7px;background:var(--bodkin-field);
font-weight:500;cursor:pointer}
.button:hover{border-color:var(--bodkin-accent)}
.button[aria-expanded=true]{background:var(--bodkin-selected);border-color:var(--bodkin-selected);color:var(--bodkin-accent)}
:is(button,select,input,canvas):focus-visible,.chip button:focus-visible{outline:2px solid var(--bodkin-accent);outline-offset:1px}
canvas:focus-visible{outline-offset:-2px}
canvas:is(.pointed,.selected):focus-visible{outline:none}
.value .dim{margin-right:8px}
.panel{display:grid;grid-template-columns:auto 1fr;gap:10px 14px;align-items:center;padding:12px 14px;
border-bottom:1px solid var(--bodkin-line);background:var(--bodkin-header)}
.panel .label{color:var(--bodkin-muted);font-size:12px}
.panel select{height:26px;max-width:180px;padding:0 6px;border:1px solid var(--bodkin-line);border-radius:13px;
background:var(--bodkin-field);font-size:12px}
.progress{height:2px;flex:none;background:transparent;margin-top:-2px;z-index:1;opacity:0;transition:opacity .4s .2s}
.progress.on{opacity:1;transition:none}
.progress i{display:block;height:100%;width:0;background:var(--bodkin-accent)}
.grid{position:relative;flex:1;min-height:0}
canvas{position:absolute;inset:0;width:100%;height:100%;touch-action:none}
.boxes{position:absolute;right:0;overflow:clip;pointer-events:none}
.boxes input{position:absolute;top:2px;height:26px;padding:0 8px;border:1px solid var(--bodkin-line);border-radius:6px;
background:var(--bodkin-field);font-size:12px;pointer-events:auto;min-width:0}
.boxes input::placeholder{color:var(--bodkin-faint);opacity:.75}
.boxes input:focus{outline:none;border-color:var(--bodkin-accent);box-shadow:0 0 0 1px var(--bodkin-accent)}
.boxes input.set{border-color:var(--bodkin-accent);color:var(--bodkin-accent);font-weight:500}
.boxes input[aria-invalid=true]{border-color:var(--bodkin-error);box-shadow:0 0 0 1px var(--bodkin-error);color:var(--bodkin-error)}
.message{position:absolute;inset:0;display:flex;flex-direction:column;gap:8px;align-items:center;justify-content:center;
padding:24px;text-align:center;pointer-events:none}
.message.whole{background:var(--bodkin-background);pointer-events:auto}
.message b{font-size:15px;font-weight:600}
.message p{margin:0;max-width:56ch;color:var(--bodkin-muted);overflow-wrap:anywhere}
.message .button{margin-top:8px;pointer-events:auto}
.value{color:var(--bodkin-text)}
.value.error{color:var(--bodkin-error)}
@media (prefers-reduced-motion:reduce){*{transition:none!important}}
@media (max-width:560px){.status .time,.count .dim{display:none}}`;

let ready;
let sheet;

/** Fetches and starts the module, once for all elements of a page. */
function start() {
  ready ??= __wbg_init({ module_or_path: new URL('bodkin.wasm', import.meta.url) });
  return ready;
}

const zones = new Map();

/** The offset of a time zone at a moment, in seconds; NaN for a zone that the browser does not know. */
function zoneOffset(zone, seconds) {
  let format = zones.get(zone);
  if (format === undefined) {
    try {
      format = new Intl.DateTimeFormat('en-US', {
        timeZone: zone, calendar: 'gregory', hourCycle: 'h23', era: 'short',
        year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric',
      });
    } catch {
      format = null;
    }
    zones.set(zone, format);
  }
  if (format === null || Math.abs(seconds) > 8.64e12) return NaN;
  const part = {};
  for (const { type, value } of format.formatToParts(seconds * 1000)) part[type] = value;
  const year = part.era === 'BC' ? 1 - part.year : +part.year;
  const local = new Date(0);
  local.setUTCFullYear(year, part.month - 1, part.day);
  local.setUTCHours(part.hour, part.minute, part.second);
  return Math.round(local.getTime() / 1000 - seconds);
}

/** Lets the page breathe: paint, answer the pointer. */
function breathe() {
  return new Promise((resolve) => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => { channel.port1.close(); resolve(); };
    channel.port2.postMessage(0);
  });
}

function make(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.includes('-') || key === 'role' || key === 'part') element.setAttribute(key, value);
    else element[key] = value;
  }
  element.append(...children);
  return element;
}

const count = (number) => number.toLocaleString();
const bytes = (number) => (number < 1e6 ? `${(number / 1e3).toFixed(0)} kB` : `${(number / 1e6).toFixed(1)} MB`);

/** A table of an Arrow stream. Attributes: `src`, `theme` (`light` or `dark`). */
class BodkinTable extends HTMLElement {
  static observedAttributes = ['src', 'theme'];

  #viewer = null;
  #starting = null;
  #parts = null;
  #boxes = new Map();
  #abort = null;
  #frame = 0;
  #loading = false;
  #total = null;
  #error = null;
  #glide = 0;
  #observers = [];
  #refreshed = 0;
  #rect = null;

  constructor() {
    super();
    this.attachShadow({ mode: 'open' });
  }

  connectedCallback() {
    if (!this.#parts) this.#build();
    this.#starting ??= this.#begin();
  }

  disconnectedCallback() {
    this.#abort?.abort();
    this.#abort = null;
    for (const stop of this.#observers.splice(0)) stop();
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#viewer?.free();
    this.#viewer = null;
    this.#starting = null;
    for (const box of this.#boxes.values()) box.remove();
    this.#boxes.clear();
  }

  attributeChangedCallback(name, before, after) {
    if (before === after || !this.#viewer) return;
    if (name === 'src') this.load(after);
    else this.#retheme();
  }

  get src() { return this.getAttribute('src'); }
  set src(value) { this.setAttribute('src', value); }

  // What the page may ask and say.

  /** Loads an Arrow stream from a URL. Resolves when all rows are here, or the load failed. */
  async load(url) {
    await this.#starting;
    if (!this.#viewer) return;
    this.#abort?.abort();
    const abort = (this.#abort = new AbortController());
    this.#viewer.begin();
    this.#forget();
    if (!url) return;
    this.#loading = true;
    this.#error = null;
    this.#total = null;
    this.#parts.progress.classList.add('on');
    this.#say('Loading…', '', false);
    this.#parts.time.textContent = '';
    const begin = performance.now();
    try {
      await this.#fetch(url, abort);
      this.#loading = false;
      this.#time('loaded', performance.now() - begin);
      this.#emit('bodkin-load', { rows: this.#viewer.rowsLoaded(), bytes: this.#viewer.bytesLoaded() });
    } catch (error) {
      if (abort.signal.aborted) return;
      this.#loading = false;
      this.#fail(error, url);
    }
    this.#parts.progress.classList.remove('on');
    this.#counts();
    this.#message();
  }

  /** What is loaded and shown. */
  state() {
    const viewer = this.#viewer;
    if (!viewer) return { loading: true, error: this.#error, rowsLoaded: 0, rowsShown: 0 };
    const types = viewer.columnTypes();
    const filters = {};
    for (const column of viewer.filteredColumns()) filters[column] = viewer.filterText(column);
    return {
      loading: this.#loading,
      error: this.#error,
      rowsTotal: this.#total,
      rowsLoaded: viewer.rowsLoaded(),
      rowsShown: viewer.rowsShown(),
      bytes: viewer.bytesLoaded(),
      columns: viewer.columnNames().map((name, index) => ({ name, type: types[index] })),
      shown: viewer.shownNames(),
      sort: viewer.sort(),
      filters,
      group: { keys: viewer.groupKeys(), aggregates: this.#aggregates.map(([name, column]) => ({ function: name, column })) },
      selection: Array.from(viewer.selection()),
      topRow: viewer.topRow(),
    };
  }

  /** The exact text of shown cells, row by row; null where a cell is null. */
  cells(offset = 0, rows = 100) {
    const viewer = this.#viewer;
    if (!viewer) return [];
    const columns = viewer.shownNames().length;
    const end = Math.min(offset + rows, viewer.rowsShown());
    const out = [];
    for (let row = offset; row < end; row++) {
      out.push(Array.from({ length: columns }, (_, column) => viewer.cellText(row, column) ?? null));
    }
    return out;
  }

  /** Sorts by columns: `['origin', '-dep_delay']`. */
  setSort(keys) {
    const names = keys.map((key) => key.replace(/^-/, ''));
    this.#timed('sorted', () => this.#viewer.setSort(names, Uint8Array.from(keys, (key) => key.startsWith('-'))));
  }

  /** Filters a column by what one would type into its box; an empty text takes the filter away. */
  setFilter(column, text) {
    this.#timed('filtered', () => this.#viewer.setFilter(column, text));
  }

  /** Groups by columns with aggregates: `[['mean', 'dep_delay'], ['count']]`. Empty lists end it. */
  setGroup(keys, aggregates) {
    const before = this.#aggregates;
    this.#aggregates = aggregates.map(([name, column]) => [name, column ?? '']);
    try {
      this.#timed('grouped', () => this.#viewer.setGroup(keys, this.#aggregates.map(([name]) => name), this.#aggregates.map(([, column]) => column)));
    } catch (error) {
      this.#aggregates = before;
      throw error;
    }
  }

  /** Scrolls until a row stands at the top. */
  scrollToRow(row) {
    if (this.#viewer) this.#after(this.#viewer.scrollToRow(row));
  }

  /** Where a column's header is, in the window's coordinates. */
  headerRect(name) {
    const column = this.#viewer.shownNames().indexOf(name);
    const [left, width] = this.#viewer.columnSpan(column);
    return this.#inWindow(left, 0, width, this.#viewer.frame()[1]);
  }

  /** Where a cell is, in the window's coordinates. */
  cellRect(row, name) {
    return this.#inWindow(...this.#viewer.cellRect(row, this.#viewer.shownNames().indexOf(name)));
  }

  #inWindow(left, top, width, height) {
    const canvas = this.#parts.canvas.getBoundingClientRect();
    return new DOMRect(canvas.left + left, canvas.top + top, width, height);
  }

  // Beginning and ending.

  #aggregates = [];

  #build() {
    if (!sheet) {
      sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
    }
    this.shadowRoot.adoptedStyleSheets = [sheet];
    const p = {
      count: make('div', { className: 'count', role: 'status' }),
      chips: make('div', { className: 'chips' }),
      toggle: make('button', { className: 'button', textContent: 'Group', type: 'button', 'aria-expanded': 'false' }),
      reset: make('button', { className: 'button', textContent: 'Reset', type: 'button', hidden: true }),
      panel: make('div', { className: 'panel', hidden: true }),
      bar: make('i'),
      canvas: make('canvas', { tabIndex: 0, role: 'grid', 'aria-label': 'table' }),
      boxes: make('div', { className: 'boxes' }),
      message: make('div', { className: 'message', hidden: true }),
      value: make('span', { className: 'grow value', role: 'status' }),
      time: make('span', { className: 'time' }),
    };
    p.progress = make('div', { className: 'progress', role: 'progressbar', 'aria-label': 'loading' }, p.bar);
    p.grid = make('div', { className: 'grid' }, p.canvas, p.boxes, p.message);
    const frame = make('div', { className: 'frame', part: 'frame' },
      make('div', { className: 'bar' }, p.count, p.chips, p.reset, p.toggle), p.panel, p.progress, p.grid,
      make('div', { className: 'status' }, p.value, p.time));
    this.shadowRoot.append(frame);
    this.#parts = p;
    p.toggle.addEventListener('click', () => {
      p.panel.hidden = !p.panel.hidden;
      p.toggle.setAttribute('aria-expanded', String(!p.panel.hidden));
      if (!p.panel.hidden) this.#panel();
    });
    p.reset.addEventListener('click', () => this.reset());
    this.#listen(p.canvas);
  }

  /** Shows all rows in their order. */
  reset() {
    for (const column of this.#viewer.filteredColumns()) this.#viewer.setFilter(column, '');
    for (const box of this.#boxes.values()) this.#mark(box, null);
    if (this.#viewer.groupKeys().length || this.#aggregates.length) this.setGroup([], []);
    this.setSort([]);
  }

  async #begin() {
    try {
      await start();
    } catch (error) {
      this.#fail(error, 'bodkin.wasm');
      return;
    }
    if (!this.isConnected) return;
    const separator = (12345).toLocaleString().replace(/\d/g, '')[0] ?? ',';
    this.#viewer = new Viewer(this.#parts.canvas, zoneOffset, separator);
    this.#retheme();
    const observer = new ResizeObserver(() => this.#resize());
    observer.observe(this.#parts.grid);
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    const retheme = () => this.#retheme();
    scheme.addEventListener('change', retheme);
    this.#observers.push(() => observer.disconnect(), () => scheme.removeEventListener('change', retheme));
    this.#resize();
    queueMicrotask(() => this.load(this.src));
  }

  #retheme() {
    const style = getComputedStyle(this);
    this.#viewer.setTheme(Viewer.themeProperties().map((name) => style.getPropertyValue(name).trim()));
    this.#after(PAINT);
  }

  #resize() {
    const { width, height } = this.#parts.grid.getBoundingClientRect();
    if (!this.#viewer) return;
    this.#viewer.resize(width, height, devicePixelRatio);
    // At once: a resized canvas is empty.
    this.#viewer.paint();
    this.#after(PAINT | LAYOUT);
  }

  // The load.

  async #fetch(url, abort) {
    const response = await fetch(url, { signal: abort.signal, headers: { accept: 'application/vnd.apache.arrow.stream' } });
    if (!response.ok) throw await problem(response);
    const rows = Number(response.headers.get('x-bodkin-rows'));
    this.#total = rows > 0 ? rows : null;
    const length = response.headers.has('content-encoding') ? 0 : Number(response.headers.get('content-length'));
    const reader = response.body.getReader();
    let rested = performance.now();
    for (;;) {
      const { done, value } = await reader.read();
      if (abort.signal.aborted) throw new DOMException('superseded', 'AbortError');
      if (done) break;
      let changes = this.#viewer.push(value);
      const now = performance.now();
      if (changes & ROWS && this.#viewer.needsRefresh() && now - this.#refreshed > REFRESH_EVERY) {
        changes |= this.#viewer.refresh();
        this.#refreshed = now;
      }
      this.#after(changes);
      const part = this.#total ? this.#viewer.rowsLoaded() / this.#total : length ? this.#viewer.bytesLoaded() / length : 0;
      this.#progress(part);
      if (now - rested > 12) {
        await breathe();
        rested = performance.now();
      }
    }
    this.#after(this.#viewer.end());
    this.#progress(1);
  }

  #progress(part) {
    const percent = Math.min(100, part * 100);
    this.#parts.bar.style.width = `${percent}%`;
    this.#parts.progress.setAttribute('aria-valuenow', String(Math.round(percent)));
    this.#emit('bodkin-progress', { rows: this.#viewer.rowsLoaded(), total: this.#total, part });
  }

  #forget() {
    for (const box of this.#boxes.values()) box.remove();
    this.#boxes.clear();
    this.#aggregates = [];
    this.#after(PAINT | LAYOUT | VIEW | SELECTION);
  }

  #fail(error, url) {
    this.#error = { title: error.title ?? 'The table could not be loaded', detail: error.message ?? String(error), url: String(url) };
    this.#emit('bodkin-error', this.#error);
    if (error instanceof WebAssembly.RuntimeError) this.#viewer = null;
  }

  // After anything: paint, boxes, counts, events.

  #after(changes) {
    if (!changes) return;
    if (changes & SCHEMA) {
      this.#parts.canvas.setAttribute('aria-colcount', String(this.#viewer.columnNames().length));
      if (!this.#parts.panel.hidden) this.#panel();
      this.#emit('bodkin-schema', { columns: this.state().columns });
    }
    if (changes & (ROWS | VIEW | SCHEMA)) {
      this.#counts();
      this.#message();
    }
    if (changes & VIEW) {
      this.#chips();
      if (!this.#parts.panel.hidden) this.#panel();
      for (const box of this.#boxes.values()) box.remove();
      const focused = this.shadowRoot.activeElement?.dataset?.filter;
      this.#keepBoxes(focused);
      this.#emit('bodkin-view', {});
    }
    if (changes & LAYOUT) this.#place();
    if (changes & SELECTION) this.#selected();
    if (this.#frame === 0) this.#frame = requestAnimationFrame(() => this.#paint());
  }

  #paint() {
    this.#frame = 0;
    if (!this.#viewer) return;
    if (Math.abs(this.#glide) > 0.5) {
      const step = Math.abs(this.#glide) < 2 ? this.#glide : this.#glide * 0.3;
      this.#glide -= step;
      if (!this.#viewer.wheel(0, step)) this.#glide = 0;
      this.#frame = requestAnimationFrame(() => this.#paint());
    } else {
      this.#glide = 0;
    }
    this.#viewer.paint();
  }

  #timed(what, run) {
    if (!this.#viewer) return;
    const begin = performance.now();
    const changes = run();
    this.#time(what, performance.now() - begin);
    this.#after(changes);
  }

  #time(what, millis) {
    this.#parts.time.textContent = `${what} in ${millis < 10 ? millis.toFixed(1) : Math.round(millis)} ms`;
  }

  #counts() {
    const viewer = this.#viewer;
    const { count: place } = this.#parts;
    if (!viewer || !viewer.columnNames().length) return place.replaceChildren();
    const [loaded, shown] = [viewer.rowsLoaded(), viewer.rowsShown()];
    const grouped = viewer.groupKeys().length > 0 || this.#aggregates.length > 0;
    const filtered = viewer.filteredColumns().length > 0;
    const strong = make('b', { textContent: count(shown) });
    const rows = grouped ? (shown === 1 ? ' group' : ' groups') : shown === 1 && !filtered ? ' row' : ' rows';
    let rest = '';
    if (this.#loading && this.#total) rest = ` of ${count(this.#total)}, loading`;
    else if (grouped) rest = filtered ? ` of the filtered rows` : ` of ${count(loaded)} rows`;
    else if (filtered) rest = ` of ${count(loaded)}`;
    else rest = ` · ${count(viewer.columnNames().length)} columns · ${bytes(viewer.bytesLoaded())}`;
    place.replaceChildren(strong, rows, make('span', { className: 'dim', textContent: rest }));
    this.#parts.canvas.setAttribute('aria-rowcount', String(shown));
  }

  /** What stands in the grid's place when there is nothing to see there. */
  #message() {
    if (this.#error) {
      const again = make('button', { className: 'button', textContent: 'Try again', type: 'button' });
      again.addEventListener('click', () => this.load(this.#error.url));
      return this.#say(this.#error.title, this.#error.detail, this.#viewer?.rowsLoaded() ? false : true, again);
    }
    if (this.#viewer?.rowsShown() || !this.#viewer) return this.#say('', '', false);
    if (this.#loading) return this.#say('Loading…', '', false);
    if (this.#viewer.filteredColumns().length) return this.#say('No row passes the filters', 'Clear or change a filter above to see rows.', false);
    if (this.#viewer.columnNames().length) this.#say('The table has no rows', '', false);
  }

  #say(title, detail, whole, ...more) {
    const { message } = this.#parts;
    message.hidden = !title;
    message.classList.toggle('whole', whole);
    // Rows that came before a failure stay in sight: the failure is told below them.
    if (title && this.#error && !whole) {
      message.hidden = true;
      this.#parts.value.textContent = `${title}: ${detail}`;
      this.#parts.value.classList.add('error');
      return;
    }
    message.replaceChildren(make('b', { textContent: title }), make('p', { textContent: detail }), ...more);
  }

  #selected() {
    const { value } = this.#parts;
    value.classList.remove('error');
    const [row, column] = this.#viewer.selection();
    // The selected cell shows the focus by itself.
    this.#parts.canvas.classList.toggle('selected', row !== undefined);
    if (row === undefined) return value.replaceChildren();
    const text = this.#viewer.cellText(row, column);
    value.replaceChildren(
      make('span', { className: 'dim', textContent: `row ${count(row + 1)} · ${this.#viewer.shownNames()[column]}` }),
      text === undefined ? make('i', { className: 'dim', textContent: 'null' }) : text);
    value.title = text ?? '';
  }

  // Filter boxes.

  #keepBoxes(focused) {
    const names = this.#viewer.shownNames();
    for (const [name, box] of this.#boxes) {
      const column = names.indexOf(name);
      if (column < 0 || !this.#viewer.hasFilterBox(column)) this.#boxes.delete(name);
      else {
        this.#parts.boxes.append(box);
        if (name !== focused) this.#mark(box, null);
      }
    }
    if (focused) this.#boxes.get(focused)?.focus({ preventScroll: true });
  }

  /** Puts boxes under the headers that are in sight, and beside them, for the Tab key. */
  #place() {
    const viewer = this.#viewer;
    const [gutter, header, height] = viewer.frame();
    const { boxes } = this.#parts;
    boxes.style.left = `${gutter}px`;
    boxes.style.top = `${header}px`;
    boxes.style.height = `${height}px`;
    const names = viewer.shownNames();
    const [first, last] = viewer.visibleColumns();
    const wanted = new Set();
    for (let column = Math.max(0, first - 1); column < Math.min(names.length, last + 1); column++) {
      if (!viewer.hasFilterBox(column)) continue;
      const name = names[column];
      wanted.add(name);
      let box = this.#boxes.get(name);
      if (!box) {
        box = this.#box(name, viewer.filterHint(column));
        this.#boxes.set(name, box);
      }
      const [left, width] = viewer.columnSpan(column);
      box.style.left = `${left - gutter + 4}px`;
      box.style.width = `${width - 8}px`;
    }
    for (const [name, box] of this.#boxes) {
      if (!wanted.has(name) && this.shadowRoot.activeElement !== box) {
        box.remove();
        this.#boxes.delete(name);
      }
    }
    // In the order of the columns, for the Tab key.
    const ordered = names.filter((name) => this.#boxes.has(name)).map((name) => this.#boxes.get(name));
    if (ordered.some((box, index) => boxes.children[index] !== box) && !boxes.contains(this.shadowRoot.activeElement)) {
      boxes.replaceChildren(...ordered);
    } else {
      for (const box of ordered) if (!box.isConnected) boxes.append(box);
    }
  }

  #box(name, hint) {
    const box = make('input', { type: 'text', placeholder: hint, spellcheck: false, autocomplete: 'off', 'data-filter': name, 'aria-label': `filter ${name}` });
    let timer = 0;
    const apply = () => {
      clearTimeout(timer);
      timer = 0;
      try {
        this.#timed('filtered', () => this.#viewer.setFilter(name, box.value));
        this.#mark(box, null, true);
      } catch (error) {
        this.#mark(box, error);
      }
    };
    box.addEventListener('input', () => {
      clearTimeout(timer);
      timer = setTimeout(apply, TYPING);
    });
    box.addEventListener('change', () => timer && apply());
    box.addEventListener('focus', () => this.#after(this.#viewer.showColumn(this.#viewer.shownNames().indexOf(name))));
    box.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') apply();
      if (event.key === 'Escape') { box.value = ''; apply(); }
      if (event.key === 'ArrowDown') this.#parts.canvas.focus();
    });
    this.#mark(box, null);
    return box;
  }

  /** Shows in a box whether its filter holds, and what is wrong with it. */
  #mark(box, error, typed = false) {
    const text = this.#viewer.filterText(box.dataset.filter);
    if (!error && !typed) box.value = text;
    box.classList.toggle('set', !error && text !== '');
    box.setAttribute('aria-invalid', String(Boolean(error)));
    box.title = error ? error.message : text;
    const { value } = this.#parts;
    if (error) value.textContent = `${box.dataset.filter}: ${error.message}`;
    else if (value.classList.contains('error') && !this.#error) value.replaceChildren();
    value.classList.toggle('error', Boolean(error) || Boolean(this.#error));
  }

  // Chips and the group panel.

  #chip(text, label, remove) {
    const cross = make('button', { type: 'button', textContent: '×', 'aria-label': label });
    cross.addEventListener('click', remove);
    return make('span', { className: 'chip', title: text }, make('span', { textContent: text }), cross);
  }

  #chips() {
    const viewer = this.#viewer;
    const filtered = viewer.filteredColumns();
    this.#parts.chips.replaceChildren(...filtered.map((column) => this.#chip(
      `${column}  ${viewer.filterText(column)}`, `remove the filter of ${column}`, () => this.setFilter(column, ''))));
    const keys = viewer.groupKeys();
    this.#parts.reset.hidden = !(filtered.length || keys.length || this.#aggregates.length || viewer.sort().length);
    this.#parts.toggle.textContent = keys.length ? `Grouped by ${keys.join(', ')}` : 'Group';
  }

  #panel() {
    const viewer = this.#viewer;
    const names = viewer.columnNames();
    const keys = viewer.groupKeys();
    const group = (nextKeys, aggregates) => {
      // A group without a figure says little: the first key brings the count.
      if (nextKeys.length && !aggregates.length) aggregates = [['count', '']];
      if (!nextKeys.length) aggregates = [];
      try {
        this.setGroup(nextKeys, aggregates);
      } catch (error) {
        this.#parts.value.textContent = error.message;
        this.#parts.value.classList.add('error');
      }
    };
    const choice = (label, options, chosen) => {
      const select = make('select', { 'aria-label': label }, make('option', { textContent: `${label}…`, value: '' }),
        ...options.map((name) => make('option', { textContent: name, value: name })));
      select.addEventListener('change', () => chosen(select.value));
      return select;
    };
    const keyChips = keys.map((key) => this.#chip(key, `do not group by ${key}`, () => group(keys.filter((other) => other !== key), this.#aggregates)));
    const addKey = choice('add column', names.filter((name) => !keys.includes(name)), (name) => group([...keys, name], this.#aggregates));
    addKey.dataset.group = 'key';
    const aggregateChips = this.#aggregates.map((aggregate, index) => this.#chip(
      aggregate[1] ? `${aggregate[0]} of ${aggregate[1]}` : 'count of rows', 'remove', () => group(keys, this.#aggregates.toSpliced(index, 1))));
    const line = [...aggregateChips];
    if (keys.length) {
      const functions = make('select', { 'aria-label': 'aggregate' }, ...FUNCTIONS.map((name) => make('option', { textContent: name, value: name })));
      functions.value = this.lastFunction ?? 'mean';
      functions.dataset.group = 'function';
      const columns = () => names.filter((_, index) => ['count', 'min', 'max'].includes(functions.value) || viewer.columnIsNumber(index));
      const add = (name) => {
        this.lastFunction = functions.value;
        group(keys, [...this.#aggregates, [functions.value, name]]);
      };
      let column = choice('of column', columns(), add);
      column.dataset.group = 'column';
      functions.addEventListener('change', () => {
        const next = choice('of column', columns(), add);
        next.dataset.group = 'column';
        column.replaceWith(next);
        column = next;
      });
      line.push(functions, column);
    } else {
      line.push(make('span', { className: 'dim', textContent: 'choose a column to group by' }));
    }
    this.#parts.panel.replaceChildren(
      make('span', { className: 'label', textContent: 'Group by' }), make('div', { className: 'chips' }, ...keyChips, addKey),
      make('span', { className: 'label', textContent: 'Show' }), make('div', { className: 'chips' }, ...line));
  }

  // Pointer and keys.

  #listen(canvas) {
    const guard = (run) => (event) => {
      if (!this.#viewer) return;
      try {
        run(event);
      } catch (error) {
        this.#parts.value.textContent = error.message;
        this.#parts.value.classList.add('error');
        if (error instanceof WebAssembly.RuntimeError) { this.#fail(error, this.src); this.#message(); }
      }
    };
    canvas.addEventListener('wheel', guard((event) => {
      const unit = event.deltaMode === 1 ? 28 : event.deltaMode === 2 ? canvas.clientHeight : 1;
      let [x, y] = [event.deltaX * unit, event.deltaY * unit];
      if (event.shiftKey && x === 0) [x, y] = [y, 0];
      const stepped = Math.abs(y) >= 80 && x === 0 && !matchMedia('(prefers-reduced-motion: reduce)').matches;
      if (!stepped) {
        const changes = this.#viewer.wheel(x, y);
        if (changes) event.preventDefault();
        return this.#after(changes);
      }
      // A wheel with notches: what is left of the way is gone in a few frames.
      const first = this.#viewer.wheel(0, y * 0.3);
      if (!first) return;
      event.preventDefault();
      this.#glide += y * 0.7;
      this.#after(first);
    }), { passive: false });
    canvas.addEventListener('pointerdown', guard((event) => {
      if (event.button !== 0) return;
      this.#glide = 0;
      canvas.classList.add('pointed');
      canvas.focus({ preventScroll: true });
      const changes = this.#viewer.pointerDown(event.offsetX, event.offsetY, event.pointerType === 'touch');
      if (changes & CAPTURE) canvas.setPointerCapture(event.pointerId);
      this.#after(changes);
    }));
    canvas.addEventListener('pointermove', guard((event) => {
      const changes = this.#viewer.pointerMove(event.offsetX, event.offsetY);
      canvas.style.cursor = CURSORS[changes >>> 16] ?? 'default';
      this.#after(changes & 0xffff);
    }));
    canvas.addEventListener('pointerup', guard((event) => {
      this.#timedQuietly(() => this.#viewer.pointerUp(event.offsetX, event.offsetY, event.shiftKey || event.ctrlKey || event.metaKey));
    }));
    canvas.addEventListener('pointercancel', guard(() => this.#after(this.#viewer.pointerUp(-1, -1, false))));
    canvas.addEventListener('pointerleave', guard(() => this.#after(this.#viewer.pointerLeave())));
    canvas.addEventListener('dblclick', guard((event) => this.#after(this.#viewer.doubleClick(event.offsetX, event.offsetY))));
    canvas.addEventListener('keydown', guard((event) => {
      canvas.classList.remove('pointed');
      const control = event.ctrlKey || event.metaKey;
      if (control && event.key.toLowerCase() === 'c') return this.#copy();
      if (event.key === 'Enter' && this.#viewer.selection().length) {
        event.preventDefault();
        return this.#timed('sorted', () => this.#viewer.toggleSort(this.#viewer.selection()[1], event.shiftKey));
      }
      const changes = this.#viewer.key(event.key, control);
      if (changes) event.preventDefault();
      this.#after(changes);
    }));
  }

  /** A click may or may not have sorted. */
  #timedQuietly(run) {
    const begin = performance.now();
    const changes = run();
    if (changes & VIEW) this.#time('sorted', performance.now() - begin);
    this.#after(changes);
  }

  async #copy() {
    const [row, column] = this.#viewer.selection();
    if (row === undefined) return;
    await navigator.clipboard?.writeText(this.#viewer.cellText(row, column) ?? '');
    this.#parts.time.textContent = 'copied';
  }

  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}

/** An error of a response: the server's problem document, or its status. */
async function problem(response) {
  const error = new Error(`${response.status} ${response.statusText}`);
  if (response.headers.get('content-type')?.includes('json')) {
    const document = await response.json().catch(() => ({}));
    error.title = document.title;
    error.message = document.detail ?? error.message;
  }
  return error;
}

if (!customElements.get('bodkin-table')) customElements.define('bodkin-table', BodkinTable);

export { BodkinTable };
