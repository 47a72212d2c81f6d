// The group panel: chips for keys and aggregates, menus to add more.

const FUNCTIONS = ['count', 'sum', 'mean', 'min', 'max'];

/** A word that one click takes away. */
function chip(text, label, remove) {
  const cross = make('button', { type: 'button', textContent: '×', 'aria-label': label });
  cross.addEventListener('click', remove);
  return make('span', { className: 'chip', title: text }, make('span', { textContent: text }), cross);
}

/** A menu that adds what is chosen. */
function choice(which, label, options, chosen) {
  const select = make('select', { 'aria-label': label }, make('option', { textContent: `${label}…`, value: '' }),
    ...options.map((name) => make('option', { textContent: name, value: name })));
  select.dataset.group = which;
  select.addEventListener('change', () => chosen(select.value));
  return select;
}

/** The panel's children. `group(keys, aggregates)` is called with what is asked for; `last` keeps the menus' state. */
function groupPanel(viewer, aggregates, last, group) {
  const names = viewer.columnNames();
  const keys = viewer.groupKeys();
  // A group without a figure says little: the first key brings the count. Without keys nothing is grouped.
  const ask = (nextKeys, next) => group(nextKeys, nextKeys.length ? (next.length ? next : [['count', '']]) : []);
  const keyChips = keys.map((key) => chip(key, `do not group by ${key}`, () => ask(keys.filter((other) => other !== key), aggregates)));
  const addKey = choice('key', 'add column', names.filter((name) => !keys.includes(name)), (name) => ask([...keys, name], aggregates));
  const figures = aggregates.map((aggregate, index) => chip(
    aggregate[1] ? `${aggregate[0]} of ${aggregate[1]}` : 'count of rows', 'remove', () => ask(keys, aggregates.toSpliced(index, 1))));
  if (keys.length) {
    const functions = make('select', { 'aria-label': 'aggregate' }, ...FUNCTIONS.map((name) => make('option', { textContent: name, value: name })));
    functions.dataset.group = 'function';
    functions.value = last.function;
    const columns = () => choice('column', 'of column',
      names.filter((_, index) => ['count', 'min', 'max'].includes(functions.value) || viewer.columnIsNumber(index)),
      (name) => { last.function = functions.value; ask(keys, [...aggregates, [functions.value, name]]); });
    let column = columns();
    functions.addEventListener('change', () => {
      const next = columns();
      column.replaceWith(next);
      column = next;
    });
    figures.push(functions, column);
  } else {
    figures.push(make('span', { className: 'dim', textContent: 'choose a column to group by' }));
  }
  return [
    make('span', { className: 'label', textContent: 'Group by' }), make('div', { className: 'chips' }, ...keyChips, addKey),
    make('span', { className: 'label', textContent: 'Show' }), make('div', { className: 'chips' }, ...figures),
  ];
}
