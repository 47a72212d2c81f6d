// A worker that is made before there is a table for it: its thread and its script come while the module is compiled, and the
// table's first bytes while the worker begins.

/** A worker in the making: `started` gives it, or the page's own engine where workers are refused; `ahead` has it ask. */
function spareWorker(host, compiling, separator) {
  let engine = null;
  const started = (async () => {
    engine = new WorkerEngine(host, new Worker(workerUrl(), { type: 'module', name: 'bodkin' }));
    await engine.call('start', await compiling, separator, tellable(morePlace()));
    return engine;
  })().catch(() => {
    engine?.close();
    return new PageEngine(host);
  });
  return {
    started,
    /** Asks for a table that will be loaded; whoever makes it may still say with what. */
    ahead: (asked) => asked.then((asked) => engine?.call('ahead', ...asked)).catch(() => {}),
    close: () => started.then((engine) => engine.close()),
  };
}
