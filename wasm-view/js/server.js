// The server as the holder of the rows: for tables that are too large to be sent. Every question is a plan, answered by the
// table's query endpoint; windows are pages of its answer. What needs all cells goes through them in pieces, by a viewer
// that has one piece at a time and no canvas.

const PLAN = 'application/vnd.bodkin.plan';
/** So many rows that came are asked for by what names them, where the view's order does not tell them. */
const NAMED = 1000;
/** A live table is asked for anew at most so often (ms). */
const RENEWED = 300;
/** Rows of a piece. */
const PIECE_ROWS = 20_000;

/** What a table's address tells of it without its rows. */
async function facts(url, headers) {
  const response = await fetch(url, { method: 'HEAD', headers: { accept: STREAM, ...headers } });
  if (!response.ok) throw await problem(response);
  const query = response.headers.get('x-bodkin-query');
  if (!query) throw new Error('this address answers no queries: its rows cannot stay on the server');
  return { rows: Number(response.headers.get('x-bodkin-rows')), query: new URL(query, response.url).href, live: liveOf(response) };
}

/** Nobody, until the table's address has told who answers for it. */
class IdleEngine {
  kind = 'server';
  async load() {}
  close() {}
}

class ServerEngine {
  kind = 'server';
  #host;
  #query;
  #rows;
  #headers;
  #separator;
  #pictures;
  #key = [];
  #renewed = 0;
  #piece = null;
  #at = 0;
  #working = new AbortController();
  #ended = new AbortController();

  constructor(host, { query, rows }, headers, separator) {
    this.#host = host;
    this.#query = query;
    this.#rows = rows;
    this.#headers = headers;
    this.#separator = separator;
    this.#pictures = new Pictures(host, query, headers);
  }

