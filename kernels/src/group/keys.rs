//! One key column: its values as dense numbers, in the order of first appearance.
//!
//! Words of up to 64 bits go through a table of words, everything else through a table of byte strings;
//! a dictionary column looks each of its values up once per batch. Null is a value like any other. Floats
//! are made canonical first: −0.0 is 0.0, and every NaN is one NaN.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use arrow_buffer::{MutableBuffer, NullBuffer};
use arrow_schema::DataType;

use super::intern::{ByteInterner, WordInterner};
use crate::bytes::{BytesColumn, make_bytes};
use crate::error::all;
use crate::types::{self, Kind, Order, Width};
#[cfg(not(feature = "small"))]
use crate::types::{Word, by_narrow_width};
use crate::{Result, arrays, bits, take};

const UNSEEN: u32 = u32::MAX;

/// The interned values of a key column.
#[derive(Debug)]
pub(super) struct KeyColumn {
    data_type: DataType,
    values: Values,
    /// The number of null, once it has been seen. Tables count their own values without it.
    null: Option<u32>,
}

#[derive(Debug)]
enum Values {
    None,
    Words(WordInterner),
    Bytes(ByteInterner),
}

impl Values {
    fn len(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Words(words) => words.len(),
            Self::Bytes(bytes) => bytes.len(),
        }
    }
}

/// The type whose values are interned: a dictionary's values' type.
fn value_type(data_type: &DataType) -> &DataType {
    match data_type {
        DataType::Dictionary(_, values) => value_type(values),
        _ => data_type,
    }
}

impl KeyColumn {
    pub(super) fn try_new(data_type: &DataType) -> Result<Self> {
        let values = match types::kind(value_type(data_type)) {
            Kind::Null => Values::None,
            Kind::Boolean | Kind::Fixed(Width::W1 | Width::W2 | Width::W4 | Width::W8, _) => {
                Values::Words(WordInterner::default())
            }
            Kind::Fixed(..) | Kind::Bytes => Values::Bytes(ByteInterner::default()),
            Kind::Dictionary | Kind::Nested => return Err(types::unsupported("group by", data_type)),
        };
        Ok(Self { data_type: data_type.clone(), values, null: None })
    }

    /// Distinct values so far, null among them.
    pub(super) fn len(&self) -> usize {
        self.values.len() + usize::from(self.null.is_some())
    }

    fn null(&mut self) -> u32 {
        let next = self.len() as u32;
        *self.null.get_or_insert(next)
    }

    /// The number of a value that the table has just given the number `id`.
    #[inline(always)]
    fn shift(null: Option<u32>, id: u32) -> u32 {
        id + u32::from(null.is_some_and(|null| id >= null))
    }

    fn word(&mut self, word: u64) -> u32 {
        match &mut self.values {
            Values::Words(words) => Self::shift(self.null, words.intern(word)),
            _ => UNSEEN,
        }
    }

    fn bytes(&mut self, value: &[u8]) -> u32 {
        match &mut self.values {
            Values::Bytes(bytes) => Self::shift(self.null, bytes.intern(value)),
            _ => UNSEEN,
        }
    }

    /// The number of each row's value.
    pub(super) fn ids(&mut self, array: &dyn Array) -> Result<Vec<u32>> {
        if *array.data_type() != self.data_type {
            return Err(types::unsupported("group by", array.data_type()));
        }
        let rows = array.len();
        match types::kind(array.data_type()) {
            Kind::Null => {
                let null = if rows == 0 { 0 } else { self.null() };
                Ok(vec![null; rows])
            }
            #[cfg(feature = "small")]
            Kind::Boolean | Kind::Fixed(Width::W1 | Width::W2 | Width::W4 | Width::W8, _) => self.small_ids(array),
            #[cfg(not(feature = "small"))]
            Kind::Boolean => {
                let values = array.as_boolean().values();
                Ok(self.each(array.nulls(), rows, |column, row| column.word(u64::from(values.value(row)))))
            }
            #[cfg(not(feature = "small"))]
            Kind::Fixed(width @ (Width::W1 | Width::W2 | Width::W4 | Width::W8), order) => {
                by_narrow_width!(width, "group by", array.data_type(), |T| {
                    let words = types::fixed_words::<T>(array, "group by")?;
                    if let (0, Values::Words(interner)) = (array.null_count(), &mut self.values) {
                        let flip = if order == Order::Signed { Word::widen(T::TOP) as u64 } else { 0 };
                        let words = words.iter().map(|&word| Word::widen(canonical(word, order)) as u64);
                        let mut ids = Vec::new();
                        interner.intern_each(words, flip, &mut ids);
                        return Ok(self.shifted(ids));
                    }
                    Ok(self.each(array.nulls(), rows, |column, row| {
                        column.word(Word::widen(canonical(words[row], order)) as u64)
                    }))
                })
            }
            Kind::Fixed(width, _) => {
                let size = width.bytes();
                let values = types::fixed_buffer(array);
                let values = values.ok_or_else(|| types::unsupported("group by", array.data_type()))?;
                Ok(self.each(array.nulls(), rows, |column, row| column.bytes(&values[row * size..(row + 1) * size])))
            }
            Kind::Bytes => {
                let values = BytesColumn::try_new(array, "group by")?;
                if let (0, Values::Bytes(interner)) = (array.null_count(), &mut self.values) {
                    let mut ids = Vec::new();
                    interner.intern_each(rows, |row| values.get_short(row), |row| values.get(row), &mut ids);
                    return Ok(self.shifted(ids));
                }
                Ok(self.each(array.nulls(), rows, |column, row| column.bytes(values.get(row))))
            }
            Kind::Dictionary => self.dictionary_ids(array),
            Kind::Nested => Err(types::unsupported("group by", array.data_type())),
        }
    }

