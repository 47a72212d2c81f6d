//! Bytes of rows as they are, whatever memory they share: values, offsets, validity.

use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;

/// Bytes of the rows of batches. A dictionary counts whole in each of them; text behind views by its length.
pub(super) fn of<'a>(batches: impl IntoIterator<Item = &'a RecordBatch>) -> usize {
    batches.into_iter().flat_map(RecordBatch::columns).map(|column| column_bytes(column.as_ref())).sum()
}

fn column_bytes(array: &dyn Array) -> usize {
    use arrow_array::cast::AsArray;
    let behind = match array.data_type() {
        DataType::Utf8View => array.as_string_view().lengths().map(u64::from).sum::<u64>(),
        DataType::BinaryView => array.as_binary_view().lengths().map(u64::from).sum::<u64>(),
        // A type that cannot say what a slice takes says what all of it takes.
        _ => return array.to_data().get_slice_memory_size().unwrap_or_else(|_| array.get_array_memory_size()),
    };
    // A slice holds on to all bytes that its neighbours' views lead to; they are not its own.
    let validity = if array.nulls().is_some() { array.len().div_ceil(8) } else { 0 };
    16 * array.len() + behind as usize + validity
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Int64Array, StringArray, StringViewArray};

    use super::*;

    #[test]
    fn a_slice_counts_its_own_rows() {
        let texts: Vec<String> = (0..100).map(|row| "x".repeat(row)).collect();
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..100));
        let text: ArrayRef = Arc::new(StringArray::from_iter_values(&texts));
        let views: ArrayRef = Arc::new(StringViewArray::from_iter_values(&texts));
        assert_eq!(column_bytes(numbers.slice(10, 5).as_ref()), 40);
        assert_eq!(column_bytes(text.slice(10, 2).as_ref()), 3 * 4 + 21);
        assert_eq!(column_bytes(views.slice(10, 2).as_ref()), 2 * 16 + 21);
    }
}