  async ask(body, signal = this.#ended.signal) {
    const response = await fetch(this.#query, { method: 'POST', body, signal, headers: { accept: STREAM, 'content-type': body.buffer ? PLAN : 'application/json', ...this.#headers() } });
    if (!response.ok) throw await problem(response);
    return new Uint8Array(await response.arrayBuffer());
  }

  async load(_url, _headers, _budget, told) {
    const viewer = this.#host.viewer();
    told.total(this.#rows);
    // With the schema come the first rows.
    const first = await this.ask(viewer.viewPlan(0, FIRST_WINDOW));
    told.pushed(viewer.beginFar(first));
    told.pushed(viewer.farRows(this.#rows, this.#rows, 0) | viewer.giveWindow(0, first));
  }

  async find() {
    this.cancel();
    const { signal } = (this.#working = new AbortController());
    const viewer = this.#host.viewer();
    if (viewer.wishesGroups()) {
      const groups = await this.ask(viewer.viewPlan(0, 0), signal);
      return viewer.settleGroups(groups);
    }
    // How many rows there are and those in sight are asked for at once: a server that is far away is waited for once.
    const [top, end] = viewer.visibleRows();
    const first = Math.max(0, 2 * top - end);
    const [counted, window] = await Promise.all([
      viewer.wishesFilter() && this.ask(countPlan(viewer), signal),
      this.ask(viewer.wishedPlan(first, Math.max(FIRST_WINDOW, 4 * (end - top))), signal),
    ]);
    const rows = counted ? countOf(viewer, counted) : this.#rows;
    return viewer.settle(rows, undefined) | (first < rows ? viewer.giveWindow(first, window) : 0);
  }

  cancel() { this.#working.abort(); }

  window(from, to, signal) {
    const viewer = this.#host.viewer();
    return viewer.isWindowed() ? this.ask(viewer.viewPlan(from, to), signal) : Promise.resolve(viewer.windowOf(from, to));
  }

  async hold(shown) {
    if (!shown.isWindowed()) return shown;
    const windowOf = (from, to) => this.ask(shown.viewPlan(from, Math.max(to, from + 1)));
    const piece = new Viewer(undefined, zoneOffset, '');
    const textOf = async (from, to, ...rest) => {
      piece.takePiece(await windowOf(from, to), shown.columnSlots());
      return piece.textOf(0, to - from, ...rest);
    };
    const free = () => { shown.free(); piece.free(); };
    return { windowOf, textOf, free };
  }

  profile() { return this.#pictures.begin(); }
  moved() { this.#pictures.moved(); }
  async memory() { return wasm.memory.buffer.byteLength; }

  async sync() {
    this.#end();
    this.#piece = new Viewer(undefined, zoneOffset, this.#separator);
    this.#at = 0;
  }

  #end() {
    this.#piece?.free();
    this.#piece = null;
  }

  /** The piece's viewer has these rows, and the columns in sight. */
  async #take(from, to) {
    const piece = this.#piece;
    const stream = await this.window(from, to);
    // Whoever began anew meanwhile has another.
    if (piece !== this.#piece) throw superseded();
    piece.takePiece(stream, this.#host.viewer().columnSlots());
    tellFormats(this.#host, (name, ...told) => piece[name](...told));
    return piece;
  }

  /**
   * The rows in sight as they are now, where they stand, how many there are, and what has changed; `told` has it in numbers.
   * Nothing, when the line that told it is over by then: the next one tells it again.
   */
  async live([told], where, isOver) {
    const host = this.#host;
    await new Promise((done) => setTimeout(done, this.#renewed + RENEWED - performance.now()));
    await host.element.settled();
    this.#renewed = performance.now();
    const [viewer, view] = [host.viewer(), host.view()];
    if (!viewer) return { news: [] };
    const [, seen, isAtEnd] = viewer.liveWhere();
    const { epoch, sequence, rows, inserted, updated, removed } = told;
    // Without these numbers all rows may be others.
    const done = inserted >= 0 ? [inserted, updated, removed] : [rows, 0, this.#rows];
    const offset = done[2] < (this.#rows || 1) ? rows - done[0] : NaN;
    const isGrouped = viewer.wishesGroups();
    const [plan, counting] = [isGrouped && viewer.viewPlan(0, 0), viewer.wishesFilter() && countPlan(viewer)];
    const isOrdered = counting || viewer.sort().length > 0;
    const key = this.#key.map((name) => viewer.columnNames().indexOf(name));
    const named = { columns: key.length ? this.#key : undefined, offset, limit: NAMED };
    // A tree of groups is asked for by itself.
    const [groups, names, counted] = await Promise.all([
      plan && !viewer.isTree() ? this.ask(plan) : undefined,
      isOrdered && !isGrouped && offset < rows ? this.ask(JSON.stringify(named)) : [],
      counting && !isGrouped && this.ask(counting),
    ]);
    const shown = isGrouped ? viewer.rowsShown() : counted ? countOf(viewer, counted) : rows;
    const top = isAtEnd ? shown - seen : Math.floor(viewer.topRow());
    const first = Math.max(0, Math.min(top, shown - seen) - 3 * seen);
    const window = isGrouped ? undefined : await this.ask(viewer.viewPlan(first, first + 7 * seen));
    if (viewer !== host.viewer() || isOver()) return { news: [] };
    if (view !== host.view()) return this.live([told], where, isOver);
    host.renewed();
    this.#rows = rows;
    const [place, focus, ...marks] = window ? viewer.placeAnew([window, names].filter((stream) => stream.length), [performance.now(), first, shown, isOrdered && offset >= 0 ? Infinity : offset, ...key]) : [viewer.topRow(), -1];
    const news = [...done, rows, shown, isAtEnd && viewer.liveWhere()[2] ? -1 : place, focus, 0, epoch, sequence, ...marks];
    return { news, first, window, groups };
  }

  async call(name, ...args) {
    if (name === 'liveBegin') return void ([this.#key] = args);
    return this.#piece?.[name](...args);
  }

  /** The next piece is looked through for `findStep`, or counted for `countStep`. */
  async slice(name) {
    const viewer = this.#host.viewer();
    const [top, bottom, left, right] = name === 'findStep' ? [0, viewer.rowsShown(), 0, 0] : viewer.selectedArea();
    const from = Math.max(this.#at, top);
    const to = Math.min(from + PIECE_ROWS, bottom);
    if (from >= to || !this.#piece) return false;
    const piece = await this.#take(from, to);
    if (name === 'findStep') piece.findPiece(from);
    else piece.countPiece(left, right);
    this.#at = to;
    return to < bottom;
  }

  close() {
    this.#ended.abort();
    this.#pictures.end();
    this.cancel();
    this.#end();
  }
}
