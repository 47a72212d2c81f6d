// Data for scripts: the part of the element that other code on the page reads. Rows as objects, columns as typed arrays,
// rows as elements, the view as Arrow; and views over the module's memory, where nothing is copied.
//
// What is copied comes a piece at a time, so that the page breathes, and is what was shown when it was asked for, whatever is
// sorted or filtered meanwhile: half of one order and half of another would be no answer.

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

/** The viewer of a table that is there. */
function viewerOf(host) {
  const viewer = host.viewer();
  if (!viewer || !host.engine()) throw new Error('there is no table yet; wait for the event bodkin-load');
  return viewer;
}

/** What a viewer shows, in a viewer of its own: there it stays as it is. */
function stillOf(viewer) {
  const still = new Viewer(undefined, zoneOffset, '');
  still.takeShown(viewer);
  return still;
}

/**
 * Runs what takes a while over what is shown now, which stays as it is meanwhile: a viewer that tells of it, whoever gives its
 * rows, and a loop over stretches of them, one at least, with a breath after each.
 */
async function held(host, run) {
  await bringMore();
  await host.element.settled();
  const [shown, holder] = [stillOf(viewerOf(host)), host.holder()];
  const rows = await host.engine().hold(shown);
  try {
    return await run(shown, rows, async (from, end, most, take, progress) => {
      const all = shown.rowsShown();
      end = Math.min(end, all);
      from = Math.max(0, from);
      do {
        const to = Math.min(end, from + most);
        if (from < end || !all) await take(from, to);
        if (all) progress?.(to / all);
        await breathe();
        if (holder !== host.holder()) throw superseded();
        from += most;
      } while (from < end);
    });
  } finally {
    rows.free();
  }
}

/** The methods of the element that give data. */
class TableData extends (globalThis.HTMLElement ?? Object) {
  /** Rows of the view as objects, by the names of the columns that are shown. */
  rows(offset = 0, count = 100) {
    return this.#lines(offset, count, 'rowValues', (names, values) => Object.fromEntries(names.map((name, index) => [name, values[index]])));
  }

  /** A column over all rows of the view: `{ name, type, values, validity }`. */
  column(name) {
    return held(this[HOST](), async (shown, rows, each) => {
      const kind = shown.columnClass(name);
      if (kind === undefined) throw new Error(`unknown column ${name}`);
      const values = kind ? new globalThis[kind](shown.rowsShown()) : [];
      let validity = null;
      await each(0, Infinity, ROWS_AT_ONCE, async (from, to) => {
        const piece = shown.columnPiece(await rows.windowOf(from, to), name);
        if (!kind) return piece.forEach((value) => values.push(value));
        const [bytes, bits] = piece;
        new Uint8Array(values.buffer).set(bytes, from * values.BYTES_PER_ELEMENT);
        if (bits) (validity ??= new Uint8Array(Math.ceil(values.length / 8)).fill(255)).set(bits, from / 8);
      });
      return { name, type: shown.shownType(name), values, validity };
    });
  }

  /** Writes the text of rows of the view into an element: rows of a table into a `tbody` or `table`, else elements. */
  async fill(element, offset = 0, count = 100) {
    const [line, cell] = /^(TABLE|TBODY|THEAD|TFOOT)$/.test(element.tagName) ? ['tr', 'td'] : ['div', 'span'];
    element.replaceChildren(...await this.#lines(offset, count, 'cellsOf', (_, texts) => make(line, {}, ...texts.map((text) => make(cell, { textContent: text ?? '' })))));
  }

  /** What `make` makes of the cells of each row, which a method of the viewer gives. */
  #lines(offset, count, method, make) {
    return held(this[HOST](), async (shown, rows, each) => {
      const [names, out] = [shown.shownNames(), []];
      // Objects are heavy: a piece of them is smaller.
      await each(offset, offset + count, 2_048, async (from, to) => {
        const cells = shown[method](await rows.windowOf(from, to), true);
        for (let at = 0; at < cells.length; at += names.length) out.push(make(names, cells.slice(at, at + names.length)));
      });
      return out;
    });
  }

  /** The view, its rows in their order and the columns that are shown, as a blob: an Arrow stream, or a file. */
  toArrow({ file = false, progress } = {}) {
    return held(this[HOST](), async (shown, rows, each) => {
      const out = shown.arrowExport(file);
      const parts = [];
      try {
        await each(0, Infinity, ROWS_AT_ONCE, async (from, to) => parts.push(out.push(await rows.windowOf(from, to))), progress);
        parts.push(out.end());
      } finally {
        out.free();
      }
      return new Blob(parts, { type: `application/vnd.apache.arrow.${file ? 'file' : 'stream'}` });
    });
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

  /** The viewer, whose memory has the rows. */
  #here() {
    const viewer = viewerOf(this[HOST]());
    if (this[HOST]().engine().kind === 'page') return viewer;
    throw new Error('the rows are not in the memory of this page. Say <bodkin-table engine="page">, or copy them: await table.column(name)');
  }
}
