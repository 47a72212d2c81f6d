// What a page's program says to tables beside their own methods: properties that reflect attributes, where the module
// is, and a table that is put into the page by one call.

/** Attributes that are properties, too. */
const REFLECTED = ['src', 'theme', 'cache', 'engine', 'budget'];

/** Where the module's two parts and the worker's script are: URLs, responses, bytes or compiled modules. */
const places = { wasm: undefined, more: undefined, worker: undefined };
let started = false;

/** Says where the module and the worker's script are, before the first table needs them. Without, beside this script. */
function configure({ wasm, more, worker }) {
  if (started && (wasm ?? more) !== undefined) throw new Error('the module is loaded already: call configure() before the first table is in the page');
  places.wasm = wasm ?? places.wasm;
  places.more = more ?? places.more;
  places.worker = worker ?? places.worker;
}

/** What the module is made from. The address is written so that bundlers see it, and take the file along. */
function wasmPlace() {
  started = true;
  return places.wasm ?? new URL('bodkin.wasm', import.meta.url);
}

/** What its second part is made from: it stands beside the first when that is where it is by itself, or at an address. */
function morePlace() {
  const { wasm, more } = places;
  if (more !== undefined) return more;
  if (typeof wasm === 'string' || wasm instanceof URL) return new URL('bodkin-more.wasm', new URL(wasm, document.baseURI));
  return new URL('bodkin-more.wasm', import.meta.url);
}

/** Loads the module ahead of the first table, from a URL, a response, bytes or a compiled module. */
async function init(wasm) {
  if (wasm !== undefined) configure({ wasm });
  await start();
}

/** The part of the element that knows nothing of what is shown. On a server, where there are no elements, it is nothing. */
class Embedded extends TableData {
  #wanted = null;

  constructor() {
    super();
    // What was set while the element was not defined yet.
    for (const name of [...REFLECTED, 'view']) {
      if (!Object.hasOwn(this, name)) continue;
      const value = this[name];
      delete this[name];
      this[name] = value;
    }
    for (const name of ['bodkin-schema', 'bodkin-progress', 'bodkin-load']) this.addEventListener(name, () => this.#bring());
    // Rows are here to be asked about, or a person has seen that there are none.
    for (const name of ['bodkin-progress', 'bodkin-load', 'bodkin-error', 'bodkin-open']) this.addEventListener(name, () => bringMoreSoon((error) => this[HOST]().status.complain(error, true)));
  }

  /** Moved by `moveBefore`, a table stays as it is. */
  connectedMoveCallback() {}

  /** Resolves when the table is loaded; rejects when that fails. */
  async whenLoaded() {
    // A load that has just been asked for begins a moment later.
    await breathe();
    return new Promise((resolve, reject) => {
      const judge = () => {
        const { loading, error, columns } = this.state();
        if (loading || !error && !columns?.length) return;
        for (const name of ['bodkin-load', 'bodkin-error']) this.removeEventListener(name, judge);
        if (error) reject(Object.assign(new Error(error.detail), error));
        else resolve();
      };
      for (const name of ['bodkin-load', 'bodkin-error']) this.addEventListener(name, judge);
      judge();
    });
  }

  /** What a person made of the table, to be kept as JSON and given to `restore`. */
  save() {
    return savedView(this);
  }

  /** Brings back what `save` gave, or parts of it, as soon as there are rows. Resolves to what could not be. */
  restore(view) {
    this.#wanted?.done([]);
    return new Promise((done) => {
      this.#wanted = view ? { view, done } : done([]);
      // Later, since an element that is just being made has no state yet.
      queueMicrotask(() => this.#bring());
    });
  }

  get view() { return this.save(); }
  set view(view) { this.restore(view); }

  /** Where a column's header is, in the window's coordinates. */
  headerRect(name) {
    const viewer = this[HOST]().viewer();
    const [left, width] = viewer.columnSpan(viewer.shownNames().indexOf(name));
    return this.#inWindow(left, 0, width, viewer.frame()[1]);
  }

  /** Where a cell is, in the window's coordinates. */
  cellRect(row, name) {
    const viewer = this[HOST]().viewer();
    return this.#inWindow(...viewer.cellRect(row, viewer.shownNames().indexOf(name)));
  }

  #inWindow(left, top, width, height) {
    const canvas = this[HOST]().canvas.getBoundingClientRect();
    return new DOMRect(canvas.left + left, canvas.top + top, width, height);
  }

  #bring() {
    const wanted = this.#wanted;
    if (!wanted || !isArranged(this)) return;
    this.#wanted = null;
    bringBack(this, wanted.view).then(wanted.done, (error) => wanted.done([error.message]));
  }
}

for (const name of REFLECTED) {
  Object.defineProperty(Embedded.prototype, name, {
    configurable: true,
    enumerable: true,
    get() { return this.getAttribute(name); },
    set(value) {
      if (value === null || value === undefined || value === false) this.removeAttribute(name);
      else this.setAttribute(name, value === true ? '' : value);
    },
  });
}

/** The small facts that an event carries, beside what it was given. */
function detailOf(name, table, viewer) {
  if (name === 'bodkin-select') {
    const [top, bottom, left, right] = viewer.selectedArea();
    const [row, column] = viewer.selection();
    return { focus: row === undefined ? null : { row, column }, selected: top === undefined ? null : { rows: [top, bottom], columns: [left, right] } };
  }
  if (name !== 'bodkin-view' && name !== 'bodkin-columns') return {};
  const { rowsLoaded, rowsShown, sort, filters, group, arranged } = table.state();
  return name === 'bodkin-view' ? { rowsLoaded, rowsShown, sort, filters, group } : { columns: arranged };
}

/** Puts a table into an element of the page. The handle has the table's methods, `element`, and `destroy`. */
function mount(place, { on = {}, ...properties } = {}) {
  const home = typeof place === 'string' ? document.querySelector(place) : place;
  if (!home) throw new Error(`mount: there is no ${place} in the page`);
  const element = Object.assign(document.createElement('bodkin-table'), properties);
  for (const [name, told] of Object.entries(on)) element.addEventListener(`bodkin-${name}`, (event) => told(event.detail, event));
  const handle = { element, destroy: () => element.remove() };
  for (const { prototype } of [BodkinTable, Embedded, TableData]) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      if (typeof value === 'function' && name !== 'constructor' && !name.endsWith('Callback')) handle[name] ??= value.bind(element);
    }
  }
  home.append(element);
  return handle;
}
