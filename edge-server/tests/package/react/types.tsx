// What the types promise, and what they refuse: compiled, and never run.
import type { ReactElement } from 'react';
import { BodkinTable, clearCache, configure, init, mount, type MountedTable, type TableState, type View } from 'bodkin';
import type { BodkinTableProps } from 'bodkin/react';

export async function promised(place: HTMLElement): Promise<[View, TableState]> {
  configure({ wasm: new URL('https://example.org/bodkin.wasm'), worker: '/worker.js' });
  await init(fetch('/bodkin.wasm'));
  await init();
  await clearCache();
  const table: MountedTable = mount(place, {
    src: '/flights.arrows',
    theme: 'dark',
    cache: true,
    engine: 'worker',
    budget: 500,
    headers: () => ({ authorization: 'Bearer secret' }),
    view: { sort: ['origin', '-dep_delay'] },
    on: {
      load: ({ rows, bytes }) => rows + bytes,
      select({ focus, selected }, event) {
        const first: number | undefined = selected?.rows[0];
        return [first, focus?.row, event.type];
      },
    },
  });
  await table.whenLoaded();
  await table.setSort(['origin', '-dep_delay']);
  table.setFilter('origin', '=JFK');
  await table.settled();
  table.setGroup(['origin'], [['count'], ['mean', 'dep_delay']]);
  table.setColumns([{ name: 'dest', pinned: true }, { name: 'flight', width: 120 }]);
  table.select([0, 2], [9, 4]);
  table.scrollToRow(100_000);
  table.setFormat('dep_delay', { decimals: 1 });
  table.chart({ kind: 'bar', x: 'carrier', y: [['mean', 'dep_delay']] });
  const text: string = await (await table.toCsv()).text();
  const cell: string | null | undefined = (await table.cells(0, 1))[0]?.[0];
  const kept = table.save();
  const lost: string[] = await table.restore(JSON.parse(JSON.stringify(kept)) as View);
  table.destroy();
  const found = document.querySelector('bodkin-table');
  found?.addEventListener('bodkin-progress', ({ detail }) => detail.part * 100);
  found?.addEventListener('click', ({ clientX }) => clientX);
  const made: BodkinTable = document.createElement('bodkin-table');
  made.view = { filters: { origin: '=JFK' } };
  made.src = null;
  const theme: string | null = made.theme;
  return [{ ...kept, theme: theme ?? text + lost + cell }, made.state()];
}

export function refused(table: BodkinTable): ReactElement[] {
  // @ts-expect-error: a list of keys is wanted.
  table.setSort('origin');
  // @ts-expect-error: there is no such method.
  table.sortBy(['origin']);
  // @ts-expect-error: a width is a number.
  table.setColumns([{ name: 'dest', width: '120px' }]);
  // @ts-expect-error: there is no such option.
  mount('#place', { source: '/flights.arrows' });
  // @ts-expect-error: there is no such event.
  mount('#place', { on: { loaded: () => {} } });
  // @ts-expect-error: what is asked does not change what is.
  table.state().rowsShown = 3;
  const properties: BodkinTableProps = { src: '/flights.arrows', className: 'wide', 'onbodkin-load': ({ detail }) => detail.rows };
  return [
    <bodkin-table key="a" {...properties} />,
    // @ts-expect-error: a URL is text.
    <bodkin-table key="b" src={3} />,
    // @ts-expect-error: a listener hears of its own event.
    <bodkin-table key="c" onbodkin-load={(event: CustomEvent<string>) => event.detail} />,
  ];
}
