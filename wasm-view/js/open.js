// Files of the person at the screen: dropped on the element or chosen, read here, sent nowhere.
//
// What a file is, its first bytes tell, not its name. Arrow files and streams go to the viewer as they are, text goes
// through the CSV reader first, which makes an Arrow stream of it; either may be packed by gzip, which the browser unpacks.

/** Bytes that tell what a file is. */
const HEAD = 4_096;

/** Files that cannot be read here: how they begin, what they are, and what to do. */
const OTHERS = [
  ['PAR1', 'a Parquet file', 'The server opens it: edge-server FILE.'],
  ['\x28\xb5\x2f\xfd', 'packed by Zstandard', 'Unpack it first (zstd -d), or let the server open it: edge-server FILE.'],
  ['BZh', 'packed by bzip2', 'Unpack it first.'],
  ['\xfd7zXZ', 'packed by xz', 'Unpack it first.'],
  ['PK\x03\x04', 'a zip archive or a workbook', 'Unpack it, or save the sheet as CSV.'],
  ['\xd0\xcf\x11\xe0', 'a workbook of an old kind', 'Save the sheet as CSV.'],
  ['SQLite format 3', 'an SQLite database', 'Export a table as CSV.'],
  ['Obj\x01', 'an Avro file', 'Convert it to Arrow or Parquet.'],
  ['ORC', 'an ORC file', 'Convert it to Arrow or Parquet.'],
  ['\x89HDF', 'an HDF5 file', 'Convert it to Arrow or Parquet.'],
  ['FEA1', 'a Feather file of version 1', 'Write it again as version 2, which is Arrow.'],
  ['%PDF', 'a PDF', 'Tables are read from Arrow and CSV files.'],
  ['{', 'JSON', 'The server opens files with one JSON object on each line: edge-server FILE.ndjson.'],
  ['[', 'JSON', 'The server opens files with one JSON object on each line: edge-server FILE.ndjson.'],
];

const OPEN_STYLE = `
.open{display:none}
:host([files]) .open{display:block}
.drop{position:absolute;inset:0;z-index:4;display:flex;flex-direction:column;gap:6px;align-items:center;justify-content:center;padding:24px;
text-align:center;pointer-events:none;background:color-mix(in srgb,var(--bodkin-background) 88%,transparent)}
.drop::before{content:"";position:absolute;inset:10px;border:2px dashed var(--bodkin-accent);border-radius:12px}
.drop b{font-size:17px;font-weight:600}
.drop p{margin:0;color:var(--bodkin-muted)}`;

function unreadable(title, detail) {
  return Object.assign(new Error(detail), { title });
}

/** The next pieces of a stream, after those that were taken to look at. */
async function* onwards(taken, reader) {
  yield* taken;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}

/** The first bytes of a stream, and all of its pieces. */
async function head(stream) {
  const reader = stream.getReader();
  const taken = [];
  let length = 0;
  while (length < HEAD) {
    const { done, value } = await reader.read();
    if (done) break;
    taken.push(value);
    length += value.length;
  }
  const start = new Uint8Array(await new Blob(taken).slice(0, HEAD).arrayBuffer());
  return { start, pieces: onwards(taken, reader), cancel: () => reader.cancel() };
}

/** What bytes are that begin so: `gzip`, `arrow`, `text`, or an error that says what they are. */
function kindOf(start, name) {
  const text = String.fromCharCode(...start);
  if (!start.length) throw unreadable('The file is empty', name);
  if (text.startsWith('\x1f\x8b')) return 'gzip';
  const word = start.length >= 8 ? new DataView(start.buffer).getUint32(0, true) : 0;
  if (text.startsWith('ARROW1') || word === 0xffffffff) return 'arrow';
  for (const [magic, what, remedy] of OTHERS) {
    if (text.trimStart().startsWith(magic)) throw unreadable(`${name} is ${what}`, `That is not read here. ${remedy}`);
  }
  // Text of two bytes a letter has zeros, and says so by its first two bytes.
  if (/^(\xff\xfe|\xfe\xff)/.test(text) || !text.includes('\0')) return 'text';
  throw unreadable(`${name} is no table`, 'It is neither an Arrow file or stream nor text with a row on each line.');
}

