//! A sort key's rows as words whose order is the values' order, and the comparison of two rows.

use std::borrow::Cow;
use std::cmp::Ordering;

use arrow_array::Array;
use arrow_buffer::{Buffer, NullBuffer};

use super::SortOptions;
use super::ranks::ranks_of;
use crate::bitcode::words_to_keys;
#[cfg(not(feature = "small"))]
use crate::bitcode::{key_of, to_keys};
use crate::bytes::BytesColumn;
use crate::error::all;
use crate::query::Nulls;
use crate::starts::Starts;
#[cfg(not(feature = "small"))]
use crate::types::Word;
use crate::types::{self, Kind, Order, Width};
use crate::wide::WideKeys;
use crate::{Result, bits};

/// Which rows of a table.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rows<'a> {
    /// All, from the first.
    All(usize),
    /// These.
    List(&'a [u32]),
}

impl Rows<'_> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::All(rows) => *rows,
            Self::List(rows) => rows.len(),
        }
    }

    pub(super) fn get(&self, position: u32) -> u32 {
        match self {
            Self::All(_) => position,
            Self::List(rows) => rows[position as usize],
        }
    }
}

/// A key column over all chunks.
#[derive(Debug)]
pub(super) struct Column<'a> {
    pub(super) options: SortOptions,
    chunks: Vec<&'a dyn Array>,
    starts: Starts,
    /// Validity by chunk; empty when nothing is null.
    nulls: Vec<Option<NullBuffer>>,
    keys: Keys<'a>,
}

