// DuckDB-Wasm, the bundle with exceptions. It paints nothing: a task is done when its rows are Arrow rows in the page.

import { AsyncDuckDB, ConsoleLogger, LogLevel } from '@duckdb/duckdb-wasm';
import { DATA, offer } from './page.js';

let session;
const ask = async (sql) => (await session.query(sql)).toArray().map((row) => row.toJSON());

offer({
  async load(mark) {
    const db = new AsyncDuckDB(new ConsoleLogger(LogLevel.ERROR), new Worker('/peers/duckdb-browser-eh.worker.js'));
    await db.instantiate('/peers/duckdb-eh.wasm');
    session = await db.connect();
    mark('ready');
    // At once: piece by piece, as its documentation has it, 1.32.0 refused this stream ("Invalid unicode").
    const bytes = new Uint8Array(await (await fetch(DATA)).arrayBuffer());
    await session.insertArrowFromIPCStream(bytes, { name: 'flights', create: true });
    const [{ n }] = await ask('select count(*) as n from flights');
    if (Number(n) !== 3_000_000) throw new Error(`${n} rows came`);
    await ask('select * from flights limit 30');
    mark('first');
    mark('all');
  },
  tasks: {
    async sort() {
      const rows = await ask('select * from flights order by delay desc nulls last limit 30');
      return { top: Number(rows[0].delay), rows: rows.length };
    },
    async order() {
      const rows = await ask('select * from flights order by delay desc nulls last limit 30 offset 1500000');
      return { middle: Number(rows[0].delay), rows: rows.length };
    },
    async filter() {
      const [{ n }] = await ask('select count(*) as n from flights where delay > 60');
      const rows = await ask('select * from flights where delay > 60 limit 30');
      return { count: Number(n), rows: rows.length };
    },
    async group() {
      const rows = await ask('select origin, avg(delay) as mean, count(*) as n from flights group by origin');
      const { mean, n } = rows.find(({ origin }) => origin === 'ATL');
      return { groups: rows.length, mean, count: Number(n) };
    },
  },
});
