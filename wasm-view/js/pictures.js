// What headers show of rows that stay on the server: asked for one column at a time, of those in sight, when the view has
// rested for a moment. A column that is scrolled away before its answer comes is given up, here and on the server.

/** How long a column has to stay in sight before it is asked for (ms). */
const IN_SIGHT = 60;

class Pictures {
  #host;
  #place;
  #headers;
  #known = new Set();
  #asked = null;
  #stop = null;
  #begun = null;
  #isOver = false;

  constructor(host, query, headers) {
    this.#host = host;
    this.#place = new URL('profile', query);
    this.#headers = headers;
  }

  /** Begins; resolves when all columns in sight are known. */
  begin() {
    return new Promise((done) => {
      this.#begun = done;
      this.moved();
    });
  }

  /** Other columns may be in sight. */
  async moved() {
    if (!this.#begun || this.#isOver) return;
    const sight = this.#sight();
    if (this.#asked) return sight.includes(this.#asked) || this.#stop.abort();
    const name = sight.find((one) => !this.#known.has(one));
    if (!name) return this.#begun();
    this.#asked = name;
    this.#stop = new AbortController();
    try {
      await this.#ask(name, this.#stop.signal);
    } catch (error) {
      // Of what the server cannot sum up there is no picture.
      if (error.name !== 'AbortError') this.#known.add(name);
    }
    this.#asked = null;
    this.moved();
  }

  /** Names of the columns in sight; groups have no pictures. */
  #sight() {
    const viewer = this.#host.viewer();
    if (!viewer || viewer.groupKeys().length) return [];
    const [first, end, fixed] = viewer.visibleColumns();
    return viewer.shownNames().filter((_, at) => at < fixed || at >= first && at < end);
  }

  async #ask(name, signal) {
    await new Promise((resolve) => setTimeout(resolve, IN_SIGHT));
    signal.throwIfAborted();
    const response = await fetch(`${this.#place}?column=${encodeURIComponent(name)}`, { signal, headers: this.#headers() });
    if (!response.ok) throw await problem(response);
    const { rows, nulls, low, high, counts, distinct, values = [] } = await response.json();
    const viewer = this.#host.viewer();
    if (this.#isOver || !viewer) return;
    this.#known.add(name);
    const figures = counts ?? values.map(({ count }) => count);
    const different = distinct === null ? -1 : distinct ?? 0;
    this.#host.after(viewer.foundProfile(viewer.columnNames().indexOf(name), [rows, nulls, different], figures, counts ? [low, high] : [], String(values[0]?.value ?? '')));
    this.#host.emit('bodkin-profile', {});
  }

  end() {
    this.#isOver = true;
    this.#stop?.abort();
  }
}
