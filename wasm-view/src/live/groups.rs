//! Groups of a live table.
//!
//! Rows that are appended are added to the running groups: that costs these rows and nothing else. When rows go or cells
//! change, what they gave to their groups would have to be taken back, which few aggregates can do: then the groups are made
//! anew, a chunk at a time so that nobody waits, and not too often. Until they are, the ones before stay.

use arrow_array::RecordBatch;
use kernels::query::{BoundPlan, Execution, Plan};
use wire::Result;
use wire::table::Touched;

use super::rows::{LiveRows, odd};

/// Groups are made anew at most this often (ms).
const EVERY: f64 = 250.0;

/// The groups of a plan, kept up to date.
#[derive(Debug)]
pub(crate) struct KeptGroups {
    asked: Plan,
    plan: BoundPlan,
    running: Execution,
    /// Rows from this serial on are still to be added.
    next: u32,
    /// Chunks that are still to be added, while groups are made anew, the last first.
    waiting: Vec<RecordBatch>,
    /// The result of the groups before, while others are made.
    before: Option<RecordBatch>,
    /// Rows went or cells changed since the making began.
    is_stale: bool,
    /// When groups were last made anew.
    made: f64,
}

impl KeptGroups {
    /// Begins with no group; [`KeptGroups::step`] makes them.
    pub(crate) fn try_new(plan: &Plan, rows: &mut LiveRows, now: f64) -> Result<Self> {
        let (asked, plan) = (plan.clone(), plan.bind(rows.schema()).map_err(odd)?);
        let running = Execution::try_new(plan.clone()).map_err(odd)?;
        let mut groups =
            Self { asked, plan, running, next: 0, waiting: Vec::new(), before: None, is_stale: false, made: now };
        groups.begin(rows, now)?;
        Ok(groups)
    }

    /// Whether these are the groups of a plan.
    pub(crate) fn is_of(&self, plan: &Plan) -> bool {
        self.asked == *plan
    }

    fn begin(&mut self, rows: &mut LiveRows, now: f64) -> Result<()> {
        self.running = Execution::try_new(self.plan.clone()).map_err(odd)?;
        self.waiting = rows.batches()?;
        self.waiting.reverse();
        (self.next, self.is_stale, self.made) = (rows.next_serial(), false, now);
        Ok(())
    }

    /// Follows what updates touched. Gives whether the result is another one now.
    pub(crate) fn keep(&mut self, rows: &LiveRows, touched: &Touched) -> Result<bool> {
        self.is_stale |= touched.replaced || !touched.updated.is_empty() || !touched.removed.is_empty();
        if self.is_stale || !self.waiting.is_empty() || touched.inserted.is_empty() {
            return Ok(false);
        }
        self.catch_up(rows)?;
        Ok(true)
    }

    /// Adds the rows that came since.
    fn catch_up(&mut self, rows: &LiveRows) -> Result<()> {
        if self.next < rows.next_serial() {
            for batch in rows.parts().tail(self.next) {
                self.running.push(&batch).map_err(odd)?;
            }
            self.next = rows.next_serial();
        }
        Ok(())
    }

    /// Whether there is something to be made: now, or when the time has come.
    pub(crate) fn is_busy(&self) -> bool {
        self.is_stale || !self.waiting.is_empty()
    }

    /// Makes groups anew, a chunk for each call. Gives whether the result is another one now.
    pub(crate) fn step(&mut self, rows: &mut LiveRows, now: f64) -> Result<bool> {
        if self.waiting.is_empty() {
            if !self.is_stale || now - self.made < EVERY {
                return Ok(false);
            }
            self.before = Some(self.result()?);
            self.begin(rows, now)?;
        }
        if let Some(batch) = self.waiting.pop() {
            self.running.push(&batch).map_err(odd)?;
        }
        let is_done = self.waiting.is_empty();
        if is_done {
            self.before = None;
            if !self.is_stale {
                self.catch_up(rows)?;
            }
        }
        Ok(is_done)
    }

    /// The groups.
    pub(crate) fn result(&self) -> Result<RecordBatch> {
        if let Some(before) = &self.before {
            return Ok(before.clone());
        }
        let groups = self.running.groups().map_err(odd)?;
        groups.map_or_else(|| kernels::arrays::empty_batch(self.plan.output_schema()).map_err(odd), Ok)
    }
}
