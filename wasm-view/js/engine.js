// Whoever holds the rows, behind one face: this page, a worker, or (server.js) the server. The page asks to `load`, to `find`
// the view's rows anew, for a `window` of them, to `hold` them as they are for what leaves, to `call` the viewer that has all
// rows, to `ask` a question beside the view.

/** The page itself: small tables, and where workers are refused. */
class PageEngine {
  kind = 'page';
  #host;
  #loading = new AbortController();
  #working = new AbortController();
  #refound = 0;

  constructor(host) {
    this.#host = host;
  }

  async load(url, headers, budget, told, cache) {
    const { signal } = this.#loading;
    const viewer = this.#host.viewer();
    // A file may be text.
    if (url instanceof Blob) await bringMore();
    const opened = await open(url, headers, signal, cache);
    if (isLarge(opened, budget)) {
      this.#loading.abort();
      return opened;
    }
    const feeding = feed(opened, signal, viewer, {
      ...told,
      pushed: (changes) => {
        if (changes & ROWS && viewer.needsRefresh() && performance.now() - this.#refound > REFIND && !this.#host.element.state().working) {
          changes |= viewer.refresh();
          this.#refound = performance.now();
        }
        told.pushed(changes);
      },
    });
    try {
      await feeding;
      // What was sorted or filtered while rows came.
      await this.sync();
    } catch (error) {
      throw Object.assign(outOfMemory(error), { here: error instanceof WebAssembly.RuntimeError });
    }
  }

  async find(told, head) {
    this.cancel();
    const { signal } = (this.#working = new AbortController());
    return work(await this.#asked(), signal, told, head);
  }

  /** The viewer once it can answer, which its module's second part does. */
  async #asked() {
    await bringMore();
    return this.#host.viewer();
  }

  cancel() { this.#working.abort(); }
  async window(from, to) { return this.#host.viewer().windowOf(from, to); }
  async hold(shown) { return shown; }
  async live(messages, where) { return { news: (await this.#asked()).liveApply(new Uint8Array(), messages, where, performance.now()) }; }
  async call(name, ...args) { return (await this.#asked())[name](...args); }
  async slice(name, argument, millis) {
    await Promise.all([bringMore(), breathe()]);
    return slice(() => this.#host.viewer()[name](argument), millis);
  }
  async ask(plan) { return (await this.#asked()).runPlan(plan); }
  sync() { return this.#host.element.settled(); }
  async memory() { return wasm.memory.buffer.byteLength; }
  async profile(told) { return profiles(await this.#asked(), () => this.#loading.signal.aborted, told); }

  close() {
    this.#loading.abort();
    this.cancel();
  }
}

/** What a worker does with the first part of its module; all else waits for the second. */
const UNASKED = ['start', 'ahead', 'load', 'more', 'windowOf', 'memory'];

/** A worker, which has its own module and memory. */
class WorkerEngine {
  kind = 'worker';
  #host;
  #worker;
  #waiting = new Map();
  #next = 0;
  #told = {};
  #isWhole = false;
  #completing = null;
  #working = () => {};
  #head = () => {};
  #finds = 0;
  #holds = 0;

  constructor(host, worker) {
    this.#host = host;
    this.#worker = worker;
    worker.onmessage = ({ data }) => this.#heard(data);
    worker.onerror = (event) => this.#end(new Error(event.message || 'the worker ended'));
  }

  #heard({ id, result, error, event, more }) {
    if (event) {
      const viewer = this.#host.viewer();
      if (!viewer) return;
      switch (event) {
        case 'schema': return this.#told.pushed?.(viewer.beginFar(more[0]));
        case 'rows': return this.#told.pushed?.(viewer.farRows(...more));
        case 'window': return this.#host.after(viewer.giveWindow(...more));
        case 'found': return this.#told.pushed?.(viewer.settle(more[0].rows, more[0].groups));
        case 'working': return this.#working(more[0]);
        case 'head': return this.#head(...more);
        case 'profile': return this.#host.after(viewer.takeProfile(...more));
        default: return this.#told[event]?.(...more);
      }
    }
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (!waiting) return;
    if (!error) return waiting.resolve(result);
    waiting.reject(Object.assign(new Error(error.message), { name: error.name, title: error.title, status: error.status, trap: error.trap }));
  }

  #end(error) {
    this.#worker.terminate();
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  async call(name, ...args) {
    if (!this.#isWhole && !UNASKED.includes(name)) await this.#complete();
    return new Promise((resolve, reject) => {
      this.#waiting.set(++this.#next, { resolve, reject });
      this.#worker.postMessage({ id: this.#next, name, args });
    });
  }

  /** The worker has the second part of its module, too. */
  #complete() {
    this.#completing ??= bringMore().then((module) => this.call('more', module)).then(
      () => { this.#isWhole = true; },
      (error) => { this.#completing = null; throw error; },
    );
    return this.#completing;
  }

  async load(url, headers, budget, told, cache) {
    this.#told = told;
    // A file may be text.
    if (url instanceof Blob) await this.#complete();
    const { large, rows, groups } = await this.call('load', url, headers, budget, cache);
    if (large) return large;
    const viewer = this.#host.viewer();
    // What was filtered or sorted while rows came is settled now; the windows of all others still hold.
    if (viewer && (groups || viewer.rowsShown() !== rows)) told.pushed(viewer.settle(rows, groups));
  }

  async find(told, head) {
    this.#working = told;
    const number = ++this.#finds;
    // What was found for a question before is of no use.
    this.#head = (of, ...first) => { if (of === this.#finds) head(...first); };
    const viewer = this.#host.viewer();
    const [top, end] = viewer.visibleRows();
    const { rows, groups, first, window } = await this.call('run', viewer.viewPlan(0, 0), head ? number : 0, viewer.wishesGroups() ? 0 : top, end - top);
    const now = this.#host.viewer();
    return now ? now.settle(rows, groups) | now.giveWindow(first, window) : 0;
  }

  cancel() { this.call('cancel'); }
  window(from, to) { return this.call('windowOf', from, to); }

  async hold(shown) {
    const id = ++this.#holds;
    // An update may have come there that is not seen here yet.
    const rows = await this.call('hold', id, shown.columnSlots());
    shown.farRows(rows, rows, 0);
    const held = (name) => (...args) => this.call('held', id, name, ...args);
    const free = () => { shown.free(); this.call('letGo', id).catch(() => {}); };
    return { windowOf: held('windowOf'), textOf: held('textOf'), free };
  }

  live(messages, where) { return this.call('live', this.#host.viewer().viewPlan(0, 0), messages, where); }
  slice(name, argument, millis) { return this.call('slice', name, argument, millis); }
  ask(plan) { return this.call('runPlan', plan); }
  profile() { return this.call('profile'); }
  memory() { return this.call('memory'); }

  /** The worker's viewer has the same columns in sight, and the same cells selected. */
  async sync() {
    await this.#host.element.settled();
    const viewer = this.#host.viewer();
    const [top, bottom, left, right] = viewer.selectedArea();
    const selects = top === undefined ? Promise.resolve() : this.call('select', top, left, bottom - 1, right - 1, 0);
    tellFormats(this.#host, (...told) => this.call(...told));
    return Promise.all([this.call('setColumnSlots', viewer.columnSlots()), selects]);
  }

  close() { this.#end(superseded()); }
}
