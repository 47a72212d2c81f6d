// <bodkin-table src="URL of an Arrow stream">: the custom element around the viewer.
//
// The module above holds data, view and pixels. Here is what only a page can do: the element and its shadow
// tree, the fetch, the boxes that people type into, and the pointer's and keyboard's events on their way in.
// `style.js`, `tools.js`, `panel.js` and `input.js` stand before it in the bundle.

/** While a load runs, a filtered or sorted view is found anew at most this often (ms). */
const REFRESH_EVERY = 400;
/** Quiet after a keystroke before a filter runs (ms). */
const TYPING = 140;

let ready;
let sheet;

/** Fetches and starts the module, once for all elements of a page. */
function start() {
  ready ??= __wbg_init({ module_or_path: new URL('bodkin.wasm', import.meta.url) });
  return ready;
}

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
  #choices = { function: 'mean' };

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
    listen(p.canvas, () => this.#viewer, {
      after: (changes) => this.#after(changes),
      timed: (what, run) => this.#timed(what, run),
      perhapsSorted: (run) => this.#perhapsSorted(run),
      copy: () => this.#copy(),
      glide: (by) => { this.#glide = by === 0 ? 0 : this.#glide + by; },
      failed: (error) => {
        this.#complain(error);
        if (error instanceof WebAssembly.RuntimeError) { this.#fail(error, this.src); this.#message(); }
      },
    });
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

  #chips() {
    const viewer = this.#viewer;
    const filtered = viewer.filteredColumns();
    this.#parts.chips.replaceChildren(...filtered.map((column) => chip(
      `${column}  ${viewer.filterText(column)}`, `remove the filter of ${column}`, () => this.setFilter(column, ''))));
    const keys = viewer.groupKeys();
    this.#parts.reset.hidden = !(filtered.length || keys.length || this.#aggregates.length || viewer.sort().length);
    this.#parts.toggle.textContent = keys.length ? `Grouped by ${keys.join(', ')}` : 'Group';
  }

  #panel() {
    this.#parts.panel.replaceChildren(...groupPanel(this.#viewer, this.#aggregates, this.#choices, (keys, aggregates) => {
      try {
        this.setGroup(keys, aggregates);
      } catch (error) {
        this.#complain(error);
      }
    }));
  }

  #complain(error) {
    this.#parts.value.textContent = error.message;
    this.#parts.value.classList.add('error');
  }

  /** A click may or may not have sorted. */
  #perhapsSorted(run) {
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

if (!customElements.get('bodkin-table')) customElements.define('bodkin-table', BodkinTable);

export { BodkinTable };
