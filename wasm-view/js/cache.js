// The second visit: bytes of a stream that stay in the browser, to be shown at once while the server is asked whether they
// still hold.
//
// An index in IndexedDB says what is kept of which URL, with the entity tag that the server gave. The bytes are files of the
// origin's private file system where there is one, and else pieces in IndexedDB (pages of plain HTTP have no other). A
// stream is written while it arrives, under a name of its own, and the index learns of it when it is whole: what is cut
// short is never shown, and what was there before stays until then. More than `ROOM` bytes are not kept; what was not shown
// for the longest time goes first. Where a browser has neither place, as some have not in private windows, nothing is kept
// and nothing fails.

/** Bytes that all streams of an origin may take together. */
const ROOM = 256e6;
/** Bytes that are written at once, and that may wait to be written before the load waits for them. */
const PIECE_BYTES = 1e6;
const WAITING_BYTES = 8e6;
/** The folder and the database. */
const CACHE_NAME = 'bodkin';

const answered = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

let database;

/** Does something with the stores `streams` and `pieces`, and waits until it is done for good. */
async function transact(mode, run) {
  database ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(CACHE_NAME, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore('streams', { keyPath: 'url' });
      request.result.createObjectStore('pieces');
    };
    request.onsuccess = () => {
      request.result.onversionchange = () => { request.result.close(); database = undefined; };
      resolve(request.result);
    };
    request.onerror = () => reject(request.error);
  }).catch((error) => { database = undefined; throw error; });
  const transaction = (await database).transaction(['streams', 'pieces'], mode);
  const done = new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error);
  });
  const [result] = await Promise.all([run(transaction.objectStore('streams'), transaction.objectStore('pieces')), done]);
  return result;
}

/** The folder for bytes; nothing where there is none that can be written to. */
async function cacheFolder() {
  if (!globalThis.FileSystemFileHandle?.prototype.createWritable) return null;
  try {
    return await (await navigator.storage.getDirectory()).getDirectoryHandle(CACHE_NAME, { create: true });
  } catch {
    return null;
  }
}

const piecesOf = (name) => IDBKeyRange.bound([name], [name, Infinity]);

/** Takes away bytes that nothing speaks of. */
async function discard(name) {
  await (await cacheFolder())?.removeEntry(name).catch(() => {});
  await transact('readwrite', (_, pieces) => answered(pieces.delete(piecesOf(name))));
}

/** What is kept of a URL, in the shape of an answer that was opened; nothing if there is nothing, or it cannot be read. */
async function openCached(url) {
  try {
    const kept = await transact('readwrite', async (streams) => {
      const found = await answered(streams.get(url));
      if (found) streams.put({ ...found, used: Date.now() });
      return found;
    });
    if (!kept) return null;
    const { name, etag, rows, bytes, inFile, live = null } = kept;
    const file = inFile
      ? await (await (await cacheFolder()).getFileHandle(name)).getFile()
      : new Blob(await transact('readonly', (_, pieces) => answered(pieces.getAll(piecesOf(name)))));
    if (file.size !== bytes) return null;
    return { response: { body: file.stream() }, rows, size: bytes, length: bytes, query: null, cached: etag, live };
  } catch {
    return null;
  }
}

/**
 * Keeps the bytes of an answer while they arrive; nothing for an answer that may not be kept. `write` gives a promise when
 * the load should wait for the disk; after `close` the stream is what is kept of the URL. None of them fails: what cannot be
 * kept is not kept.
 */
