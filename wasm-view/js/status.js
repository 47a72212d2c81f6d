// What is said around the grid: how many rows, what is selected and what it sums up to, messages in the grid's place.

const figure = (value) => (Number.isFinite(value) ? value.toLocaleString(undefined, { maximumFractionDigits: 3 }) : String(value));

class Status {
  #host;
  #parts;
  #turn = 0;
  #wrong = false;

  constructor(host, parts) {
    this.#host = host;
    this.#parts = parts;
  }

  counts({ loading, total, grouped }) {
    const viewer = this.#host.viewer();
    const place = this.#parts.count;
    const columns = viewer?.columnNames().length;
    if (!columns) return place.replaceChildren();
    const [loaded, shown] = [viewer.rowsLoaded(), viewer.rowsShown()];
    const filtered = viewer.filteredColumns().length > 0;
    const strong = make('b', { textContent: count(shown) });
    const rows = grouped ? (shown === 1 ? ' group' : ' groups') : shown === 1 && !filtered ? ' row' : ' rows';
    let rest = '';
    if (loading && total) rest = ` of ${count(total)}, loading`;
    else if (grouped) rest = filtered ? ` of the filtered rows` : ` of ${count(loaded)} rows`;
    else if (filtered) rest = ` of ${count(loaded)}`;
    else rest = ` · ${count(columns)} ${columns === 1 ? 'column' : 'columns'} · ${this.#host.holder()?.kind === 'server' ? 'on the server' : bytes(viewer.bytesLoaded())}`;
    place.replaceChildren(strong, rows, make('span', { className: 'dim', textContent: rest }));
  }

  /** What stands in the grid's place when there is nothing to see there. */
  message(error, loading, again) {
    const viewer = this.#host.viewer();
    if (error) {
      const button = make('button', { className: 'button', textContent: 'Try again', type: 'button' });
      button.addEventListener('click', again);
      return this.say(error.title, error.detail, !viewer?.rowsLoaded(), true, button);
    }
    if (!viewer) return this.say('', '', false);
    const columns = viewer.columnNames().length;
    if (!loading && !columns && this.#host.holder()) return this.say('The table has no columns', '', true);
    if (viewer.rowsShown()) return this.say('', '', false);
    if (loading) return this.say('Loading…', '', false);
    if (viewer.filteredColumns().length) return this.say('No row passes the filters', 'Clear or change a filter above to see rows.', false);
    if (columns) this.say('The table has no rows', '', false);
  }

  say(title, detail, whole, error = false, ...more) {
    const { message } = this.#parts;
    message.hidden = !title;
    message.classList.toggle('whole', whole);
    // Rows that came before a failure stay in sight: the failure is told below them.
    if (title && error && !whole) {
      message.hidden = true;
      this.complain(new Error(`${title}: ${detail}`), true);
      more[0].className = 'link';
      return this.#parts.value.append(' ', ...more);
    }
    message.replaceChildren(make('b', { textContent: title }), make('p', { textContent: detail }), ...more);
  }

  /** Tells what is wrong below the grid; without an error takes it away, unless it is `lasting`. */
  complain(error, lasting = false) {
    const { value } = this.#parts;
    if (!error && (this.#wrong || !value.classList.contains('error'))) return;
    this.#wrong = lasting;
    if (error) this.tell('');
    value.classList.toggle('error', Boolean(error));
    value.setAttribute('role', error ? 'alert' : 'none');
    value.textContent = error?.message ?? '';
  }

  forget() {
    this.#wrong = false;
    this.complain(null);
    this.tell('');
  }

  tell(text) {
    this.#parts.time.textContent = text;
  }

  took(what, millis) {
    this.tell(`${what} in ${millis < 10 ? millis.toFixed(1) : Math.round(millis)} ms`);
  }

  /** The cell that has the focus, and what is known of all that are selected. */
  selected() {
    const viewer = this.#host.viewer();
    const { value, sums } = this.#parts;
    const [row, column] = viewer.selection();
    // The selected cell shows the focus by itself.
    this.#host.canvas.classList.toggle('selected', row !== undefined);
    if (!this.#wrong) {
      value.classList.remove('error');
      value.setAttribute('role', 'none');
      const text = row === undefined ? undefined : viewer.cellText(row, column);
      value.replaceChildren(...row === undefined ? [] : [
        make('span', { className: 'dim', textContent: `row ${count(row + 1)} · ${viewer.shownNames()[column]}` }),
        text === undefined ? make('i', { className: 'dim', textContent: viewer.shownText(row, column) }) : text.slice(0, 500),
      ]);
    }
    const [top, bottom, left, right] = viewer.selectedArea();
    const cells = (bottom - top) * (right - left);
    this.#turn++;
    if (!(cells > 1)) return sums.replaceChildren();
    // What is superseded is no fault.
    this.#count(this.#turn, bottom - top, right - left).catch((error) => error.name === 'AbortError' || this.complain(error));
  }

  async #count(turn, rows, columns) {
    const engine = this.#host.engine();
    // What is being pulled larger is counted when it rests.
    await new Promise((resolve) => setTimeout(resolve, engine?.kind === 'page' ? 0 : 40));
    if (turn !== this.#turn || !engine) return;
    await engine.sync();
    for (let more = true; more;) {
      more = await engine.slice('countStep', 2000, 5);
      if (turn !== this.#turn || engine !== this.#host.engine()) return;
    }
    const [present, numbers, sum, mean, least, greatest] = await engine.call('counted') ?? [];
    if (turn !== this.#turn) return;
    if (present === undefined) return;
    const pairs = [[`${count(rows)} × ${count(columns)}`, ''], ['count', count(present)]];
    if (numbers) pairs.push(['sum', figure(sum)], ['mean', figure(mean)], ['min', figure(least)], ['max', figure(greatest)]);
    this.#parts.sums.replaceChildren(...pairs.map(([name, text]) => make('span', {}, make('span', { className: 'dim', textContent: `${name} ` }), text)));
  }
}

/** What a header's bars mean, when the pointer rests on it. */
function hint({ viewer, canvas }, x, y) {
  const header = y < viewer().frame()[1];
  const column = header ? viewer().headerAt(x) : -1;
  const title = column >= 0 ? `${viewer().shownNames()[column]}\n${viewer().columnNote(column)}` : '';
  if (canvas.title !== title) canvas.title = title;
}
