// apache-arrow: reads the stream, and computes nothing. Its rows are there when their batch is.

import { RecordBatchReader, Table } from 'apache-arrow';
import { DATA, offer } from './page.js';

offer({
  async load(mark) {
    mark('ready');
    const reader = await RecordBatchReader.from(fetch(DATA));
    const batches = [];
    for await (const batch of reader) {
      if (!batches.length) {
        batch.get(0).toJSON();
        mark('first');
      }
      batches.push(batch);
    }
    window.table = new Table(batches);
    if (window.table.numRows !== 3_000_000) throw new Error(`${window.table.numRows} rows came`);
    mark('all');
  },
});
