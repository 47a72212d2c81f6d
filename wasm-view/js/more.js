// The module's second part, which answers what is asked of a table. It comes when the first rows are on the screen, or when
// something needs it; what asks waits for it. Should something call it before, it is fetched by a request that waits. Runs in
// the page and in the worker, which gets it from the page.

/** Milliseconds before a second part that did not come is asked for again. */
const BROUGHT_AGAIN = 3000;

const second = { place: undefined, module: undefined, linked: undefined, coming: null };
let firstExports;
let arrive;
const arrived = new Promise((done) => { arrive = done; });

/** The exports of both parts; one that is not here yet has its part come at once. */
function bothParts(exports) {
  firstExports = exports;
  // Whoever awaits the exports asks whether they are a promise.
  const get = (_, name) => (name === 'then' ? undefined : linkMore()[name]);
  return Object.setPrototypeOf({ ...exports }, new Proxy({}, { get }));
}

/** A place as it can be told to a worker, whose script has another address than the page. */
function tellable(place) {
  if (typeof place === 'string' || place instanceof URL) return new URL(place, document.baseURI).href;
  return place instanceof Response ? undefined : place;
}

/** Links the second part, and gives its exports. */
function linkMore() {
  if (!second.linked) {
    const module = second.module ?? compileNow(second.place);
    if (!WebAssembly.Module.imports(module).some((wanted) => wanted.module === 'first')) {
      throw new Error('what is said to be the second part of the viewer\'s module is another one');
    }
    second.linked = new WebAssembly.Instance(module, { ...__wbg_get_imports(), first: firstExports }).exports;
    Object.assign(wasm, second.linked);
    arrive(second.module = module);
  }
  return second.linked;
}

/** A module from a compiled module, bytes or an address, without waiting for anybody else's turn. */
function compileNow(place) {
  if (place instanceof WebAssembly.Module) return place;
  if (place instanceof ArrayBuffer || ArrayBuffer.isView(place)) return new WebAssembly.Module(place);
  const request = new XMLHttpRequest();
  request.open('GET', place, false);
  // Each byte as a letter, since a request that a page waits for gives text alone.
  request.overrideMimeType('text/plain; charset=x-user-defined');
  request.send();
  if (request.status !== 200) throw new Error(`${place}: ${request.status} ${request.statusText}`);
  return new WebAssembly.Module(Uint8Array.from(request.responseText, (letter) => letter.charCodeAt(0)));
}

/** Has the second part come, and resolves to its module when it is linked. */
function bringMore() {
  if (second.coming) return second.coming;
  const fetched = async () => {
    second.module ??= await compile(second.place);
    try {
      linkMore();
    } catch (error) {
      second.module = undefined;
      throw error;
    }
    return second.module;
  };
  // Whichever way it comes.
  second.coming = second.linked ? arrived : Promise.race([arrived, fetched()]);
  second.coming.catch(() => setTimeout(() => { second.coming = null; }, BROUGHT_AGAIN));
  return second.coming;
}

/** The same once what is to be painted is; `complain` hears when it did not come. */
function bringMoreSoon(complain) {
  if (second.linked) return;
  requestAnimationFrame(() => setTimeout(() => { bringMore().catch(complain); }));
}
