//! Where the row of a key is.

use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, SchemaRef};
use kernels::KeyNumbers;

use super::kernel;
use crate::error::all;
use crate::{Error, Result};

/// The place of a row: a chunk's number, and the row in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) chunk: u32,
    pub(super) row: u32,
}

const NOWHERE: Place = Place { chunk: u32::MAX, row: u32::MAX };

/// Keys to places. A key keeps its number when its row goes, until the index is made anew.
#[derive(Debug)]
pub(super) struct KeyIndex {
    /// The key's columns by their positions.
    pub(super) columns: Vec<usize>,
    types: Vec<DataType>,
    numbers: KeyNumbers,
    places: Vec<Place>,
}

impl KeyIndex {
    pub(super) fn try_new(schema: &SchemaRef, key: &[String]) -> Result<Self> {
        let column = |name: &String| {
            schema
                .fields()
                .iter()
                .position(|field| field.name() == name)
                .ok_or_else(|| Error::mismatch(name, "the key names it, and the schema has no such column"))
        };
        let columns = all(key.iter().map(column))?;
        let types: Vec<DataType> = columns.iter().map(|&column| schema.field(column).data_type().clone()).collect();
        let numbers = KeyNumbers::try_new(&types).map_err(kernel)?;
        Ok(Self { columns, types, numbers, places: Vec::new() })
    }

    /// The numbers of keys; new ones are nowhere yet.
    pub(super) fn numbers(&mut self, rows: usize, keys: &[ArrayRef]) -> Result<Vec<u32>> {
        let keys: Vec<&dyn Array> = keys.iter().map(AsRef::as_ref).collect();
        let numbers = self.numbers.update(rows, &keys).map_err(kernel)?;
        self.places.resize(self.numbers.len(), NOWHERE);
        Ok(numbers)
    }

    pub(super) fn place(&self, id: u32) -> Option<Place> {
        self.places.get(id as usize).copied().filter(|&place| place != NOWHERE)
    }

    pub(super) fn set(&mut self, id: u32, place: Option<Place>) {
        self.places[id as usize] = place.unwrap_or(NOWHERE);
    }

    /// Keys that have a number.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// Forgets all keys.
    pub(super) fn clear(&mut self) -> Result<()> {
        self.numbers = KeyNumbers::try_new(&self.types).map_err(kernel)?;
        self.places.clear();
        Ok(())
    }
}
