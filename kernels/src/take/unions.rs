//! Unions, run-end encoded columns and list views, run by run through arrow-data's generic copier: correct for every
//! type, not tuned.

use arrow_array::{Array, ArrayRef, make_array};
use arrow_data::transform::MutableArrayData;

use super::Places;
use crate::Result;

/// Gathers rows of any type.
pub(super) fn gather(chunks: &[&dyn Array], places: &Places<'_>) -> Result<ArrayRef> {
    let data: Vec<_> = chunks.iter().map(|chunk| chunk.to_data()).collect();
    let mut copier = MutableArrayData::new(data.iter().collect(), false, places.len());
    let mut position = 0;
    while position < places.len() {
        let (chunk, row) = places.get(position);
        let mut run = 1;
        while position + run < places.len() && places.get(position + run) == (chunk, row + run) {
            run += 1;
        }
        copier.try_extend(chunk, row, row + run)?;
        position += run;
    }
    Ok(make_array(copier.freeze()))
}
