// What every page has: the clock, and the order of things. A page's script gives `load`, which marks what it reaches, and
// the tasks, each of which resolves to facts to be compared, or to a function that reads them once the clock has stopped.

/** After the next frame has been painted. */
export const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));

/** Where all peers find the table. */
export const DATA = '/v1/tables/flights/data';

/** Makes a peer callable by the program outside. Times of `load` count from the navigation; `sortsAll`: its `sort` makes the
 * whole order, not only the rows that are asked for. */
export function offer({ load, tasks = {}, sortsAll = false, reset = async () => {} }) {
  const marks = {};
  window.peer = {
    marks,
    sortsAll,
    load: (async () => {
      await load((name) => { marks[name] ??= performance.now(); });
      return marks;
    })(),
    async run(name) {
      if (!tasks[name]) return null;
      const begin = performance.now();
      const check = await tasks[name]();
      const ms = performance.now() - begin;
      const facts = typeof check === 'function' ? await check() : check;
      await reset();
      return { ms, facts };
    },
  };
}
