// Groups as a tree: asked for level by level of whoever holds the rows, and shown in place of the groups of all keys.

/** A host's tree: `want(yes)` turns it on and off, `toggle(row)` opens and closes a group. */
function groupTree(host) {
  let wanted = false;
  // Counts what is shown; an answer to what was asked before is of no use.
  let turn = 0;
  // Levels that are being asked for; whether the table has changed since all were, and somebody looks after that.
  let [pending, isStale, isRenewing] = [0, false, false];
  const asked = async (plan, take) => {
    const mine = turn;
    pending++;
    try {
      const stream = await host.ask(plan);
      if (mine === turn && host.viewer()) host.after(take(stream));
    } catch (error) {
      host.failed(error);
    }
    pending--;
  };
  // All levels that are open, and then all of them at once.
  const again = async () => {
    const [viewer, mine, open] = [host.viewer(), turn, host.viewer().openGroups()];
    const isOver = () => mine !== turn || viewer !== host.viewer();
    try {
      const plans = [viewer.treePlan(), ...open.map((path) => viewer.belowPlan(viewer.groupRow(path)))];
      const [first, ...below] = await Promise.all(plans.map((plan) => host.ask(plan)));
      if (isOver()) return;
      // Not while somebody opens or closes one.
      isStale ||= pending > 0 || viewer.openGroups().join() !== open.join();
      if (!isStale && viewer.plantTree(first, open, below)) host.after(PAINT | LAYOUT | ROWS);
    } catch (error) {
      if (!isOver()) host.failed(error);
    }
  };
  // Planted anew, the groups that were open are opened again, as far as they are still there.
  let [opened, keys] = [[], ''];
  const grow = async () => {
    const viewer = host.viewer();
    if (viewer?.isTree()) return;
    turn++;
    if (!wanted || !(viewer?.groupKeys().length > 1)) return;
    // What is being opened again counts as open.
    if (opened.length === 0) opened = viewer.openGroups();
    const [mine, by] = [turn, viewer.groupKeys().join()];
    if (keys !== by) opened = [];
    keys = by;
    await asked(viewer.treePlan(), (stream) => viewer.plantTree(stream, [], []));
    for (const path of opened) {
      const row = mine === turn && viewer === host.viewer() ? viewer.groupRow(path) : -1;
      if (row >= 0 && viewer.groupAt(row) === 0) await asked(viewer.belowPlan(row), (stream) => viewer.openGroup(viewer.groupRow(path), stream));
    }
    if (mine === turn) opened = [];
  };
  host.element.addEventListener('bodkin-view', grow);
  return {
    get wanted() { return wanted; },
    /** Holds for groups that are found from now on. */
    want(yes) { wanted = yes; },
    /** The table has changed: the groups that show are asked for anew, a few times a second. */
    async renew() {
      isStale = true;
      if (isRenewing) return;
      isRenewing = true;
      while (isStale && host.viewer()?.isTree()) {
        isStale = false;
        await again();
        await new Promise((done) => setTimeout(done, RENEWED));
      }
      isRenewing = false;
    },
    /** Gives whether the row is a group that can be opened or closed. */
    toggle(row) {
      const viewer = host.viewer();
      const state = viewer.groupAt(row);
      if (state > 0) host.after(viewer.closeGroup(row));
      if (state === 0) asked(viewer.belowPlan(row), (stream) => viewer.openGroup(row, stream));
      return state >= 0;
    },
  };
}
