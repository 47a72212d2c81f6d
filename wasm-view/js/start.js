// The module: fetched and compiled once for all elements of a page and their workers.

let compiled;
let ready;

/** Stands between groups of three digits. */
const SEPARATOR = (12345).toLocaleString().replace(/\d/g, '')[0] ?? ',';

const workerUrl = () => places.worker ?? new URL('bodkin-worker.js', import.meta.url);

/** The compiled module, which can be sent to a worker. */
function module() {
  compiled ??= compile(wasmPlace());
  compiled.catch(() => { compiled = undefined; });
  return compiled;
}

/** Compiles the module from a compiled module, bytes, a response or a URL. */
async function compile(place) {
  const source = await place;
  if (source instanceof WebAssembly.Module) return source;
  if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) return WebAssembly.compile(source);
  const response = source instanceof Response ? source : await fetch(source);
  if (!response.ok) throw await problem(response);
  const isNamed = response.headers.get('content-type')?.startsWith('application/wasm');
  return isNamed ? WebAssembly.compileStreaming(response) : WebAssembly.compile(await response.arrayBuffer());
}

/** Starts the module in the page. */
function start() {
  second.place ??= morePlace();
  ready ??= module().then((module) => __wbg_init({ module_or_path: module }));
  ready.catch(() => { ready = undefined; });
  return ready;
}
