//! What results cost: the memory behind their buffers, whatever part of it they show, and shared memory once.

use std::collections::BTreeMap;

use arrow_array::{Array, RecordBatch};
use arrow_buffer::Buffer;
use arrow_data::ArrayData;

/// Memory in use by its place, with the number of those who use it.
#[derive(Debug, Default)]
pub(super) struct Shared {
    places: BTreeMap<usize, (usize, usize)>,
    bytes: usize,
}

impl Shared {
    pub(super) fn add(&mut self, batches: &[RecordBatch]) {
        each(batches, |place, bytes| {
            let (_, users) = self.places.entry(place).or_insert((bytes, 0));
            *users += 1;
            if *users == 1 {
                self.bytes += bytes;
            }
        });
    }

    pub(super) fn remove(&mut self, batches: &[RecordBatch]) {
        each(batches, |place, _| {
            let Some((bytes, users)) = self.places.get_mut(&place) else { return };
            *users -= 1;
            if *users == 0 {
                self.bytes -= *bytes;
                self.places.remove(&place);
            }
        });
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

/// What batches cost by themselves.
pub(super) fn bytes(batches: &[RecordBatch]) -> usize {
    let mut shared = Shared::default();
    shared.add(batches);
    shared.bytes()
}

/// Every piece of memory behind batches, by its place.
fn each(batches: &[RecordBatch], mut sink: impl FnMut(usize, usize)) {
    let columns = batches.iter().flat_map(RecordBatch::columns);
    columns.for_each(|column| walk(&column.to_data(), &mut sink));
}

fn walk(data: &ArrayData, sink: &mut impl FnMut(usize, usize)) {
    let mut one = |buffer: &Buffer| {
        if buffer.capacity() > 0 {
            sink(buffer.data_ptr().as_ptr() as usize, buffer.capacity());
        }
    };
    data.buffers().iter().for_each(&mut one);
    if let Some(nulls) = data.nulls() {
        one(nulls.buffer());
    }
    data.child_data().iter().for_each(|child| walk(child, sink));
}
