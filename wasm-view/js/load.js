// The fetch: pieces of a response go to a viewer as they come, and whoever runs it breathes between them. Runs in the page
// and in the worker.

const STREAM = 'application/vnd.apache.arrow.stream';
/** Bytes of a table beyond which the server keeps the rows, if it can. */
const BUDGET = 1 << 30;
/** Bytes that no module can hold, whoever is told to. */
const MOST = 4e9;
/** Bytes in which the first rows come. */
const FIRST = 1 << 17;

/** Where an answer's table is followed, and its key; null where it is not. */
function liveOf({ url, headers }) {
  const live = headers.get('x-bodkin-live');
  const key = headers.get('x-bodkin-key') ?? '';
  return live && { url: new URL(live, url).href, key: key.split(',').filter(Boolean).map(decodeURIComponent) };
}

/**
 * Asks for a table: what its answer tells ahead of its bytes. With a `cache` of `any` what is kept of the last visit is the
 * answer, and with one of `fresh` it is not; with both, what comes is kept.
 */
async function open(url, headers, signal, cache) {
  if (url instanceof Blob) return { file: url, rows: null };
  const kept = cache === 'any' && await openCached(url);
  if (kept) return kept;
  const response = await fetch(url, { signal, headers: { accept: STREAM, ...headers } });
  if (!response.ok) throw await problem(response);
  const number = (name) => Number(response.headers.get(name)) || 0;
  const query = response.headers.get('x-bodkin-query');
  const rows = number('x-bodkin-rows') || null;
  return {
    response,
    keep: cache ? writer(url, response, rows, signal) : null,
    rows,
    size: number('x-bodkin-bytes'),
    length: response.headers.has('content-encoding') ? 0 : number('content-length'),
    query: query && new URL(query, response.url).href,
    live: liveOf(response),
  };
}

/** Asks for a table before there is a module to read it; the load that wants the same takes the answer. */
function openAhead(...asked) {
  const [url, headers, cache] = asked;
  const ending = new AbortController();
  const opened = open(url, headers, ending.signal, cache);
  opened.catch(() => {});
  return (signal, ...wanted) => {
    if (JSON.stringify(wanted) !== JSON.stringify(asked)) return void ending.abort();
    signal.addEventListener('abort', () => ending.abort());
    return opened;
  };
}

/** What a load's error means: that a module stops is, while rows come, that its memory is full. */
function outOfMemory(error) {
  if (!(error instanceof WebAssembly.RuntimeError)) return error;
  const detail = 'A page may have 4 GB of memory, and the rows that have come take more, or the browser has no more to give. '
    + 'Ask for fewer columns or rows, or for a server that keeps them.';
  return Object.assign(new Error(detail), { title: 'The table does not fit into the memory of the page', trap: true });
}

/** Whether a table is better left where it is. */
const isLarge = ({ size, length, query }, budget) => Boolean(query) && Math.max(size, length) > Math.min(budget, MOST);

/** Gives bytes to a viewer: into the memory that was made for them, while there is room. */
function give(viewer, bytes) {
  const at = viewer.room(bytes.length);
  if (!at) return viewer.push(bytes);
  // A view of its own each time, since the memory may have grown.
  new Uint8Array(wasm.memory.buffer, at, bytes.length).set(bytes);
  return viewer.filled();
}

/** Reads an answer to its end; `told` hears of the rows that will come, of changes and of progress. */
async function feed({ response, rows, size, length, live, keep, cached, file }, signal, viewer, told) {
  if (signal.aborted) throw superseded();
  told.total(rows);
  if (file) return readFile(file, signal, viewer, told);
  told.live(live);
  if (cached) told.cached(cached);
  // Rows of a live table come and go one by one.
  if (!live) viewer.expect(length || size);
  const reader = response.body.getReader();
  let rested = performance.now();
  let first = true;
  for (;;) {
    const { done, value } = await reader.read();
    if (signal.aborted) throw superseded();
    if (done) break;
    await keep?.write(value);
    // The first rows do not wait for what came with them.
    const cut = first && value.length > FIRST ? FIRST : value.length;
    first = false;
    told.pushed(give(viewer, value.subarray(0, cut)));
    if (cut < value.length) told.pushed(give(viewer, value.subarray(cut)));
    told.part(rows ? viewer.rowsLoaded() / rows : length ? viewer.bytesLoaded() / length : 0);
    if (performance.now() - rested > 12) {
      await breathe();
      rested = performance.now();
    }
  }
  told.pushed(viewer.end());
  keep?.close();
  told.part(1);
}

/** Runs `step`, which says whether there is more, until so many milliseconds have gone; gives what it said last. */
function slice(step, millis) {
  const end = performance.now() + millis;
  for (;;) {
    if (!step()) return false;
    if (performance.now() > end) return true;
  }
}

/** Finds a viewer's rows anew, in slices between which others have their turn; `head` is given the first of many to be sorted. */
async function work(viewer, signal, told, head) {
  viewer.workBegin(Boolean(head));
  for (let part = 0; ;) {
    slice(() => (part = viewer.workStep(16384)) < 1, 6);
    if (part === 1) break;
    if (part > 1) head(...viewer.workHead());
    else told(part);
    await breathe();
    if (signal.aborted) throw superseded();
  }
  return viewer.workEnd();
}

/** What headers show of their columns, in slices; `told` hears after each. */
async function profiles(viewer, isOver, told) {
  while (!isOver() && slice(() => viewer.profileStep(), 4)) {
    told();
    await breathe();
  }
  told();
}
