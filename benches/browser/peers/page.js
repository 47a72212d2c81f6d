// What every page has: the clock, and the order of things. A page's script gives `load`, which marks what it reaches, and
// the tasks, each of which resolves to facts to be compared, or to a function that reads them once the clock has stopped. A
// task that is given a mark may call it when it has what is asked for, and then still puts things in order.

/** After the next frame has been painted. */
export const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));

/** Where all peers find the table. */
export const DATA = '/v1/tables/flights/data';

/** Makes a peer callable by the program outside. Times of `load` count from the navigation; `sortsAll`: its `sort` goes
 * on to the whole order, whose time is told as `order`. */
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
      let marked = 0;
      const check = await tasks[name](() => { marked ||= performance.now() - begin; });
      const all = performance.now() - begin;
      const ms = marked || all;
      const facts = typeof check === 'function' ? await check() : check;
      await reset();
      return { ms, all, facts };
    },
  };
}
