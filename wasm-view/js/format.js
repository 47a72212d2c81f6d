// Formats of columns: chosen in a panel or by a script, kept here as they were said, and written by the viewer.

/** What is said of the columns' formats, by name. */
const formatsOf = (host) => (host.formats ??= new Map());

/** A date's parts as people here order them: `d.m.y`. */
const localDate = () => new Intl.DateTimeFormat(undefined, { year: 'numeric', month: '2-digit', day: '2-digit' }).formatToParts(0)
  .map(({ type, value }) => ({ year: 'y', month: 'm', day: 'd' })[type] ?? value).join('');
const localZone = () => new Intl.DateTimeFormat().resolvedOptions().timeZone;

/** Tells another viewer how columns are shown. */
function tellFormats(host, tell) {
  for (const told of host.toldFormats?.values() ?? []) tell('setFormat', ...told);
  tell('setColumnDecimals', host.viewer().columnDecimals());
}

/** Gives a column a format; nothing said is the column's own. */
function applyFormat(host, column, format) {
  const { style = 'plain', grouping, decimals, zone = '', date = 'iso' } = format ?? {};
  const clocks = zone === 'local' ? localZone() : zone;
  if (clocks && isNaN(zoneOffset(clocks, 0))) throw new RangeError(`unknown time zone ${clocks}`);
  const told = [column, style, grouping, decimals, clocks, date === 'locale' ? localDate() : ''];
  const changes = host.viewer().setFormat(...told);
  // What is looked for is looked for in what is shown, by whoever has the rows.
  (host.toldFormats ??= new Map()).set(column, told);
  const said = Object.entries(format ?? {}).filter(([, value]) => value !== undefined && value !== '');
  if (said.length) formatsOf(host).set(column, Object.fromEntries(said));
  else formatsOf(host).delete(column);
  host.after(changes);
  widen(host, column);
}

/** Makes a column wider where what it shows does not fit any more. */
function widen(host, column) {
  const viewer = host.viewer();
  const position = viewer.shownNames().indexOf(column);
  const before = host.slots().find(({ name }) => name === column);
  if (position < 0) return;
  let changes = viewer.fitColumn(position);
  if (host.slots().find(({ name }) => name === column).width < before.width) changes |= viewer.changeColumn(before.column, undefined, undefined, before.width);
  host.after(changes);
}

/** Whether a column that is shown has formats to choose from. */
const isFormatted = (viewer, position) => /^(u?int|float|decimal|date|timestamp)/.test(viewer.columnNote(position));

/** Opens the panel of a column's format. */
function formatPanel(host, position, x, y) {
  const viewer = host.viewer();
  const name = viewer.shownNames()[position];
  const [type, second] = viewer.columnNote(position).split(' · ');
  const box = make('div', { className: 'menu filter', role: 'dialog', 'aria-label': `format of ${name}` });
  const said = { ...formatsOf(host).get(name) };
  const wrong = make('p', { hidden: true, role: 'alert' });
  const apply = () => {
    try {
      applyFormat(host, name, said);
      wrong.hidden = true;
    } catch (error) {
      wrong.textContent = error.message;
      wrong.hidden = false;
    }
  };
  const row = (label, element) => make('label', { className: 'row' }, make('span', { className: 'dim what', textContent: label }), element);
  /** A choice of one word of the format; the first option is to say nothing. */
  const select = (key, label, options, read = (value) => value) => {
    const element = make('select', { 'data-format': key }, ...options.map(([value, text]) => make('option', { value: String(value), textContent: text })));
    element.value = String(said[key] ?? '');
    element.addEventListener('change', () => {
      said[key] = element.value === '' ? undefined : read(element.value);
      apply();
    });
    return row(label, element);
  };
  const rows = [];
  if (/^(u?int|float|decimal)/.test(type)) {
    rows.push(
      select('style', 'as', [['', 'number'], ['percent', 'per cent'], ['si', 'short: 1.2k, 3.4M'], ['scientific', 'scientific: 1.23e4'], ['bytes', 'bytes: 1.2 kB'],
        ...type.includes('int') ? [['hex', 'hexadecimal: 0xff']] : []]),
      select('decimals', 'decimals', [['', 'as needed'], ...[0, 1, 2, 3, 4, 5, 6].map((n) => [n, n])], Number),
      select('grouping', 'thousands', [['', 'as needed'], [true, 'apart: 12,345'], [false, 'together: 12345']], (value) => value === 'true'));
  } else {
    const day = new Date(Date.UTC(2013, 0, 31)).toLocaleDateString(undefined, { year: 'numeric', month: '2-digit', day: '2-digit', timeZone: 'UTC' });
    rows.push(select('date', 'dates', [['', '2013-01-31'], ['locale', day]]));
    if (type.startsWith('timestamp') && second) {
      const zone = make('input', { type: 'text', value: said.zone ?? '', placeholder: 'the column’s own', 'data-format': 'zone', spellcheck: false, autocomplete: 'off' });
      // A list of the browser's own would say nothing of `local`.
      const names = make('datalist', { id: 'zones' }, ...['UTC', 'local', ...Intl.supportedValuesOf?.('timeZone') ?? []].map((value) => make('option', { value })));
      zone.setAttribute('list', 'zones');
      zone.addEventListener('change', () => { said.zone = zone.value.trim(); apply(); });
      rows.push(row('time zone', zone), names);
    }
  }
  const reset = make('button', { type: 'button', className: 'link', textContent: 'As it was' });
  reset.addEventListener('click', () => { applyFormat(host, name, null); box.close(); });
  box.append(make('div', { className: 'row head' }, make('b', { textContent: name }), make('span', { className: 'dim', textContent: type })), ...rows, wrong,
    make('div', { className: 'row' }, make('span', { className: 'dim grow', textContent: 'Copies stay exact.' }), reset));
  popover(host.root, box, x, y, host.canvas);
  box.querySelector('select').focus({ preventScroll: true });
}
