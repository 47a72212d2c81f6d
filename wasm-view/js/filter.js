// The filter panel of a column: a histogram to brush, values to check, tests of text, nulls. Whatever is chosen is
// written as the column's box has it, so that box, chip and panel agree, and what was typed is found here again.

/** Tests of text as a filter taken apart names them, and what people call them. */
const TESTS = [['has', 'contains'], ['!has', 'does not contain'], ['^', 'begins with'], ['!^', 'does not begin with'],
  ['$', 'ends with'], ['!$', 'does not end with'], ['=', 'is, or is one of'], ['!=', 'is not, nor one of']];

/** Text as one would type it behind a sign. */
const asWord = (text) => (/^["^!'=<>]|[|$]|^\s|\s$|^null$/i.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** A test of text as one would type it. */
function testText(test, value, cased) {
  if (!value) return '';
  const negated = test.startsWith('!');
  if (test.endsWith('=')) return test + value;
  const sign = (negated ? '!' : '') + (cased ? "'" : '');
  const word = asWord(value);
  return sign + (test.endsWith('^') ? `^${word}` : test.endsWith('$') ? `${word}$` : word);
}

/** Opens the panel of a column. */
function filterPanel(host, name, x, y, back) {
  const viewer = host.viewer();
  const kind = viewer.filterKind(name);
  const type = viewer.columnTypes()[viewer.columnNames().indexOf(name)];
  const box = make('div', { className: 'menu filter', role: 'dialog', 'aria-label': `filter of ${name}` });
  const wrong = make('p', { hidden: true, role: 'alert' });
  const passing = make('span', { className: 'dim', role: 'status' });
  const typed = make('code', { title: 'what to type into the box for the same' });
  const clear = make('button', { type: 'button', className: 'link', textContent: 'Clear' });
  const body = make('div', { className: 'body' });
  body.style.display = 'contents';
  let turn = 0;

  const filter = stepwise(async (text) => {
    try {
      await host.element.setFilter(name, text);
      wrong.hidden = true;
    } catch (error) {
      wrong.textContent = error.message;
      wrong.hidden = false;
    }
    say();
  });
  const parts = () => viewer.filterParts(name, viewer.filterText(name));

  /** What the filter says, and how many rows pass. */
  async function say() {
    const text = viewer.filterText(name);
    typed.textContent = text;
    clear.hidden = !text;
    const mine = ++turn;
    try {
      const of = (functions, columns, without) => host.ask(viewer.planOf([], functions, columns, [], 0, without));
      const [passed] = viewer.cellsOf(await of(['count'], [''], ''));
      const [all, present] = viewer.cellsOf(await of(['count', 'count'], ['', name], name));
      if (mine !== turn) return;
      passing.textContent = `${count(+passed)} of ${count(+all)} rows`;
      nulls.count(all - present);
    } catch (error) {
      host.failed(error);
    }
  }

  // A condition, and what becomes of nulls beside it.
  const nulls = nullChoice(name, () => filter(nulls.text()));
  const take = (condition) => {
    nulls.condition = condition;
    filter(nulls.text());
  };

  const bodies = {
    Range: () => rangeBody(viewer, name, nulls, take),
    Values: () => valueList(host, name, parts(), (text) => { filter(text); nulls.read(viewer.filterParts(name, text), text); }),
    Text: () => textBody(name, parts(), take),
    Nulls: () => [],
  };
  const offered = { text: ['Values', 'Text'], number: ['Range', 'Values'], moment: ['Range'], clock: ['Range'], boolean: ['Values'], nulls: ['Nulls'] }[kind];
  const tabs = make('div', { className: 'tabs', role: 'group', 'aria-label': 'ways to filter', hidden: offered.length < 2 });
  const open = (tab) => {
    nulls.read(parts(), viewer.filterText(name));
    for (const button of tabs.children) button.setAttribute('aria-pressed', String(button.textContent === tab));
    body.replaceChildren(...bodies[tab]());
    nulls.hide(tab === 'Values');
  };
  for (const tab of offered) {
    const button = make('button', { type: 'button', textContent: tab, 'aria-pressed': 'false' });
    button.addEventListener('click', () => open(tab));
    tabs.append(button);
  }
  const now = parts()[1];
  const first = { '=': 'Values', '!=': 'Values', range: 'Range', '': offered[0], '!null': offered[0] }[now] ?? 'Text';
  const shown = () => [...tabs.children].find((button) => button.getAttribute('aria-pressed') === 'true').textContent;
  clear.addEventListener('click', async () => { await filter(''); open(shown()); });
  box.append(
    make('div', { className: 'row head' }, make('b', { textContent: name }), make('span', { className: 'dim', textContent: type })),
    tabs, body, nulls.box, wrong, make('div', { className: 'row' }, passing, typed, clear));
  open(offered.includes(first) ? first : offered[0]);
  say();
  // A histogram that is known only now is shown, unless something is being typed in its place.
  const known = () => {
    if (!box.isConnected) return host.element.removeEventListener('bodkin-profile', known);
    if (shown() === 'Range' && !body.querySelector('.brush') && ![...body.querySelectorAll('input')].some(({ value }) => value)) open('Range');
  };
  host.element.addEventListener('bodkin-profile', known);
  popover(host.root, box, x, y, back);
  body.querySelector('input:not([type=checkbox]),select,[tabindex="0"]')?.focus({ preventScroll: true });
}

/** What becomes of nulls: with a condition they are hidden unless they are asked for. */
function nullChoice(name, changed) {
  const options = ['shown', 'hidden', 'only'].map((way) => make('option', { value: way, textContent: way === 'only' ? 'only those' : way }));
  const select = make('select', { 'aria-label': `nulls of ${name}` }, ...options);
  const label = make('span', { className: 'dim', textContent: 'nulls' });
  const box = make('div', { className: 'row nulls' }, label, select);
  let condition = '';
  let asked = false;
  let hidden = false;
  let some = true;
  const show = () => { box.hidden = hidden || !some && select.value !== 'only'; };
  select.addEventListener('change', () => { asked = true; changed(); });
  return {
    box,
    set condition(text) {
      if (!asked || select.value === 'only') select.value = text ? 'hidden' : 'shown';
      condition = text;
    },
    text() {
      if (select.value === 'only') return 'null';
      if (condition) return select.value === 'shown' ? `${condition} | null` : condition;
      return select.value === 'shown' ? '' : '!null';
    },
    read([also, kind], text) {
      asked = kind === '!null' || also !== '';
      condition = kind === '' || kind === '!null' ? '' : text.replace(/\s*\|\s*null\s*$/i, '');
      select.value = also ? (condition ? 'shown' : 'only') : kind === '' ? 'shown' : 'hidden';
    },
    count(n) {
      some = n > 0;
      label.textContent = `${count(n)} ${n === 1 ? 'null' : 'nulls'}`;
      show();
    },
    hide(yes) { hidden = yes; show(); },
  };
}

/** From and to, by brush, by boxes, and of dates by year, month and day. */
function rangeBody(viewer, name, nulls, take) {
  const kind = viewer.filterKind(name);
  const axis = axisOf(viewer, name);
  const [, now, ...values] = viewer.filterParts(name, viewer.filterText(name));
  let ends = rangeEnds(now === 'range' || now === '=' && values.length === 1 ? values[0] : '');
  const fine = kind === 'moment' && (axis && axis.unit < DAY || ends.some(([, text]) => text.length > 10));
  const type = kind === 'moment' ? (fine ? 'datetime-local' : 'date') : kind === 'clock' ? 'time' : 'text';
  // A date box takes moments in full; what is typed may be a month.
  const inBox = (text, end) => {
    if (kind !== 'moment' || !text) return text;
    const at = momentSpan(text)[end];
    return isNaN(at) ? '' : new Date(at - end).toISOString().slice(0, fine ? 19 : 10);
  };
  const boxes = ['from', 'to'].map((label, end) => {
    const input = make('input', { type, 'aria-label': `${label} this ${name}`, 'data-end': label, placeholder: label, spellcheck: false, autocomplete: 'off' });
    if (kind === 'number') input.inputMode = 'decimal';
    if (type !== 'text' && (fine || kind === 'clock')) input.step = 1;
    input.addEventListener('change', () => {
      ends[end] = [end ? '<=' : '>=', input.value.trim().replace('T', ' ')];
      show(true);
      take(rangeText(ends));
    });
    return input;
  });
  const signs = [0, 1].map(() => make('span', { className: 'dim' }));
  const presets = make('div', { className: 'presets' });
  const brushed = axis && brush(axis, (part, done) => {
    const text = part ? axis.text(...part) : '';
    ends = rangeEnds(text);
    show(done);
    if (done || viewer.rowsLoaded() < 2e6) take(text);
  });
  function show(whole) {
    ends.forEach(([sign, text], end) => {
      boxes[end].value = inBox(text, end);
      signs[end].textContent = { '>': 'above', '<': 'below', '>=': 'from', '<=': 'to' }[sign];
    });
    if (whole) brushed?.show(axis.part(rangeText(ends)));
    if (kind === 'moment' && axis) presets.replaceChildren(...periods(axis, rangeText(ends)).map(([label, text, pressed]) => {
      const button = make('button', { type: 'button', textContent: label, 'aria-pressed': String(pressed) });
      button.addEventListener('click', () => { ends = rangeEnds(text); show(true); take(text); });
      return button;
    }));
  }
  show(true);
  return [
    ...brushed ? [brushed.box, make('div', { className: 'row ends' }, make('span', { className: 'dim grow', textContent: axis.label(0) }), make('span', { className: 'dim', textContent: axis.label(1) }))] : [],
    make('div', { className: 'row' }, signs[0], boxes[0], signs[1], boxes[1]), presets,
  ];
}

const monthName = (month) => new Date(Date.UTC(2000, month - 1)).toLocaleString(undefined, { month: 'short', timeZone: 'UTC' });

/** Years, months or days that a column has, one step finer than what is chosen: label, text, whether it is chosen. */
function periods(axis, text) {
  const [low, high] = [axis.low, axis.high];
  const iso = (at, length) => new Date(at).toISOString().slice(0, length);
  const [first, last] = [iso(low, 4), iso(high, 4)];
  const depth = /^\d{4}(-\d\d)?(-\d\d)?$/.test(text) ? text.length : first === last ? 4 : 0;
  const within = depth ? (text.slice(0, 7) || first) : '';
  const out = [];
  const add = (label, value) => {
    const [start, end] = momentSpan(value);
    if (start <= high && end > low) out.push([label, value, value === text]);
  };
  if (text) out.push(['All', '', false]);
  if (depth >= 7 && iso(low, 7) !== iso(high, 7) && first === last) out.push([first, first, false]);
  if (depth >= 7 && first !== last) out.push([within.slice(0, 4), within.slice(0, 4), false]);
  const list = depth === 0 ? Array.from({ length: Math.min(12, last - first + 1) }, (_, at) => String(+first + at)) : [];
  for (const year of list) add(year, year);
  const two = (number) => String(number).padStart(2, '0');
  if (depth === 4) {
    for (let month = 1; month <= 12; month++) {
      add(monthName(month), `${within.slice(0, 4)}-${two(month)}`);
    }
  }
  if (depth >= 7) {
    out.push([monthName(+within.slice(5, 7)), within, within === text]);
    const days = new Date(Date.UTC(+within.slice(0, 4), +within.slice(5, 7), 0)).getUTCDate();
    for (let day = 1; day <= days; day++) add(String(day), `${within}-${two(day)}`);
  }
  return out;
}

/** Contains, begins, ends, is, and their opposites. */
function textBody(name, [, now, ...values], take) {
  const bare = now.replace("'", '');
  const known = TESTS.some(([test]) => test === bare);
  const test = make('select', { 'aria-label': 'test' }, ...TESTS.map(([value, textContent]) => make('option', { value, textContent })));
  const input = make('input', { type: 'text', 'aria-label': `text in ${name}`, spellcheck: false, autocomplete: 'off', placeholder: 'text' });
  const cased = make('input', { type: 'checkbox', checked: now.includes("'") });
  const label = make('label', { className: 'row' }, cased, 'the case counts');
  test.value = known ? bare : 'has';
  input.value = known ? (bare.endsWith('=') ? values.map(inList).join(', ') : values[0] ?? '') : '';
  let timer = 0;
  const apply = () => {
    clearTimeout(timer);
    const equals = test.value.endsWith('=');
    cased.disabled = equals;
    if (equals) cased.checked = true;
    take(testText(test.value, input.value, cased.checked));
  };
  cased.disabled = bare.endsWith('=');
  input.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(apply, TYPING);
  });
  input.addEventListener('keydown', (event) => { if (event.key === 'Enter') apply(); });
  test.addEventListener('change', apply);
  cased.addEventListener('change', apply);
  return [make('div', { className: 'row' }, test), make('div', { className: 'row' }, input), label];
}
