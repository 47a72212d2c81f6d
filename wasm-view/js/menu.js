// Menus: of a cell, of a header, of the columns. One is open at a time, over the grid, and closes by itself.

/** Shows a box over the frame near a point, closes it on a press elsewhere or Escape, and gives the focus back. */
function popover(root, box, x, y, back) {
  root.querySelector('.pop')?.close();
  const frame = root.querySelector('.frame');
  const bounds = frame.getBoundingClientRect();
  box.classList.add('pop');
  frame.append(box);
  const { width, height } = box.getBoundingClientRect();
  box.style.left = `${Math.max(4, Math.min(x - bounds.left, bounds.width - width - 4))}px`;
  box.style.top = `${Math.max(4, Math.min(y - bounds.top, bounds.height - height - 4))}px`;
  const outside = (event) => { if (!event.composedPath().includes(box)) box.close(false); };
  box.close = (refocus = true) => {
    removeEventListener('pointerdown', outside, true);
    removeEventListener('blur', box.close);
    box.remove();
    if (back?.ariaExpanded) back.ariaExpanded = 'false';
    if (refocus) back?.focus({ preventScroll: true });
  };
  addEventListener('pointerdown', outside, true);
  addEventListener('blur', box.close);
  box.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' && event.key !== 'Tab' || event.key === 'Tab' && box.role !== 'menu') return;
    event.preventDefault();
    event.stopPropagation();
    box.close();
  });
  if (back?.ariaExpanded) back.ariaExpanded = 'true';
}

/** A menu of `[label, run, keys]`; without `run` it cannot be chosen, and `keys` says why. `null` is a line between two parts, and what is false is left out. */
function menu(root, entries, x, y, back) {
  const box = make('div', { className: 'menu', role: 'menu', tabIndex: -1 });
  for (const entry of entries) {
    if (entry === null) {
      if (box.lastChild?.role === 'menuitem') box.append(make('hr', { role: 'separator' }));
    } else if (entry) {
      const [label, run, keys] = entry;
      const item = make('button', { type: 'button', role: 'menuitem', tabIndex: -1 }, make('span', { className: run ? '' : 'dim', textContent: label }));
      if (keys) item.append(make('kbd', { textContent: keys, 'aria-hidden': String(Boolean(run)) }));
      item.addEventListener('click', run ? () => { box.close(); run(); } : undefined);
      item.ariaDisabled = String(!run);
      item.addEventListener('pointermove', () => item.focus({ preventScroll: true }));
      box.append(item);
    }
  }
  popover(root, box, x, y, back);
  const items = [...box.querySelectorAll('button')];
  box.addEventListener('keydown', (event) => {
    const at = items.indexOf(root.activeElement);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1 + items.length, Home: 0, End: items.length - 1 }[event.key]
      ?? items.findIndex((item, index) => index > at && item.textContent.toLowerCase().startsWith(event.key.toLowerCase()));
    if (next < 0 || event.key === 'Enter' || event.key === ' ') return;
    event.preventDefault();
    items[next % items.length].focus();
  });
  items[0].focus({ preventScroll: true });
}

/** What can be done with a column. */
function columnEntries(host, position) {
  const viewer = host.viewer();
  const name = viewer.shownNames()[position];
  const column = viewer.schemaNames().indexOf(name);
  const sort = viewer.sort();
  const others = sort.filter((key) => key.replace(/^-/, '') !== name);
  const pinned = position < host.slots().filter((slot) => slot.pinned && !slot.hidden).length;
  const grouped = viewer.groupKeys().length > 0;
  const isKey = viewer.hasOrder(position);
  return [
    !isKey && ['Sort', null, 'its values have no order'],
    isKey && ['Sort ascending', () => host.element.setSort([name])],
    isKey && ['Sort descending', () => host.element.setSort([`-${name}`])],
    isKey && others.length > 0 && ['Sort within the others', () => host.element.setSort([...others, name]), '⇧ click'],
    sort.length > others.length && ['Do not sort', () => host.element.setSort(others)],
    null,
    viewer.hasFilterBox(position) && ['Filter…', () => {
      const { left, bottom } = host.element.headerRect(name);
      filterPanel(host, name, left, bottom + 40, host.canvas);
    }, 'Alt ↓'],
    isFormatted(viewer, position) && ['Format…', () => {
      const { left, bottom } = host.element.headerRect(name);
      formatPanel(host, position, left, bottom);
    }],
    null,
    isKey && !grouped && [`Group by ${name}`, () => host.element.setGroup([name], [['count', '']])],
    [pinned ? 'Unpin' : 'Pin to the left', () => host.after(viewer.changeColumn(column, undefined, !pinned, undefined))],
    viewer.shownNames().length > 1 && ['Hide', () => host.after(viewer.changeColumn(column, true, undefined, undefined))],
  ];
}

