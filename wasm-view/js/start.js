// The module: fetched and compiled once for all elements of a page and their workers.

let compiled;
let ready;

/** Stands between groups of three digits. */
const SEPARATOR = (12345).toLocaleString().replace(/\d/g, '')[0] ?? ',';

const workerUrl = () => new URL('bodkin-worker.js', import.meta.url);

/** The compiled module, which can be sent to a worker. */
function module() {
  compiled ??= (async () => {
    const response = await fetch(new URL('bodkin.wasm', import.meta.url));
    if (!response.ok) throw await problem(response);
    const isNamed = response.headers.get('content-type')?.startsWith('application/wasm');
    return isNamed ? WebAssembly.compileStreaming(response) : WebAssembly.compile(await response.arrayBuffer());
  })();
  compiled.catch(() => { compiled = undefined; });
  return compiled;
}

/** Starts the module in the page. */
function start() {
  ready ??= module().then((module) => __wbg_init({ module_or_path: module }));
  ready.catch(() => { ready = undefined; });
  return ready;
}
