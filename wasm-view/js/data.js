// Data for scripts: the part of the element that other code on the page reads. Rows as objects, columns as typed arrays,
// rows as elements, the view as Arrow; and views over the module's memory, where nothing is copied.
//
// What is copied comes a piece at a time, so that the page breathes; a view that changes meanwhile ends it, as half of one
// order and half of another would be no answer.

/** Where the element's viewer is found by what stands in this file. */
const VIEWER = Symbol('viewer');
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
class TableData extends HTMLElement {
  /** Rows of the view as objects, by the names of the columns that are shown. */
  async rows(offset = 0, count = 100) {
    const viewer = this.#viewer();
    const names = viewer.shownNames();
    const out = [];
    // Objects are heavy: a piece of them is smaller.
    for await (const [from, to] of this.#pieces(offset, offset + count, 2_048)) {
      const values = viewer.rowValues(from, to);
      for (let at = 0; at < values.length; at += names.length) {
        out.push(Object.fromEntries(names.map((name, index) => [name, values[at + index]])));
      }
    }
    return out;
  }

  /** A column over all rows of the view: `{ name, type, values, validity }`. */
  async column(name) {
    const viewer = this.#viewer();
    const kind = viewer.columnClass(name);
    if (kind === undefined) throw new Error(`unknown column ${name}`);
    const type = viewer.shownType(name);
    const rows = viewer.rowsShown();
    if (!kind) {
      const values = [];
      for await (const [from, to] of this.#pieces(0, rows)) for (const value of viewer.columnPiece(name, from, to)) values.push(value);
      return { name, type, values, validity: null };
    }
    const values = new globalThis[kind](rows);
    const raw = new Uint8Array(values.buffer);
    let validity = null;
    for await (const [from, to] of this.#pieces(0, rows)) {
      const [bytes, bits] = viewer.columnPiece(name, from, to);
      raw.set(bytes, from * values.BYTES_PER_ELEMENT);
      if (bits) (validity ??= new Uint8Array(Math.ceil(rows / 8)).fill(255)).set(bits.subarray(0, Math.ceil((to - from) / 8)), from / 8);
    }
    return { name, type, values, validity };
  }

  /** Writes the text of rows of the view into an element: rows of a table into a `tbody` or `table`, else elements. */
  async fill(element, offset = 0, count = 100) {
    const viewer = this.#viewer();
    const tabular = element instanceof HTMLTableSectionElement || element instanceof HTMLTableElement;
    const columns = viewer.shownNames().length;
    const rows = [];
    for await (const [from, to] of this.#pieces(offset, offset + count, 2_048)) {
      for (let row = from; row < to; row++) {
        rows.push(make(tabular ? 'tr' : 'div', {}, ...Array.from({ length: columns }, (_, position) => make(
          tabular ? 'td' : 'span', { textContent: viewer.cellText(row, position) ?? '' }))));
      }
    }
    element.replaceChildren(...rows);
  }

  /** The view, its rows in their order and the columns that are shown, as a blob: an Arrow stream, or a file. */
  async toArrow({ file = false, progress = () => {} } = {}) {
    const viewer = this.#viewer();
    const rows = viewer.rowsShown();
    const out = viewer.arrowExport(file);
    const parts = [];
    try {
      // A view without rows has a schema all the same.
      if (!rows) parts.push(viewer.arrowRows(out, 0, 0));
      for await (const [from, to] of this.#pieces(0, rows)) {
        parts.push(viewer.arrowRows(out, from, to));
        progress(to / rows);
      }
    } catch (error) {
      out.free();
      throw error;
    }
    parts.push(out.end());
    return new Blob(parts, { type: `application/vnd.apache.arrow.${file ? 'file' : 'stream'}` });
  }

  /** Rows of each chunk of the table, in the order in which they came. */
  async chunks() {
    return Array.from(this.#viewer().chunkRows());
  }

  /** A chunk of a column of the table (not of the view) where it lies, without copying: a `MemoryView`. */
  columnView(name, chunk = 0) {
    const viewer = this.#viewer();
    const kind = viewer.tableClass(name);
    if (kind === undefined) throw new Error(`unknown column ${name}`);
    const [place, length] = viewer.columnPlace(name, chunk);
    if (place === undefined) throw new Error(`column ${name} has no chunk ${chunk} of plain numbers; await table.column(name) copies it`);
    return new MemoryView(new globalThis[kind](wasm.memory.buffer, place, length), this.#deathOf());
  }

  /** A chunk of the table by the Arrow C data interface: addresses in `memory`. Call `release()` when done. */
  arrowStructs(chunk = 0) {
    const viewer = this.#viewer();
    const structs = viewer.arrowStructs(chunk);
    let released = false;
    return {
      memory: wasm.memory,
      schema: structs.schema(),
      array: structs.array(),
      get isAlive() { return !released; },
      release() {
        if (!released) structs.free();
        released = true;
      },
    };
  }

  /** Why what lies in memory now may not be looked at later; empty as long as it may. */
  #deathOf() {
    const viewer = this.#viewer();
    const [stamp, buffer] = [viewer.tableStamp(), wasm.memory.buffer];
    return () => {
      if (this[VIEWER]() !== viewer || viewer.tableStamp() !== stamp) return 'its table was dropped';
      return wasm.memory.buffer === buffer ? '' : 'the memory has grown';
    };
  }

  #viewer() {
    const viewer = this[VIEWER]();
    if (!viewer) throw new Error('there is no table yet; wait for the event bodkin-load');
    return viewer;
  }

  /** Stretches of the view's rows, with a breath after each. */
  async *#pieces(from, end, most = ROWS_AT_ONCE) {
    const viewer = this.#viewer();
    let changed = false;
    const change = () => { changed = true; };
    this.addEventListener('bodkin-view', change);
    this.addEventListener('bodkin-schema', change);
    try {
      end = Math.min(end, viewer.rowsShown());
      for (from = Math.max(0, from); from < end; from += most) {
        yield [from, Math.min(end, from + most)];
        await breathe();
        if (from + most < end && (changed || this[VIEWER]() !== viewer)) throw new Error('the view has changed meanwhile; ask again');
      }
    } finally {
      this.removeEventListener('bodkin-view', change);
      this.removeEventListener('bodkin-schema', change);
    }
  }
}
