//! One key column as bits: what a grouping keeps of each value.
//!
//! Numbers are their ordered keys less the least one; text of up to fifteen bytes is its window less the bits that
//! all values share; anything else is interned, and its number taken. Each has a bit more for null once one is seen.
//! A value that does not fit is noticed, and the part grows.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use arrow_buffer::NullBuffer;
use arrow_schema::DataType;

use super::keys::{KeyColumn, canonical_words};
use crate::bitcode::{BLOCK, Moves, bounds, difference, load_keys, load_windows, subtract, words_to_keys};
use crate::bytes::{BytesColumn, make_windows};
use crate::types::{self, Kind, Order, Width};
use crate::{Result, arrays, bits};

/// One key column.
#[derive(Debug)]
pub(super) struct Part {
    data_type: DataType,
    shape: Shape,
    /// Whether a null has been seen.
    nulls: bool,
    /// Whether any value has been seen.
    started: bool,
}

#[derive(Debug)]
enum Shape {
    Number { least: u64, bits: u32 },
    Text { reference: [u64; 2], moves: [Moves; 2] },
    Ids { column: Box<KeyColumn>, bits: u32 },
}

/// Values as words, before their bits are chosen: numbers in `low`, windows of text in both.
#[derive(Debug, Default)]
pub(super) struct Raw {
    pub(super) high: Vec<u64>,
    pub(super) low: Vec<u64>,
    pub(super) nulls: Option<NullBuffer>,
}

impl Raw {
    pub(super) fn with_capacity(rows: usize, wide: bool) -> Self {
        let high = Vec::with_capacity(if wide { rows } else { 0 });
        Self { high, low: Vec::with_capacity(rows), nulls: None }
    }
}

/// Bits that hold every number up to this one.
fn bits_of(greatest: u64) -> u32 {
    64 - greatest.leading_zeros()
}

impl Part {
    pub(super) fn try_new(data_type: &DataType) -> Result<Self> {
        let shape = match types::kind(data_type) {
            Kind::Boolean | Kind::Fixed(Width::W1 | Width::W2 | Width::W4 | Width::W8, _) => {
                Shape::Number { least: 0, bits: 0 }
            }
            Kind::Bytes => Shape::Text { reference: [0; 2], moves: Default::default() },
            _ => Shape::Ids { column: Box::new(KeyColumn::try_new(data_type)?), bits: 0 },
        };
        Ok(Self { data_type: data_type.clone(), shape, nulls: false, started: false })
    }

    /// Bits of the upper and the lower piece, and of the flag above them.
    pub(super) fn widths(&self) -> [u32; 3] {
        let [high, low] = match &self.shape {
            Shape::Number { bits, .. } | Shape::Ids { bits, .. } => [0, *bits],
            Shape::Text { moves, .. } => [moves[0].bits(), moves[1].bits()],
        };
        [u32::from(self.nulls), high, low]
    }

    /// The numbers of a block's values, where they are interned; once for each block.
    pub(super) fn intern(&mut self, array: &dyn Array) -> Result<Option<Vec<u32>>> {
        if *array.data_type() != self.data_type {
            return Err(types::unsupported("group by", array.data_type()));
        }
        match &mut self.shape {
            Shape::Ids { column, .. } => column.ids(array).map(Some),
            _ => Ok(None),
        }
    }

    /// The rows at `at` as raw words. `false` when a text is too long for a window.
    fn load(
        &self,
        array: &dyn Array,
        ids: Option<&[u32]>,
        at: usize,
        high: &mut [u64],
        low: &mut [u64],
    ) -> Result<bool> {
        match (&self.shape, ids) {
            (Shape::Ids { .. }, ids) => {
                let ids = &ids.unwrap_or(&[])[at..];
                low.iter_mut().zip(ids).for_each(|(low, &id)| *low = id.into());
            }
            (Shape::Text { .. }, _) => {
                return Ok(load_windows(&BytesColumn::try_new(array, "group by")?, at, high, low));
            }
            (Shape::Number { .. }, _) => match types::kind(array.data_type()) {
                Kind::Boolean => {
                    let values = array.as_boolean().values();
                    low.iter_mut().enumerate().for_each(|(row, low)| *low = values.value(at + row).into());
                }
                kind => {
                    if let Kind::Fixed(width, Order::Float) = kind {
                        types::load_words(array, at, low, "group by")?;
                        canonical_words(low, width);
                        words_to_keys(low, width, Order::Float);
                    } else {
                        load_keys(array, at, low, "group by")?;
                    }
                }
            },
        }
        Ok(true)
    }

