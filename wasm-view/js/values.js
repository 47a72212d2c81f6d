// The values of a column with their counts under the other filters, to be checked: all but some, or some.

/** The most values that are listed. */
const MOST_LISTED = 1000;

/** A value as one would type it in a list. */
const inList = (value) => (/[,"|<>=!]|^\s|\s$|^$/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);

/** A list of check boxes. `parts` is the filter that is taken apart, `apply(text)` takes another one. */
function valueList(host, name, parts, apply) {
  const viewer = host.viewer();
  const is_text = viewer.filterKind(name) === 'text';
  const [nulls, kind, ...values] = parts;
  // Either all but those that are chosen, or only those.
  let only = kind === '=' || kind === '' && nulls !== '';
  let chosen = new Set(kind === '=' || kind === '!=' ? values : []);
  if (only ? nulls : kind === '!=' && !nulls || kind === '!null') chosen.add(null);
  let listed = [];
  let complete = true;
  let has_nulls = true;
  let turn = 0;
  const many = () => (complete ? `${count(listed.length)} ${listed.length === 1 ? 'value' : 'values'}` : `the ${count(MOST_LISTED)} most frequent`);
  const keeps = (value) => chosen.has(value) === only;

  function write() {
    const named = [...chosen].filter((value) => value !== null);
    const condition = named.length ? (only ? '=' : '!=') + named.map(inList).join(', ') : '';
    const is_null = chosen.has(null);
    if (only) return condition ? condition + (is_null ? ' | null' : '') : is_null ? 'null' : '';
    return condition ? condition + (is_null || !has_nulls ? '' : ' | null') : is_null ? '!null' : '';
  }

  function settle() {
    if (complete && !search.value) {
      const kept = listed.filter(([value]) => keeps(value)).map(([value]) => value);
      // All is no filter; and few that are left are named themselves.
      if (kept.length === listed.length) [only, chosen] = [false, new Set()];
      else if (!only && kept.length && kept.length * 2 <= listed.length) [only, chosen] = [true, new Set(kept)];
    }
    told.textContent = only && !chosen.size ? 'none is checked: all rows show' : many();
    apply(write());
  }

  const search = make('input', { type: 'search', placeholder: 'Find a value', 'aria-label': `find a value of ${name}`, spellcheck: false });
  const list = make('div', { className: 'list', role: 'group', 'aria-label': `values of ${name}`, tabIndex: -1 });
  const told = make('span', { className: 'dim grow' });
  const link = (text, run) => {
    const button = make('button', { type: 'button', className: 'link', textContent: text });
    button.addEventListener('click', run);
    return button;
  };
  const all = (yes) => {
    // While something is looked for, what is found.
    if (search.value) for (const [value] of found()) chosen[yes === only ? 'add' : 'delete'](value);
    else [only, chosen] = [!yes, new Set()];
    settle();
    fill();
  };
  const found = () => {
    const wanted = search.value.toLowerCase();
    return listed.filter(([value]) => (value ?? 'null').toLowerCase().includes(wanted));
  };

  function fill() {
    const most = Math.max(1, ...listed.map(([, n]) => n));
    list.replaceChildren(...found().map(([value, n]) => {
      const check = make('input', { type: 'checkbox', checked: keeps(value) });
      if (value !== null) check.dataset.value = value;
      check.addEventListener('change', () => {
        chosen[check.checked === only ? 'add' : 'delete'](value);
        settle();
      });
      const alone = make('button', { type: 'button', className: 'only', textContent: 'only', 'aria-label': `only ${value ?? 'null'}` });
      alone.addEventListener('click', (event) => {
        event.preventDefault();
        [only, chosen] = [true, new Set([value])];
        settle();
        for (const other of list.querySelectorAll('input')) other.checked = other === check;
      });
      const row = make('label', { className: 'row' }, check,
        value ? make('span', { textContent: value, title: value }) : make('span', {}, make('i', { textContent: value === null ? 'null' : 'empty' })),
        alone, make('span', { className: 'dim', textContent: count(n) }));
      row.style.setProperty('--part', `${(n / most) * 100}%`);
      return row;
    }));
    if (!list.childElementCount) list.append(make('span', { className: 'dim', textContent: 'no such value' }));
  }

  async function ask() {
    const mine = ++turn;
    const cells = viewer.cellsOf(await host.ask(viewer.valuesPlan(name, complete ? '' : is_text ? search.value : '', MOST_LISTED)));
    if (mine !== turn) return;
    listed = [];
    for (let at = 0; at < cells.length; at += 2) listed.push([cells[at] ?? null, Number(cells[at + 1])]);
    if (!search.value) {
      complete = listed.length < MOST_LISTED;
      if (complete) has_nulls = listed.some(([value]) => value === null);
      // What is chosen and not among them, because other filters leave none of it.
      const known = new Set(listed.map(([value]) => value));
      for (const value of chosen) if (!known.has(value) && (only || value !== null)) listed.unshift([value, 0]);
    }
    told.textContent = many();
    fill();
  }

  let timer = 0;
  search.addEventListener('input', () => {
    fill();
    clearTimeout(timer);
    if (!complete && is_text) timer = setTimeout(() => ask().catch(host.failed), 200);
  });
  ask().catch(host.failed);
  const body = make('div', { className: 'row' }, told, link('All', () => all(true)), link('None', () => all(false)));
  return [make('div', { className: 'row' }, search), body, list];
}
