//! First and last values, of any type: the rows that hold them are gathered out of each block.

use std::ops::Range;

use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;

use super::for_each_valid;
use crate::{Indices, Result, take};

const NONE: u32 = u32::MAX;

/// One row of each group.
#[derive(Debug)]
pub(in crate::group) struct Place {
    data_type: DataType,
    last: bool,
    /// The kept rows, and for each group its place among them.
    parts: Vec<ArrayRef>,
    kept: u32,
    places: Vec<u32>,
}

impl Place {
    pub(super) fn new(input: &DataType, last: bool) -> Self {
        Self { data_type: input.clone(), last, parts: Vec::new(), kept: 0, places: Vec::new() }
    }

    pub(super) fn update(&mut self, groups: usize, ids: &[u32], array: &dyn Array) -> Result<()> {
        self.places.resize(groups.max(self.places.len()), NONE);
        let nulls = array.logical_nulls();
        let mut rows: Vec<u32> = Vec::new();
        let (places, before, last) = (&mut self.places, self.kept, self.last);
        for_each_valid(ids, nulls.as_ref(), |id, row| {
            let place = &mut places[id];
            if *place == NONE || last && *place < before {
                *place = before + rows.len() as u32;
                rows.push(row as u32);
            } else if last {
                // Of the places above what was kept before, each group's is overwritten row by row.
                rows[(*place - before) as usize] = row as u32;
            }
        });
        if !rows.is_empty() {
            self.kept += rows.len() as u32;
            self.parts.push(take(array, &Indices::try_new(rows, array.len())?)?);
        }
        if self.kept as usize > 4 * groups + (1 << 16) {
            self.compact()?;
        }
        Ok(())
    }

    /// Drops rows that a later one has replaced.
    fn compact(&mut self) -> Result<()> {
        let live: Vec<u32> = self.places.iter().copied().filter(|&place| place != NONE).collect();
        let array = self.gather(live)?;
        self.kept = 0;
        for place in self.places.iter_mut().filter(|place| **place != NONE) {
            *place = self.kept;
            self.kept += 1;
        }
        self.parts = vec![array];
        Ok(())
    }

    fn gather(&self, places: Vec<u32>) -> Result<ArrayRef> {
        if self.parts.is_empty() {
            return take::empty(&self.data_type);
        }
        let parts: Vec<&dyn Array> = self.parts.iter().map(|part| part.as_ref()).collect();
        take::take_chunks(&parts, &Indices::try_new(places, self.kept as usize)?)
    }

    pub(super) fn merge(&mut self, groups: usize, ids: &[u32], other: &Self) -> Result<()> {
        self.update(groups, ids, other.array(0..ids.len())?.as_ref())
    }

    pub(super) fn array(&self, groups: Range<usize>) -> Result<ArrayRef> {
        let place = |group: usize| self.places.get(group).copied().filter(|&place| place != NONE);
        let missing = groups.clone().any(|group| place(group).is_none());
        if !missing {
            return self.gather(groups.filter_map(place).collect());
        }
        // A group without a value takes a null row, which stands behind all others.
        let null = take::blank(&self.data_type, 1)?;
        let mut parts: Vec<&dyn Array> = self.parts.iter().map(|part| part.as_ref()).collect();
        parts.push(null.as_ref());
        let places = groups.map(|group| place(group).unwrap_or(self.kept)).collect();
        take::take_chunks(&parts, &Indices::try_new(places, self.kept as usize + 1)?)
    }
}
