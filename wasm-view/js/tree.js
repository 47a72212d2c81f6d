// The element's shadow tree.

/** Makes all parts; `frame` holds the others. */
function tree() {
  const button = (text, more) => make('button', { className: 'button', textContent: text, type: 'button', ...more });
  const p = {
    count: make('div', { className: 'count', role: 'status' }),
    chips: make('div', { className: 'chips' }),
    find: button('Find', { title: 'Ctrl F; Ctrl G goes to a row' }),
    columns: button('Columns', { 'aria-haspopup': 'dialog', 'aria-expanded': 'false' }),
    toggle: button('Group', { 'aria-expanded': 'false' }),
    save: button('Export', { 'aria-haspopup': 'menu', 'aria-expanded': 'false' }),
    cancel: button('Cancel', { hidden: true, className: 'button cancel' }),
    reset: button('Reset', { hidden: true }),
    panel: make('div', { className: 'panel', hidden: true }),
    bar: make('i'),
    canvas: make('canvas', { tabIndex: 0, role: 'grid', 'aria-label': 'table', 'aria-multiselectable': 'true' }),
    boxes: make('div', { className: 'boxes' }),
    message: make('div', { className: 'message', hidden: true }),
    value: make('span', { className: 'grow value' }),
    sums: make('span', { className: 'sums', role: 'status' }),
    time: make('span', { className: 'time', role: 'status' }),
  };
  p.sizer = make('div', { className: 'sizer' }, p.canvas);
  p.scroller = make('div', { className: 'scroller' }, p.sizer);
  p.progress = make('div', { className: 'progress', role: 'progressbar', 'aria-label': 'loading' }, p.bar);
  p.grid = make('div', { className: 'grid' }, p.scroller, p.boxes, p.message);
  p.frame = make('div', { className: 'frame', part: 'frame' },
    make('div', { className: 'bar' }, p.count, p.cancel, p.chips, p.reset, p.find, p.columns, p.toggle, p.save), p.panel, p.progress, p.grid,
    make('div', { className: 'status' }, p.value, p.sums, p.time));
  return p;
}
