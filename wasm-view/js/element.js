// <bodkin-table src="URL of an Arrow stream">: the custom element around the viewer.
//
// The module above has view and pixels, an engine (engine.js, server.js) the rows. Here is what only a page can do: the
// element and its shadow tree, and what follows from a change. The other scripts of this folder stand before it in the
// bundle; what they need of the element is its `#host`.

let sheet;

/**
 * A table of an Arrow stream. Attributes: `src`; `theme` (`light` or `dark`); `engine` (who holds the rows: `page`, `worker`,
 * `server`; by default it is chosen); `budget` (megabytes beyond which the server does); `files` (to open files by hand).
 */
class BodkinTable extends Embedded {
  static observedAttributes = ['src', 'theme', 'engine'];

  #viewer = null;
  #starting = null;
  #parts = null;
  #host = null;
  #boxes = null;
  #finder = null;
  #mirror = null;
  #pane = null;
  #status = null;
  #chart = null;
  #live = null;
  #engine = null;
  #source = null;
  #asked = false;
  #spare = null;
  #turn = 0;
  #asking = null;
  #frame = 0;
  #loading = false;
  #total = null;
  #error = null;
  #glide = 0;
  #observers = [];
  #aggregates = [];
  #choices = { function: 'mean' };
  #left = [];

  constructor() {
    super();
    this.attachShadow({ mode: 'open' });
  }