    /// The numbers of words of up to 64 bits by one loop for all widths, behind a loop for each that widens them.
    #[cfg(feature = "small")]
    fn small_ids(&mut self, array: &dyn Array) -> Result<Vec<u32>> {
        let mut words = vec![0; array.len()];
        let mut flip = 0;
        if let Some(booleans) = array.as_boolean_opt() {
            words.iter_mut().enumerate().for_each(|(row, word)| *word = booleans.value(row).into());
        } else if let Kind::Fixed(width, order) = types::kind(array.data_type()) {
            types::load_words(array, 0, &mut words, "group by")?;
            match order {
                Order::Float => canonical_words(&mut words, width),
                Order::Signed => flip = 1 << (8 * width.bytes() - 1),
                _ => {}
            }
        }
        if let (0, Values::Words(interner)) = (array.null_count(), &mut self.values) {
            let mut ids = Vec::new();
            interner.intern_all(&words, flip, &mut ids);
            return Ok(self.shifted(ids));
        }
        Ok(self.each(array.nulls(), array.len(), |column, row| column.word(words[row])))
    }

    /// The table's own numbers, with null's number left out of them.
    fn shifted(&self, mut ids: Vec<u32>) -> Vec<u32> {
        if self.null.is_some() {
            ids.iter_mut().for_each(|id| *id = Self::shift(self.null, *id));
        }
        ids
    }

    #[inline(always)]
    fn each(&mut self, nulls: Option<&NullBuffer>, rows: usize, id: impl Fn(&mut Self, usize) -> u32) -> Vec<u32> {
        let nulls = nulls.filter(|nulls| nulls.null_count() > 0);
        if cfg!(feature = "small") {
            return self.one_loop(nulls, rows, &id);
        }
        match nulls {
            None => (0..rows).map(|row| id(self, row)).collect(),
            Some(nulls) => (0..rows).map(|row| if nulls.is_valid(row) { id(self, row) } else { self.null() }).collect(),
        }
    }

    /// One loop for all kinds of values, which are asked for through a pointer.
    #[inline(never)]
    fn one_loop(&mut self, nulls: Option<&NullBuffer>, rows: usize, id: &dyn Fn(&mut Self, usize) -> u32) -> Vec<u32> {
        let id = |row: usize| if nulls.is_none_or(|nulls| nulls.is_valid(row)) { id(self, row) } else { self.null() };
        (0..rows).map(id).collect()
    }

