// Finding: a box over the grid's corner that searches in slices while one types, and one that goes to a row.

class Finder {
  #host;
  #box;
  #input;
  #count;
  #at = -1;
  #turn = 0;
  #found = 0;
  #rows = false;

  constructor(host) {
    this.#host = host;
    this.#input = make('input', { type: 'text', spellcheck: false, autocomplete: 'off' });
    this.#count = make('span', { className: 'dim', role: 'status' });
    const button = (label, text, run) => {
      const made = make('button', { type: 'button', textContent: text, 'aria-label': label, title: label });
      made.addEventListener('click', run);
      return made;
    };
    this.steps = [button('previous match', '↑', () => this.step(-1)), button('next match', '↓', () => this.step(1))];
    this.#box = make('div', { className: 'find', role: 'search', hidden: true },
      this.#input, this.#count, ...this.steps, button('close', '×', () => this.close()));
    this.#input.addEventListener('input', () => this.restart(true));
    this.#box.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') this.close();
      else if (event.key === 'Enter' && event.target === this.#input) this.step(event.shiftKey ? -1 : 1);
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
  }

  /** Opens on Ctrl F and Ctrl G wherever the focus is within a frame. */
  listen(frame) {
    frame.append(this.#box);
    frame.closest('.frame').addEventListener('keydown', (event) => {
      const letter = event.key.toLowerCase();
      if (!shortcut(event) || letter !== 'f' && letter !== 'g' || !this.#host.viewer()) return;
      event.preventDefault();
      this.open(letter === 'g');
    });
  }

  get searching() { return !this.#box.hidden && !this.#rows && this.#input.value !== ''; }

  /** Opens the box; with `rows` it takes the number of a row. */
  open(rows) {
    if (this.#rows !== rows) this.#input.value = '';
    this.#rows = rows;
    const label = rows ? 'go to row' : 'find in the table';
    this.#input.placeholder = rows ? 'Go to row' : 'Find';
    this.#input.setAttribute('aria-label', label);
    this.#input.inputMode = rows ? 'numeric' : 'search';
    for (const step of this.steps) step.hidden = rows;
    this.#box.hidden = false;
    this.#input.focus();
    this.#input.select();
    this.restart(false);
  }

  close() {
    if (this.#box.hidden) return;
    this.#box.hidden = true;
    this.#turn++;
    this.#host.after(this.#host.viewer()?.findBegin('') ?? 0);
    this.#host.canvas.focus({ preventScroll: true });
  }

  /** Searches anew: the text or the rows are others. With `jump` the first match from the rows in sight on is shown. */
  async restart(jump) {
    const viewer = this.#host.viewer();
    if (!viewer || this.#box.hidden) return;
    if (this.#rows) return this.#tell();
    const turn = ++this.#turn;
    this.#at = -1;
    const engine = this.#host.engine();
    const isOver = () => turn !== this.#turn || this.#host.engine() !== engine;
    this.#found = 0;
    // The page's own viewer marks what is in sight; the one that has all rows goes through them.
    this.#host.after(viewer.findBegin(this.#input.value));
    await engine.sync();
    await engine.call('findBegin', this.#input.value);
    const from = Math.floor(viewer.topRow());
    let more = this.#input.value !== '';
    while (more && !isOver()) {
      more = await engine.slice('findStep', 1000, 6);
      const found = await engine.call('findCount');
      const next = jump && this.#at < 0 && found ? await engine.call('findFrom', from) : found;
      if (isOver()) return;
      this.#found = found;
      if (next < found) await this.#show(next);
      this.#tell(more);
    }
    if (isOver()) return;
    if (jump && this.#at < 0 && this.#found) await this.#show(0);
    this.#tell();
  }

  /** Goes to the next match, the one before, or the row. */
  step(by) {
    const viewer = this.#host.viewer();
    if (this.#rows) {
      const row = Math.min(Math.max(1, parseInt(this.#input.value.replace(/\D/g, ''), 10)), viewer.rowsShown()) - 1;
      if (!(row >= 0)) return;
      const column = viewer.selection()[1] ?? 0;
      this.#host.after(viewer.select(row, column, row, column, 0));
      return this.close();
    }
    const count = this.#found;
    if (count) this.#show((this.#at < 0 ? (by > 0 ? 0 : count - 1) : this.#at + by + count) % count);
    this.#tell();
  }

  async #show(number) {
    this.#at = number;
    const [row, column] = await this.#host.engine().call('findPlace', number);
    if (row !== undefined) this.#host.after(this.#host.viewer()?.select(row, column, row, column, 0) ?? 0);
  }

  #tell(more) {
    const viewer = this.#host.viewer();
    const found = this.#found;
    const all = `${count(found)}${found >= 1e5 ? '+' : more ? '…' : ''}`;
    this.#count.textContent = this.#rows ? `of ${count(viewer.rowsShown())}`
      : !this.#input.value ? '' : found || more ? `${this.#at < 0 ? '–' : count(this.#at + 1)} of ${all}` : 'nothing found';
    this.#input.classList.toggle('none', this.searching && !found && !more);
  }
}
