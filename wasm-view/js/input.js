// Wheel, pointer and keys, on their way into the viewer.

// What a call to the viewer has changed; as in `viewer/mod.rs`.
const PAINT = 1, LAYOUT = 2, SELECTION = 4, VIEW = 8, CAPTURE = 16, SCHEMA = 32, ROWS = 64;
const CURSORS = ['default', 'pointer', 'col-resize'];

/** Listens on a canvas. `viewer()` gives the viewer; `host` is told what came of it. */
function listen(canvas, viewer, host) {
  const guard = (run) => (event) => {
    if (!viewer()) return;
    try {
      run(event);
    } catch (error) {
      host.failed(error);
    }
  };
  canvas.addEventListener('wheel', guard((event) => {
    const unit = event.deltaMode === 1 ? 28 : event.deltaMode === 2 ? canvas.clientHeight : 1;
    let [x, y] = [event.deltaX * unit, event.deltaY * unit];
    if (event.shiftKey && x === 0) [x, y] = [y, 0];
    const stepped = Math.abs(y) >= 80 && x === 0 && !matchMedia('(prefers-reduced-motion: reduce)').matches;
    if (!stepped) {
      const changes = viewer().wheel(x, y);
      if (changes) event.preventDefault();
      return host.after(changes);
    }
    // A wheel with notches: what is left of the way is gone in a few frames.
    const first = viewer().wheel(0, y * 0.3);
    if (!first) return;
    event.preventDefault();
    host.glide(y * 0.7);
    host.after(first);
  }), { passive: false });
  canvas.addEventListener('pointerdown', guard((event) => {
    if (event.button !== 0) return;
    host.glide(0);
    canvas.classList.add('pointed');
    canvas.focus({ preventScroll: true });
    const changes = viewer().pointerDown(event.offsetX, event.offsetY, event.pointerType === 'touch');
    if (changes & CAPTURE) canvas.setPointerCapture(event.pointerId);
    host.after(changes);
  }));
  canvas.addEventListener('pointermove', guard((event) => {
    const changes = viewer().pointerMove(event.offsetX, event.offsetY);
    canvas.style.cursor = CURSORS[changes >>> 16] ?? 'default';
    host.after(changes & 0xffff);
  }));
  canvas.addEventListener('pointerup', guard((event) => {
    host.perhapsSorted(() => viewer().pointerUp(event.offsetX, event.offsetY, event.shiftKey || event.ctrlKey || event.metaKey));
  }));
  canvas.addEventListener('pointercancel', guard(() => host.after(viewer().pointerUp(-1, -1, false))));
  canvas.addEventListener('pointerleave', guard(() => host.after(viewer().pointerLeave())));
  canvas.addEventListener('dblclick', guard((event) => host.after(viewer().doubleClick(event.offsetX, event.offsetY))));
  canvas.addEventListener('keydown', guard((event) => {
    canvas.classList.remove('pointed');
    const control = event.ctrlKey || event.metaKey;
    if (control && event.key.toLowerCase() === 'c') return host.copy();
    if (event.key === 'Enter' && viewer().selection().length) {
      event.preventDefault();
      return host.timed('sorted', () => viewer().toggleSort(viewer().selection()[1], event.shiftKey));
    }
    const changes = viewer().key(event.key, control);
    if (changes) event.preventDefault();
    host.after(changes);
  }));
}
