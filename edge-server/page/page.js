// The page: which tables there are, which one is shown, light or dark; and that a token is asked for when the server wants one.

import { ask, signIn, token } from '/signin.js';

const REFUSED = 'The server does not take this token any more.';
const viewer = document.querySelector('bodkin-table');
const nav = document.querySelector('nav');
const root = document.documentElement;

function theme(name) {
  if (name !== 'light' && name !== 'dark') return;
  root.dataset.theme = name;
  viewer.setAttribute('theme', name);
}

theme(new URLSearchParams(location.search).get('theme') ?? localStorage.getItem('theme'));
document.querySelector('#theme').addEventListener('click', () => {
  const dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  theme(dark ? 'light' : 'dark');
  localStorage.setItem('theme', root.dataset.theme);
});

/** Says which table is shown. */
function mark(name) {
  for (const link of nav.children) {
    if (link.textContent === name) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  document.title = name ? `${name} – Bodkin` : 'Bodkin';
}

function show(name) {
  mark(name);
  const src = `/v1/tables/${encodeURIComponent(name)}/data`;
  // Back from a file that was opened, the table is another although its address is the same.
  if (name && viewer.getAttribute('src') === src) viewer.load(src);
  else if (name) viewer.setAttribute('src', src);
}

viewer.addEventListener('bodkin-open', ({ detail }) => {
  for (const link of nav.children) link.removeAttribute('aria-current');
  document.title = `${detail.name || 'a file'} – Bodkin`;
});

// A file that is dropped beside the viewer does not take the page's place.
for (const kind of ['dragover', 'drop']) {
  addEventListener(kind, (event) => event.dataTransfer?.types.includes('Files') && event.preventDefault());
}

viewer.token = token;
viewer.addEventListener('bodkin-error', async ({ detail }) => {
  if (detail.status !== 401) return;
  await signIn(token() ? REFUSED : '');
  viewer.load(detail.url);
});

/** The tables, once the server lets somebody in. */
async function list() {
  for (;;) {
    const answer = await ask('/v1/tables');
    if (answer.ok) return answer.json();
    if (answer.status !== 401) throw new Error(`${answer.status} ${answer.statusText}`);
    await signIn(token() ? REFUSED : '');
  }
}

const named = () => decodeURIComponent(location.hash.slice(1));

// A table that the address names does not wait for the list.
const asked = named();
if (asked) show(asked);

try {
  const { tables } = await list();
  for (const { name, rows } of tables) {
    const link = document.createElement('a');
    link.href = `#${encodeURIComponent(name)}`;
    link.textContent = name;
    link.title = `${rows.toLocaleString()} rows`;
    link.addEventListener('click', () => !link.hasAttribute('aria-current') && named() === name && show(name));
    nav.append(link);
  }
  const known = (name) => tables.some((table) => table.name === name);
  if (asked && asked === named() && known(asked)) mark(asked);
  else show(known(named()) ? named() : tables[0]?.name);
  addEventListener('hashchange', () => known(named()) && show(named()));
} catch (error) {
  const why = /^\d/.test(error.message) ? `The server answered ${error.message}.` : 'Is the server still running?';
  nav.textContent = `The list of tables could not be read. ${why}`;
}