/** The menu of a cell; by keys, which do not get to its header, with all that the header's has. */
function cellMenu(host, row, position, x, y, isKeyed) {
  const viewer = host.viewer();
  const name = viewer.shownNames()[position];
  const filter = (exclude) => {
    const text = viewer.filterOf(row, position, exclude);
    return text !== undefined && [`${exclude ? 'Exclude' : 'Filter by'} ${shorten(viewer.shownText(row, position).replace(/^[▸▾] /, ''))}`, () => {
      // What was excluded before stays excluded.
      const before = exclude && text.startsWith('!=') && viewer.filterText(name).startsWith('!=') ? viewer.filterText(name) : '';
      const both = before && viewer.columnIsNumber(viewer.columnNames().indexOf(name)) ? `${before} ${text}` : `${before}, ${text.slice(2)}`;
      host.element.setFilter(name, before ? both : text);
    }];
  };
  menu(host.root, [
    ['Copy', () => host.copy(false), 'Ctrl C'],
    ['Copy with names', () => host.copy(true)],
    viewer.groupAt(row) < 0 && ['Show in full', () => host.open(), 'Enter'],
    null, filter(false), filter(true), viewer.groupAt(row) >= 0 && [viewer.groupAt(row) ? 'Close the group' : 'Open the group', () => host.tree.toggle(row), 'Enter'], groupRows(host, row),
    null, ...columnEntries(host, position), ...isKeyed ? [null, ...placeEntries(host, position)] : [],
  ], x, y, host.canvas);
}

/** For a group: its rows, by filters of its keys. */
function groupRows(host, row) {
  const viewer = host.viewer();
  const keys = viewer.groupKeys().slice(0, viewer.groupDepth(row));
  const names = viewer.shownNames();
  const filters = keys.map((key) => [key, viewer.filterOf(row, names.indexOf(key), false)]);
  return keys.length > 0 && filters.every(([, text]) => text) && ['Show its rows', () => {
    for (const [key, text] of filters) host.element.setFilter(key, text);
    host.element.setGroup([], []);
  }];
}

/** Where a column stands, and how wide. */
function placeEntries(host, position) {
  const viewer = host.viewer();
  const last = viewer.shownNames().length - 1;
  return [
    ['Fit to content', () => host.after(viewer.fitColumn(position)), '2× edge'],
    position > 0 && ['Move left', () => host.after(viewer.moveColumn(position, position - 1))],
    position < last && ['Move right', () => host.after(viewer.moveColumn(position, position + 2))],
    ['Select column', () => host.after(viewer.select(0, position, 0, position, 2)), 'Ctrl click'],
  ];
}

/** The menu of a header. */
function headerMenu(host, position, x, y) {
  menu(host.root, [...columnEntries(host, position), null, ...placeEntries(host, position)], x, y, host.canvas);
}

/** Check boxes for all columns, with a search when they are many. */
function columnsPanel(host, button) {
  const box = make('div', { className: 'menu columns', role: 'dialog', 'aria-label': 'columns' });
  const list = make('div', { className: 'list' });
  const search = make('input', { type: 'search', placeholder: 'Find a column', 'aria-label': 'find a column', spellcheck: false });
  const fill = () => {
    const viewer = host.viewer();
    const wanted = search.value.toLowerCase();
    const rows = host.slots().filter(({ name }) => name.toLowerCase().includes(wanted)).map(({ column, name, hidden, pinned }) => {
      const check = make('input', { type: 'checkbox', checked: !hidden });
      check.dataset.column = name;
      check.addEventListener('change', () => {
        host.after(viewer.changeColumn(column, !check.checked, undefined, undefined));
        check.checked = !host.slots().find((slot) => slot.column === column).hidden;
        all.hidden = !host.slots().some((slot) => slot.hidden);
      });
      const pin = make('button', { type: 'button', className: 'pin', textContent: 'pin', 'aria-pressed': String(pinned), 'aria-label': `pin ${name} to the left` });
      pin.addEventListener('click', () => {
        const next = pin.getAttribute('aria-pressed') !== 'true';
        host.after(viewer.changeColumn(column, undefined, next, undefined));
        pin.setAttribute('aria-pressed', String(next));
      });
      return make('div', {}, make('label', {}, check, make('span', { textContent: name })), pin);
    });
    list.replaceChildren(...rows.length ? rows : [make('p', { className: 'dim', textContent: 'no such column' })]);
    all.hidden = !host.slots().some((slot) => slot.hidden);
  };
  const all = make('button', { type: 'button', className: 'button', textContent: 'Show all' });
  all.addEventListener('click', () => {
    for (const { column } of host.slots()) host.after(host.viewer().changeColumn(column, false, undefined, undefined));
    fill();
    search.focus();
  });
  search.addEventListener('input', fill);
  search.hidden = host.slots().length < 10;
  fill();
  box.append(search, list, all);
  const { right, bottom } = button.getBoundingClientRect();
  popover(host.root, box, right - 250, bottom + 4, button);
  (search.hidden ? list.querySelector('input') : search)?.focus();
}

/** All columns of what is shown, hidden ones too, in their order. */
function slotsOf(viewer) {
  const names = viewer.schemaNames();
  const numbers = viewer.columnSlots();
  return Array.from({ length: numbers.length / 4 }, (_, index) => {
    const [column, hidden, pinned, width] = numbers.slice(index * 4, index * 4 + 4);
    return { column, name: names[column], hidden: hidden > 0, pinned: pinned > 0, width };
  });
}
