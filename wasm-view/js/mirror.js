// For screen readers: what is seen on the canvas, as rows and cells inside of it. A canvas's children are never drawn,
// but they are read; the cell that has the focus is the canvas's active descendant.

class Mirror {
  #host;
  #timer = 0;
  #rows = [0, 0];

  constructor(host) {
    this.#host = host;
  }

  /** Everything anew, when it has been quiet for a moment. */
  soon() {
    this.#timer ||= setTimeout(() => this.now(), 150);
  }

  /** The selection; the rest when its cell is not there yet. */
  select() {
    const [row, column] = this.#host.viewer().selection();
    const canvas = this.#host.canvas;
    if (row === undefined) canvas.removeAttribute('aria-activedescendant');
    else if (this.#timer || row < this.#rows[0] || row >= this.#rows[1] || !this.#cell(row, column)) return this.now();
    this.#mark();
  }

  #cell(row, column) {
    return this.#host.root.getElementById(`c${row}-${column}`);
  }

  now() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    const viewer = this.#host.viewer();
    if (!viewer) return;
    const names = viewer.shownNames();
    const [first, end, fixed] = viewer.visibleColumns();
    const [focus, at] = viewer.selection();
    const columns = new Set();
    for (let column = 0; column < fixed; column++) columns.add(column);
    for (let column = first; column < end; column++) columns.add(column);
    if (at !== undefined) columns.add(at);
    const order = [...columns].sort((a, b) => a - b);
    const sort = viewer.sort();
    const heads = order.map((column) => {
      const name = names[column];
      const way = sort[0] === name ? 'ascending' : sort[0] === `-${name}` ? 'descending' : 'none';
      return make('span', { role: 'columnheader', 'aria-colindex': String(column + 1), ...viewer.hasOrder(column) && { 'aria-sort': way }, textContent: `${name}, ${viewer.columnNote(column)}` });
    });
    const rows = heads.length ? [make('div', { role: 'row', 'aria-rowindex': '1' }, ...heads)] : [];
    this.#rows = viewer.visibleRows();
    const shown = [];
    const isTree = viewer.isTree();
    this.#host.canvas.setAttribute('role', isTree ? 'treegrid' : 'grid');
    for (let row = this.#rows[0]; row < this.#rows[1]; row++) shown.push(row);
    if (focus !== undefined && !shown.includes(focus)) shown.push(focus);
    for (const row of shown) {
      const open = viewer.groupAt(row);
      const level = open < 0 && !isTree ? {} : { 'aria-level': String(viewer.groupDepth(row)), ...open < 0 ? {} : { 'aria-expanded': String(open > 0) } };
      rows.push(make('div', { role: 'row', 'aria-rowindex': String(row + 2), ...level }, ...order.map((column) =>
        make('span', { role: 'gridcell', id: `c${row}-${column}`, 'aria-colindex': String(column + 1), textContent: viewer.shownText(row, column) }))));
    }
    this.#host.canvas.replaceChildren(...rows);
    this.#host.canvas.setAttribute('aria-rowcount', String(viewer.rowsShown() + 1));
    this.#host.canvas.setAttribute('aria-colcount', String(names.length));
    this.#mark();
  }

  #mark() {
    const viewer = this.#host.viewer();
    const canvas = this.#host.canvas;
    const [top, bottom, left, right] = viewer.selectedArea();
    for (const cell of canvas.querySelectorAll('[role=gridcell]')) {
      const [row, column] = cell.id.slice(1).split('-').map(Number);
      cell.setAttribute('aria-selected', String(row >= top && row < bottom && column >= left && column < right));
    }
    const [row, column] = viewer.selection();
    if (row !== undefined) canvas.setAttribute('aria-activedescendant', `c${row}-${column}`);
  }
}
