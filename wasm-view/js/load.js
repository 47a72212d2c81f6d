// The fetch: pieces of the response go to the viewer as they come, and the page breathes between them.

/** Reads a stream to its end; `told` hears of the rows that will come, of changes and of progress. */
async function stream(url, signal, viewer, told) {
  const response = await fetch(url, { signal, headers: { accept: 'application/vnd.apache.arrow.stream', ...told.headers } });
  if (!response.ok) throw await problem(response);
  const rows = Number(response.headers.get('x-bodkin-rows'));
  const total = rows > 0 ? rows : null;
  told.total(total);
  const length = response.headers.has('content-encoding') ? 0 : Number(response.headers.get('content-length'));
  const reader = response.body.getReader();
  let rested = performance.now();
  for (;;) {
    const { done, value } = await reader.read();
    if (signal.aborted) throw new DOMException('superseded', 'AbortError');
    if (done) break;
    told.pushed(viewer.push(value));
    told.part(total ? viewer.rowsLoaded() / total : length ? viewer.bytesLoaded() / length : 0);
    if (performance.now() - rested > 12) {
      await breathe();
      rested = performance.now();
    }
  }
  told.pushed(viewer.end());
  told.part(1);
}
