// Data for scripts: the part of the element that other code on the page reads. Rows as objects, columns as typed arrays,
// rows as elements, the view as Arrow; and views over the module's memory, where nothing is copied.
//
// What is copied comes a piece at a time, so that the page breathes; a view that changes meanwhile ends it, as half of one
// order and half of another would be no answer.

/** Where what stands in this file finds the element's viewer and engine. */
const HOST = Symbol('host');
/** Rows that are copied at once: whole bytes of bits. */
const ROWS_AT_ONCE = 65_536;

/** A typed array over the module's memory. It dies when the memory grows or the table goes, and says so. */
class MemoryView {
  #array;
  #whyDead;

  constructor(array, whyDead) {
    this.#array = array;
    this.#whyDead = whyDead;
  }

  get isAlive() { return this.#whyDead() === ''; }

  /** The values; an error says why there are none any more. Keep no copy of it: ask each time. */
  get array() {
    const why = this.#whyDead();
    if (why) throw new Error(`this view of a column is dead: ${why}. Ask for a new one, or for a copy: await table.column(name)`);
    return this.#array;
  }
}

/** The methods of the element that give data. */
class TableData extends (globalThis.HTMLElement ?? Object) {
  /** Rows of the view as objects, by the names of the columns that are shown. */
  async rows(offset = 0, count = 100) {
    const out = [];
    // Objects are heavy: a piece of them is smaller.
    for await (const { stream, viewer } of this.#pieces(offset, offset + count, 2_048)) {
      const names = viewer.shownNames();
      const values = viewer.rowValues(stream);
      for (let at = 0; at < values.length; at += names.length) {
        out.push(Object.fromEntries(names.map((name, index) => [name, values[at + index]])));
      }
    }
    return out;
  }

  /** A column over all rows of the view: `{ name, type, values, validity }`. */
  async column(name) {
    await this.settled();
    const viewer = this.#viewer();
    const kind = viewer.columnClass(name);
    if (kind === undefined) throw new Error(`unknown column ${name}`);
    const type = viewer.shownType(name);
    const rows = viewer.rowsShown();
    let validity = null;
    if (!kind) {
      const values = [];
      for await (const { stream } of this.#pieces(0, rows)) for (const value of viewer.columnPiece(stream, name)) values.push(value);
      return { name, type, values, validity };
    }
    const values = new globalThis[kind](rows);
    const raw = new Uint8Array(values.buffer);
    for await (const { stream, from } of this.#pieces(0, rows)) {
      const [bytes, bits] = viewer.columnPiece(stream, name);
      raw.set(bytes, from * values.BYTES_PER_ELEMENT);
      if (bits) (validity ??= new Uint8Array(Math.ceil(rows / 8)).fill(255)).set(bits, from / 8);
    }
    return { name, type, values, validity };
  }

  /** Writes the text of rows of the view into an element: rows of a table into a `tbody` or `table`, else elements. */
  async fill(element, offset = 0, count = 100) {
    const tabular = /^(TABLE|TBODY|THEAD|TFOOT)$/.test(element.tagName);
    const out = [];
    for await (const { stream, viewer } of this.#pieces(offset, offset + count, 2_048)) {
      const columns = viewer.shownNames().length;
      const cells = viewer.cellsOf(stream, true).map((text) => make(tabular ? 'td' : 'span', { textContent: text ?? '' }));
      for (let at = 0; at < cells.length; at += columns) out.push(make(tabular ? 'tr' : 'div', {}, ...cells.slice(at, at + columns)));
    }
    element.replaceChildren(...out);
  }

  /** The view, its rows in their order and the columns that are shown, as a blob: an Arrow stream, or a file. */
  async toArrow({ file = false, progress = () => {} } = {}) {
    await this.settled();
    const viewer = this.#viewer();
    const rows = viewer.rowsShown();
    const out = viewer.arrowExport(file);
    const parts = [];
    try {
      // A view without rows has a schema all the same.
      if (!rows) parts.push(out.push(await this[HOST]().engine().window(0, 0)));
      for await (const { stream, to } of this.#pieces(0, rows)) {
        parts.push(out.push(stream));
        progress(to / rows);
      }
      parts.push(out.end());
    } finally {
      out.free();
    }
    return new Blob(parts, { type: `application/vnd.apache.arrow.${file ? 'file' : 'stream'}` });
  }

  /** Rows of each chunk of the table, where `engine` is `page`. */
  chunks() {
    return Array.from(this.#here().chunkRows());
  }

  /** A chunk of a column of the table (not of the view) where it lies, without copying: a `MemoryView`. */
  columnView(name, chunk = 0) {
    const viewer = this.#here();
    const kind = viewer.tableClass(name);
    if (kind === undefined) throw new Error(`unknown column ${name}`);
    const [place, length] = viewer.columnPlace(name, chunk);
    if (place === undefined) throw new Error(`column ${name} has no chunk ${chunk} of plain numbers; await table.column(name) copies it`);
    const [stamp, { buffer }] = [viewer.tableStamp(), wasm.memory];
    return new MemoryView(new globalThis[kind](buffer, place, length), () => {
      if (this[HOST]().viewer() !== viewer || viewer.tableStamp() !== stamp) return 'its table was dropped';
      return wasm.memory.buffer === buffer ? '' : 'the memory has grown';
    });
  }

  /** A chunk of the table by the Arrow C data interface: addresses in `memory`. Call `release()` when done. */
  arrowStructs(chunk = 0) {
    const structs = this.#here().arrowStructs(chunk);
    let alive = true;
    return {
      memory: wasm.memory,
      schema: structs.schema(),
      array: structs.array(),
      get isAlive() { return alive; },
      release() {
        if (alive) structs.free();
        alive = false;
      },
    };
  }

  #viewer() {
    const viewer = this[HOST]().viewer();
    if (!viewer || !this[HOST]().engine()) throw new Error('there is no table yet; wait for the event bodkin-load');
    return viewer;
  }

  /** The viewer, whose memory has the rows. */
  #here() {
    const viewer = this.#viewer();
    if (this[HOST]().engine().kind === 'page') return viewer;
    throw new Error('the rows are not in the memory of this page. Say <bodkin-table engine="page">, or copy them: await table.column(name)');
  }

  /** Stretches of the view's rows as Arrow streams, with a breath after each. */
  async *#pieces(from, end, most = ROWS_AT_ONCE) {
    await this.settled();
    const viewer = this.#viewer();
    const engine = this[HOST]().engine();
    let changed = false;
    const change = () => { changed = true; };
    const events = ['bodkin-head', 'bodkin-view', 'bodkin-schema'];
    for (const name of events) this.addEventListener(name, change);
    try {
      end = Math.min(end, viewer.rowsShown());
      for (from = Math.max(0, from); from < end; from += most) {
        const to = Math.min(end, from + most);
        const stream = await engine.window(from, to);
        if (changed || engine !== this[HOST]().engine()) throw new Error('the view has changed meanwhile; ask again');
        yield { stream, from, to, viewer };
        await breathe();
      }
    } finally {
      for (const name of events) this.removeEventListener(name, change);
    }
  }
}
