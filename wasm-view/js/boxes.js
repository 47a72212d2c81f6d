// The filter boxes under the headers, each with a funnel that opens its panel: made as their columns come into sight,
// and put where the viewer says.

/** Quiet after a keystroke before a filter runs (ms). */
const TYPING = 140;

class Boxes {
  #host;
  #boxes = new Map();
  #pane;

  constructor(host, pane) {
    this.#host = host;
    this.#pane = pane;
  }

  clear() {
    for (const box of this.#boxes.values()) box.parentNode.remove();
    this.#boxes.clear();
  }

  /** After a change of the view: boxes of columns that are no more go, the others say what is filtered. */
  refresh() {
    const viewer = this.#host.viewer();
    const names = viewer.shownNames();
    const focused = this.#host.root.activeElement?.dataset?.filter;
    for (const [name, box] of this.#boxes) {
      const column = names.indexOf(name);
      if (column < 0 || !viewer.hasFilterBox(column)) {
        box.parentNode.remove();
        this.#boxes.delete(name);
      } else if (name !== focused) this.mark(box, null);
    }
  }

  /** Puts boxes under the headers that are in sight, and beside them, for the Tab key. */
  place() {
    const viewer = this.#host.viewer();
    const [gutter, header, height] = viewer.frame();
    const pane = this.#pane;
    pane.style.left = `${gutter}px`;
    pane.style.top = `${header}px`;
    pane.style.height = `${height}px`;
    const names = viewer.shownNames();
    const [first, last, fixed] = viewer.visibleColumns();
    const wanted = new Set();
    const put = (column) => {
      if (!(column >= 0 && column < names.length) || !viewer.hasFilterBox(column)) return;
      const name = names[column];
      wanted.add(name);
      let box = this.#boxes.get(name);
      if (!box) {
        box = this.#make(name, viewer.filterHint(column));
        this.#boxes.set(name, box);
      }
      const place = box.parentNode;
      const [left, width, clip] = viewer.columnSpan(column);
      place.style.left = `${left - gutter + 4}px`;
      place.style.width = `${width - 8}px`;
      // What is pinned lies over what scrolls.
      place.style.clipPath = clip > left ? `inset(-2px -2px -2px ${clip - left - 3}px)` : '';
    };
    for (let column = 0; column < fixed; column++) put(column);
    for (let column = Math.max(fixed, first - 1); column <= last; column++) put(column);
    const active = this.#host.root.activeElement;
    for (const [name, box] of this.#boxes) {
      if (!wanted.has(name) && !box.parentNode.contains(active)) {
        box.parentNode.remove();
        this.#boxes.delete(name);
      }
    }
    // In the order of the columns, for the Tab key.
    const ordered = names.filter((name) => this.#boxes.has(name)).map((name) => this.#boxes.get(name).parentNode);
    if (!pane.contains(active)) {
      if (ordered.some((box, index) => pane.children[index] !== box)) pane.replaceChildren(...ordered);
    } else {
      for (const box of ordered) if (!box.isConnected) pane.append(box);
    }
  }

  #make(name, hint) {
    const host = this.#host;
    const box = make('input', { type: 'text', placeholder: hint, spellcheck: false, autocomplete: 'off', 'data-filter': name, 'aria-label': `filter ${name}` });
    let timer = 0;
    const apply = () => {
      clearTimeout(timer);
      timer = 0;
      try {
        host.timed('filtered', () => host.viewer().setFilter(name, box.value));
        this.mark(box, null, true);
      } catch (error) {
        this.mark(box, error);
      }
    };
    const funnel = make('button', { type: 'button', className: 'funnel', tabIndex: -1, 'aria-haspopup': 'dialog', 'aria-expanded': 'false', 'aria-label': `choose what to see of ${name}`, title: 'Alt ↓' });
    const choose = () => {
      const { left, bottom } = box.getBoundingClientRect();
      filterPanel(host, name, left - 4, bottom + 6, document.activeElement && host.root.activeElement === box ? box : funnel);
    };
    funnel.addEventListener('click', choose);
    make('span', { className: 'box' }, box, funnel);
    box.addEventListener('input', () => {
      clearTimeout(timer);
      timer = setTimeout(apply, TYPING);
    });
    box.addEventListener('change', () => timer && apply());
    box.addEventListener('focus', () => host.after(host.viewer().showColumn(host.viewer().shownNames().indexOf(name))));
    box.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') apply();
      if (event.key === 'Escape') { box.value = ''; apply(); }
      if (event.key === 'ArrowDown' && event.altKey) { event.preventDefault(); choose(); }
      else if (event.key === 'ArrowDown') host.canvas.focus();
    });
    this.mark(box, null);
    return box;
  }

  /** Shows in a box whether its filter holds, and what is wrong with it. */
  mark(box, error, typed = false) {
    const text = this.#host.viewer().filterText(box.dataset.filter);
    if (!error && !typed) box.value = text;
    box.classList.toggle('set', !error && text !== '');
    box.setAttribute('aria-invalid', String(Boolean(error)));
    box.title = error ? error.message : text;
    this.#host.complain(error && new Error(`${box.dataset.filter}: ${error.message}`));
  }

  /** All of them say again what is filtered. */
  markAll() {
    for (const box of this.#boxes.values()) this.mark(box, null);
  }
}