  connectedCallback() {
    if (!this.#parts) this.#build();
    this.#starting ??= this.#begin();
  }

  disconnectedCallback() {
    this.#turn++;
    this.#left = isArranged(this) ? [this.#source, null, this.save()] : [];
    this.#live.stop();
    this.#engine?.close();
    this.#engine = null;
    this.#spare?.close();
    this.#spare = null;
    for (const stop of this.#observers.splice(0)) stop();
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#viewer?.free();
    this.#viewer = null;
    this.#starting = null;
    this.#asked = false;
    this.#boxes.clear();
    this.#chart.free();
  }

  attributeChangedCallback(name, before, after) {
    if (before === after) return;
    if (!this.#viewer) return void (this.#starting && this.#prepare());
    if (name === 'theme') this.#retheme();
    // Somebody else holds the rows; what a person made of them stays.
    else if (name === 'engine') this.load(this.#source ?? this.src, null, isArranged(this) ? this.save() : null);
    else this.load(this.src);
  }

  /** A token for the server: a text, or a function that gives one, now or later. */
  token = this.token ?? null;

  // What the page may ask and say.

  /** Opens a file, or any blob: Arrow, CSV or TSV, also packed by gzip. Resolves when all rows are here, or it failed. */
  open(file) {
    this.#emit('bodkin-open', { name: file.name ?? '', size: file.size });
    return this.load(file);
  }

  /**
   * Loads an Arrow stream from a URL. Resolves when all rows are here, or the load failed. `again` is for what has changed
   * since the last visit: the view that it is shown with; `view` is one of the same table elsewhere.
   */
  async load(url, again = null, view = null) {
    this.#asked = true;
    await this.#starting;
    if (!this.#viewer) return;
    const turn = ++this.#turn;
    this.#engine?.close();
    this.#live.stop();
    this.#viewer.begin();
    this.#forget();
    this.#engine = null;
    this.#source = url;
    this.#error = null;
    if (again) this.restore(again);
    if (!url) return invite(this, this.#status);
    this.#loading = true;
    this.#total = null;
    this.#asking.bar(0);
    this.#status.say('Loading…', '', false);
    const begin = performance.now();
    const isOver = () => turn !== this.#turn || !this.#viewer;
    let live = null;
    let cached = null;
    const told = {
      cached: (etag) => { cached = etag; },
      total: (rows) => { this.#total = rows; },
      live: (found) => { live = found; },
      pushed: (changes) => {
        if (isOver()) return;
        this.#after(changes);
        // Not before there are rows: until then another table may be asked for.
        if (view && isArranged(this)) view = void this.restore(view);
      },
      part: (part) => { if (!isOver()) this.#progress(part); },
    };
    try {
      const isFile = url instanceof Blob;
      const address = this.#address(url);
      await this.#live.renew();
      const engine = await this.#choose(isFile);
      if (isOver()) return engine.close();
      this.#engine = engine;
      let large = await this.#engine.load(address, this.#headers(), this.#budget(), told, this.#caching(again));
      if (isOver()) return;
      if (this.engine === 'server' && !isFile) large = { ...await facts(address, this.#headers()) };
      if (large) {
        this.#engine.close();
        this.#engine = new ServerEngine(this.#host, large, () => this.#headers(), SEPARATOR);
        this.#viewer.begin();
        ({ live } = large);
        await this.#engine.load(address, this.#headers(), 0, told);
      }
      if (isOver()) return;
      this.#loading = false;
      this.#status.took('loaded', performance.now() - begin);
      this.#counts();
      this.#message();
      this.#emit('bodkin-load', { rows: this.#viewer.rowsLoaded(), bytes: this.#viewer.bytesLoaded(), cached: Boolean(cached), engine: this.#engine.kind });
      if (this.getAttribute('live') === 'off') live = null;
      const checks = cached ? recheck(this.#host, address, cached, isOver, live) : null;
      // What is kept of a live table is followed from there, if the server still knows how.
      if (live) await checks;
      if (isOver()) return;
      await this.#live.start(this.#engine, live);
      if (isOver()) return;
      this.#profile();
    } catch (error) {
      if (isOver()) return;
      this.#loading = false;
      this.#fail(error, url);
    }
    this.#asking.bar(null);
    this.#counts();
    this.#message();
  }

  /** Headers that requests are sent with; one's own in this place go beside the token's. */
  headers() { return this.#live.headers(); }

  #headers() { return { ...this.#live.headers(), ...this.headers() }; }

  #budget() {
    const megabytes = Number(this.getAttribute('budget'));
    return (this.engine ?? 'auto') === 'auto' ? (megabytes > 0 ? megabytes * 1e6 : BUDGET) : Infinity;
  }

  /** A worker, if there may be one; it is started while the page still does other things. */
  #choose(isFile) {
    if (this.engine === 'page') return new PageEngine(this.#host);
    if (this.engine === 'server' && !isFile) return new IdleEngine();
    const spare = this.#spare ?? spareWorker(this.#host, module(), SEPARATOR);
    this.#spare = null;
    return spare.started;
  }

  /** The worker begins while the module is still on its way, and so does the table. */
  #prepare() {
    if (this.engine === 'page' || this.engine === 'server') return;
    this.#spare ??= spareWorker(this.#host, module(), SEPARATOR);
    // In a moment, when a script that makes the element has given it its token.
    if (this.src) this.#spare.ahead(breathe().then(() => this.#live.renew()).then(() => [this.#address(this.src), this.#headers(), this.#caching()]));
  }

  #address(url) { return url instanceof Blob ? url : new URL(url, document.baseURI).href; }

  #caching(again) { return this.cache === null ? '' : again ? 'fresh' : 'any'; }

  /** What is loaded and shown. */
  state() {
    const viewer = this.#viewer;
    if (!viewer) return { loading: !this.#error, error: this.#error, rowsLoaded: 0, rowsShown: 0 };
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
      arranged: slotsOf(viewer).map(({ name, hidden, pinned, width }) => ({ name, hidden, pinned, width, format: formatsOf(this.#host).get(name) })),
      sort: viewer.sort(),
      filters,
      group: { keys: viewer.groupKeys(), aggregates: this.#aggregates.map(([name, column]) => ({ function: name, column })), tree: this.#host.tree.wanted },
      engine: this.#engine?.kind ?? null,
      working: this.#asking.isWorking,
      live: this.#live.facts(),
      selection: Array.from(viewer.selection()),
      selected: top === undefined ? null : { rows: [top, bottom], columns: [left, right] },
      topRow: viewer.topRow(),
      chart: this.#chart.state(),
    };
  }

  /** The exact text of shown cells, row by row; null where a cell is null. */
  async cells(offset = 0, rows = 100) {
    await this.settled();
    const viewer = this.#viewer;
    const to = Math.min(offset + rows, viewer?.rowsShown() ?? 0);
    if (offset >= to) return [];
    const cells = viewer.cellsOf(await this.#host.engine().window(offset, to), true);
    const columns = viewer.shownNames().length;
    return Array.from({ length: to - offset }, (_, row) => cells.slice(row * columns, (row + 1) * columns));
  }

  /** Resolves when the rows that were asked for are shown. */
  settled() {
    return this.#asking?.settled() ?? Promise.resolve();
  }

  /** Sorts by columns: `['origin', '-dep_delay']`. */
  setSort(keys) {
    const names = keys.map((key) => key.replace(/^-/, ''));
    return this.#timed('sorted', () => this.#viewer.setSort(names, Uint8Array.from(keys, (key) => key.startsWith('-'))));
  }

  /** Filters a column by what one would type into its box; an empty text takes the filter away. */
  setFilter(column, text) {
    return this.#timed('filtered', () => this.#viewer.setFilter(column, text));
  }

  /** Groups by columns with aggregates: `[['mean', 'dep_delay'], ['count']]`. Empty lists end it. With `tree` the groups of
   * the first key show, and others when they are opened. */
  setGroup(keys, aggregates = [], { tree = this.#host.tree.wanted } = {}) {
    this.#host.tree.want(tree);
    const before = this.#aggregates;
    this.#asking.undo ??= () => { this.#aggregates = before; };
    this.#aggregates = aggregates.map(([name, column]) => [name, column ?? '']);
    try {
      return this.#timed('grouped', () => this.#viewer.setGroup(keys, this.#aggregates.map(([name]) => name), this.#aggregates.map(([, column]) => column)));
    } catch (error) {
      this.#asking.undo?.();
      this.#asking.undo = null;
      throw error;
    }
  }

  /** Draws a chart: `{ kind: 'bar', x: 'carrier', y: [['mean', 'dep_delay']], colour: 'origin' }`; `null` closes it. */
  chart(spec) {
    this.#chart.show(spec);
  }

  /** What the chart's tooltip says. */
  pointed() {
    return this.#chart.pointed();
  }

  /** Arranges columns: `[{ name, hidden, pinned, width }]` in the wanted order; what is not said stays. */
  setColumns(columns) {
    const viewer = this.#viewer;
    if (!viewer) return;
    const names = viewer.schemaNames();
    const known = columns.filter(({ name }) => names.includes(name));
    for (const { name, hidden, pinned, width } of known) viewer.changeColumn(names.indexOf(name), hidden, pinned, width);
    for (const { name, format } of known) if (format !== undefined) applyFormat(this.#host, name, format);
    this.#after(viewer.orderColumns(known.map(({ name }) => names.indexOf(name))));
  }

  /** Gives a column a format: `{ style, decimals, grouping, date, zone }`; without one it is written as its values need it. */
  setFormat(column, format) {
    if (this.#viewer) applyFormat(this.#host, column, format);
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
    return csv(this.#host);
  }

  [HOST]() { return this.#host; }

  /** Shows all rows in their order. */
  reset() {
    for (const column of this.#viewer.filteredColumns()) this.#after(this.#viewer.setFilter(column, ''));
    this.#boxes.markAll();
    if (this.#viewer.groupKeys().length || this.#aggregates.length) this.setGroup([], []);
    return this.setSort([]);
  }

  /** Bytes of the memory of the module that holds the rows. */
  memory() {
    return this.#engine?.memory() ?? Promise.resolve(0);
  }

  /** Gives up what is being found; the rows that are shown stay. */
  cancel() {
    this.#engine?.cancel();
  }

  // Beginning and ending.

  #build() {
    if (!sheet) {
      sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE + CHART_STYLE);
    }
    this.shadowRoot.adoptedStyleSheets = [sheet];
    const p = this.#parts = tree();
    const host = this.#host = {
      element: this,
      root: this.shadowRoot,
      canvas: p.canvas,
      viewer: () => this.#viewer,
      slots: () => slotsOf(this.#viewer),
      after: (changes) => this.#after(changes),
      timed: (what, run) => this.#timed(what, run),
      // A tree of groups is here, wherever its rows are.
      // Rows that are on their way are of a table that has changed since.
      view: () => this.#asking.view,
      renewed: () => { this.#asking.changed(); this.#viewer.giveUp(); },
      engine: () => (this.#viewer?.isTree() ? near : this.#engine),
      // Who holds the rows, also while a tree of groups stands before them.
      holder: () => this.#engine,
      headers: () => this.#headers(),
      isLoading: () => this.#loading,
      markAll: () => this.#boxes.markAll(),
      copy: (names) => this.#busy(copyCells(host, names)),
      open: () => host.tree.toggle(this.#viewer.selection()[0]) || valuePanel(host, ...this.#viewer.selection()),
      // Asks whoever holds the rows: a plan of the viewer's `planOf` in, an Arrow stream out.
      ask: (plan) => this.#engine.ask(plan),
      hover: (x, y) => hint(host, x, y),
      glide: (by) => { this.#glide = by === 0 ? 0 : this.#glide + by; },
      tell: (text) => this.#status.tell(text),
      emit: (name, detail) => this.#emit(name, detail),
      complain: (error) => this.#status.complain(error),
      failed: (error) => {
        this.#status.complain(error);
        if (error instanceof WebAssembly.RuntimeError) { this.#fail(error, this.src); this.#message(); }
      },
    };
    const near = new PageEngine(host);
    host.tree = groupTree(host);
    host.status = this.#status = new Status(host, p);
    this.#asking = new Asking(host, p);
    this.#live = new Live(host, p.count, p.grid);
    this.#boxes = new Boxes(host, p.boxes);
    this.#finder = new Finder(host);
    this.#chart = new ChartPane(host, p);
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
      if (this.#viewer) menu(this.shadowRoot, exportEntries(host, this.#source?.name ?? this.src, (done) => this.#busy(done)), left, bottom + 4, p.save);
    });
    filesFor(host, p.find, (file) => this.open(file));
    listen(host);
  }

  async #begin() {
    this.#prepare();
    try {
      await start();
    } catch (error) {
      this.#fail(error, 'bodkin.wasm');
      return;
    }
    if (!this.isConnected) return;
    this.#viewer = new Viewer(this.#parts.canvas, zoneOffset, SEPARATOR);
    this.#retheme();
    const observer = new ResizeObserver(() => this.#resize());
    observer.observe(this.#parts.grid);
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    const retheme = () => this.#retheme();
    scheme.addEventListener('change', retheme);
    this.#observers.push(() => observer.disconnect(), () => scheme.removeEventListener('change', retheme));
    this.#resize();
    // Unless a script was faster; back in the page, as it was.
    const isBack = this.#left[0] instanceof Blob || this.#left[0] === this.src;
    queueMicrotask(() => this.#asked || this.load(...isBack ? this.#left : [this.src]));
  }

  #retheme() {
    this.#viewer.setTheme(themeOf(this));
    this.#chart.retheme();
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

  /** What headers show of their columns, found while nothing else is to be done. */
  async #profile() {
    const [turn, engine] = [this.#turn, this.#engine];
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    if (turn !== this.#turn) return;
    await engine.profile(() => this.#after(PAINT)).catch(() => {});
    if (turn !== this.#turn || !this.#viewer) return;
    this.#mirror.soon();
    this.#emit('bodkin-profile', {});
  }

  #progress(part) {
    this.#asking.bar(part);
    this.#emit('bodkin-progress', { rows: this.#viewer.rowsLoaded(), total: this.#total, part });
  }

  #forget() {
    this.#boxes.clear();
    formatsOf(this.#host).clear();
    this.#host.toldFormats?.clear();
    this.#finder.close();
    this.shadowRoot.querySelector('.pop')?.close(false);
    this.#status.forget();
    this.#asking.forget();
    this.#aggregates = [];
    this.#after(PAINT | LAYOUT | VIEW | SELECTION);
  }

  #fail(error, url) {
    this.#error = { title: error.title ?? 'The table could not be loaded', detail: error.message ?? String(error), url: url instanceof Blob ? url : String(url), status: error.status };
    this.#emit('bodkin-error', this.#error);
    // A module that stopped is of no more use; a worker's is made anew with the next load.
    if (error.trap) this.#engine?.close();
    if (error instanceof WebAssembly.RuntimeError || error.here) this.#viewer = null;
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
    if (changes & ASK) this.#asking.find();
    if (changes & VIEW) {
      this.#asking.changed();
      this.#chips();
      if (!this.#parts.panel.hidden) this.#panel();
    }
    if (changes & (VIEW | ROWS | SCHEMA)) this.#chart.changed(changes);
    if (changes & (VIEW | COLUMNS)) {
      this.#boxes.refresh();
      if (this.#finder.searching) this.#finder.restart(false);
      this.#emit(changes & VIEW ? 'bodkin-view' : 'bodkin-columns', {});
    }
    if (changes & (LAYOUT | VIEW | ROWS)) this.#asking.window();
    if (changes & LAYOUT) {
      this.#live.moved();
      this.#engine?.moved?.();
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
    if (this.#live.fade()) this.#after(PAINT);
    this.#viewer.paint();
  }

  /** Runs what asks for other rows; resolves when they are shown, or rejects when they cannot be. */
  #timed(what, run) {
    if (!this.#viewer) return Promise.resolve();
    const begin = performance.now();
    this.#asking.what = what;
    const changes = run();
    if (changes & VIEW) this.#status.took(what, performance.now() - begin);
    this.#after(changes);
    const answered = this.#asking.answered();
    // Whoever does not wait has it told below the grid.
    answered.catch(() => {});
    return answered;
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
    this.#parts.panel.replaceChildren(...groupPanel(this.#viewer, this.#aggregates, this.#choices, (keys, aggregates, more) => {
      try {
        this.setGroup(keys, aggregates, more);
      } catch (error) {
        this.#status.complain(error);
      }
    }, this.#host.tree.wanted));
  }

  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail: { ...detailOf(name, this, this.#viewer), ...detail }, bubbles: true, composed: true }));
  }
}

if (globalThis.customElements && !customElements.get('bodkin-table')) customElements.define('bodkin-table', BodkinTable);

export { BodkinTable, clearCache, configure, init, mount, serve };
