//! What is sorted by words that stand for values: of dictionaries the place of each row's value among all distinct values in
//! order, of Booleans themselves.
//!
//! The values of all dictionaries are sorted once, by [`SortSteps`]; chunks that follow one another and share a dictionary,
//! as those of a stream do, have it sorted once.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};

use super::column::Column;
use super::{SortKey, SortOptions, SortSteps};
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

/// The words of the rows of a dictionary column in the making.
#[derive(Debug)]
pub(super) struct Ranking {
    sort: SortSteps,
    order: Option<Indices>,
    /// Of each value its place among all distinct values in order, and how many of these are known.
    ranks: Vec<u64>,
    known: usize,
    chunk: usize,
    words: Vec<u64>,
}

impl Ranking {
    /// Begins; nothing of other columns.
    pub(super) fn begin(chunks: &[&dyn Array]) -> Result<Option<Box<Self>>> {
        let (sort, words) = (SortSteps::new(None), Vec::new());
        let begun = Self { sort, order: None, ranks: Vec::new(), known: 1, chunk: 0, words };
        Ok(dictionaries(chunks)?.map(|_| Box::new(begun)))
    }

    /// A step; with the last one the words of the rows.
    pub(super) fn step(&mut self, chunks: &[&dyn Array], rows: usize) -> Result<Option<Vec<u64>>> {
        let Some((key, begins)) = dictionaries(chunks)? else { return Ok(Some(Vec::new())) };
        let Some(order) = &self.order else {
            if self.sort.step(std::slice::from_ref(&key), rows)? {
                let order = std::mem::replace(&mut self.sort, SortSteps::new(None)).finish()?;
                self.ranks = vec![0; order.len()];
                self.order = Some(order);
            }
            return Ok(None);
        };
        let order = order.as_slice();
        if self.known < order.len() {
            let column = Column::try_new(&key.chunks, key.options)?;
            let end = order.len().min(self.known.saturating_add(rows));
            for pair in order[self.known - 1..end].windows(2) {
                let step = u64::from(column.compare(pair[0], pair[1]).is_ne());
                self.ranks[pair[1] as usize] = self.ranks[pair[0] as usize] + step;
            }
            self.known = end;
            return Ok(None);
        }
        let end = rows.saturating_add(self.words.len());
        let mut first = 0;
        for (number, dictionary) in types::dictionaries(chunks, "sort")?.into_iter().enumerate() {
            // Where the values of this dictionary begin.
            let values = dictionary.values().len();
            first += if begins[number] { values } else { 0 };
            if number < self.chunk {
                continue;
            }
            let ranks = &self.ranks[first - values..first];
            if ranks.is_empty() {
                self.words.resize(self.words.len() + dictionary.len(), 0);
            } else {
                self.words.extend(dictionary.normalized_keys().into_iter().map(|key| ranks[key]));
            }
            self.chunk += 1;
            if self.words.len() >= end {
                break;
            }
        }
        Ok((self.chunk == chunks.len()).then(|| std::mem::take(&mut self.words)))
    }
}

/// The words of all rows, in one go; nothing of columns that need none.
pub(super) fn ranks_of(chunks: &[&dyn Array]) -> Result<Vec<u64>> {
    let Some(mut ranking) = Ranking::begin(chunks)? else { return Ok(booleans(chunks)) };
    loop {
        if let Some(words) = ranking.step(chunks, usize::MAX)? {
            return Ok(words);
        }
    }
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
        let mut ranking = Ranking::begin(&chunks).unwrap().unwrap();
        let found = loop {
            if let Some(found) = ranking.step(&chunks, 1).unwrap() {
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
