// <bodkin-table src="URL of an Arrow stream">: the custom element around the viewer.
//
// The module above holds data, view and pixels. Here is what only a page can do: the element and its shadow tree, the
// fetch, and what follows from a change. The other scripts of this folder stand before it in the bundle; what they need
// of the element is its `#host`.

/** While a load runs, a filtered or sorted view is found anew at most this often (ms). */
const REFRESH_EVERY = 400;

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
  #host = null;
  #boxes = null;
  #finder = null;
  #mirror = null;
  #pane = null;
  #status = null;
  #abort = null;
  #frame = 0;
  #loading = false;
  #total = null;
  #error = null;
  #glide = 0;
  #observers = [];
  #refreshed = 0;
  #aggregates = [];
  #choices = { function: 'mean' };

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
    this.#boxes.clear();
  }

  attributeChangedCallback(name, before, after) {
    if (before === after || !this.#viewer) return;
    if (name === 'src') this.load(after);
    else this.#retheme();
  }

  /** A token for the server: a text, or a function that gives one. */
  token = this.token ?? null;

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
    this.#status.say('Loading…', '', false);
    const begin = performance.now();
    try {
      await stream(url, abort.signal, this.#viewer, {
        headers: await bearer(this.token),
        total: (rows) => { this.#total = rows; },
        pushed: (changes) => this.#pushed(changes),
        part: (part) => this.#progress(part),
      });
      this.#loading = false;
      this.#status.took('loaded', performance.now() - begin);
      this.#emit('bodkin-load', { rows: this.#viewer.rowsLoaded(), bytes: this.#viewer.bytesLoaded() });
      this.#profile();
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
    const [top, bottom, left, right] = viewer.selectedArea();
    return {
      loading: this.#loading,
      error: this.#error,
      rowsTotal: this.#total,
      rowsLoaded: viewer.rowsLoaded(),
      rowsShown: viewer.rowsShown(),
      bytes: viewer.bytesLoaded(),
      columns: viewer.columnNames().map((name, index) => ({ name, type: types[index] })),
      shown: viewer.shownNames(),
      arranged: this.#slots().map(({ name, hidden, pinned, width }) => ({ name, hidden, pinned, width })),
      sort: viewer.sort(),
      filters,
      group: { keys: viewer.groupKeys(), aggregates: this.#aggregates.map(([name, column]) => ({ function: name, column })) },
      selection: Array.from(viewer.selection()),
      selected: top === undefined ? null : { rows: [top, bottom], columns: [left, right] },
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

  /** Arranges columns: `[{ name, hidden, pinned, width }]` in the wanted order; what is not said stays. */
  setColumns(columns) {
    const viewer = this.#viewer;
    if (!viewer) return;
    const names = viewer.schemaNames();
    const known = columns.filter(({ name }) => names.includes(name));
    for (const { name, hidden, pinned, width } of known) viewer.changeColumn(names.indexOf(name), hidden, pinned, width);
    this.#after(viewer.orderColumns(known.map(({ name }) => names.indexOf(name))));
  }

  /** Selects from a cell to a cell, each a row and a position; without the second one cell. */
  select(from, to = from) {
    if (this.#viewer) this.#after(this.#viewer.select(from[0], from[1], to[0], to[1], 0));
  }

  /** Scrolls until a row stands at the top. */
  scrollToRow(row) {
    if (this.#viewer) this.#after(this.#viewer.scrollToRow(row));
  }

  /** The view, in its columns' order, as a blob of comma-separated values. */
  toCsv() {
    return csv(this.#viewer, () => {});
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

  /** Shows all rows in their order. */
  reset() {
    for (const column of this.#viewer.filteredColumns()) this.#viewer.setFilter(column, '');
    this.#boxes.markAll();
    if (this.#viewer.groupKeys().length || this.#aggregates.length) this.setGroup([], []);
    this.setSort([]);
  }

  // Beginning and ending.

  #build() {
    if (!sheet) {
      sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
    }
    this.shadowRoot.adoptedStyleSheets = [sheet];
    const p = this.#parts = tree();
    const host = this.#host = {
      element: this,
      root: this.shadowRoot,
      canvas: p.canvas,
      viewer: () => this.#viewer,
      slots: () => this.#slots(),
      after: (changes) => this.#after(changes),
      timed: (what, run) => this.#timed(what, run),
      perhapsSorted: (run) => this.#perhapsSorted(run),
      copy: (names) => this.#busy(copyCells(this.#viewer, names)),
      open: () => valuePanel(host, ...this.#viewer.selection()),
      // Asks whoever holds the rows: a plan of the viewer's `planOf` in, an Arrow stream out.
      ask: async (plan) => this.#viewer.runPlan(plan),
      hover: (x, y) => this.#hint(x, y),
      glide: (by) => { this.#glide = by === 0 ? 0 : this.#glide + by; },
      complain: (error) => this.#status.complain(error),
      failed: (error) => {
        this.#status.complain(error);
        if (error instanceof WebAssembly.RuntimeError) { this.#fail(error, this.src); this.#message(); }
      },
    };
    this.#status = new Status(host, p);
    this.#boxes = new Boxes(host, p.boxes);
    this.#finder = new Finder(host);
    this.#mirror = new Mirror(host);
    this.#pane = new Pane(host, p.scroller, p.sizer);
    this.#finder.listen(p.grid);
    this.shadowRoot.append(p.frame);
    p.toggle.addEventListener('click', () => {
      p.panel.hidden = !p.panel.hidden;
      p.toggle.setAttribute('aria-expanded', String(!p.panel.hidden));
      if (!p.panel.hidden) this.#panel();
    });
    p.reset.addEventListener('click', () => this.reset());
    p.find.addEventListener('click', () => this.#viewer && this.#finder.open(false));
    p.columns.addEventListener('click', () => this.#viewer && columnsPanel(host, p.columns));
    p.save.addEventListener('click', () => {
      const { left, bottom } = p.save.getBoundingClientRect();
      if (this.#viewer) menu(this.shadowRoot, this.#exports(), left, bottom + 4, p.save);
    });
    listen(host);
  }

  #exports() {
    const name = fileName(this.src);
    const save = async () => {
      download(await csv(this.#viewer, (part) => this.#status.tell(`exporting ${Math.round(part * 100)} %`)), `${name}.csv`);
      return `exported ${count(this.#viewer.rowsShown())} rows`;
    };
    return [['View as CSV', () => this.#busy(save())]];
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
    this.#parts.canvas.style.width = `${width}px`;
    this.#parts.canvas.style.height = `${height}px`;
    this.#viewer.resize(width, height, devicePixelRatio);
    // At once: a resized canvas is empty.
    this.#viewer.paint();
    this.#after(PAINT | LAYOUT);
  }

  // The load.

  #pushed(changes) {
    const now = performance.now();
    if (changes & ROWS && this.#viewer.needsRefresh() && now - this.#refreshed > REFRESH_EVERY) {
      changes |= this.#viewer.refresh();
      this.#refreshed = now;
    }
    this.#after(changes);
  }

  /** What headers show of their columns, in slices that nobody notices. */
  async #profile() {
    const viewer = this.#viewer;
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    for (let more = true; more;) {
      if (viewer !== this.#viewer || this.#loading) return;
      const begin = performance.now();
      while (more && performance.now() - begin < 4) more = viewer.profileStep();
      this.#after(PAINT);
      await breathe();
    }
    this.#mirror.soon();
    this.#emit('bodkin-profile', {});
  }

  #progress(part) {
    const percent = Math.min(100, part * 100);
    this.#parts.bar.style.width = `${percent}%`;
    this.#parts.progress.setAttribute('aria-valuenow', String(Math.round(percent)));
    this.#emit('bodkin-progress', { rows: this.#viewer.rowsLoaded(), total: this.#total, part });
  }

  #forget() {
    this.#boxes.clear();
    this.#finder.close();
    this.shadowRoot.querySelector('.pop')?.close(false);
    this.#status.forget();
    this.#aggregates = [];
    this.#after(PAINT | LAYOUT | VIEW | SELECTION);
  }

  #fail(error, url) {
    this.#error = { title: error.title ?? 'The table could not be loaded', detail: error.message ?? String(error), url: String(url), status: error.status };
    this.#emit('bodkin-error', this.#error);
    if (error instanceof WebAssembly.RuntimeError) this.#viewer = null;
  }

  // After anything: paint, boxes, counts, events.

  #after(changes) {
    if (!changes || !this.#viewer) return;
    if (changes & SCHEMA) {
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
    }
    if (changes & (VIEW | COLUMNS)) {
      this.#boxes.refresh();
      if (this.#finder.searching) this.#finder.restart(false);
      this.#emit(changes & VIEW ? 'bodkin-view' : 'bodkin-columns', {});
    }
    if (changes & LAYOUT) {
      this.#boxes.place();
      this.#pane.soon();
    }
    if (changes & (LAYOUT | VIEW | ROWS | COLUMNS)) this.#mirror.soon();
    if (changes & SELECTION) {
      this.#status.selected();
      this.#mirror.select();
      this.#emit('bodkin-select', {});
    }
    if (this.#frame === 0) this.#frame = requestAnimationFrame(() => this.#paint());
  }

  #paint() {
    this.#frame = 0;
    if (!this.#viewer) return;
    if (Math.abs(this.#glide) > 0.5) {
      const step = Math.abs(this.#glide) < 2 ? this.#glide : this.#glide * 0.3;
      this.#glide -= step;
      const moved = this.#viewer.wheel(0, step);
      if (!moved) this.#glide = 0;
      this.#after(moved | PAINT);
    } else {
      this.#glide = 0;
    }
    this.#viewer.paint();
  }

  #timed(what, run) {
    if (!this.#viewer) return;
    const begin = performance.now();
    const changes = run();
    this.#status.took(what, performance.now() - begin);
    this.#after(changes);
  }

  /** A click may or may not have sorted. */
  #perhapsSorted(run) {
    const begin = performance.now();
    const changes = run();
    if (changes & VIEW) this.#status.took('sorted', performance.now() - begin);
    this.#after(changes);
  }

  /** Tells what came of something that takes a while. */
  async #busy(promise) {
    try {
      this.#status.tell(await promise);
    } catch (error) {
      this.#status.complain(error);
    }
  }

  #counts() {
    this.#status.counts({ loading: this.#loading, total: this.#total, grouped: this.#viewer?.groupKeys().length > 0 || this.#aggregates.length > 0 });
  }

  #message() {
    this.#status.message(this.#error, this.#loading, () => this.load(this.#error.url));
  }

  /** What a header's bars mean, when the pointer rests on it. */
  #hint(x, y) {
    const header = y < this.#viewer.frame()[1];
    const column = header ? this.#viewer.headerAt(x) : -1;
    const title = column >= 0 ? `${this.#viewer.shownNames()[column]}\n${this.#viewer.columnNote(column)}` : '';
    if (this.#parts.canvas.title !== title) this.#parts.canvas.title = title;
  }

  #slots() {
    const names = this.#viewer.schemaNames();
    const numbers = this.#viewer.columnSlots();
    return Array.from({ length: numbers.length / 4 }, (_, index) => {
      const [column, hidden, pinned, width] = numbers.slice(index * 4, index * 4 + 4);
      return { column, name: names[column], hidden: hidden > 0, pinned: pinned > 0, width };
    });
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
        this.#status.complain(error);
      }
    }));
  }

  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}

if (!customElements.get('bodkin-table')) customElements.define('bodkin-table', BodkinTable);

export { BodkinTable };
