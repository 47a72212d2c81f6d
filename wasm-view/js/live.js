// Live tables: the subscription, and what a page shows of it. Messages go in batches, a few in each frame, to the engine that
// holds the rows. A line that breaks is made again, ever more slowly, from where it was; one that says nothing, not even
// that it is alive, is taken for broken.

/** The server says so often that the line is alive (seconds). */
const HEARTBEAT = 5;
/** Silence after which the rows are called stale, and after which the line is made anew (ms). */
const [STALE, DEAD] = [2.4e3 * HEARTBEAT, 3.6e3 * HEARTBEAT];
/** Between two looks at what has come, where the page is seen and where it is not (ms). */
const [REST, UNSEEN_REST] = [4, 250];
/** How long to wait before the first attempt to come back, and at most (ms). */
const [FIRST_WAIT, LONGEST_WAIT] = [250, 30_000];
/** Groups in the making are looked after so often (ms). */
const STEP = 60;
/** What is said of selected cells is found again at most so often (ms). */
const RECOUNT = 500;

class Live {
  #host;
  #engine = null;
  #url = null;
  #position = null;
  #socket = null;
  #queue = [];
  #busy = false;
  #pumping = 0;
  #pumped = 0;
  #state = 'off';
  #attempts = 0;
  #failures = 0;
  #heard = 0;
  #timer = 0;
  #watch = 0;
  #turn = 0;
  #fresh = 0;
  #recount = 0;
  #bearer = null;
  #count;
  #light;
  #text;
  #said;
  #pill;
  #calm = matchMedia('(prefers-reduced-motion: reduce)');
  #wake = () => this.#woken();

