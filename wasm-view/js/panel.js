// The group panel: chips for keys, which can be put in another order, and for figures; menus to add more of both.

/** Functions whose names are no words. */
const SPOKEN = { count_distinct: 'different values', stddev: 'standard deviation' };
/** Figures of many columns at once: a name, and functions of all columns that have them all. */
const SETS = [['count and mean of all numbers', ['mean']], ['sum of all numbers', ['sum']], ['least and greatest of all', ['min', 'max']], ['how many values all have', ['count']]];

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

/** A key's chip: dragged onto another it takes that one's place; a button does the same step by step. */
function keyChip(keys, at, order) {
  const key = keys[at];
  const moved = (name, to) => order(keys.filter((other) => other !== name).toSpliced(to, 0, name));
  const made = chip(key, `do not group by ${key}`, () => order(keys.filter((other) => other !== key)));
  made.draggable = keys.length > 1;
  made.addEventListener('dragstart', (event) => event.dataTransfer.setData('text/plain', key));
  made.addEventListener('dragover', (event) => event.preventDefault());
  made.addEventListener('drop', (event) => {
    event.preventDefault();
    const name = event.dataTransfer.getData('text/plain');
    if (keys.includes(name) && name !== key) moved(name, at);
  });
  if (at > 0) {
    const earlier = make('button', { type: 'button', textContent: '‹', 'aria-label': `group by ${key} before ${keys[at - 1]}` });
    earlier.addEventListener('click', () => moved(key, at - 1));
    made.prepend(earlier);
  }
  return made;
}

/** The panel's children. `group(keys, aggregates, more)` is called with what is asked for; `last` keeps the menus' state. */
function groupPanel(viewer, aggregates, last, group, isTree) {
  const names = viewer.columnNames();
  const keys = viewer.groupKeys();
  // A group without a figure says little: the first key brings the count. Without keys nothing is grouped.
  const ask = (nextKeys, next) => group(nextKeys, nextKeys.length ? (next.length ? next : [['count', '']]) : []);
  const keyChips = keys.map((_, at) => keyChip(keys, at, (next) => ask(next, aggregates)));
  const addKey = choice('key', 'add column', names.filter((name) => !keys.includes(name)), (name) => ask([...keys, name], aggregates));
  const figures = aggregates.map(([name, column], index) => chip(
    column ? `${SPOKEN[name] ?? name} of ${column}` : 'count of rows', 'remove', () => ask(keys, aggregates.toSpliced(index, 1))));
  if (keys.length) {
    const defined = new Map(names.map((name) => [name, viewer.aggregatesOf(name)]));
    const all = [...defined.values()].reduce((most, some) => (some.length > most.length ? some : most), []);
    const functions = make('select', { 'aria-label': 'aggregate' }, ...all.map((name) => make('option', { textContent: SPOKEN[name] ?? name, value: name })));
    functions.dataset.group = 'function';
    functions.value = last.function;
    // Only columns that have it, and have it not yet.
    const columns = () => choice('column', 'of column',
      names.filter((name) => defined.get(name).includes(functions.value) && !aggregates.some(([other, column]) => other === functions.value && column === name)),
      (name) => { last.function = functions.value; ask(keys, [...aggregates, [functions.value, name]]); });
    let column = columns();
    functions.addEventListener('change', () => {
      const next = columns();
      column.replaceWith(next);
      column = next;
    });
    const sets = choice('set', 'many at once', SETS.map(([label]) => label), (label) => {
      const [, wanted] = SETS.find(([other]) => other === label);
      const of = names.filter((name) => !keys.includes(name) && wanted.every((one) => defined.get(name).includes(one)));
      ask(keys, [['count', ''], ...of.flatMap((name) => wanted.map((one) => [one, name]))]);
    });
    figures.push(functions, column, sets);
    if (keys.length > 1) {
      const check = make('input', { type: 'checkbox', checked: isTree });
      check.dataset.group = 'tree';
      check.addEventListener('change', () => group(keys, aggregates, { tree: check.checked }));
      keyChips.push(make('label', { className: 'row' }, check, 'as a tree'));
    }
  } else {
    figures.push(make('span', { className: 'dim', textContent: 'choose a column to group by' }));
  }
  return [
    make('span', { className: 'label', textContent: 'Group by' }), make('div', { className: 'chips' }, ...keyChips.slice(0, keys.length), addKey, ...keyChips.slice(keys.length)),
    make('span', { className: 'label', textContent: 'Show' }), make('div', { className: 'chips' }, ...figures),
  ];
}