function writer(url, response, rows, signal) {
  const { status, headers } = response;
  // A live table is followed from the update on that it had.
  const live = liveOf(response);
  const [etag, length] = [headers.get('etag'), Number(headers.get('content-length'))];
  if (status !== 200 || !etag || length > ROOM || /no-store/.test(headers.get('cache-control'))) return null;
  const name = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
  let [parts, held, waiting, total, number] = [[], 0, 0, 0, 0];
  let [sink, inFile, broken, work] = [null, false, false, null];
  // One after the other; what fails ends it.
  const after = (run) => (work = (work ?? begin()).then(() => (broken ? undefined : run())).catch(abort));
  const begin = async () => {
    const place = await cacheFolder();
    inFile = Boolean(place);
    if (place) sink = await (await place.getFileHandle(name, { create: true })).createWritable();
  };
  const abort = async () => {
    if (broken) return;
    broken = true;
    parts = [];
    await sink?.abort().catch(() => {});
    await discard(name).catch(() => {});
  };
  const flush = () => {
    if (!held) return;
    const [piece, size] = [new Blob(parts), held];
    [parts, held] = [[], 0];
    waiting += size;
    after(() => (inFile ? sink.write(piece) : transact('readwrite', (_, pieces) => answered(pieces.put(piece, [name, number++])))))
      .then(() => { waiting -= size; });
  };
  signal.addEventListener('abort', () => work && after(abort), { once: true });
  return {
    write(chunk) {
      if (broken) return undefined;
      total += chunk.byteLength;
      if (total > ROOM) return void after(abort);
      parts.push(chunk);
      held += chunk.byteLength;
      if (held >= PIECE_BYTES) flush();
      return waiting > WAITING_BYTES ? work : undefined;
    },
    close() {
      flush();
      return after(async () => {
        await sink?.close();
        sink = null;
        const before = await transact('readwrite', async (streams) => {
          const found = await answered(streams.get(url));
          streams.put({ url, etag, rows, bytes: total, name, inFile, live, used: Date.now() });
          return found;
        });
        // From here on it is kept, whatever becomes of the load.
        broken = true;
        if (before) await discard(before.name);
        await makeRoom();
      });
    },
  };
}

/** Drops what was not shown for the longest time until all fits, and bytes that no stream speaks of. */
async function makeRoom() {
  const all = await transact('readonly', (streams) => answered(streams.getAll()));
  const names = new Set();
  let total = 0;
  for (const { url, name, bytes } of all.sort((a, b) => b.used - a.used)) {
    total += bytes;
    if (total > ROOM) await forgetCached(url);
    else names.add(name);
  }
  const place = await cacheFolder();
  // A file that is being written, by another page, is locked and stays.
  for await (const name of place?.keys() ?? []) if (!names.has(name)) await place.removeEntry(name).catch(() => {});
}

/** Drops what is kept of a URL. */
async function forgetCached(url) {
  try {
    const found = await transact('readwrite', async (streams) => {
      const kept = await answered(streams.get(url));
      streams.delete(url);
      return kept;
    });
    if (found) await discard(found.name);
  } catch {
    // Nothing is kept here.
  }
}

/** Which table an address of updates speaks of: one that was made anew counts its updates anew. */
const epochOf = (live) => live && new URL(live.url).searchParams.get('epoch');

/**
 * Asks the server whether what is kept of a URL still holds: `unchanged`, `changed`, `followed`, where a live table has the
 * updates since, `refused`, or `unreachable`, where what is kept is the best there is.
 */
async function revalidate(url, etag, headers, live) {
  try {
    const response = await fetch(url, { method: 'HEAD', cache: 'no-store', headers: { ...headers, accept: STREAM, 'if-none-match': etag } });
    const { status, ok, headers: told } = response;
    if (status === 304 || ok && told.get('etag') === etag) return 'unchanged';
    if (ok && live && epochOf(live) === epochOf(liveOf(response))) return 'followed';
    // Who does not answer this question is asked for the whole.
    if (ok || status === 405 || status === 501) return 'changed';
    return status >= 400 && status < 500 && status !== 408 && status !== 429 ? 'refused' : 'unreachable';
  } catch {
    return 'unreachable';
  }
}

/** Drops everything that is kept of this origin's tables. */
async function clearCache() {
  try {
    await (await navigator.storage.getDirectory()).removeEntry(CACHE_NAME, { recursive: true });
  } catch {
    // There is no such place, or nothing in it.
  }
  await transact('readwrite', (streams, pieces) => Promise.all([answered(streams.clear()), answered(pieces.clear())])).catch(() => {});
}

/** Compares what is shown, which is of the last visit, with what the server has now; `live` is where it is followed. */
async function recheck(host, url, etag, isOver, live) {
  const table = host.element;
  host.tell('from the last visit, being checked');
  const found = await revalidate(url, etag, host.headers(), live);
  if (found === 'refused') await forgetCached(url);
  if (isOver()) return;
  host.tell({ unreachable: 'from the last visit; the server does not answer', followed: 'from the last visit, brought up to date' }[found] ?? 'from the last visit, unchanged');
  host.emit('bodkin-checked', { found });
  if (found === 'changed' || found === 'refused') await table.load(url, table.save());
}