  constructor(host, place, grid) {
    this.#host = host;
    this.#text = make('span', { 'aria-hidden': 'true' });
    this.#said = make('span', { className: 'unseen', role: 'status' });
    this.#light = make('span', { className: 'live', hidden: true }, make('i'), this.#text, this.#said);
    this.#pill = make('button', { className: 'pill', type: 'button', hidden: true });
    this.#pill.addEventListener('click', () => {
      host.after(host.viewer()?.scrollToRow(Number.MAX_SAFE_INTEGER) ?? 0);
      host.canvas.focus();
    });
    this.#count = place;
    place.after(this.#light);
    grid.append(this.#pill);
  }

  /** Asks the page for a token, if it has some. */
  async renew() {
    const { token } = this.#host.element;
    this.#bearer = (typeof token === 'function' ? await token() : token) ?? null;
  }

  headers() {
    return this.#bearer ? { authorization: `Bearer ${this.#bearer}` } : {};
  }

  facts() {
    const age = this.#state === 'off' ? 0 : (performance.now() - this.#heard) / 1000;
    const marks = this.#host.viewer()?.liveMarks() ?? [];
    return { state: this.#state, age, attempts: this.#attempts, sequence: this.#position?.[1] ?? null, fresh: this.#fresh, marks: Array.from(marks) };
  }

  /** Follows a table whose rows have just come; `found` is what its answer told: where, and the key. */
  async start(engine, found) {
    this.stop();
    if (!found) return;
    const turn = this.#turn;
    this.#engine = engine;
    this.#url = new URL(found.url);
    this.#position = ['epoch', 'from'].map((name) => Number(this.#url.searchParams.get(name)));
    await engine.call('liveBegin', found.key, ...this.#position);
    if (turn !== this.#turn) return;
    addEventListener('online', this.#wake);
    document.addEventListener('visibilitychange', this.#wake);
    this.#watch = setInterval(() => this.#look(), 1000);
    this.#heard = performance.now();
    this.#connect();
  }

  stop() {
    this.#turn++;
    clearInterval(this.#watch);
    removeEventListener('online', this.#wake);
    document.removeEventListener('visibilitychange', this.#wake);
    this.#leave();
    [this.#engine, this.#position, this.#busy, this.#attempts, this.#failures] = [null, null, false, 0, 0];
    this.#rest();
    this.#show('off');
  }

  /** Lets the line go. */
  #leave() {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    this.#queue = [];
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = socket.onerror = null;
      socket.close();
    }
  }

  /** Whether the rows stay on the server, which tells that they change, not how. */
  #isTold() { return this.#engine?.kind === 'server'; }

  async #connect() {
    this.#leave();
    const turn = this.#turn;
    try {
      await this.renew();
    } catch {
      return turn === this.#turn && this.#again();
    }
    if (turn !== this.#turn) return;
    const url = new URL(this.#url);
    url.protocol = url.protocol.replace('http', 'ws');
    url.search = '';
    if (this.#position) ['epoch', 'from'].forEach((name, at) => url.searchParams.set(name, this.#position[at]));
    url.searchParams.set('heartbeat', HEARTBEAT);
    if (this.#isTold()) url.searchParams.set('rows', 'none');
    const socket = (this.#socket = new WebSocket(url, ['bodkin.discrete', ...this.#bearer ? [`bearer.${this.#bearer}`] : []]));
    socket.binaryType = 'arraybuffer';
    socket.onmessage = ({ data }) => {
      this.#heard = performance.now();
      this.#attempts = 0;
      this.#show('live');
      if (typeof data !== 'string') this.#add(new Uint8Array(data));
      else {
        const told = JSON.parse(data);
        // Without rows it says that the line is alive, and nothing more.
        if (!this.#isTold() || told.rows === undefined) return;
        this.#add(told);
      }
      this.#soon();
    };
    socket.onclose = () => this.#again();
  }

  /** What is told in numbers is told of all that has not been taken. */
  #add(message) {
    const before = this.#isTold() && this.#queue.pop();
    if (before) for (const name of ['inserted', 'updated', 'removed']) message[name] += before[name];
    this.#queue.push(message);
  }

  /** Comes back after a while, with some chance in it, so that not all come at once. */
  #again() {
    this.#leave();
    const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** this.#attempts) * (0.5 + Math.random() / 2);
    this.#attempts++;
    this.#show('reconnecting');
    this.#timer = setTimeout(async () => {
      // A table that is no more is not waited for.
      if (this.#attempts % 4 === 0 && await this.#isGone()) return;
      this.#connect();
    }, wait);
  }

  async #isGone() {
    const turn = this.#turn;
    const status = await fetch(this.#host.element.src, { method: 'HEAD', headers: this.#host.headers() }).then(({ status }) => status, () => 0);
    if (turn !== this.#turn) return true;
    if (status !== 404) return false;
    this.stop();
    this.#show('ended');
    return true;
  }

  /** The network is back, or somebody looks at the page again. */
  #woken() {
    if (document.hidden || !this.#engine) return;
    if (this.#state === 'reconnecting') this.#connect();
    else this.#look();
    if (this.#queue.length) this.#soon();
  }

  #look() {
    const silence = performance.now() - this.#heard;
    if (this.#state === 'live' && silence > STALE) this.#show('stale');
    else if (this.#state === 'stale' && silence > DEAD) this.#again();
    else if (this.#state === 'stale' || this.#state === 'reconnecting') this.#write();
  }

  // Updates.

  #soon() {
    // Rows on the server are asked for when somebody sees them.
    if (this.#pumping || this.#isTold() && document.hidden) return;
    // Several times in a frame, so that what is applied is painted with the next; rarely in a page that nobody sees.
    const rest = document.hidden ? UNSEEN_REST : Math.max(0, REST - (performance.now() - this.#pumped));
    this.#pumping = setTimeout(() => {
      this.#pumping = 0;
      this.#pumped = performance.now();
      this.#pump();
    }, rest);
  }

  async #pump(step = false) {
    if (this.#busy || !this.#engine || !(this.#queue.length || step)) return;
    const [turn, engine, viewer] = [this.#turn, this.#engine, this.#host.viewer()];
    if (!viewer) return;
    this.#busy = true;
    let [messages, socket, wait] = [[], null, false];
    const isOver = () => socket !== this.#socket;
    // What was not taken comes first again; a line that was made anew tells it anew.
    const back = () => { if (!isOver()) [...messages, ...this.#queue.splice(0)].forEach((message) => this.#add(message)); };
    try {
      // Rows that are being found are found in a table that stays as it is.
      await this.#host.element.settled();
      if (turn !== this.#turn) return;
      [messages, socket] = [this.#queue.splice(0), this.#socket];
      const where = viewer.liveWhere();
      const { news, first, window, groups } = await engine.live(messages, where, isOver);
      if (turn !== this.#turn || !this.#host.viewer()) return;
      if (!news.length) back();
      else {
        this.#position = Array.from(news.slice(8, 10));
        this.#failures = 0;
        this.#took(viewer, news, where, first, window, groups);
      }
    } catch (error) {
      if (turn !== this.#turn) return;
      if (error.trap || error instanceof WebAssembly.RuntimeError) {
        this.stop();
        this.#host.failed(error);
      } else if (this.#isTold()) {
        // A server that does not answer is waited for; what it says is told.
        if (!error.status) return this.#again();
        this.#host.complain(error);
        // With the next update.
        wait = true;
        back();
      } else if (this.#failures++ > 0) this.#host.element.load(this.#host.element.src, this.#host.element.save());
      else {
        // Something was missed: all rows anew.
        this.#position = null;
        this.#connect();
      }
    } finally {
      if (turn === this.#turn) {
        this.#busy = false;
        if (this.#queue.length && !wait) this.#soon();
      }
    }
  }

  #took(viewer, news, where, first, window, groups) {
    const [inserted, updated, removed, , , , , working] = news;
    const marks = this.#calm.matches ? news.slice(0, 10) : news;
    // Where the server was asked, the place is that of now.
    let changes = viewer.liveTook(marks, this.#isTold() ? viewer.topRow() : where[0], performance.now());
    if (window) changes |= viewer.giveWindow(first, window);
    // The groups are others, what is asked for is the same.
    if (groups) changes |= viewer.settleGroups(groups) & ~VIEW;
    viewer.liveStyle();
    const isOrdered = viewer.sort().length > 0 || viewer.groupKeys().length > 0;
    if (inserted && !where[2] && !isOrdered && viewer.visibleRows()[1] < viewer.rowsShown()) {
      this.#fresh += inserted;
      this.#pill.textContent = `${count(this.#fresh)} new ${this.#fresh === 1 ? 'row' : 'rows'} ↓`;
      this.#pill.hidden = false;
    }
    if (isOrdered) this.#rest();
    this.#host.after(changes);
    // What is said of a selection is of the cells as they were.
    this.#recount ||= viewer.selection().length && setTimeout(() => {
      this.#recount = 0;
      this.#host.after(SELECTION);
    }, RECOUNT);
    this.#host.tree.renew();
    if (inserted || updated || removed) this.#tell('bodkin-update', { inserted, updated, removed });
    if (working) setTimeout(() => this.#pump(true), STEP);
  }

  /** Whoever is at the end has seen what is new. */
  moved() {
    const viewer = this.#host.viewer();
    if (this.#fresh && viewer && viewer.visibleRows()[1] >= viewer.rowsShown()) this.#rest();
  }

  #rest() {
    this.#fresh = 0;
    this.#pill.hidden = true;
  }

  /** Marked cells fade; gives whether there are some. */
  fade() {
    return this.#engine !== null && this.#host.viewer().liveFade(performance.now());
  }

  // The light.

  #show(state) {
    if (state === this.#state) return;
    this.#state = state;
    this.#light.hidden = state === 'off';
    // The count would be read aloud at every update.
    this.#count.setAttribute('aria-live', state === 'off' ? 'polite' : 'off');
    this.#light.dataset.state = state;
    this.#write();
    this.#said.textContent = { live: 'live', stale: 'no news from the server', reconnecting: 'the connection is lost and is being made again', ended: 'the table has gone' }[state] ?? '';
    const { age, attempts } = this.facts();
    if (state !== 'off') this.#tell('bodkin-connection', { state, age, attempts });
  }

  #write() {
    const age = Math.round((performance.now() - this.#heard) / 1000);
    const ago = age < 120 ? `${age} s` : `${Math.round(age / 60)} min`;
    this.#text.textContent = { live: 'Live', stale: `Stale · ${ago}`, reconnecting: age < 3 ? 'Reconnecting' : `Reconnecting · ${ago}`, ended: 'Ended' }[this.#state] ?? '';
  }

  #tell(name, detail) {
    this.#host.element.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}