    /// The pieces of the rows at `at`: in `high` and `low`, each in its own bits. `false` when a value does not fit.
    pub(super) fn pieces(
        &self,
        array: &dyn Array,
        ids: Option<&[u32]>,
        at: usize,
        high: &mut [u64],
        low: &mut [u64],
    ) -> Result<bool> {
        let nulls = self.block_nulls(array);
        if !self.started || nulls.is_some() && !self.nulls || !self.load(array, ids, at, high, low)? {
            return Ok(false);
        }
        Ok(self.choose(nulls.map(|nulls| (nulls, at)), high, low))
    }

    /// The nulls that this part codes itself; an interned column has a number for null.
    fn block_nulls<'a>(&self, array: &'a dyn Array) -> Option<&'a NullBuffer> {
        match self.shape {
            Shape::Ids { .. } => None,
            _ => array.nulls().filter(|nulls| nulls.null_count() > 0),
        }
    }

    /// Chooses the bits of raw words. `false` when a value does not fit.
    pub(super) fn choose(&self, nulls: Option<(&NullBuffer, usize)>, high: &mut [u64], low: &mut [u64]) -> bool {
        let mut null_rows = Vec::new();
        if let Some((nulls, at)) = nulls {
            null_rows.extend((0..low.len()).filter(|&row| nulls.is_null(at + row)));
        }
        match &self.shape {
            Shape::Ids { bits, .. } => return *bits >= bits_of(bounds(low).1),
            Shape::Number { least, bits } => {
                null_rows.iter().for_each(|&row| low[row] = *least);
                subtract(low, *least, 0);
                if *bits < 64 && bounds(low).1 >> bits != 0 {
                    return false;
                }
            }
            Shape::Text { reference, moves } => {
                null_rows.iter().for_each(|&row| (high[row], low[row]) = (reference[0], reference[1]));
                let odd =
                    difference(high, reference[0]) & !moves[0].mask | difference(low, reference[1]) & !moves[1].mask;
                if odd != 0 {
                    return false;
                }
                moves[0].gather(high);
                moves[1].gather(low);
                null_rows.iter().for_each(|&row| (high[row], low[row]) = (0, 0));
            }
        }
        true
    }

    /// Makes room for the values of a block beside the known ones of the groups so far. `false` when the column has
    /// to be interned instead.
    pub(super) fn grow(&mut self, array: &dyn Array, ids: Option<&[u32]>, known: &Raw) -> Result<bool> {
        let rows = array.len();
        let nulls = self.block_nulls(array).cloned();
        self.nulls |= nulls.is_some();
        let is_null = |row: usize| nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
        let (mut high, mut low) = ([0u64; BLOCK], [0u64; BLOCK]);
        let mut range = known
            .low
            .iter()
            .enumerate()
            .filter(|(group, _)| known.nulls.as_ref().is_none_or(|nulls| nulls.is_valid(*group)))
            .fold((u64::MAX, 0), |(least, greatest), (_, &word)| (word.min(least), word.max(greatest)));
        for at in (0..rows).step_by(BLOCK) {
            let count = BLOCK.min(rows - at);
            let (high, low) = (&mut high[..count], &mut low[..count]);
            if !self.load(array, ids, at, high, low)? {
                return Ok(false);
            }
            let Some(first) = (0..count).find(|&row| !is_null(at + row)) else { continue };
            (0..count)
                .filter(|&row| is_null(at + row))
                .for_each(|row| (high[row], low[row]) = (high[first], low[first]));
            match &mut self.shape {
                Shape::Ids { .. } => {}
                Shape::Number { .. } => {
                    let (least, greatest) = bounds(low);
                    range = (range.0.min(least), range.1.max(greatest));
                }
                Shape::Text { reference, moves } => {
                    if !self.started {
                        *reference = [high[first], low[first]];
                    }
                    let masks = [difference(high, reference[0]), difference(low, reference[1])];
                    for (moves, mask) in moves.iter_mut().zip(masks) {
                        if mask & !moves.mask != 0 {
                            *moves = Moves::new(mask | moves.mask);
                        }
                    }
                }
            }
            self.started = true;
        }
        self.started |= rows > 0;
        match &mut self.shape {
            Shape::Ids { column, bits } => *bits = bits_of(column.len().saturating_sub(1) as u64),
            Shape::Number { least, bits } if range.0 <= range.1 => {
                *bits = bits_of(range.1 - range.0);
                // What the bits hold beyond the range is shared out to both sides: the next values may lie there.
                let free = (u64::MAX >> (64 - (*bits).max(1))) - (range.1 - range.0);
                *least = range.0.saturating_sub(if *bits == 0 { 0 } else { free / 2 });
            }
            _ => {}
        }
        Ok(true)
    }

    /// The least and the greatest number that there is room for, where there are no groups yet.
    pub(super) fn foreseen(&self) -> Raw {
        let low = match &self.shape {
            Shape::Number { least, bits } if self.started => {
                vec![*least, least.saturating_add(u64::MAX.checked_shr(64 - bits).unwrap_or(0))]
            }
            _ => Vec::new(),
        };
        Raw { low, ..Raw::default() }
    }

    /// Whether values are interned.
    pub(super) fn is_interned(&self) -> bool {
        matches!(self.shape, Shape::Ids { .. })
    }

    /// From here on values are interned: those of the groups so far first, whose raw words change.
    pub(super) fn become_interned(&mut self, known: &mut Raw) -> Result<()> {
        let values = self.array(known)?;
        let mut column = Box::new(KeyColumn::try_new(&self.data_type)?);
        let numbers = column.ids(values.as_ref())?;
        *known = Raw { high: Vec::new(), low: numbers.into_iter().map(u64::from).collect(), nulls: None };
        let bits = bits_of(column.len().saturating_sub(1) as u64);
        self.shape = Shape::Ids { column, bits };
        (self.nulls, self.started) = (false, true);
        Ok(())
    }

    /// Whether raw words have an upper half.
    pub(super) fn is_wide(&self) -> bool {
        matches!(self.shape, Shape::Text { .. })
    }

    /// Turns pieces into raw words.
    pub(super) fn restore(&self, high: &mut [u64], low: &mut [u64]) {
        match &self.shape {
            Shape::Ids { .. } => {}
            Shape::Number { least, .. } => low.iter_mut().for_each(|word| *word = word.wrapping_add(*least)),
            Shape::Text { reference, moves } => {
                for ((words, moves), reference) in [high, low].into_iter().zip(moves).zip(reference) {
                    moves.restore(words, reference & !moves.mask);
                }
            }
        }
    }

    /// An array of the column's type from raw words.
    pub(super) fn array(&self, raw: &Raw) -> Result<ArrayRef> {
        let nulls = raw.nulls.clone();
        match (&self.shape, types::kind(&self.data_type)) {
            (Shape::Ids { column, .. }, _) => column.array(raw.low.iter().map(|&id| id as u32).collect()),
            (Shape::Text { .. }, _) => make_windows(&self.data_type, &raw.high, &raw.low, nulls, "group by"),
            (Shape::Number { .. }, Kind::Fixed(width, order)) => {
                let words = raw.low.iter().map(|&key| types::word_of(key, width, order));
                types::make_narrow(&self.data_type, width, words, nulls, "group by")
            }
            (Shape::Number { .. }, _) => {
                let values = bits::collect(raw.low.len(), |row| raw.low[row] != 0);
                arrays::boolean_array(values, nulls.and_then(|nulls| bits::nulls_from_bits(nulls.into_inner())))
            }
        }
    }
}
