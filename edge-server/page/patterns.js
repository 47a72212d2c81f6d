// The pattern page: one card for each pattern, all of which can be run in turn. A card is one call of `card` in one of the
// files of `patterns/`; this one signs in, runs all, and says how far it is.

import { ask, signIn, token } from '/signin.js';
import { all, make } from '/patterns/kit.js';
import '/patterns/structs.js';
import '/patterns/tables.js';
import '/patterns/moving.js';
import '/patterns/screen.js';
import '/patterns/server.js';
import '/patterns/train.js';

const root = document.documentElement;
const button = document.querySelector('#run-all');
const progress = document.querySelector('#progress');
const tally = document.querySelector('#tally');

function theme(name) {
  if (name !== 'light' && name !== 'dark') return;
  root.dataset.theme = name;
  document.querySelector('bodkin-table')?.setAttribute('theme', name);
}

theme(new URLSearchParams(location.search).get('theme') ?? localStorage.getItem('theme'));
document.querySelector('#theme').addEventListener('click', () => {
  const dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  theme(dark ? 'light' : 'dark');
  localStorage.setItem('theme', root.dataset.theme);
});

/** How many stand how. */
function tell() {
  const states = Object.groupBy(all(), ({ element }) => element.dataset.state);
  const number = (state) => states[state]?.length ?? 0;
  const parts = [make('b', { textContent: number('passed') }), ` of ${all().length} hold`];
  if (number('failed')) parts.push(' · ', make('span', { className: 'failed', textContent: `${number('failed')} failed` }));
  if (number('skipped')) parts.push(` · ${number('skipped')} not here`);
  tally.replaceChildren(...parts);
  return all().length - number('idle') - number('running');
}

document.addEventListener('pattern', () => { progress.value = tell() / all().length; });

button.addEventListener('click', async () => {
  button.disabled = true;
  button.textContent = 'Running…';
  progress.hidden = false;
  for (const { element } of all()) element.dataset.state = 'idle';
  progress.value = 0;
  for (const { run } of all()) await run();
  button.disabled = false;
  button.textContent = 'Run all again';
  progress.hidden = true;
  root.dataset.done = 'true';
});

tally.textContent = `${all().length} patterns`;
// The cards are made here, so an address that names one has to be gone to again.
if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();

// Whoever needs a token is asked for it before anything is run.
const { status } = await ask('/v1/tables').catch(() => ({ status: 0 }));
if (status === 401) await signIn(token() ? 'The server does not take this token any more.' : '');
