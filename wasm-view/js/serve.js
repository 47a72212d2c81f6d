// The worker's half: a viewer without a canvas that holds the rows, and answers the page's calls. A call is the name of one
// of the functions below, or of the viewer's own.

/** While a load runs, a filtered or sorted view is found anew at most this often (ms). */
const REFIND = 1000;
/** Rows that are shown as soon as they are here. */
const FIRST_WINDOW = 256;

function serve() {
  let viewer;
  let loading = new AbortController();
  let working = new AbortController();
  const post = (event, ...more) => postMessage({ event, more });
  const counts = () => post('rows', viewer.rowsLoaded(), viewer.rowsShown(), viewer.bytesLoaded());
  const found = () => ({ rows: viewer.rowsShown(), groups: viewer.groupsStream() });
  // What leaves is of rows that stay as they are, by its number.
  const held = new Map();
  // The rows around those in sight, of which `top` is the first.
  const around = (top, seen, shown) => {
    const first = Math.max(0, Math.min(top, shown - seen) - seen);
    return { first, window: viewer.windowOf(first, Math.min(shown, first + Math.max(FIRST_WINDOW, 4 * seen))) };
  };
  let ahead;
  const calls = {
    ahead(...asked) { ahead?.(); ahead = openAhead(...asked); },
    async start(module, separator, place) {
      second.place = place;
      await __wbg_init({ module_or_path: module });
      viewer = new Viewer(undefined, zoneOffset, separator);
    },
    async load(url, headers, budget, cache) {
      loading.abort();
      const { signal } = (loading = new AbortController());
      const asked = ahead?.(signal, url, headers, cache);
      ahead = null;
      const opened = await (asked ?? open(url, headers, signal, cache));
      if (isLarge(opened, budget)) {
        loading.abort();
        const { rows, query, size, live } = opened;
        return { large: { rows, query, size, live } };
      }
      let told = 0;
      let refound = performance.now();
      viewer.begin();
      const feeding = feed(opened, signal, viewer, {
        total: (rows) => post('total', rows),
        live: (live) => post('live', live),
        cached: (etag) => post('cached', etag),
        part: (part) => { if (performance.now() - told > 30 || part === 1) { told = performance.now(); counts(); post('part', part); } },
        pushed: (changes) => {
          if (changes & SCHEMA) post('schema', viewer.schemaStream());
          if (changes & ROWS && told === 0) {
            told = performance.now();
            counts();
            // Nobody has to ask for the first rows.
            post('window', 0, viewer.windowOf(0, FIRST_WINDOW));
          }
          if (changes & ROWS && viewer.needsRefresh() && performance.now() - refound > REFIND) {
            viewer.refresh();
            refound = performance.now();
            post('found', found());
          }
        },
      });
      try {
        await feeding;
      } catch (error) {
        // What does not fit stays on the server, if that answers questions.
        const { rows, query, size, live } = opened;
        if (error instanceof WebAssembly.RuntimeError && query) return { large: { rows, query, size, live } };
        throw outOfMemory(error);
      }
      counts();
      return found();
    },
    // Nobody has to ask for the rows that will be in sight.
    async run(plan, number, top, seen) {
      working.abort();
      const { signal } = (working = new AbortController());
      viewer.takePlan(plan);
      try {
        await work(viewer, signal, (part) => post('working', part), number && ((...first) => post('head', number, ...first)));
      } catch (error) {
        if (!signal.aborted) viewer.workCancel();
        throw error;
      }
      return { ...found(), ...around(top, seen, viewer.rowsShown()) };
    },
    // Updates, and the rows in sight as they are then.
    live(plan, messages, where) {
      const news = viewer.liveApply(plan, messages, where, performance.now());
      if (!news.length) return { news };
      const [seen, shown] = [where[1], news[4]];
      return { news, ...around(news[5] < 0 ? shown - seen : Math.floor(news[5]), seen, shown) };
    },
    more(module) { second.module ??= module; linkMore(); },
    memory: () => wasm.memory.buffer.byteLength,
    hold(id, slots) {
      const shown = stillOf(viewer);
      shown.setColumnSlots(slots);
      held.set(id, shown);
      return shown.rowsShown();
    },
    held: (id, name, ...args) => held.get(id)[name](...args),
    letGo(id) { held.get(id).free(); held.delete(id); },
    cancel: () => working.abort(),
    slice: (method, argument, millis) => slice(() => viewer[method](argument), millis),
    async profile() {
      const { signal } = loading;
      let known = 0;
      await profiles(viewer, () => signal.aborted, () => {
        for (let profile; (profile = viewer.profileOf(known)).length; known++) post('profile', known, ...profile);
      });
    },
  };
  onmessage = async ({ data: { id, name, args } }) => {
    try {
      const result = await (calls[name] ?? viewer[name].bind(viewer))(...args);
      postMessage({ id, result }, result instanceof Uint8Array ? [result.buffer] : []);
    } catch (error) {
      postMessage({ id, error: { name: error.name, title: error.title, status: error.status, message: error.message ?? String(error), trap: error.trap ?? error instanceof WebAssembly.RuntimeError } });
    }
  };
}
