// Bodkin: the element, as a page embeds it. A task is done when its rows are painted; a filter also tells when they are in the
// page's hands.

import { DATA, offer, painted } from './page.js';

const table = document.createElement('bodkin-table');
const shown = (read) => async () => {
  const cells = await table.cells(0, table.state().group.keys.length ? 1000 : 30);
  return read(cells, table.state().shown, table.state().rowsShown);
};

offer({
  async load(mark) {
    const loaded = new Promise((done) => table.addEventListener('bodkin-load', done, { once: true }));
    table.addEventListener('bodkin-progress', ({ detail }) => { if (detail.rows) painted().then(() => mark('first')); });
    await import('/viewer/bodkin.js');
    await customElements.whenDefined('bodkin-table');
    mark('ready');
    table.setAttribute('src', DATA);
    document.body.append(table);
    await loaded;
    await painted();
    mark('all');
  },
  sortsAll: true,
  reset: () => table.reset(),
  tasks: {
    async sort(mark) {
      table.addEventListener('bodkin-head', () => painted().then(mark), { once: true });
      await table.setSort(['-delay']);
      await painted();
      return shown((rows, names) => ({ top: Number(rows[0][names.indexOf('delay')]), rows: rows.length }));
    },
    async filter(mark) {
      await table.setFilter('delay', '> 60');
      await table.cells(0, 30);
      mark();
      await painted();
      return shown((rows, names, count) => ({ count, rows: rows.length }));
    },
    async group() {
      await table.setGroup(['origin'], [['mean', 'delay'], ['count']]);
      await painted();
      return shown((rows, names, groups) => {
        const [, mean, count] = rows.find(([origin]) => origin === 'ATL');
        return { groups, mean: Number(mean), count: Number(count) };
      });
    },
  },
});
