// Fingers: the browser scrolls a pane as tall as the table, or as tall as browsers like panes to be, with its own
// inertia. What it moved, the viewer moves; the pane is put straight again when it rests.

/** The tallest pane (CSS pixels). */
const TALL = 1_000_000;

class Pane {
  #host;
  #scroller;
  #sizer;
  #timer = 0;
  #last = [0, 0];

  constructor(host, scroller, sizer) {
    this.#host = host;
    this.#scroller = scroller;
    this.#sizer = sizer;
    scroller.addEventListener('scroll', () => {
      const now = [scroller.scrollLeft, scroller.scrollTop];
      const [x, y] = [now[0] - this.#last[0], now[1] - this.#last[1]];
      this.#last = now;
      if (x || y) host.after(host.viewer()?.wheel(x, y) ?? 0);
    });
    scroller.addEventListener('touchstart', (event) => {
      this.settle();
      const canvas = host.canvas.getBoundingClientRect();
      const { clientX, clientY } = event.touches[0];
      // Edges and scrollbars are pulled, not scrolled.
      if (host.viewer()?.holds(clientX - canvas.left, clientY - canvas.top)) event.preventDefault();
    }, { passive: false });
  }

  /** Puts the pane where the viewer is, when it has been quiet for a moment. */
  soon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.settle(), 200);
  }

  settle() {
    clearTimeout(this.#timer);
    const viewer = this.#host.viewer();
    if (!viewer) return;
    const [left, top, width, height] = viewer.scrolled();
    const tall = Math.min(height, TALL);
    const room = tall - this.#scroller.clientHeight;
    const below = height - this.#scroller.clientHeight - top;
    const y = height <= TALL || top < TALL / 3 ? top : below < TALL / 3 ? room - below : room / 2;
    this.#sizer.style.width = `${width}px`;
    this.#sizer.style.height = `${tall}px`;
    this.#scroller.scrollTo(left, y);
    this.#last = [this.#scroller.scrollLeft, this.#scroller.scrollTop];
  }
}
