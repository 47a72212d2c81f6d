// Charts: a pane under the grid with menus for what is drawn, the two canvases, and what follows from a drag.
//
// A chart is a question beside the view (`planOf`, `host.ask`), asked again when the view or the rows are others, and
// drawn by `Chart` of the module. A brush goes back as the text of a filter box, so that the grid, the chips and the
// chart always show the same rows.

/** Groups that are asked for at most; what is beyond is told. */
const MOST_GROUPS = 500_000;
/** Rows that are taken as they are; of a larger table so many, in pieces from all over it. */
const MOST_ROWS = 200_000;
const MOST_OF_A_LINE = 1_000_000;
const PIECES = 16;
/** Between two charts of a table that grows (ms). */
const CHART_EVERY = 500;
const CHART_KINDS = [['bar', 'Bars'], ['line', 'Line'], ['scatter', 'Scatter']];
/** What is drawn of each group; `values` are the rows' own. */
const CHART_FUNCTIONS = ['count', 'sum', 'mean', 'median', 'min', 'max', 'values'];

// After Okabe and Ito, who chose colours that all eyes tell apart; as dark or light as graphics must be on their ground.
const SERIES_LIGHT = ['#0072b2', '#d06c00', '#0c8a5f', '#c0579f', '#3a94cc', '#8f2014', '#7a6a10', '#20282d'];
const SERIES_DARK = ['#3f93d6', '#e69f00', '#14a67c', '#e58fd0', '#9fdcf5', '#d9452b', '#f0e442', '#f2f6f7'];
const seriesOf = (colours) => colours.map((colour, index) => `--bodkin-series-${index + 1}:${colour};`).join('');
const CHART_STYLE = `
:host{${seriesOf(SERIES_LIGHT)}}
@media (prefers-color-scheme:dark){:host{${seriesOf(SERIES_DARK)}}}
:host([theme=light]){${seriesOf(SERIES_LIGHT)}} :host([theme=dark]){${seriesOf(SERIES_DARK)}}
.chart{display:flex;flex-direction:column;min-height:0;max-height:80%;background:var(--bodkin-background)}
.splitter{flex:none;height:9px;margin-bottom:-4px;z-index:1;cursor:row-resize;touch-action:none;display:flex;align-items:center;justify-content:center;
border-top:1px solid var(--bodkin-line)}
.splitter::after{content:"";width:36px;height:3px;border-radius:2px;background:var(--bodkin-thumb)}
.splitter:hover::after,.splitter:focus-visible::after{background:var(--bodkin-accent)}
.splitter:focus-visible{outline:none}
.chart-bar{display:flex;flex-wrap:wrap;flex:none;gap:6px 10px;align-items:center;padding:8px 14px 2px;font-size:12px}
.chart-menus{display:contents}
.chart-bar label{display:flex;gap:6px;align-items:center;color:var(--bodkin-muted);white-space:nowrap}
.chart-bar select{height:26px;max-width:150px;padding:0 4px;border:1px solid var(--bodkin-line);border-radius:7px;background:var(--bodkin-field);color:var(--bodkin-text);font-size:12px}
.chart-bar .button{height:26px;padding:0 10px;font-size:12px}
.chart-bar .note{flex:1;min-width:80px;text-align:right;color:var(--bodkin-muted);overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.plot{position:relative;flex:1;min-height:0}
.plot canvas{position:absolute;top:0;left:0;width:100%;height:100%;touch-action:pan-y}
.plot canvas+canvas{cursor:crosshair}
.plot .message{background:var(--bodkin-background)}
.frame:has(.chart:not([hidden])) .grid{min-height:120px}
@container (max-width:640px){.chart-bar .note{display:none}}`;

const onALine = (type) => /^(u?int|float|decimal|duration|date|time)/.test(type);
const isFigure = (type) => /^(u?int|float|decimal|duration)/.test(type);
const isTime = (type) => /^(date|timestamp)/.test(type);
const canGroup = (type) => onALine(type) || /^(text|boolean)/.test(type);

class ChartPane {
  #host;
  #p;
  #chart = null;
  #spec = null;
  #turn = 0;
  #timer = 0;
  #asked = 0;
  #cost = 0;
  #busy = false;
  #again = false;
  #height = 280;
  #drag = null;
  #watch;

