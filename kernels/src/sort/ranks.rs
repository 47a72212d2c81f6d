//! What is sorted by words that stand for values: of dictionaries the place of each row's value among all distinct values in
//! order, of Booleans themselves.
//!
//! The values of all dictionaries are sorted once, by [`SortSteps`]; chunks that follow one another and share a dictionary,
//! as those of a stream do, have it sorted once.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};

use super::column::Column;
use super::{SortKey, SortOptions, SortSteps, sort_keys_to_indices};
use crate::types::{self, Kind};
use crate::{Indices, Result};

/// The words of Booleans; nothing of other columns.
pub(super) fn booleans(chunks: &[&dyn Array]) -> Vec<u64> {
    let mut words = Vec::new();
    for values in chunks.iter().filter_map(|chunk| chunk.as_boolean_opt()) {
        words.extend((0..values.len()).map(|row| u64::from(values.values().value(row))));
    }
    words
}

/// The values of dictionaries as the key of a sort, each dictionary once for chunks in a row, and whether a chunk begins another;
/// nothing of other columns.
fn dictionaries<'a>(chunks: &[&'a dyn Array]) -> Result<Option<(SortKey<'a>, Vec<bool>)>> {
    if types::one_type(chunks)?.map(types::kind) != Some(Kind::Dictionary) {
        return Ok(None);
    }
    let (mut values, mut begins) = (Vec::new(), Vec::new());
    let mut last: Option<&ArrayRef> = None;
    for dictionary in types::dictionaries(chunks, "sort")? {
        let begin = !last.is_some_and(|last| Arc::ptr_eq(last, dictionary.values()));
        if begin {
            values.push(dictionary.values().as_ref());
        }
        begins.push(begin);
        last = Some(dictionary.values());
    }
    Ok(Some((SortKey { chunks: values, options: SortOptions::default() }, begins)))
}

/// A sort of the values of dictionaries; nothing of other columns.
pub(super) fn begin(chunks: &[&dyn Array]) -> Result<Option<Box<SortSteps>>> {
    Ok(dictionaries(chunks)?.map(|_| Box::new(SortSteps::new(None))))
}

/// A step of that sort; with the last one the words of the rows.
pub(super) fn step(chunks: &[&dyn Array], sort: &mut SortSteps, rows: usize) -> Result<Option<Vec<u64>>> {
    let Some((key, begins)) = dictionaries(chunks)? else { return Ok(Some(Vec::new())) };
    if !sort.step(std::slice::from_ref(&key), rows)? {
        return Ok(None);
    }
    let order = std::mem::replace(sort, SortSteps::new(None)).finish()?;
    words(chunks, &key, &begins, &order).map(Some)
}

/// The words of all rows, in one call; nothing of columns that need none.
pub(super) fn ranks_of(chunks: &[&dyn Array]) -> Result<Vec<u64>> {
    match dictionaries(chunks)? {
        Some((key, begins)) => words(chunks, &key, &begins, &sort_keys_to_indices(std::slice::from_ref(&key), None)?),
        None => Ok(booleans(chunks)),
    }
}

fn words(chunks: &[&dyn Array], key: &SortKey<'_>, begins: &[bool], order: &Indices) -> Result<Vec<u64>> {
    let column = Column::try_new(&key.chunks, key.options)?;
    let mut ranks = vec![0u64; order.len()];
    for pair in order.as_slice().windows(2) {
        let step = u64::from(column.compare(pair[0], pair[1]).is_ne());
        ranks[pair[1] as usize] = ranks[pair[0] as usize] + step;
    }
    let mut words = Vec::with_capacity(chunks.iter().map(|chunk| chunk.len()).sum());
    let mut of_chunk = 0..0;
    for (dictionary, begin) in types::dictionaries(chunks, "sort")?.into_iter().zip(begins) {
        if *begin {
            of_chunk = of_chunk.end..of_chunk.end + dictionary.values().len();
        }
        let ranks = &ranks[of_chunk.clone()];
        if ranks.is_empty() {
            words.resize(words.len() + dictionary.len(), 0);
        } else {
            words.extend(dictionary.normalized_keys().into_iter().map(|key| ranks[key]));
        }
    }
    Ok(words)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops where it fails")]
mod tests {
    use arrow_array::types::Int8Type;
    use arrow_array::{DictionaryArray, Int8Array, StringArray};

    use super::*;

    #[test]
    fn dictionaries_that_are_shared_or_not_are_ranked_alike() {
        let of = |keys: Vec<Option<i8>>, values: &ArrayRef| {
            DictionaryArray::<Int8Type>::new(Int8Array::from(keys), values.clone())
        };
        let words = |words: Vec<&str>| Arc::new(StringArray::from(words)) as ArrayRef;
        let (one, two, none) = (words(vec!["b", "a", "b"]), words(vec!["c", "a"]), words(vec![]));
        let chunks = [
            of(vec![Some(0), Some(1), None], &one),
            of(vec![Some(2), Some(1)], &one),
            of(vec![None], &none),
            of(vec![Some(0), Some(1)], &two),
            of(vec![Some(2)], &one),
        ];
        let chunks: Vec<&dyn Array> = chunks.iter().map(|chunk| chunk as &dyn Array).collect();
        let (key, begins) = dictionaries(&chunks).unwrap().unwrap();
        assert_eq!((key.chunks.len(), begins), (4, vec![true, false, true, true, true]));
        let expected = ranks_of(&chunks).unwrap();
        let seen: Vec<u64> = [0, 1, 3, 4, 6, 7, 8].map(|row| expected[row]).to_vec();
        assert_eq!(seen, [1, 0, 1, 0, 2, 0, 1]);
        let mut sort = begin(&chunks).unwrap().unwrap();
        let found = loop {
            if let Some(found) = step(&chunks, &mut sort, 1).unwrap() {
                break found;
            }
        };
        assert_eq!(found, expected);
        let sorted = |rows| {
            let mut sort = SortSteps::new(None);
            let key = SortKey { chunks: chunks.clone(), options: SortOptions::default() };
            while !sort.step(std::slice::from_ref(&key), rows).unwrap() {}
            sort.finish().unwrap()
        };
        assert_eq!(sorted(1), sorted(usize::MAX));
        assert_eq!(sorted(1).as_slice()[..3], [1, 4, 7]);
    }
}