/** Reads a file into a viewer; `told` hears of changes and of progress. */
async function readFile(file, signal, viewer, told) {
  const name = file.name ?? 'The file';
  let found;
  let rested = performance.now();
  const look = async () => {
    let read = 0;
    const meter = new TransformStream({
      transform(piece, out) {
        read += piece.length;
        told.part(Math.min(1, read / file.size));
        out.enqueue(piece);
      },
    });
    found = await head(file.stream().pipeThrough(meter));
    const kind = kindOf(found.start, name);
    if (kind !== 'gzip') return kind;
    found = await head(asStream(found.pieces).pipeThrough(new DecompressionStream('gzip')));
    if (kindOf(found.start, name) === 'gzip') throw unreadable(`${name} is packed twice`, 'Unpack it once.');
    return kindOf(found.start, name);
  };
  const check = () => { if (signal.aborted) throw superseded(); };
  const rest = async () => {
    check();
    if (performance.now() - rested < 12) return;
    await breathe();
    rested = performance.now();
  };
  if (await look() === 'arrow') {
    const footer = await footerOf(file);
    check();
    if (footer) viewer.pushFooter(footer);
    viewer.expect(file.size);
    for await (const piece of found.pieces) {
      check();
      told.pushed(give(viewer, piece));
      await rest();
    }
    told.pushed(viewer.end());
    return;
  }
  const delimiter = /\.(tsv|tab)(\.gz)?$/i.test(name) ? 9 : 0;
  let reader = new CsvReader(delimiter);
  const mark = String.fromCharCode(...found.start.subarray(0, 2));
  let encoding = { '\xff\xfe': 'utf-16le', '\xfe\xff': 'utf-16be' }[mark];
  /** Reads the file from its beginning; whether it must be read again. */
  const pass = async () => {
    for await (const piece of recoded(found.pieces, encoding)) {
      check();
      const stream = reader.push(piece);
      if (reader.again()) return true;
      if (stream.length) told.pushed(viewer.push(stream));
      await rest();
    }
    const stream = reader.end();
    if (reader.again()) return true;
    told.pushed(viewer.push(stream));
    told.pushed(viewer.end());
    return false;
  };
  try {
    for (;;) {
      try {
        if (!await pass()) return;
      } catch (error) {
        // What is no UTF-8 is, in files that are about, the code page of western Windows.
        if (encoding || !/not UTF-8/.test(error.message)) throw error;
        encoding = 'windows-1252';
        reader.free();
        reader = new CsvReader(delimiter);
      }
      // Either way what was read is void.
      viewer.begin();
      await look();
    }
  } finally {
    reader.free();
  }
}

/** The footer of an Arrow file, which has the schema; some writers write it nowhere else. */
async function footerOf(file) {
  const bytes = async (from, to) => new Uint8Array(await file.slice(from, to).arrayBuffer());
  const end = await bytes(Math.max(0, file.size - 10), file.size);
  if (String.fromCharCode(...end.subarray(4)) !== 'ARROW1') return null;
  const length = new DataView(end.buffer).getInt32(0, true);
  return length > 0 && length < file.size - 10 ? bytes(file.size - 10 - length, file.size - 10) : null;
}

function asStream(pieces) {
  return new ReadableStream({
    async pull(out) {
      const { done, value } = await pieces.next();
      if (done) out.close();
      else out.enqueue(value);
    },
  });
}

/** Pieces of text in another encoding, as UTF-8. */
async function* recoded(pieces, encoding) {
  if (!encoding) return yield* pieces;
  const decoder = new TextDecoder(encoding);
  const encoder = new TextEncoder();
  for await (const piece of pieces) yield encoder.encode(decoder.decode(piece, { stream: true }));
}

/** The button that opens files, and what is seen while one is dragged over the element. `open` takes a file. */
function filesFor(host, before, open) {
  const { element, root } = host;
  const styles = new CSSStyleSheet();
  styles.replaceSync(OPEN_STYLE);
  root.adoptedStyleSheets.push(styles);
  const button = make('button', { type: 'button', className: 'button open', textContent: 'Open', title: 'an Arrow, CSV or TSV file of this computer; it is sent nowhere' });
  before.before(button);
  button.addEventListener('click', () => {
    const input = make('input', { type: 'file', accept: '.arrow,.arrows,.ipc,.feather,.csv,.tsv,.tab,.txt,.gz' });
    input.addEventListener('change', () => input.files[0] && open(input.files[0]));
    input.click();
  });
  const sign = make('div', { className: 'drop', hidden: true },
    make('b', { textContent: 'Drop a file to open it' }),
    make('p', { textContent: 'Arrow, CSV or TSV, also packed by gzip. It stays on this computer.' }));
  root.querySelector('.frame').append(sign);
  const wanted = (event) => element.hasAttribute('files') && event.dataTransfer?.types.includes('Files');
  // Entering a part comes before leaving the one around it.
  let inside = 0;
  element.addEventListener('dragenter', (event) => {
    if (!wanted(event)) return;
    event.preventDefault();
    inside++;
    sign.hidden = false;
  });
  element.addEventListener('dragover', (event) => {
    if (!wanted(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = 'copy';
  });
  element.addEventListener('dragleave', (event) => {
    if (wanted(event) && --inside <= 0) { inside = 0; sign.hidden = true; }
  });
  element.addEventListener('drop', (event) => {
    if (!wanted(event)) return;
    event.preventDefault();
    inside = 0;
    sign.hidden = true;
    const [file, ...others] = event.dataTransfer.files;
    if (others.length) host.complain(new Error('one file at a time: the first is opened'));
    if (file) open(file);
  });
}

/** What stands in the place of a table that there is not yet. */
function invite(element, status) {
  if (element.hasAttribute('files')) status.say('No table yet', 'Drop an Arrow, CSV or TSV file here, or choose one by Open.', true);
}
