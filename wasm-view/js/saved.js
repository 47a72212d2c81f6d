// A view that is kept: what a person made of the table, as plain data, and the way back.
//
// Sort, filters, groups, columns and the row at the top go through the table's own methods, so that a view that is
// brought back is one that could have been made by hand. A part that is missing changes nothing; a part that is there
// replaces what it speaks of. Columns that the table does not have any more are told, and the rest is done.

/** The form of what is kept. */
const FORM = 1;

function savedView(table) {
  const { sort = [], filters = {}, group, arranged = [], topRow = 0, chart } = table.state();
  const columns = arranged.map(({ width, ...more }) => ({ ...more, width: Math.round(width) }));
  const drawn = chart ? { kind: chart.kind, x: chart.x, y: chart.y, colour: chart.colour } : null;
  return { form: FORM, sort, filters, group: group ?? { keys: [], aggregates: [] }, columns, topRow, theme: table.theme, chart: drawn };
}

/** Whether there is a table whose columns stand where they will stay. */
function isArranged(table) {
  const { loading, rowsLoaded, columns } = table.state();
  return rowsLoaded > 0 || !loading && columns?.length > 0;
}

/** Gives what could not be brought back, in words. */
async function bringBack(table, { theme, filters, group, sort, columns, topRow, chart }) {
  for (const [name, part] of [['sort', sort], ['columns', columns]]) {
    if (part !== undefined && !Array.isArray(part)) return [`${name} is no list`];
  }
  const wrong = [];
  const attempt = async (run) => {
    try {
      await run();
    } catch (error) {
      wrong.push(error.message);
    }
  };
  if (theme) table.theme = theme;
  const now = table.state();
  const isGrouped = ({ keys = [], aggregates = [] }) => keys.length + aggregates.length > 0;
  // Not waited for one by one: a later wish takes the place of one that is being worked on.
  if (filters) {
    for (const name of Object.keys(now.filters)) if (!filters[name]) attempt(() => table.setFilter(name, ''));
    for (const [name, text] of Object.entries(filters)) if (now.filters[name] !== text) attempt(() => table.setFilter(name, text));
  }
  if (group && (isGrouped(group) || isGrouped(now.group) || !group.tree === now.group.tree)) {
    await attempt(() => table.setGroup(group.keys ?? [], (group.aggregates ?? []).map((part) => [part.function, part.column]), { tree: Boolean(group.tree) }));
  }
  if (sort && sort.join() !== table.state().sort.join()) attempt(() => table.setSort(sort));
  await table.settled();
  if (columns) {
    const names = table.state().arranged.map(({ name }) => name);
    for (const { name } of columns) if (!names.includes(name)) wrong.push(`unknown column ${name}`);
    await attempt(() => table.setColumns(columns));
  }
  if (chart !== undefined && (chart || table.state().chart)) await attempt(() => table.chart(chart));
  if (topRow >= 0) {
    // A row that has not come yet is waited for.
    if (table.state().rowsShown <= topRow && table.state().loading) await table.whenLoaded().catch(() => {});
    await attempt(() => table.scrollToRow(topRow));
  }
  return wrong;
}