#[derive(Debug)]
enum Keys<'a> {
    /// All rows are equal.
    None,
    /// Words of up to 64 bits, in the chunks.
    Words(Vec<&'a Buffer>, Width, Order),
    /// Words that stand for values: booleans, places in a dictionary's order.
    Ranks(Cow<'a, [u64]>),
    /// Decimals of 128 or 256 bits, in the chunks.
    Wide(Vec<WideKeys<'a>>),
    Bytes(Vec<BytesColumn<'a>>),
}

/// How a column's rows are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    None,
    /// As 64-bit words.
    Narrow,
    /// As 128-bit words; whether these are the whole value.
    Wide {
        whole: bool,
    },
    /// As windows of bytes.
    Bytes,
}

impl<'a> Column<'a> {
    pub(super) fn try_new(chunks: &[&'a dyn Array], options: SortOptions) -> Result<Self> {
        Self::known(chunks, options, Cow::Owned(ranks_of(chunks)?), nulls_of(chunks))
    }

    /// A column of which it is known what is found row by row.
    pub(super) fn known(
        chunks: &[&'a dyn Array],
        options: SortOptions,
        ranks: Cow<'a, [u64]>,
        nulls: Vec<Option<NullBuffer>>,
    ) -> Result<Self> {
        let starts = Starts::new(chunks.iter().map(|chunk| chunk.len()));
        let mut column = Self { options, chunks: chunks.to_vec(), starts, nulls: Vec::new(), keys: Keys::None };
        let Some(data_type) = types::one_type(chunks)? else { return Ok(column) };
        super::check_type(data_type)?;
        column.keys = match types::kind(data_type) {
            Kind::Null => return Ok(column),
            Kind::Boolean | Kind::Dictionary => Keys::Ranks(ranks),
            Kind::Fixed(Width::W16 | Width::W32, _) => {
                Keys::Wide(all(chunks.iter().map(|chunk| WideKeys::try_new(*chunk, "sort")))?)
            }
            Kind::Fixed(width, order) => Keys::Words(all(chunks.iter().map(|chunk| buffer(*chunk)))?, width, order),
            Kind::Bytes => Keys::Bytes(BytesColumn::of_chunks(chunks, "sort")?),
            Kind::Nested => return Err(types::unsupported("sort", data_type)),
        };
        if nulls.iter().any(Option::is_some) {
            column.nulls = nulls;
        }
        Ok(column)
    }

    pub(super) fn shape(&self) -> Shape {
        match &self.keys {
            Keys::None => Shape::None,
            Keys::Words(..) | Keys::Ranks(_) => Shape::Narrow,
            Keys::Wide(keys) => Shape::Wide { whole: keys.iter().all(|keys| keys.is_half()) },
            Keys::Bytes(_) => Shape::Bytes,
        }
    }

    pub(super) fn has_nulls(&self) -> bool {
        !self.nulls.is_empty()
    }

    pub(super) fn null_count(&self) -> usize {
        self.nulls.iter().flatten().map(NullBuffer::null_count).sum()
    }

    /// Chunk, and row in it.
    #[inline]
    fn locate(&self, row: usize) -> (usize, usize) {
        self.starts.locate(row)
    }

    pub(super) fn is_valid(&self, row: u32) -> bool {
        if self.nulls.is_empty() {
            return true;
        }
        let (chunk, row) = self.locate(row as usize);
        self.nulls[chunk].as_ref().is_none_or(|nulls| nulls.is_valid(row))
    }

    /// 1 for each row at `at` that is valid, 0 for a null.
    pub(super) fn load_valid(&self, rows: Rows<'_>, at: usize, valid: &mut [u64]) {
        self.runs(rows, at, valid.len(), |place, chunk, row, here| {
            let valid = &mut valid[place..place + here];
            match &self.nulls[chunk] {
                None => valid.fill(1),
                Some(nulls) if here == 1 => valid[0] = nulls.is_valid(row).into(),
                Some(nulls) => {
                    let validity = nulls.inner().slice(row, here);
                    for (valid, word) in valid.chunks_mut(64).zip(bits::words(&validity)) {
                        valid.iter_mut().enumerate().for_each(|(bit, valid)| *valid = word >> bit & 1);
                    }
                }
            }
        });
    }

    /// Calls `each(place in the block, chunk, first row in it, rows)` for the runs of rows that lie together.
    #[inline(always)]
    fn runs(&self, rows: Rows<'_>, at: usize, count: usize, mut each: impl FnMut(usize, usize, usize, usize)) {
        match rows {
            Rows::All(_) => {
                let mut done = 0;
                let (mut chunk, mut row) = if count == 0 { (0, 0) } else { self.locate(at) };
                while done < count {
                    let here = (self.chunks[chunk].len() - row).min(count - done);
                    if here > 0 {
                        each(done, chunk, row, here);
                    }
                    done += here;
                    (chunk, row) = (chunk + 1, 0);
                }
            }
            Rows::List(list) => {
                for (place, &row) in list[at..at + count].iter().enumerate() {
                    let (chunk, row) = self.locate(row as usize);
                    each(place, chunk, row, 1);
                }
            }
        }
    }

    /// The words of the rows at `at`, for a narrow column.
    pub(super) fn load(&self, rows: Rows<'_>, at: usize, words: &mut [u64]) {
        let count = words.len();
        match &self.keys {
            Keys::Ranks(ranks) => match rows {
                Rows::All(_) => words.copy_from_slice(&ranks[at..at + count]),
                Rows::List(list) => {
                    words.iter_mut().zip(&list[at..]).for_each(|(word, &row)| *word = ranks[row as usize]);
                }
            },
            #[cfg(feature = "small")]
            Keys::Words(from, width, order) => {
                if let Rows::List(list) = rows {
                    for (word, &row) in words.iter_mut().zip(&list[at..]) {
                        let (chunk, row) = self.locate(row as usize);
                        *word = types::word_at(from[chunk], *width, row);
                    }
                } else {
                    self.runs(rows, at, count, |place, chunk, row, here| {
                        types::widen(from[chunk], *width, row, &mut words[place..place + here]);
                    });
                }
                words_to_keys(words, *width, *order);
            }
            #[cfg(not(feature = "small"))]
            Keys::Words(from, width, order) => match width {
                Width::W1 => self.load_words::<u8>(from, *order, rows, at, words),
                Width::W2 => self.load_words::<u16>(from, *order, rows, at, words),
                Width::W4 => self.load_words::<u32>(from, *order, rows, at, words),
                _ => self.load_words::<u64>(from, *order, rows, at, words),
            },
            _ => words.fill(0),
        }
    }

    #[cfg(not(feature = "small"))]
    fn load_words<T: Word>(&self, from: &[&Buffer], order: Order, rows: Rows<'_>, at: usize, words: &mut [u64]) {
        if let ([from], Rows::List(list)) = (from, rows) {
            let from = from.typed_data::<T>();
            let each = words.iter_mut().zip(&list[at..]);
            return each.for_each(|(word, &row)| *word = key_of(from[row as usize], order));
        }
        let count = words.len();
        self.runs(rows, at, count, |place, chunk, row, here| {
            to_keys(&from[chunk].typed_data::<T>()[row..row + here], order, &mut words[place..place + here]);
        });
    }

    /// The upper and lower halves of the words of the rows at `at`, for a wide column.
    pub(super) fn load_wide(&self, rows: Rows<'_>, at: usize, high: &mut [u64], low: &mut [u64]) {
        let Keys::Wide(keys) = &self.keys else { return };
        self.runs(rows, at, high.len(), |place, chunk, row, here| {
            for step in 0..here {
                let word = keys[chunk].get(row + step)[0];
                (high[place + step], low[place + step]) = ((word >> 64) as u64, word as u64);
            }
        });
    }

    /// Sixteen bytes of each value from the byte `skip` on, the first in the highest place, zeros behind a shorter
    /// value. With `length`, the sixteenth is the number of bytes after `skip`, which must be at most fifteen.
    pub(super) fn load_bytes(
        &self,
        rows: Rows<'_>,
        at: usize,
        skip: usize,
        length: bool,
        high: &mut [u64],
        low: &mut [u64],
    ) {
        let Keys::Bytes(columns) = &self.keys else { return };
        self.runs(rows, at, high.len(), |place, chunk, row, here| {
            let column = &columns[chunk];
            let (high, low) = (&mut high[place..place + here], &mut low[place..place + here]);
            column.windows(
                row,
                skip,
                |step, window, rest| {
                    high[step] = window[0];
                    low[step] = if length { window[1] & !0xff | rest as u64 } else { window[1] };
                },
                here,
            );
        });
    }

    /// The least and greatest number of bytes of the rows at `at`.
    pub(super) fn lengths(&self, rows: Rows<'_>, at: usize, count: usize) -> (usize, usize) {
        let (mut least, mut greatest) = (usize::MAX, 0);
        if let Keys::Bytes(columns) = &self.keys {
            self.runs(rows, at, count, |_, chunk, row, here| {
                for row in row..row + here {
                    let length = columns[chunk].length(row);
                    (least, greatest) = (least.min(length), greatest.max(length));
                }
            });
        }
        (least, greatest)
    }

    /// The order of two rows by this key, with its direction and nulls.
    pub(super) fn compare(&self, a: u32, b: u32) -> Ordering {
        let (place_a, place_b) = (self.locate(a as usize), self.locate(b as usize));
        if !self.nulls.is_empty() {
            let valid = |(chunk, row): (usize, usize)| self.nulls[chunk].as_ref().is_none_or(|n| n.is_valid(row));
            match (valid(place_a), valid(place_b)) {
                (true, true) => {}
                (false, false) => return Ordering::Equal,
                (a_valid, b_valid) => {
                    let nulls_last = a_valid.cmp(&b_valid).reverse();
                    return if self.options.nulls == Nulls::Last { nulls_last } else { nulls_last.reverse() };
                }
            }
        }
        let order = match &self.keys {
            Keys::None => Ordering::Equal,
            Keys::Words(words, width, order) => {
                let key = |(chunk, row): (usize, usize)| {
                    let mut word = [types::word_at(words[chunk], *width, row)];
                    words_to_keys(&mut word, *width, *order);
                    word
                };
                key(place_a).cmp(&key(place_b))
            }
            Keys::Ranks(ranks) => ranks[a as usize].cmp(&ranks[b as usize]),
            Keys::Wide(keys) => keys[place_a.0].get(place_a.1).cmp(&keys[place_b.0].get(place_b.1)),
            Keys::Bytes(columns) => columns[place_a.0].get(place_a.1).cmp(columns[place_b.0].get(place_b.1)),
        };
        if self.options.descending { order.reverse() } else { order }
    }
}

fn buffer(array: &dyn Array) -> Result<&Buffer> {
    types::fixed_buffer(array).ok_or_else(|| types::unsupported("sort", array.data_type()))
}

/// Where nulls are, by chunk.
pub(super) fn nulls_of(chunks: &[&dyn Array]) -> Vec<Option<NullBuffer>> {
    chunks.iter().map(|chunk| chunk.logical_nulls().filter(|n| n.null_count() > 0)).collect()
}
