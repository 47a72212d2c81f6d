// What is asked of whoever holds the rows, while the page goes on: the view's rows anew, and windows of them. Meanwhile the
// rows of before stay, or the first of a sort come ahead of the others; the bar tells how far it is, and *Cancel* goes back.

/** Shorter than this, nobody has to know (ms). */
const UNSEEN = 120;
/** A window that is not here by then is looked after: whether somebody still wants it (ms). */
const PASSED = 150;

class Asking {
  #host;
  #parts;
  #number = 0;
  #asks = null;
  #window = null;
  #view = 0;
  #wrong = null;
  /** What the next rows come of, for the status line. */
  what = 'found';
  /** Takes back what was asked for, when it is not to be had. */
  undo = null;

  constructor(host, parts) {
    this.#host = host;
    this.#parts = parts;
    parts.cancel.addEventListener('click', () => host.holder()?.cancel());
  }

  get isWorking() { return this.#asks !== null; }

  /** Another number for other rows. */
  get view() { return this.#view; }

  /** Resolves when the rows that were asked for are shown. */
  async settled() {
    while (this.#asks ?? this.#window) await (this.#asks ?? this.#window);
  }

  /** The same; rejects when they could not be found. */
  async answered() {
    await this.settled();
    if (this.#wrong) throw this.#wrong;
    if (!this.isWorking) this.undo = null;
  }

  /** Another table, or none: what is under way is of no use. */
  forget() {
    this.#number++;
    [this.#wrong, this.undo] = [null, null];
    [this.#asks, this.#window] = [null, null];
    this.#view++;
    this.#end();
  }

  /** Other rows are shown: windows of those before do not fit. */
  changed() { this.#view++; }

  /** The view's rows are found anew; those that were found before stay until then. */
  find() {
    const host = this.#host;
    const number = ++this.#number;
    const begin = performance.now();
    this.#wrong = null;
    const isOver = () => number !== this.#number || !host.viewer();
    const shown = setTimeout(() => { if (!isOver()) this.#working(0); }, UNSEEN);
    // Whoever has scrolled away does not see the first rows.
    const head = host.viewer().topRow() > 0 ? null : (rows, first) => { if (!isOver()) this.#head(rows, first, begin); };
    const asks = (async () => {
      // What is asked for by the same script right behind it takes its place.
      await null;
      if (isOver()) return;
      try {
        const changes = await host.holder().find((part) => { if (!isOver()) this.#working(part); }, head);
        if (isOver()) return;
        host.status.took(this.what, performance.now() - begin);
        this.#end();
        host.after(changes);
      } catch (error) {
        if (isOver()) return;
        this.#end();
        this.undo?.();
        this.undo = null;
        if (error.name !== 'AbortError') this.#wrong = error;
        host.after(host.viewer().workCancel());
        host.markAll();
        if (error.name === 'AbortError') host.status.tell('given up; the rows are those of before');
        else host.failed(error);
      } finally {
        clearTimeout(shown);
        if (this.#asks === asks) this.#asks = null;
      }
    })();
    this.#asks = asks;
  }

  /** The first rows are here: nothing else is asked for until the others are in order. */
  #head(rows, first, begin) {
    const host = this.#host;
    const changes = host.viewer().showHead(rows, first);
    if (!changes) return;
    this.changed();
    host.status.tell(`first rows in ${Math.round(performance.now() - begin)} ms, the others follow`);
    host.after(changes);
    host.emit('bodkin-head', { rows });
  }

  #working(part) {
    this.bar(part);
    this.#parts.cancel.hidden = false;
  }

  #end() {
    this.#parts.cancel.hidden = true;
    if (!this.#host.isLoading()) this.bar(null);
  }

  /** Rows that are in sight, and not here, are asked for. */
  window() {
    const [viewer, engine] = [this.#host.viewer(), this.#host.holder()];
    if (!engine || !viewer.isWindowed()) return;
    const [from, to] = viewer.wantWindow();
    if (to === undefined) return;
    const view = this.#view;
    const isOver = () => viewer !== this.#host.viewer() || view !== this.#view;
    // What has been scrolled past is given up for what is in sight.
    const passed = new AbortController();
    const watch = setInterval(() => {
      const [first, end] = isOver() ? [] : viewer.visibleRows();
      if (!(first < to && end > from)) passed.abort();
    }, PASSED);
    const window = (this.#window = (async () => {
      try {
        const rows = await engine.window(from, to, passed.signal);
        if (this.#window === window) this.#window = null;
        if (!isOver()) this.#host.after(viewer.giveWindow(from, rows));
      } catch (error) {
        if (this.#window === window) this.#window = null;
        if (isOver()) return;
        viewer.giveUp();
        if (error.name === 'AbortError') this.window();
        else this.#host.failed(error);
      } finally {
        clearInterval(watch);
      }
    })());
  }

  /** How far it is, from 0 to 1; `null` takes the bar away. */
  bar(part) {
    const { progress, bar } = this.#parts;
    progress.classList.toggle('on', part !== null);
    const percent = Math.min(100, (part ?? 0) * 100);
    bar.style.width = `${percent}%`;
    progress.setAttribute('aria-valuenow', String(Math.round(percent)));
  }
}
