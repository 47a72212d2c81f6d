// Wheel, pointer and keys, on their way into the viewer.

const CURSORS = ['default', 'pointer', 'col-resize', 'grabbing'];
/** How long a finger must rest to ask for a menu (ms). */
const LONG = 500;

/** Shift 1, control 2, a finger 4; as in `viewer/keys.rs`. */
const modifiers = (event) => (event.shiftKey ? 1 : 0) | (event.ctrlKey || event.metaKey ? 2 : 0) | (event.pointerType === 'touch' ? 4 : 0);
const shortcut = (event) => (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;

/** Listens on the canvas of a host. */
function listen(host) {
  const { canvas } = host;
  const viewer = host.viewer;
  const brushed = stripBrush(host);
  const guard = (run) => (event) => {
    if (!viewer()) return;
    try {
      run(event);
    } catch (error) {
      host.failed(error);
    }
  };
  let again = 0;
  let resting = 0;
  const move = (x, y) => {
    cancelAnimationFrame(again);
    const changes = viewer().pointerMove(x, y);
    canvas.style.cursor = stripAt(host, x, y) ? 'crosshair' : CURSORS[changes >>> 16] ?? 'default';
    host.after(changes & 0xffff);
    if (changes & AGAIN) again = requestAnimationFrame(guard(() => move(x, y)));
  };
  const still = () => {
    cancelAnimationFrame(again);
    clearTimeout(resting);
  };
  const menuAt = (x, y, isKeyed) => {
    const { left, top } = canvas.getBoundingClientRect();
    const at = viewer().menuAt(x, y);
    host.after(PAINT | SELECTION);
    if (at.length === 1) headerMenu(host, at[0], left + x, top + y);
    else if (at.length) cellMenu(host, at[0], at[1], left + x, top + y, isKeyed);
    return at.length > 0;
  };
  canvas.addEventListener('wheel', guard((event) => {
    const unit = event.deltaMode === 1 ? 28 : event.deltaMode === 2 ? canvas.clientHeight : 1;
    let [x, y] = [event.deltaX * unit, event.deltaY * unit];
    if (event.ctrlKey) return;
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
    const { offsetX: x, offsetY: y } = event;
    const click = () => {
      host.after(viewer().pointerDown(x, y, 0));
      host.timed('sorted', () => viewer().pointerUp(x, y, 0));
    };
    if (brushed(event, guard(click))) return;
    const sign = viewer().signAt(x, y);
    if (sign >= 0 && event.pointerType !== 'touch') return host.tree.toggle(sign);
    const changes = viewer().pointerDown(x, y, modifiers(event));
    if (event.pointerType === 'touch') resting = setTimeout(guard(() => menuAt(x, y)), LONG);
    else if (changes & CAPTURE) canvas.setPointerCapture(event.pointerId);
    host.after(changes);
    if (changes & MENU) menuAt(x, y);
  }));
  canvas.addEventListener('pointermove', guard((event) => {
    if (event.pointerType === 'touch' && Math.abs(event.movementX) + Math.abs(event.movementY) > 2) clearTimeout(resting);
    move(event.offsetX, event.offsetY);
    if (!event.buttons) host.hover(event.offsetX, event.offsetY);
  }));
  canvas.addEventListener('pointerup', guard((event) => {
    still();
    if (event.button === 0) host.timed('sorted', () => viewer().pointerUp(event.offsetX, event.offsetY, modifiers(event)));
    move(event.offsetX, event.offsetY);
  }));
  canvas.addEventListener('pointercancel', guard(() => { still(); host.after(viewer().pointerCancel()); }));
  canvas.addEventListener('pointerleave', guard(() => { still(); host.after(viewer().pointerLeave()); }));
  canvas.addEventListener('contextmenu', guard((event) => {
    still();
    let [x, y] = [event.offsetX, event.offsetY];
    const [row, column] = viewer().selection();
    // By the keyboard, that is by no pointer: at the cell that has the focus.
    const isKeyed = event.button !== 2 && !event.pointerType && row !== undefined;
    if (isKeyed) {
      const [left, top, width, height] = viewer().cellRect(row, column);
      [x, y] = [left + Math.min(width - 4, 24), top + height - 4];
    }
    if (menuAt(x, y, isKeyed)) event.preventDefault();
  }));
  canvas.addEventListener('dblclick', guard((event) => {
    if (viewer().signAt(event.offsetX, event.offsetY) >= 0) return;
    const changes = viewer().doubleClick(event.offsetX, event.offsetY);
    host.after(changes);
    if (changes & OPEN) host.open();
  }));
  canvas.addEventListener('keydown', guard((event) => {
    canvas.classList.remove('pointed');
    if (shortcut(event) && event.key.toLowerCase() === 'c') host.copy(false);
    else if (event.key === 'Enter' && viewer().selection().length) host.open();
    else {
      const changes = viewer().key(event.key, modifiers(event));
      if (changes) event.preventDefault();
      return host.after(changes);
    }
    event.preventDefault();
  }));
}