  /** Puts a button into the toolbar and a pane, not yet shown, under the grid. */
  constructor(host, parts) {
    this.#host = host;
    const button = (text, more) => make('button', { className: 'button', textContent: text, type: 'button', ...more });
    const p = this.#p = {
      toggle: button('Chart', { 'aria-expanded': 'false' }),
      menus: make('div', { className: 'chart-menus' }),
      note: make('span', { className: 'note', role: 'status' }),
      save: button('Save as PNG'),
      close: button('Close', { 'aria-label': 'close the chart' }),
      under: make('canvas', { 'aria-hidden': 'true' }),
      over: make('canvas', { tabIndex: 0, role: 'img', 'aria-label': 'chart' }),
      message: make('div', { className: 'message', hidden: true }),
      said: make('div', { className: 'unseen', 'aria-live': 'polite' }),
      splitter: make('div', { className: 'splitter', tabIndex: 0, role: 'separator', 'aria-orientation': 'horizontal', 'aria-label': 'height of the chart', 'aria-valuemin': '0', 'aria-valuemax': '100' }),
    };
    p.plot = make('div', { className: 'plot' }, p.under, p.over, p.message);
    p.pane = make('section', { className: 'chart', hidden: true, 'aria-label': 'chart' },
      p.splitter, make('div', { className: 'chart-bar' }, p.menus, p.note, p.save, p.close), p.plot, p.said);
    parts.save.before(p.toggle);
    parts.grid.after(p.pane);
    p.toggle.addEventListener('click', () => (this.#spec ? this.show(null) : this.show(this.#guess())));
    p.close.addEventListener('click', () => { this.show(null); p.toggle.focus(); });
    p.save.addEventListener('click', () => this.#save());
    this.#split();
    this.#listen();
    this.#watch = new ResizeObserver(() => this.#resize());
    this.#watch.observe(p.plot);
  }

  /** What is drawn, and of how much; null without a chart. */
  state() {
    return this.#spec && { ...this.#spec, y: this.#spec.y.map((pair) => [...pair]), note: this.#p.note.textContent, busy: this.#busy || this.#timer > 0 };
  }

  /** What is pointed at, as the tooltip says it. */
  pointed() { return this.#chart?.pointed() ?? ''; }

  /** Shows a chart, or none. What a specification leaves open is guessed. */
  show(spec) {
    const { pane, toggle } = this.#p;
    this.#spec = spec && this.#host.viewer() ? this.#fit(spec) : null;
    pane.hidden = !this.#spec;
    toggle.setAttribute('aria-expanded', String(!pane.hidden));
    this.#turn++;
    if (!this.#spec) return;
    this.#grow(this.#height);
    if (!this.#chart) {
      this.#chart = new Chart(this.#p.under, this.#p.over, zoneOffset, SEPARATOR);
      this.retheme();
    }
    this.#resize();
    this.#menus();
    this.#soon(0);
  }

  /** Something of the table or the view is other than before. */
  changed(changes) {
    if (!this.#spec) return;
    if (changes & SCHEMA) {
      const names = this.#host.viewer().columnNames();
      const { x, colour, y } = this.#spec;
      // Another table: what it does not have cannot be drawn.
      if (!y.length || [x, colour, ...y.map(([, column]) => column)].some((name) => name && !names.includes(name))) this.show(this.#guess());
    }
    if (changes & VIEW) this.#soon(0);
    else if (changes & ROWS) this.#soon(Math.max(CHART_EVERY, this.#cost * 4) - (performance.now() - this.#asked));
  }

  retheme() {
    if (!this.#chart) return;
    this.#chart.setTheme(themeOf(this.#host.element));
    this.#chart.paint();
  }

  /** Gives back what it holds. */
  free() {
    this.#turn++;
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#chart?.free();
    this.#chart = this.#spec = null;
    this.#p.pane.hidden = true;
    this.#p.toggle.setAttribute('aria-expanded', 'false');
  }

  // What is asked for.

  #columns() {
    const viewer = this.#host.viewer();
    const types = viewer.columnTypes();
    return viewer.columnNames().map((name, index) => ({ name, type: types[index] }));
  }

  #type(name) { return this.#columns().find((column) => column.name === name)?.type ?? ''; }

  /** A chart of the grouping, or without one of the column that has the focus. */
  #guess() {
    const { element } = this.#host;
    const viewer = this.#host.viewer();
    if (!viewer) return null;
    const { keys, aggregates } = element.state().group;
    if (keys.length) {
      const y = aggregates.map(({ function: name, column }) => [name, column]);
      return { kind: onALine(this.#type(keys[0])) ? 'line' : 'bar', x: keys[0], colour: keys[1] ?? '', y };
    }
    const columns = this.#columns();
    const [, position] = viewer.selection();
    const name = viewer.shownNames()[position];
    const type = this.#type(name);
    const time = columns.find((column) => isTime(column.type));
    if (isFigure(type) && time) return { kind: 'line', x: time.name, y: [['mean', name]] };
    if (isFigure(type)) return { kind: 'line', x: '', y: [['values', name]] };
    if (canGroup(type)) return { kind: onALine(type) ? 'line' : 'bar', x: name, y: [['count', '']] };
    const text = columns.find((column) => /^text/.test(column.type));
    if (text) return { kind: 'bar', x: text.name, y: [['count', '']] };
    const figures = columns.find((column) => isFigure(column.type));
    return { kind: 'line', x: time?.name ?? '', y: figures ? [['values', figures.name]] : [['count', '']] };
  }

  /** A specification that can be drawn, as near to the wanted one as can be. */
  #fit(spec) {
    const columns = this.#columns();
    const figures = columns.filter(({ type }) => isFigure(type)).map(({ name }) => name);
    const lines = columns.filter(({ type }) => onALine(type)).map(({ name }) => name);
    const groups = columns.filter(({ type }) => canGroup(type)).map(({ name }) => name);
    const kind = CHART_KINDS.some(([name]) => name === spec.kind) ? spec.kind : 'bar';
    let x = spec.x ?? '';
    if (kind === 'bar' && !groups.includes(x)) x = groups.find((name) => /^text/.test(this.#type(name))) ?? groups[0] ?? '';
    if (kind === 'scatter' && !lines.includes(x)) x = figures[0] ?? '';
    if (kind === 'line' && !lines.includes(x)) x = x ? columns.find(({ type }) => isTime(type))?.name ?? '' : '';
    const seen = new Set();
    let y = (spec.y ?? []).map(([name, column]) => [name, column ?? '']).filter(([name, column]) => {
      const key = `${name} ${column}`;
      const known = CHART_FUNCTIONS.includes(name) || ['count_distinct', 'stddev', 'variance', 'first', 'last'].includes(name);
      return known && (figures.includes(column) || name.startsWith('count') && (!column ? name === 'count' : columns.some((other) => other.name === column))) && !seen.has(key) && seen.add(key);
    });
    const raw = kind === 'scatter' || kind === 'line' && !x;
    if (raw) {
      const column = (y.find(([, name]) => figures.includes(name) && (name !== x || figures.length < 2)) ?? [])[1] ?? figures.find((name) => name !== x) ?? '';
      y = column ? [['values', column]] : [];
    } else if (kind === 'bar') {
      y = y.map(([name, column]) => [name === 'values' ? 'mean' : name, column]);
    } else if (y.some(([name]) => name === 'values')) {
      y = y.filter(([name]) => name === 'values');
    }
    if (!y.length && !raw) y = [['count', '']];
    const colour = spec.colour && spec.colour !== x && groups.includes(spec.colour) ? spec.colour : '';
    return { kind, x, y: y.slice(0, colour ? 1 : 8), colour };
  }

  #menus() {
    const { kind, x, y, colour } = this.#spec;
    const columns = this.#columns();
    const [name, column] = y[0] ?? ['values', ''];
    const raw = kind === 'scatter' || kind === 'line' && !x;
    const figures = columns.filter(({ type }) => isFigure(type)).map((other) => [other.name, other.name]);
    const xs = columns.filter(({ type }) => (kind === 'bar' ? canGroup(type) : onALine(type))).map((other) => [other.name, other.name]);
    const select = (which, label, options, value, change) => {
      const box = make('select', { 'aria-label': label }, ...options.map(([key, text]) => make('option', { value: key, textContent: text })));
      box.dataset.chart = which;
      box.value = value;
      box.addEventListener('change', () => {
        this.show({ ...this.#spec, ...change(box.value) });
        this.#p.menus.querySelector(`[data-chart=${which}]`)?.focus();
      });
      return box;
    };
    const row = (text, ...boxes) => make('label', {}, text, ...boxes);
    const functions = CHART_FUNCTIONS.filter((other) => (kind === 'line' || other !== 'values')).map((other) => [other, other]);
    const change = (next) => ({ y: [next] });
    this.#p.menus.replaceChildren(
      row('', select('kind', 'kind of chart', CHART_KINDS, kind, (next) => ({ kind: next }))),
      row('x', select('x', 'along x', [...kind === 'line' ? [['', 'order of rows']] : [], ...xs], x, (next) => ({ x: next }))),
      row('y', ...raw ? [] : [select('function', 'what of y', functions, name, (next) => change(next === 'count' ? ['count', ''] : [next, column || figures[0]?.[0]]))],
        ...raw || name !== 'count' || column ? [select('y', 'along y', figures, column, (next) => change([name, next]))] : []),
      row('colour', select('colour', 'coloured by', [['', 'none'], ...columns.filter(({ name: other, type }) => canGroup(type) && other !== x).map((other) => [other.name, other.name])], colour, (next) => ({ colour: next }))),
    );
  }

  // Asking and drawing.

  #soon(millis) {
    if (this.#busy) { this.#again = true; return; }
    if (this.#timer && millis > 0) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => { this.#timer = 0; this.#draw(); }, Math.max(0, millis));
  }

  async #draw() {
    const turn = this.#turn;
    const spec = this.#spec;
    if (!spec) return;
    this.#busy = true;
    this.#again = false;
    this.#asked = performance.now();
    try {
      await this.#ask(spec, () => turn === this.#turn);
    } catch (error) {
      if (turn === this.#turn) this.#say('The chart could not be drawn', error.message ?? String(error));
    }
    this.#cost = performance.now() - this.#asked;
    this.#busy = false;
    if (this.#spec && (this.#again || turn !== this.#turn)) this.#soon(0);
  }

  async #ask(spec, current) {
    const { kind, x, y, colour } = spec;
    const viewer = this.#host.viewer();
    if (!viewer.rowsLoaded()) return this.#say('Nothing to draw yet', 'The table has no rows.');
    if (!y.length) return this.#say('Nothing to draw along y', 'This table has no column of numbers. Bars can count its rows.');
    const unit = (column) => this.#type(column).match(/^duration (\S+)/)?.[1];
    const titled = ([name, column]) => {
      if (!column) return 'count of rows';
      const title = name === 'values' ? column : `${name} of ${column}`;
      return unit(column) && !name.startsWith('count') ? `${title} (${unit(column)})` : title;
    };
    const zone = this.#type(x).match(/ · (.+)/)?.[1];
    const adds = y.every(([name]) => name === 'count' || name === 'sum');
    const begin = () => this.#chart.begin(kind, adds, x && zone && isTime(this.#type(x)) ? `${x} (${zone})` : unit(x) ? `${x} (${unit(x)})` : x, colour, y.map(titled));
    const notes = [];
    if (y[0][0] === 'values') {
      const columns = [...x ? [x] : [], ...colour ? [colour] : [], ...y.map(([, column]) => column)];
      const grouped = viewer.groupKeys().length > 0;
      // Groups do not say how many rows they are of.
      const all = grouped || viewer.filteredColumns().length ? await this.#count(viewer) : viewer.rowsLoaded();
      const most = kind === 'line' ? MOST_OF_A_LINE : MOST_ROWS;
      const sort = kind === 'line' && x && all <= most ? [x] : [];
      const plan = viewer.planOf([], [], columns, sort, 0, '');
      const pieces = all <= most ? [[0, 0]] : Array.from({ length: PIECES }, (_, piece) => [Math.floor(piece * (all - most / PIECES) / (PIECES - 1)), most / PIECES]);
      const parts = [];
      for (const [first, rows] of pieces) {
        parts.push([await this.#host.ask(rows ? Chart.part(plan, first, rows) : plan), first]);
        if (!current()) return;
      }
      begin();
      for (const [part, first] of parts) this.#chart.add(part, first);
      if (pieces.length > 1) notes.push(`${count(most)} of ${count(all)} rows, from all over the table`);
    } else {
      const plan = viewer.planOf([x, ...colour ? [colour] : []], y.map(([name]) => name), y.map(([, column]) => column), [x, ...colour ? [colour] : []], MOST_GROUPS, '');
      const answer = await this.#host.ask(plan);
      if (!current()) return;
      begin();
      if (this.#chart.add(answer, 0) === MOST_GROUPS) notes.push(`the first ${count(MOST_GROUPS)} groups`);
    }
    const [points, bars, allBars, series, allSeries] = this.#chart.finish();
    this.#chart.paint();
    if (!points) return this.#say('Nothing to draw', viewer.filteredColumns().length ? 'No row that passes the filters has a value here.' : `No row has a value of ${y.map(titled).join(', ')}${x ? ` and ${x}` : ''}.`);
    this.#say('', '');
    if (allBars > bars) notes.push(`the largest ${count(bars)} of ${count(allBars)} values of ${x}`);
    if (colour && allSeries > series) notes.push(`${count(series)} of ${count(allSeries)} values of ${colour} have a colour${kind === 'line' || !adds && kind === 'bar' ? ', the others are left out' : ''}`);
    const what = `${{ bar: 'Bar chart', line: 'Line chart', scatter: 'Scatter plot' }[kind]} of ${y.map(titled).join(', ')} by ${x || 'the order of rows'}${colour ? `, coloured by ${colour}` : ''}`;
    this.#p.over.setAttribute('aria-label', `${what}: ${count(kind === 'bar' ? bars : points)} ${kind === 'bar' ? 'values' : 'points'}${notes.map((note) => `, ${note}`).join('')}`);
    this.#p.note.textContent = notes.join(' · ');
    this.#p.note.title = notes.join('\n');
    this.#p.over.title = '';
  }

  async #count(viewer) {
    return countOf(viewer, await this.#host.ask(countPlan(viewer)));
  }

  #say(title, detail) {
    const { message, note } = this.#p;
    message.hidden = !title;
    message.replaceChildren(make('b', { textContent: title }), make('p', { textContent: detail }));
    if (title) note.textContent = '';
  }

  // By hand.

  #listen() {
    const { over, said } = this.#p;
    const place = (event) => {
      const { left, top } = over.getBoundingClientRect();
      return [event.clientX - left, event.clientY - top];
    };
    const end = () => { this.#drag = null; this.#chart?.brush(NaN, 0, 0, 0); };
    over.addEventListener('pointermove', (event) => {
      const at = place(event);
      const from = this.#drag;
      if (from && Math.hypot(at[0] - from[0], at[1] - from[1]) > 4) this.#chart.brush(...from, ...at);
      this.#chart?.pointerMove(...at);
    });
    over.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      this.#drag = place(event);
      over.setPointerCapture(event.pointerId);
    });
    over.addEventListener('pointerup', (event) => {
      const from = this.#drag;
      if (!from) return;
      const at = place(event);
      const moved = Math.hypot(at[0] - from[0], at[1] - from[1]) > 4;
      // A click takes a bar; of lines and points there is nothing to take without a stretch.
      const texts = moved || this.#spec.kind === 'bar' && event.detail < 2 && this.pointed() ? this.#chart.brushed() : [];
      end();
      this.#filter(texts);
    });
    over.addEventListener('pointercancel', end);
    over.addEventListener('pointerleave', () => this.#chart?.pointerMove(NaN, 0));
    over.addEventListener('blur', () => this.#chart?.pointerMove(NaN, 0));
    over.addEventListener('dblclick', () => this.#filter(['', '']));
    over.addEventListener('keydown', (event) => {
      const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -1e4, End: 1e4 }[event.key];
      if (by) {
        this.#chart.step(by);
        said.textContent = this.pointed().replaceAll('\n', ', ');
      } else if (event.key === 'Enter' && this.#spec.kind === 'bar' && this.pointed()) this.#filter(this.#chart.brushed());
      else if (event.key === 'Escape' && this.#drag) end();
      else if (event.key === 'Escape' || event.key === 'Delete') this.#filter(['', '']);
      else return;
      event.preventDefault();
    });
  }

  /** Gives texts to the filters of what is along x and y. */
  #filter([x, y]) {
    const { element } = this.#host;
    const spec = this.#spec;
    const set = (column, text) => { if (column && text !== undefined && this.#host.viewer().filterText(column) !== text) element.setFilter(column, text); };
    try {
      set(spec.x, x);
      if (spec.kind === 'scatter' && spec.x !== spec.y[0][1]) set(spec.y[0][1], y);
    } catch (error) {
      this.#host.complain(error);
    }
  }

  #split() {
    const { splitter, pane } = this.#p;
    splitter.addEventListener('pointerdown', (event) => {
      splitter.setPointerCapture(event.pointerId);
      const from = event.clientY + pane.offsetHeight;
      const move = (next) => this.#grow(from - next.clientY);
      splitter.addEventListener('pointermove', move);
      splitter.addEventListener('lostpointercapture', () => splitter.removeEventListener('pointermove', move), { once: true });
    });
    splitter.addEventListener('keydown', (event) => {
      const by = { ArrowUp: 24, ArrowDown: -24, PageUp: 120, PageDown: -120 }[event.key];
      if (!by) return;
      event.preventDefault();
      this.#grow(pane.offsetHeight + by);
    });
  }

  #grow(height) {
    const { pane, splitter } = this.#p;
    const whole = pane.parentElement.clientHeight || 600;
    this.#height = Math.max(150, Math.min(height, whole - 240));
    pane.style.height = `${this.#height}px`;
    splitter.setAttribute('aria-valuenow', String(Math.round(this.#height / whole * 100)));
  }

  #resize() {
    const { width, height } = this.#p.plot.getBoundingClientRect();
    if (!this.#chart || !(width > 0)) return;
    this.#chart.resize(width, height, devicePixelRatio);
    this.#chart.paint();
  }

  #save() {
    this.#p.under.toBlob((blob) => download(blob, `${fileName(this.#host.element.src)} ${this.#spec.kind} chart.png`), 'image/png');
  }
}
