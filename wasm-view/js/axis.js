// The axis of a column's histogram: places from 0 to 1 on it, and what one would type for them. A filter box's notation
// is the only state: what is brushed is written in it, and what is typed is read from it.

const DAY = 864e5;

/** A date or time of any part as its first moment and the first one after it, on clocks of the column's zone. */
function momentSpan(text) {
  const found = /^(\d{4})(?:-(\d\d))?(?:-(\d\d))?(?:[T ](\d\d)(?::(\d\d))?(?::(\d\d))?(\.\d+)?)?Z?$/.exec(text);
  if (!found) return [NaN, NaN];
  const part = found.slice(1, 7).map((digits) => (digits === undefined ? undefined : +digits));
  const at = part.indexOf(undefined);
  const [year, month = 1, day = 1, hour = 0, minute = 0, second = 0] = part;
  const start = Date.UTC(year, month - 1, day, hour, minute, second);
  const last = at < 0 ? 6 : at;
  if (last === 1) return [start, Date.UTC(year + 1, 0)];
  if (last === 2) return [start, Date.UTC(year, month)];
  return [start, start + [DAY, 36e5, 6e4, 1e3][last - 3]];
}

/** Seconds since midnight of a time, in milliseconds. */
const clockTime = (text) => text.split(':').reduce((sum, part, at) => sum + part * [36e5, 6e4, 1e3][at], 0);

/** The ends of a range as it is typed: operator and text of the lower and of the upper one. */
function rangeEnds(text) {
  const between = /^(.*?)\.\.(.*)$/.exec(text);
  if (between) return [['>=', between[1].trim()], ['<=', between[2].trim()]];
  const ends = [['>=', ''], ['<=', '']];
  const parts = [...text.matchAll(/([<>]=?)\s*([^<>=]*)/g)];
  for (const [, sign, value] of parts) ends[sign[0] === '<' ? 1 : 0] = [sign, value.trim()];
  return parts.length ? ends : [['>=', text.trim()], ['<=', text.trim()]];
}

/** A range as one would type it. */
function rangeText([[above, from], [below, to]]) {
  if (from && from === to && above === '>=' && below === '<=') return from;
  if (from && to && above === '>=' && below === '<=') return `${from}..${to}`;
  return [from && `${above} ${from}`, to && `${below} ${to}`].filter(Boolean).join(' ');
}

/** The axis of a column; nothing where there is no histogram, or not yet. */
function axisOf(viewer, name) {
  const kind = viewer.filterKind(name);
  const [least, greatest, ...bars] = viewer.histogram(name);
  if (!bars.length || kind === 'nulls' || kind === 'text') return null;
  const type = viewer.columnTypes()[viewer.columnNames().indexOf(name)];
  let [low, high] = [least, greatest];
  const whole = !/^(float|decimal)/.test(type);
  if (kind === 'moment') {
    const zone = type.split(' · ')[1];
    const local = (at) => at + (zone ? (zoneOffset(zone, Math.floor(at / 1000)) || 0) * 1000 : 0);
    [low, high] = [local(low), local(high)];
  }
  // The span of two numbers may be more than a number; half of it, its reach, is not.
  const reach = high / 2 - low / 2;
  const span = Math.min(high - low, Number.MAX_VALUE);
  const on = (part) => (low / 2 + part * reach) * 2;
  // A moment and a whole number take room on the axis; other values are points.
  const unit = kind === 'moment' ? (type === 'date' || span > 40 * DAY ? DAY : span > 36e5 ? 6e4 : 1e3) : kind === 'clock' ? 1e3 : whole ? 1 : span / 1000;
  const half = kind === 'number' && whole && low % 1 ? 0.5 : 0;
  const digits = Math.min(12, Math.max(0, Math.ceil(-Math.log10(span / 500))));
  const write = (at) => {
    if (kind === 'moment') return new Date(at).toISOString().slice(0, unit === DAY ? 10 : unit === 6e4 ? 16 : 19).replace('T', ' ');
    if (kind === 'clock') return new Date(Math.max(0, at)).toISOString().slice(11, 19);
    return whole ? at.toFixed(0) : String(Number(at.toFixed(digits)));
  };
  const read = (text) => {
    if (kind === 'moment') return momentSpan(text);
    const at = kind === 'clock' ? clockTime(text) : text === '' ? NaN : Number(text.replaceAll('_', ''));
    return [at - half, at + half];
  };
  const place = (at) => Math.min(1, Math.max(0, (at / 2 - low / 2) / reach));
  return {
    kind, type, bars, low, high, unit, read, step: Math.max(0.005, unit / span),
    /** What to type for a part of the axis; what reaches an end is open there. */
    text(from, to) {
      let [a, b] = [on(from), on(to)];
      if (kind === 'moment') {
        a = Math.round(a / unit) * unit;
        b = Math.max(a, (Math.round(b / unit) - 1) * unit);
      } else if (whole) {
        const near = Math.round((a + b) / 2 / unit) * unit;
        [a, b] = [Math.ceil(a / unit) * unit, Math.floor(b / unit) * unit];
        if (a > b) a = b = near;
      }
      return rangeText([['>=', from <= 0.001 ? '' : write(a)], ['<=', to >= 0.999 ? '' : write(b)]]);
    },
    /** The part of the axis that a range takes; nothing when it cannot be read. */
    part(text) {
      const [[above, from], [below, to]] = rangeEnds(text);
      const [a, b] = [from ? read(from)[above === '>' ? 1 : 0] : low, to ? read(to)[below === '<' ? 0 : 1] : high];
      return a <= b ? [place(a), place(b)] : null;
    },
    label: (part) => write(on(part)),
  };
}

/** The part of a column's axis that its filter keeps; nothing without one. */
function filteredPart(viewer, name, axis) {
  const [, kind, ...values] = viewer.filterParts(name, viewer.filterText(name));
  return axis && (kind === 'range' || kind === '=' && values.length === 1) ? axis.part(values[0]) : null;
}
