// Perspective: its viewer with the data grid, and the 32-bit engine, which by its own words is the faster. A task is done
// when its rows are painted.

import perspective from '@perspective-dev/client';
import viewers from '@perspective-dev/viewer';
import '@perspective-dev/viewer-datagrid';
import { DATA, offer, painted } from './page.js';

const viewer = document.createElement('perspective-viewer');
const PLAIN = { group_by: [], sort: [], filter: [], aggregates: {} };
let columns;

offer({
  async load(mark) {
    perspective.init_server({ wasm32: () => fetch('/peers/perspective-server.wasm') });
    await viewers.init_client(fetch('/peers/perspective-viewer.wasm'));
    document.body.append(viewer);
    const client = await perspective.worker();
    mark('ready');
    const bytes = await (await fetch(DATA)).arrayBuffer();
    const table = await client.table(bytes);
    const rows = await table.size();
    if (rows !== 3_000_000) throw new Error(`${rows} rows came`);
    columns = await table.columns();
    await viewer.load(table);
    await viewer.restore({ plugin: 'Datagrid', settings: false, columns });
    await painted();
    mark('first');
    mark('all');
  },
  sortsAll: true,
  reset: () => viewer.restore({ ...PLAIN, columns }),
  tasks: {
    async sort() {
      await viewer.restore({ sort: [['delay', 'desc']] });
      await painted();
      return async () => {
        const { delay } = await (await viewer.getView()).to_columns({ end_row: 30 });
        return { top: delay[0], rows: delay.length };
      };
    },
    async filter() {
      await viewer.restore({ filter: [['delay', '>', 60]] });
      const count = await (await viewer.getView()).num_rows();
      await painted();
      return async () => ({ count, rows: (await (await viewer.getView()).to_columns({ end_row: 30 })).delay.length });
    },
    async group() {
      await viewer.restore({ group_by: ['origin'], columns: ['delay', 'distance'], aggregates: { delay: 'mean', distance: 'count' } });
      await painted();
      return async () => {
        const { __ROW_PATH__: paths, delay, distance } = await (await viewer.getView()).to_columns();
        const at = paths.findIndex(([origin]) => origin === 'ATL');
        // The first row is that of all.
        return { groups: paths.length - 1, mean: delay[at], count: distance[at] };
      };
    },
  },
});
