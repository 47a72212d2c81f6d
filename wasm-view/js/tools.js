// Small things that page and worker need: what changes are called, time zones, breaks, elements, numbers, problem documents.

// What a call to the viewer has changed; as in `viewer/mod.rs`.
const PAINT = 1, LAYOUT = 2, SELECTION = 4, VIEW = 8, CAPTURE = 16, SCHEMA = 32, ROWS = 64, COLUMNS = 128, MENU = 256, OPEN = 512, AGAIN = 1024, ASK = 2048;

/** The plan that counts the rows under the filters that are asked for, and its answer as a number. */
const countPlan = (viewer) => viewer.planOf([], ['count'], [''], [], 0, '');
const countOf = (viewer, answer) => Number(viewer.cellsOf(answer)[0]);

const zones = new Map();

/** The offset of a time zone at a moment, in seconds; NaN for a zone that the browser does not know. */
function zoneOffset(zone, seconds) {
  let format = zones.get(zone);
  if (format === undefined) {
    try {
      format = new Intl.DateTimeFormat('en-US', {
        timeZone: zone, calendar: 'gregory', hourCycle: 'h23', era: 'short',
        year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric',
      });
    } catch {
      format = null;
    }
    zones.set(zone, format);
  }
  if (format === null || Math.abs(seconds) > 8.64e12) return NaN;
  const part = {};
  for (const { type, value } of format.formatToParts(seconds * 1000)) part[type] = value;
  const year = part.era === 'BC' ? 1 - part.year : +part.year;
  const local = new Date(0);
  local.setUTCFullYear(year, part.month - 1, part.day);
  local.setUTCHours(part.hour, part.minute, part.second);
  return Math.round(local.getTime() / 1000 - seconds);
}

/** Lets the page breathe: paint, answer the pointer. */
function breathe() {
  return new Promise((resolve) => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => { channel.port1.close(); resolve(); };
    channel.port2.postMessage(0);
  });
}

function make(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.includes('-') || key === 'role' || key === 'part') element.setAttribute(key, value);
    else element[key] = value;
  }
  element.append(...children);
  return element;
}

const count = (number) => number.toLocaleString();
const bytes = (number) => (number < 1e6 ? `${(number / 1e3).toFixed(0)} kB` : `${(number / 1e6).toFixed(1)} MB`);

/** An error of a response: the server's problem document, or its status. */
async function problem(response) {
  const error = new Error(`${response.status} ${response.statusText}`);
  error.status = response.status;
  if (response.headers.get('content-type')?.includes('json')) {
    const document = await response.json().catch(() => ({}));
    error.title = document.title;
    error.message = document.detail ?? error.message;
  }
  return error;
}

/** What ends work whose result nobody wants any more. */
const superseded = () => new DOMException('superseded', 'AbortError');

/** A value as it stands in a menu. */
const shorten = (text) => (text.length > 24 ? `“${text.slice(0, 23)}…”` : `“${text}”`);
