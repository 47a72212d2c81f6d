//! Filter and sort, kept up to date.
//!
//! Of `k` touched rows among `n`: `k` rows of the filter's columns are looked at, and `k · log n` pairs of rows compared by the
//! sort's keys. All that is when most rows are touched: then the order is made anew, as it is at first. Rows that are equal
//! in all keys stand in the order of rows, which is that of serials.

use std::rc::Rc;

use kernels::query::{BoundPlan, Plan};
use kernels::{RowOrder, SortKey, SortOptions};
use wire::Result;
use wire::table::Touched;

use super::order::Order;
use super::parts::Parts;
use super::rows::{LiveRows, odd};

/// The rows that pass a filter, in the order of a sort.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    /// What is asked for: filter and sort alone.
    plan: Plan,
    /// The same over all columns.
    all: BoundPlan,
    /// The filter over the columns that it reads, and these.
    filter: Option<(BoundPlan, Vec<usize>)>,
    sort: Vec<(usize, SortOptions)>,
    order: Order,
    /// Where rows lie, between updates.
    parts: Rc<Parts>,
}

impl Kept {
    /// The rows of a plan's filter and sort: those that were found, or else they are found now.
    pub(crate) fn try_new(plan: &Plan, rows: &mut LiveRows, found: Option<&[u32]>) -> Result<Self> {
        let schema = rows.schema().clone();
        let plan = of_rows(plan);
        let filter = match &plan.filter {
            None => None,
            Some(filter) => {
                let only = Plan { filter: Some(filter.clone()), columns: Some(Vec::new()), ..Plan::default() };
                let columns = only.bind(&schema).map_err(odd)?.input_columns().to_vec();
                let narrow = schema.project(&columns).map_err(odd)?;
                Some((only.bind(&narrow).map_err(odd)?, columns))
            }
        };
        let mut sort = Vec::new();
        for key in &plan.sort {
            let options = SortOptions { descending: key.descending, nulls: key.nulls };
            sort.push((schema.index_of(&key.column).map_err(odd)?, options));
        }
        let all = plan.bind(&schema).map_err(odd)?;
        let mut kept = Self { plan, all, filter, sort, order: Order::default(), parts: rows.parts().clone() };
        match found {
            Some(found) => kept.take_found(rows, found),
            None => kept.make(rows)?,
        }
        Ok(kept)
    }

    /// Whether these are the rows of a plan.
    pub(crate) fn is_of(&self, plan: &Plan) -> bool {
        self.plan == of_rows(plan)
    }

    /// Lets the rows go, before an update.
    pub(crate) fn release(&mut self) {
        self.parts = Rc::default();
    }

    /// The number in the table of the row at a place.
    pub(crate) fn number(&self, place: usize) -> Option<usize> {
        self.parts.row_of(self.serial(place)?)
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    /// The serial of the row at a place.
    pub(crate) fn serial(&self, place: usize) -> Option<u32> {
        self.order.get(place)
    }

    /// The place of a row.
    pub(crate) fn place(&self, serial: u32) -> Option<usize> {
        self.order.place(serial)
    }

    /// Finds all rows anew.
    fn make(&mut self, rows: &mut LiveRows) -> Result<()> {
        let found = self.all.select(&rows.batches()?).map_err(odd)?;
        let found = found.as_slice();
        self.take_found(rows, found);
        Ok(())
    }

    /// Takes the rows that were found.
    fn take_found(&mut self, rows: &LiveRows, found: &[u32]) {
        let serials = rows.parts().serials();
        let found: Vec<u32> = found.iter().filter_map(|&row| serials.get(row as usize).copied()).collect();
        self.order = Order::new(&found);
    }

    /// Follows what updates touched.
    pub(crate) fn keep(&mut self, rows: &mut LiveRows, touched: &Touched) -> Result<()> {
        self.parts = rows.parts().clone();
        let mut fresh = touched.updated.clone();
        fresh.retain(|serial| !touched.inserted.contains(serial));
        fresh.sort_unstable();
        fresh.dedup();
        let many = rows.len() / 2 + 64;
        if touched.replaced || fresh.len() + touched.removed.len() + touched.inserted.len() > many {
            return self.make(rows);
        }
        touched.removed.iter().chain(&fresh).for_each(|&serial| self.order.remove(serial));
        fresh.extend(touched.inserted.clone());
        let parts = rows.parts();
        fresh.retain(|&serial| parts.has(serial));
        if let Some((filter, columns)) = &self.filter {
            let narrow = parts.take(&fresh, columns, filter.input_schema())?;
            let passed = filter.select(std::slice::from_ref(&narrow)).map_err(odd)?;
            fresh = passed.as_slice().iter().map(|&row| fresh[row as usize]).collect();
        }
        if self.sort.is_empty() {
            fresh.iter().for_each(|&serial| self.order.insert(serial, &|other| other < serial));
        } else if !fresh.is_empty() {
            let keys = self.sort.iter().map(|&(column, options)| SortKey { chunks: parts.chunks(column), options });
            let by_keys = RowOrder::try_new(&keys.collect::<Vec<_>>()).map_err(odd)?;
            for serial in fresh {
                let slot = parts.slot(serial);
                self.order
                    .insert(serial, &|other| by_keys.compare(parts.slot(other), slot).then(other.cmp(&serial)).is_lt());
            }
        }
        self.order.count();
        Ok(())
    }
}

/// The part of a plan that finds rows.
fn of_rows(plan: &Plan) -> Plan {
    Plan { filter: plan.filter.clone(), sort: plan.sort.clone(), ..Plan::default() }
}