    /// Each dictionary value is interned when its first row is met, so that the order of first appearance
    /// holds and unused values make no group.
    fn dictionary_ids(&mut self, array: &dyn Array) -> Result<Vec<u32>> {
        let unsupported = || types::unsupported("group by", array.data_type());
        let dictionary = array.as_any_dictionary_opt().ok_or_else(unsupported)?;
        let values = dictionary.values();
        let keys = dictionary.keys();
        let mut words = vec![0; keys.len()];
        types::load_words(keys, 0, &mut words, "group by")?;
        let nulls = array.logical_nulls();
        let mut known = vec![UNSEEN; values.len()];
        // Values are read through a plain column of the same kind, one at a time.
        let mut inner = Self {
            data_type: values.data_type().clone(),
            values: std::mem::replace(&mut self.values, Values::None),
            null: self.null,
        };
        let id = |row: usize| {
            if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
                return Ok(inner.null());
            }
            let key = words[row] as usize;
            let known = known.get_mut(key).ok_or_else(unsupported)?;
            if *known == UNSEEN {
                *known = inner.ids(values.slice(key, 1).as_ref())?[0];
            }
            Ok(*known)
        };
        let ids = all((0..array.len()).map(id));
        self.values = inner.values;
        self.null = inner.null;
        ids
    }

    /// An array of the column's type with the values of the given numbers.
    pub(super) fn array(&self, ids: Vec<u32>) -> Result<ArrayRef> {
        if let DataType::Dictionary(key_type, values) = &self.data_type {
            let nulls = self.nulls(&ids);
            // Dictionary codes leave the null out.
            let codes = ids.iter().map(|&id| self.number(id)).collect();
            let distinct = self.plain(values, (0..self.values.len() as u32).collect(), None)?;
            return take::dictionary_from_codes(key_type, codes, nulls, distinct);
        }
        let nulls = self.nulls(&ids);
        let numbers = ids.iter().map(|&id| self.number(id)).collect();
        self.plain(&self.data_type, numbers, nulls)
    }

    /// The table's own number of an id; 0 stands for null.
    fn number(&self, id: u32) -> u32 {
        match self.null {
            Some(null) if id == null => 0,
            Some(null) if id > null => id - 1,
            _ => id,
        }
    }

    fn nulls(&self, ids: &[u32]) -> Option<NullBuffer> {
        let null = self.null?;
        bits::nulls_from_bits(bits::collect(ids.len(), |row| ids[row] != null))
    }

    /// Values by the table's own numbers; where `nulls` says null the number means nothing.
    fn plain(&self, data_type: &DataType, numbers: Vec<u32>, nulls: Option<NullBuffer>) -> Result<ArrayRef> {
        let rows = numbers.len();
        match (&self.values, types::kind(data_type)) {
            (Values::Words(words), Kind::Boolean) => {
                let words = words.words();
                let bits = bits::collect(rows, |row| words.get(numbers[row] as usize).is_some_and(|&word| word != 0));
                arrays::boolean_array(bits, nulls)
            }
            (Values::Words(words), Kind::Fixed(width, _)) => {
                let words = words.words();
                let words = numbers.iter().map(|&number| words.get(number as usize).copied().unwrap_or(0));
                types::make_narrow(data_type, width, words, nulls, "group by")
            }
            (Values::Bytes(bytes), Kind::Fixed(width, _)) => {
                let size = width.bytes();
                let mut words = MutableBuffer::from_len_zeroed(rows * size);
                for (row, (word, &number)) in words.chunks_exact_mut(size).zip(&numbers).enumerate() {
                    if nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
                        word.copy_from_slice(bytes.get(number));
                    }
                }
                types::make_fixed_buffer(data_type, words.into(), nulls, "group by")
            }
            (Values::Bytes(bytes), _) => make_bytes(data_type, rows, nulls, "group by", |row| bytes.get(numbers[row])),
            (Values::None, _) => Ok(arrays::nothing(rows)),
            _ => Err(types::unsupported("group by", data_type)),
        }
    }
}

/// Floats of up to 64 bits, with one zero and one NaN.
pub(super) fn canonical_words(words: &mut [u64], width: Width) {
    // All bits but the sign; those of infinity; those of the one NaN.
    let (magnitude, infinity, quiet) = match width {
        Width::W2 => (0x7fff, 0x7c00, 0x7e00),
        Width::W4 => (0x7fff_ffff, 0x7f80_0000, 0x7fc0_0000),
        _ => (0x7fff_ffff_ffff_ffff, 0x7ff0_0000_0000_0000, 0x7ff8_0000_0000_0000),
    };
    for word in words {
        match *word & magnitude {
            0 => *word = 0,
            above if above > infinity => *word = quiet,
            _ => {}
        }
    }
}

/// The word that stands for all equal values.
#[cfg(not(feature = "small"))]
#[inline(always)]
fn canonical<T: Word>(word: T, order: Order) -> T {
    if order != Order::Float {
        return word;
    }
    if word == T::TOP {
        return T::narrow(0);
    }
    let infinity = match size_of::<T>() {
        2 => T::narrow(0x7c00),
        4 => T::narrow(0x7f80_0000),
        _ => T::narrow(0x7ff0_0000_0000_0000),
    };
    let quiet = match size_of::<T>() {
        2 => T::narrow(0x7e00),
        4 => T::narrow(0x7fc0_0000),
        _ => T::narrow(0x7ff8_0000_0000_0000),
    };
    let magnitude = if word < T::TOP { word } else { word.flip(T::TOP) };
    if magnitude > infinity { quiet } else { word }
}
