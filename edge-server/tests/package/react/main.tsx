// A component that shows a table, hears of it and tells it what to do.
import { StrictMode, useRef, useState } from 'react';
import { createRoot } from 'react-dom/client';
import type { BodkinTable, View } from 'bodkin/react';
import 'bodkin/react';

const BEGIN: Partial<View> = { sort: ['-distance'] };

function Flights({ src }: { src: string }) {
  const table = useRef<BodkinTable>(null);
  const [rows, setRows] = useState<number | null>(null);
  const [selected, setSelected] = useState('nothing');
  const [shown, setShown] = useState<number | null>(null);
  return (
    <section>
      <p>
        <output id="rows">{rows}</output> rows, <output id="shown">{shown}</output> shown,{' '}
        <output id="selected">{selected}</output> selected{' '}
        <button id="filter" onClick={() => table.current?.setFilter('dest', '=HNL')}>Honolulu</button>
      </p>
      <bodkin-table
        ref={table}
        src={src}
        theme="light"
        view={BEGIN}
        style={{ height: 480 }}
        onbodkin-load={({ detail }) => setRows(detail.rows)}
        onbodkin-view={({ detail }) => setShown(detail.rowsShown)}
        onbodkin-select={({ detail }) => setSelected(detail.focus ? `row ${detail.focus.row}` : 'nothing')}
      />
    </section>
  );
}

function App() {
  const [open, setOpen] = useState(true);
  return (
    <>
      <button id="toggle" onClick={() => setOpen(!open)}>{open ? 'close' : 'open'}</button>
      {open && <Flights src="/flights.arrows" />}
    </>
  );
}

createRoot(document.querySelector('#root')!).render(<StrictMode><App /></StrictMode>);
