// Brushing: a part of a histogram is drawn with the pointer, moved, and pulled at its edges; in a panel, also by keys.

/** What a press at a place takes hold of: gives, for each place that follows, the part that is chosen. */
function hold(part, at, near) {
  const ordered = (a, b) => (a < b ? [a, b] : [b, a]);
  if (part) {
    const [a, b] = part;
    if (Math.abs(at - a) < near) return (to) => ordered(to, b);
    if (Math.abs(at - b) < near) return (to) => ordered(a, to);
    if (at > a && at < b && b - a < 0.98) {
      return (to) => {
        const by = Math.min(1 - b, Math.max(-a, to - at));
        return [a + by, b + by];
      };
    }
  }
  return (to) => ordered(at, to);
}

/** Asks for filters as they come, one at a time; of those that come meanwhile the last. */
function stepwise(run) {
  let busy = false;
  let next;
  return async function go(text) {
    next = text;
    if (busy) return;
    busy = true;
    try {
      while (next !== undefined) {
        const now = next;
        next = undefined;
        await run(now);
        await new Promise(requestAnimationFrame);
      }
    } finally {
      busy = false;
    }
  };
}

/** A histogram to brush. `part` is what is chosen, or null; `chosen(part, done)` hears of every other one. */
function brush(axis, chosen) {
  const most = Math.max(...axis.bars);
  const bars = axis.bars.map((bar) => {
    const element = make('i');
    element.style.height = bar > 0 ? `max(2px,${(bar / most) * 100}%)` : '0';
    return element;
  });
  const frame = make('div', { className: 'window' });
  const grips = ['from', 'to'].map((label, end) => {
    const grip = make('div', { className: 'grip', role: 'slider', tabIndex: 0, 'aria-label': label, 'aria-valuemin': '0', 'aria-valuemax': '100' });
    grip.addEventListener('keydown', (event) => {
      const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10, Home: -1e9, End: 1e9 }[event.key];
      if (!by) return;
      event.preventDefault();
      const now = [...part ?? [0, 1]];
      let step = by * axis.step;
      // With shift the whole part moves.
      if (event.shiftKey) {
        step = Math.min(1 - now[1], Math.max(-now[0], step));
        now[0] += step;
        now[1] += step;
      } else {
        now[end] = end ? Math.min(1, Math.max(now[0], now[1] + step)) : Math.max(0, Math.min(now[1], now[0] + step));
      }
      show(now);
      chosen(part, true);
    });
    return grip;
  });
  const box = make('div', { className: 'brush' }, ...bars, frame, ...grips);
  let part = null;
  function show(next) {
    part = next && (next[0] > 0.001 || next[1] < 0.999) ? next : null;
    const [a, b] = part ?? [0, 1];
    box.classList.toggle('whole', !part);
    frame.style.left = `${a * 100}%`;
    frame.style.right = `${(1 - b) * 100}%`;
    bars.forEach((bar, at) => {
      const middle = (at + 0.5) / bars.length;
      bar.classList.toggle('on', middle >= a && middle <= b);
    });
    grips.forEach((grip, end) => {
      const at = end ? b : a;
      grip.style.left = `${at * 100}%`;
      grip.setAttribute('aria-valuenow', String(Math.round(at * 100)));
      grip.setAttribute('aria-valuetext', axis.label(at));
    });
  }
  const at = (event) => {
    const { left, width } = box.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - left) / width));
  };
  box.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    box.setPointerCapture(event.pointerId);
    const from = event.clientX;
    const held = hold(part, at(event), 8 / box.clientWidth);
    let moved = false;
    box.onpointermove = (event) => {
      moved ||= Math.abs(event.clientX - from) > 3;
      if (!moved) return;
      show(held(at(event)));
      chosen(part, false);
    };
    box.onpointerup = box.onpointercancel = () => {
      box.onpointermove = box.onpointerup = box.onpointercancel = null;
      if (moved) chosen(part, true);
    };
  });
  box.addEventListener('dblclick', () => { show(null); chosen(null, true); });
  show(null);
  return { box, show };
}

/** Where the strip of a header is brushed: the pointer's place on the histogram under it; nothing elsewhere. */
function stripAt(host, x, y) {
  const viewer = host.viewer();
  const bottom = viewer.frame()[1];
  // Without a strip headers are this low.
  if (bottom < 60 || y < bottom - 30 || y >= bottom) return null;
  const position = viewer.headerAt(x);
  if (position < 0) return null;
  const [left, width] = viewer.columnSpan(position);
  if (x < left + 6 || x > left + width - 6) return null;
  const name = viewer.shownNames()[position];
  const axis = axisOf(viewer, name);
  return axis && { name, axis, room: width - 24, at: (x) => Math.min(1, Math.max(0, (x - left - 12) / (width - 24))) };
}

/** Brushes the strips of headers: gives whether a press on the canvas is one of them. `press` is for those that stay where
 * they are, which are clicks on the header. */
function stripBrush(host) {
  const { canvas, element } = host;
  const mark = (name, part) => host.after(host.viewer().markHistogram(name, ...part ?? [1, 0]));
  const marked = new Set();
  const refresh = () => {
    const viewer = host.viewer();
    const filtered = new Set(viewer?.filteredColumns());
    for (const name of new Set([...marked, ...filtered])) {
      const part = filtered.has(name) ? filteredPart(viewer, name, axisOf(viewer, name)) : null;
      marked[part ? 'add' : 'delete'](name);
      mark(name, part);
    }
  };
  element.addEventListener('bodkin-view', refresh);
  element.addEventListener('bodkin-profile', refresh);
  return (event, press) => {
    const strip = event.pointerType !== 'touch' && !modifiers(event) && stripAt(host, event.offsetX, event.offsetY);
    if (!strip) return false;
    const { name, axis } = strip;
    const typed = host.viewer().filterText(name);
    const before = filteredPart(host.viewer(), name, axis);
    // Nulls that passed go on passing.
    const nulls = typed && host.viewer().filterParts(name, typed)[0] ? ' | null' : '';
    const held = hold(before, strip.at(event.offsetX), 5 / strip.room);
    const from = event.offsetX;
    const tip = make('div', { className: 'tip' });
    let part = null;
    const filter = stepwise((text) => element.setFilter(name, text).catch(() => {}));
    const ask = () => { const text = axis.text(...part); filter(text && text + nulls); };
    const move = (event) => {
      if (!part && Math.abs(event.offsetX - from) < 4) return;
      part = held(strip.at(event.offsetX));
      mark(name, part);
      tip.textContent = axis.text(...part) || 'all';
      if (!tip.isConnected) host.root.querySelector('.grid').append(tip);
      tip.style.left = `${Math.min(event.offsetX, canvas.clientWidth - tip.offsetWidth - 4)}px`;
      // Where rows are many, they follow when the pointer is let go of.
      if (host.viewer().rowsLoaded() < 2e6) ask();
    };
    const stop = (done) => {
      canvas.removeEventListener('pointermove', move, true);
      removeEventListener('keydown', escape, true);
      canvas.onpointerup = canvas.onpointercancel = null;
      tip.remove();
      if (done && part) ask();
      else if (part) { filter(typed); mark(name, before); }
      else if (done) press(event);
    };
    const escape = (event) => { if (event.key === 'Escape') { event.stopPropagation(); stop(false); } };
    canvas.setPointerCapture(event.pointerId);
    canvas.addEventListener('pointermove', move, true);
    addEventListener('keydown', escape, true);
    canvas.onpointerup = () => stop(true);
    canvas.onpointercancel = () => stop(false);
    return true;
  };
}
