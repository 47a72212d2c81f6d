// Groups as a tree: asked for level by level of whoever holds the rows, and shown in place of the groups of all keys.

/** A host's tree: `want(yes)` turns it on and off, `toggle(row)` opens and closes a group. */
function groupTree(host) {
  let wanted = false;
  // Counts what is shown; an answer to what was asked before is of no use.
  let turn = 0;
  // What is being asked for; groups that were opened or closed; how often the table has changed since all levels were asked
  // for, 0 when nobody looks after that.
  let [pending, toggled, stale] = [0, 0, 0];
  const asked = async (plans, take) => {
    const mine = turn;
    pending++;
    try {
      const streams = await Promise.all(plans.map((plan) => host.ask(plan)));
      if (mine === turn && host.viewer()) host.after(take(streams));
    } catch (error) {
      if (mine === turn) host.failed(error);
    }
    pending--;
  };
  // Planted anew, the groups that were open are open again, as far as they are still there.
  host.element.addEventListener('bodkin-view', () => {
    const viewer = host.viewer();
    if (viewer?.isTree()) return;
    turn++;
    if (wanted && viewer?.groupKeys().length > 1) asked(viewer.levelPlans(), (streams) => viewer.plantTree(streams));
  });
  return {
    get wanted() { return wanted; },
    /** Holds for groups that are found from now on. */
    want(yes) { wanted = yes; },
    /** The table has changed: all levels that show are asked for anew, a few times a second if that is quick, and shown at once. */
    async renew() {
      if (stale++) return;
      for (let viewer; stale && (viewer = host.viewer())?.isTree(); stale--) {
        stale = 1;
        const [before, begin] = [toggled, performance.now()];
        await asked(viewer.levelPlans(), (streams) => {
          // Once more, if somebody has opened or closed one, or is about to.
          if (pending > 1 || before !== toggled) stale++;
          else return viewer.plantTree(streams) && PAINT | LAYOUT | ROWS;
        });
        await new Promise((done) => setTimeout(done, RENEWED + 3 * (performance.now() - begin)));
      }
      stale = 0;
    },
    /** Gives whether the row is a group that can be opened or closed. */
    toggle(row) {
      const viewer = host.viewer();
      const state = viewer.groupAt(row);
      toggled++;
      if (state > 0) host.after(viewer.closeGroup(row));
      if (state === 0) {
        // Its row may be another when the answer comes.
        const [plan, path] = viewer.belowPlan(row);
        asked([plan], ([stream]) => viewer.openGroup(path, stream));
      }
      return state >= 0;
    },
  };
}
