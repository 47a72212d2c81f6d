// What leaves the page: cells to the clipboard, the view as a file, a value in full.

/** The most cells that are put into the clipboard. */
const CLIPBOARD_CELLS = 500_000;
/** Rows of a file that are written at once. */
const PIECE = 2_000;

/** Copies the selected cells: as text with tabs, and as a table for documents. Gives what to tell. */
async function copyCells(host, names) {
  const viewer = host.viewer();
  const [top, bottom, left, right] = viewer.selectedArea();
  if (top === undefined) return 'select cells to copy them';
  const cells = (bottom - top) * (right - left);
  if (cells > CLIPBOARD_CELLS) {
    throw new Error(`${count(cells)} cells are too many for the clipboard, which takes ${count(CLIPBOARD_CELLS)}. Export them as a file.`);
  }
  if (cells === 1 && !names) {
    await toClipboard({ 'text/plain': viewer.cellText(top, left) ?? '' });
    return 'copied';
  }
  // Whole columns are copied with their names.
  const named = names || (bottom - top > 1 && bottom - top === viewer.rowsShown());
  return held(host, async (_, rows) => {
    const text = await rows.textOf(top, bottom, left, right, 0, named);
    await toClipboard({ 'text/plain': text, 'text/html': `<table>\n${await rows.textOf(top, bottom, left, right, 1, named)}</table>` });
    return `copied ${count(cells)} cells`;
  });
}

async function toClipboard(kinds) {
  try {
    const blobs = Object.entries(kinds).map(([type, text]) => [type, new Blob([text], { type })]);
    await navigator.clipboard.write([new ClipboardItem(Object.fromEntries(blobs))]);
  } catch {
    // Pages that are not secure have no clipboard of that kind, but they may answer a copy.
    const answer = (event) => {
      for (const [type, text] of Object.entries(kinds)) event.clipboardData.setData(type, text);
      event.preventDefault();
    };
    document.addEventListener('copy', answer, { once: true, capture: true });
    const done = document.execCommand('copy');
    document.removeEventListener('copy', answer, { capture: true });
    if (!done) throw new Error('the browser does not let this page write to the clipboard');
  }
}

/** The view as comma-separated values, a piece at a time. */
function csv(host, progress) {
  return held(host, async (shown, rows, each) => {
    const columns = shown.shownNames().length;
    const parts = [];
    await each(0, Infinity, PIECE, async (from, to) => parts.push(await rows.textOf(from, to, 0, columns, 2, !from)), progress);
    return new Blob(parts, { type: 'text/csv;charset=utf-8' });
  });
}

/** Gives a file to the person at the screen. */
function download(blob, name) {
  const link = make('a', { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** A name for a file of a stream's table: the last part of its address that says something. */
function fileName(src) {
  const parts = (src ?? '').split(/[?#]/)[0].split('/').filter((part) => part && part !== 'data');
  return decodeURIComponent(parts.pop() ?? 'table').replace(/\.\w+$/, '');
}

/** The menu of what leaves as a file. */
function exportEntries(host, source, busy) {
  const progress = (part) => host.tell(`exporting ${Math.round(part * 100)} %`);
  const save = async (blob, ending) => {
    await host.element.settled();
    const rows = count(host.viewer().rowsShown());
    download(await blob, `${fileName(source)}.${ending}`);
    return `exported ${rows} rows`;
  };
  return [
    ['View as CSV', () => busy(save(csv(host, progress), 'csv'))],
    ['View as Arrow', () => busy(save(host.element.toArrow({ file: true, progress }), 'arrow'))],
  ];
}

/** Shows a cell's whole value, to be read and selected. */
function valuePanel(host, row, position) {
  const viewer = host.viewer();
  const text = viewer.cellLines(row, position);
  const title = `${viewer.shownNames()[position]} · row ${count(row + 1)}`;
  const copy = make('button', { type: 'button', className: 'button', textContent: 'Copy' });
  const close = make('button', { type: 'button', className: 'button', textContent: 'Close' });
  const body = make('pre', { tabIndex: 0, textContent: text ?? viewer.shownText(row, position), 'aria-label': 'value' });
  if (text === undefined) body.classList.add('dim');
  const box = make('div', { className: 'menu whole-value', role: 'dialog', 'aria-label': title },
    make('div', { className: 'head' }, make('b', { textContent: title }), copy, close), body);
  copy.addEventListener('click', () => host.copy(false));
  // All of the value, and not of the page.
  body.addEventListener('keydown', (event) => {
    if (event.key.toLowerCase() !== 'a' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    getSelection().selectAllChildren(body);
  });
  close.addEventListener('click', () => box.close());
  const { left, bottom } = host.element.cellRect(row, viewer.shownNames()[position]);
  popover(host.root, box, left, bottom + 2, host.canvas);
  body.focus();
}
