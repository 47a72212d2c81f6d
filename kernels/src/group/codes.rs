//! All key columns of a row as one code, and the codes as groups.
//!
//! The parts' pieces stand side by side in 64 bits, or in 128 (not with the feature `small`); when they need more, in a
//! byte string. When a part
//! grows, the codes of the groups so far are laid out anew, which keeps their numbers. A part grows at most once for
//! each of its bits, so that all of this costs `O(groups × bits)`, and in practice a few times the groups.

use std::ops::Range;

use arrow_array::{Array, ArrayRef};
use arrow_buffer::NullBuffer;
use arrow_schema::DataType;

use super::intern::ByteInterner;
use super::part::{Part, Raw};
use super::table::CodeTable;
use crate::bitcode::{BLOCK, join, join_wide, split};
use crate::error::all;
use crate::{Result, threads};

/// The keys of all groups.
#[derive(Debug)]
pub(super) struct Codes {
    parts: Vec<Part>,
    table: Table,
    /// Rows that are foreseen; none once the table is made for them.
    ahead: usize,
}

#[derive(Debug)]
enum Table {
    Narrow(CodeTable<u64>),
    #[cfg(not(feature = "small"))]
    Wide(CodeTable<u128>),
    Rows(ByteInterner),
}

/// The codes of a block of rows.
#[derive(Debug, Default)]
struct Block {
    /// Empty for narrow codes.
    high: Vec<u64>,
    low: Vec<u64>,
}

impl Codes {
    pub(super) fn try_new(keys: &[DataType]) -> Result<Self> {
        let parts = all(keys.iter().map(Part::try_new))?;
        Ok(Self { parts, table: Table::Narrow(CodeTable::new(0, 0)), ahead: 0 })
    }

    pub(super) fn keys(&self) -> usize {
        self.parts.len()
    }

    /// Number of groups so far.
    pub(super) fn len(&self) -> usize {
        match &self.table {
            Table::Narrow(table) => table.len(),
            #[cfg(not(feature = "small"))]
            Table::Wide(table) => table.len(),
            Table::Rows(table) => table.len(),
        }
    }

    /// Makes room for values that come later, as long as there are no groups.
    pub(super) fn foresee(&mut self, arrays: &[ArrayRef], rows: usize) -> Result<()> {
        if self.len() > 0 {
            return Ok(());
        }
        self.ahead = rows;
        for (part, array) in self.parts.iter_mut().zip(arrays).filter(|(part, _)| !part.is_interned()) {
            let known = part.foreseen();
            if !part.grow(array.as_ref(), None, &known)? {
                part.become_interned(&mut Raw::default())?;
            }
        }
        Ok(())
    }

    /// The group of each row of a block; `expected` is the number of rows in all, as far as it is known.
    pub(super) fn ids(&mut self, rows: usize, arrays: &[ArrayRef], expected: usize) -> Result<Vec<u32>> {
        let mut ids = Vec::with_capacity(rows);
        if rows == 0 {
            return Ok(ids);
        }
        let ahead = std::mem::take(&mut self.ahead);
        if ahead > 0 {
            self.lay_out(self.raws(0..0), expected.max(ahead))?;
        }
        let mut interned: Vec<Option<Vec<u32>>> = vec![None; arrays.len()];
        let mut block = Block::default();
        loop {
            for ((part, array), numbers) in self.parts.iter_mut().zip(arrays).zip(&mut interned) {
                if numbers.is_none() {
                    *numbers = part.intern(array.as_ref())?;
                }
            }
            let Some(odd) = self.encode(rows, arrays, &interned, &mut block)? else { break };
            let mut known = self.raws(0..self.len());
            if !self.parts[odd].grow(arrays[odd].as_ref(), interned[odd].as_deref(), &known[odd])? {
                self.parts[odd].become_interned(&mut known[odd])?;
            }
            self.lay_out(known, expected)?;
        }
        match &mut self.table {
            Table::Rows(table) => {
                let mut bytes = Vec::new();
                ids.extend((0..rows).map(|row| {
                    bytes.clear();
                    let numbers = interned.iter().flatten();
                    numbers.for_each(|numbers| bytes.extend_from_slice(&numbers[row].to_le_bytes()));
                    table.intern(&bytes)
                }));
            }
            table => table.intern_codes(rows, &block, &mut ids, expected),
        }
        Ok(ids)
    }

    /// Codes a block of rows; the number of a part whose values do not fit, if there is one.
    fn encode(
        &self,
        rows: usize,
        arrays: &[ArrayRef],
        interned: &[Option<Vec<u32>>],
        block: &mut Block,
    ) -> Result<Option<usize>> {
        if let Table::Rows(_) = self.table {
            return Ok(None);
        }
        block.start(rows, &self.table);
        let of = |range: &Range<usize>, mut codes: Piece<'_>| {
            let (mut high, mut low) = ([0u64; BLOCK], [0u64; BLOCK]);
            for at in range.clone().step_by(BLOCK) {
                let count = BLOCK.min(range.end - at);
                let (high, low) = (&mut high[..count], &mut low[..count]);
                for (position, (part, array)) in self.parts.iter().zip(arrays).enumerate() {
                    if !part.pieces(array.as_ref(), interned[position].as_deref(), at, high, low)? {
                        return Ok(Some(position));
                    }
                    let nulls = array.nulls().map(|nulls| (nulls, at));
                    codes.add(at - range.start, part.widths(), nulls, high, low);
                }
            }
            Ok(None)
        };
        if threads::count() == 1 {
            return of(&(0..rows), block.whole());
        }
        let ranges = threads::ranges(rows, BLOCK);
        let tasks = ranges.iter().zip(block.pieces(&ranges)).collect();
        let odd = threads::try_map(tasks, |(range, codes)| of(range, codes))?;
        Ok(odd.into_iter().flatten().next())
    }

    /// The values of some groups, as raw words of each part.
    fn raws(&self, range: Range<usize>) -> Vec<Raw> {
        let groups = range.len();
        let mut raws: Vec<Raw> = self.parts.iter().map(|part| Raw::with_capacity(groups, part.is_wide())).collect();
        if let Table::Rows(table) = &self.table {
            for (part, raw) in raws.iter_mut().enumerate() {
                let number = |group: usize| {
                    table.get(group as u32)[4 * part..].first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes))
                };
                raw.low.extend(range.clone().map(|group| u64::from(number(group))));
            }
            return raws;
        }
        let mut flags: Vec<Vec<bool>> = Vec::new();
        for (part, raw) in self.parts.iter().zip(&mut raws) {
            raw.low.resize(groups, 0);
            raw.high.resize(if part.is_wide() { groups } else { 0 }, 0);
            flags.push(vec![false; if part.widths()[0] == 1 { groups } else { 0 }]);
        }
        if threads::count() == 1 {
            let slices = raws.iter_mut().zip(&mut flags);
            let mut slices: Vec<_> =
                slices.map(|(raw, flags)| (&mut raw.high[..], &mut raw.low[..], &mut flags[..])).collect();
            self.take_apart(range, &mut slices);
            return with_flags(raws, flags);
        }
        // Threads take a stretch of the groups each, of every part.
        let ranges = threads::ranges(groups, BLOCK);
        let first = range.start;
        let mut tasks: Vec<_> = ranges.iter().map(|part| (first + part.start..first + part.end, Vec::new())).collect();
        for (raw, flags) in raws.iter_mut().zip(&mut flags) {
            let slices = cut(&mut raw.high, &ranges).into_iter().zip(cut(&mut raw.low, &ranges));
            for ((task, (high, low)), flags) in tasks.iter_mut().zip(slices).zip(cut(flags, &ranges)) {
                task.1.push((high, low, flags));
            }
        }
        threads::map(tasks, |(range, mut slices)| self.take_apart(range, &mut slices));
        with_flags(raws, flags)
    }

    /// The raw words and the validity of each part, of a stretch of the groups.
    fn take_apart(&self, range: Range<usize>, parts: &mut [(&mut [u64], &mut [u64], &mut [bool])]) {
        let (mut high, mut low, mut piece) = ([0u64; BLOCK], [0u64; BLOCK], [0u64; BLOCK]);
        for at in range.clone().step_by(BLOCK) {
            let groups = at..range.end.min(at + BLOCK);
            let here = at - range.start..groups.end - range.start;
            let count = groups.len();
            let (high, low) = (&mut high[..count], &mut low[..count]);
            match &self.table {
                #[cfg(not(feature = "small"))]
                Table::Wide(table) => {
                    for (row, &code) in table.codes()[groups].iter().enumerate() {
                        (high[row], low[row]) = ((code >> 64) as u64, code as u64);
                    }
                }
                Table::Narrow(table) => low.copy_from_slice(&table.codes()[groups]),
                Table::Rows(_) => {}
            }
            // From the lowest bits up.
            for (part, (raw_high, raw_low, valid)) in self.parts.iter().zip(parts.iter_mut()).rev() {
                let widths = part.widths();
                let raw_low = &mut raw_low[here.clone()];
                let raw_high = if part.is_wide() { &mut raw_high[here.clone()] } else { &mut [] };
                split(high, low, raw_low, widths[2]);
                if part.is_wide() {
                    split(high, low, raw_high, widths[1]);
                }
                part.restore(raw_high, raw_low);
                if widths[0] == 1 {
                    let piece = &mut piece[..count];
                    split(high, low, piece, 1);
                    valid[here.clone()].iter_mut().zip(piece).for_each(|(valid, flag)| *valid = *flag == 0);
                }
            }
        }
    }

    /// Makes the codes of all groups anew, after a part has grown.
    fn lay_out(&mut self, mut known: Vec<Raw>, expected: usize) -> Result<()> {
        let width = |part: &Part| part.widths().iter().sum::<u32>();
        let groups = self.len();
        loop {
            let total: u32 = self.parts.iter().map(width).sum();
            if total <= 64 {
                self.table = Table::Narrow(CodeTable::new(total, expected));
            } else {
                #[cfg(not(feature = "small"))]
                if total <= 128 {
                    self.table = Table::Wide(CodeTable::new(total, expected));
                    break;
                }
                // The widest column is interned; when all are, their numbers make a byte string.
                let columns = self.parts.iter_mut().zip(&mut known).filter(|(part, _)| !part.is_interned());
                if let Some((part, known)) = columns.max_by_key(|(part, _)| width(part)) {
                    part.become_interned(known)?;
                    continue;
                }
                let mut table = ByteInterner::default();
                for group in 0..groups {
                    let mut bytes = Vec::new();
                    known.iter().for_each(|raw| bytes.extend_from_slice(&(raw.low[group] as u32).to_le_bytes()));
                    table.intern(&bytes);
                }
                self.table = Table::Rows(table);
                return Ok(());
            }
            break;
        }
        let mut block = Block::default();
        block.start(groups, &self.table);
        for at in (0..groups).step_by(BLOCK) {
            let count = BLOCK.min(groups - at);
            let mut codes = block.whole();
            for (part, raw) in self.parts.iter().zip(&mut known) {
                let high = if raw.high.is_empty() { &mut [][..] } else { &mut raw.high[at..at + count] };
                let low = &mut raw.low[at..at + count];
                let nulls = raw.nulls.as_ref().map(|nulls| (nulls, at));
                part.choose(nulls, high, low);
                codes.add(at, part.widths(), nulls, high, low);
            }
        }
        let mut ids = Vec::new();
        self.table.intern_codes(groups, &block, &mut ids, expected);
        debug_assert!(ids.iter().zip(0..).all(|(&id, group)| id == group), "groups keep their numbers");
        Ok(())
    }

    /// The key columns, one row for each of some groups in the order of first appearance.
    pub(super) fn arrays(&self, groups: Range<usize>) -> Result<Vec<ArrayRef>> {
        let rows = groups.len();
        let raws = self.raws(groups);
        threads::try_map_if(rows, self.parts.iter().zip(raws).collect(), |(part, raw)| part.array(&raw))
    }
}

impl Table {
    /// The groups of the codes of a block, appended to `ids`. Byte strings are no codes.
    fn intern_codes(&mut self, rows: usize, block: &Block, ids: &mut Vec<u32>, expected: usize) {
        #[cfg(not(feature = "small"))]
        let wide = |row: usize| u128::from(block.high[row]) << 64 | u128::from(block.low[row]);
        match self {
            Self::Narrow(table) => {
                let low = &block.low[..];
                table.intern_each(rows, |row| low[row], ids, expected);
            }
            #[cfg(not(feature = "small"))]
            Self::Wide(table) => table.intern_each(rows, wide, ids, expected),
            Self::Rows(_) => {}
        }
    }
}

impl Block {
    fn start(&mut self, rows: usize, table: &Table) {
        self.low.clear();
        self.low.resize(rows, 0);
        self.high.clear();
        if !matches!(table, Table::Narrow(_) | Table::Rows(_)) {
            self.high.resize(rows, 0);
        }
    }

    fn whole(&mut self) -> Piece<'_> {
        Piece { high: &mut self.high, low: &mut self.low }
    }

    /// The codes of some rows each.
    fn pieces(&mut self, ranges: &[Range<usize>]) -> Vec<Piece<'_>> {
        let slices = cut(&mut self.high, ranges).into_iter().zip(cut(&mut self.low, ranges));
        slices.map(|(high, low)| Piece { high, low }).collect()
    }
}

/// Validity for the parts that have a flag for each group.
fn with_flags(mut raws: Vec<Raw>, flags: Vec<Vec<bool>>) -> Vec<Raw> {
    for (raw, flags) in raws.iter_mut().zip(flags).filter(|(_, flags)| !flags.is_empty()) {
        raw.nulls = Some(NullBuffer::from(flags));
    }
    raws
}

/// The codes of some rows of a block.
struct Piece<'a> {
    high: &'a mut [u64],
    low: &'a mut [u64],
}

/// Slices of ranges that follow one another; empty ones of an empty slice.
fn cut<'a, T>(mut rest: &'a mut [T], ranges: &[Range<usize>]) -> Vec<&'a mut [T]> {
    let mut slices = Vec::with_capacity(ranges.len());
    for range in ranges {
        let (slice, after) = rest.split_at_mut(range.len().min(rest.len()));
        slices.push(slice);
        rest = after;
    }
    slices
}

impl Piece<'_> {
    /// Puts a part's pieces behind the codes of the rows at `at`.
    fn add(&mut self, at: usize, widths: [u32; 3], nulls: Option<(&NullBuffer, usize)>, high: &[u64], low: &[u64]) {
        let rows = at..at + low.len();
        let codes_low = &mut self.low[rows.clone()];
        let codes_high = if self.high.is_empty() { &mut [][..] } else { &mut self.high[rows] };
        let mut flags = [0u64; BLOCK];
        let flags = &mut flags[..low.len()];
        if let (1, Some((nulls, start))) = (widths[0], nulls) {
            flags.iter_mut().enumerate().for_each(|(row, flag)| *flag = nulls.is_null(start + row).into());
        }
        for (words, width) in [&*flags, high, low].into_iter().zip(widths) {
            if width == 0 || words.is_empty() {
                continue;
            }
            if cfg!(feature = "small") || codes_high.is_empty() {
                join(codes_low, words, width);
            } else {
                join_wide(codes_high, codes_low, words, width);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{Int64Array, StringArray};

    use super::*;

    /// Groups must keep their numbers while columns grow, from a few bits to words, wide words and byte strings.
    #[test]
    #[cfg_attr(miri, ignore = "too many rows for an interpreter")]
    fn groups_stay_what_they_are_when_columns_grow() {
        let types = [DataType::Int64, DataType::Utf8, DataType::Int64, DataType::Utf8, DataType::Utf8, DataType::Int64];
        let mut codes = Codes::try_new(&types).unwrap_or_else(|error| unreachable!("{error}"));
        let mut seen: Vec<Vec<Option<String>>> = Vec::new();
        for step in 0..8u32 {
            let rows = 3_000usize;
            let number = |row: usize, salt: usize| (row * 7_919 * salt % 13) as i64 * (1i64 << (8 * step.min(7)));
            let text = |row: usize, salt: usize| match (row * salt) % 11 {
                0 if step > 1 => None,
                kind if step > 5 && kind == 3 => Some("long ".repeat(salt) + &"x".repeat(20)),
                kind => Some("ab".repeat(step.min(6) as usize) + &kind.to_string()),
            };
            let ints = |salt: usize| -> ArrayRef {
                let value = |row| if step == 3 && row % 17 == 0 { None } else { Some(number(row, salt)) };
                Arc::new((0..rows).map(value).collect::<Int64Array>())
            };
            let texts =
                |salt: usize| -> ArrayRef { Arc::new((0..rows).map(|row| text(row, salt)).collect::<StringArray>()) };
            let arrays = [ints(1), texts(3), ints(5), texts(7), texts(1), ints(11)];
            let ids = codes.ids(rows, &arrays, rows).unwrap_or_else(|error| unreachable!("{error}"));
            let cell = |array: &ArrayRef, row: usize| -> Option<String> {
                use arrow_array::cast::AsArray;
                if array.is_null(row) {
                    None
                } else if let Some(text) = array.as_string_opt::<i32>() {
                    Some(text.value(row).to_owned())
                } else {
                    Some(array.as_primitive::<arrow_array::types::Int64Type>().value(row).to_string())
                }
            };
            let key = |arrays: &[ArrayRef], row: usize| arrays.iter().map(|array| cell(array, row)).collect::<Vec<_>>();
            for (row, &id) in ids.iter().enumerate() {
                let key = key(&arrays, row);
                let expected = seen.iter().position(|other| *other == key).unwrap_or_else(|| {
                    seen.push(key);
                    seen.len() - 1
                });
                assert_eq!(id as usize, expected, "step {step}, row {row}");
            }
            let back = codes.arrays(0..codes.len()).unwrap_or_else(|error| unreachable!("{error}"));
            assert_eq!(codes.len(), seen.len());
            assert!((0..seen.len()).all(|group| key(&back, group) == seen[group]), "step {step}");
        }
        assert!(!matches!(codes.table, Table::Rows(_)) && codes.parts[1].is_interned());
    }

    #[test]
    fn what_is_foreseen_is_not_coded_anew() {
        let days: ArrayRef =
            Arc::new(Int64Array::from_iter((0..5_000).map(|row| (row % 9 > 0).then_some(row * 86_400))));
        let words: ArrayRef = Arc::new(StringArray::from_iter_values((0..5_000).map(|row| format!("w{}", row % 300))));
        let long: ArrayRef = Arc::new(StringArray::from_iter_values((0..5_000).map(|row| format!("{:030}", row % 7))));
        let arrays = [days, words, long];
        let types: Vec<DataType> = arrays.iter().map(|array| array.data_type().clone()).collect();
        let slices = |at: usize| arrays.iter().map(|array| array.slice(at, 500)).collect::<Vec<_>>();
        let mut plain = Codes::try_new(&types).unwrap_or_else(|error| unreachable!("{error}"));
        let mut told = Codes::try_new(&types).unwrap_or_else(|error| unreachable!("{error}"));
        for at in [0, 2_000, 4_500] {
            told.foresee(&slices(at), 5_000).unwrap_or_else(|error| unreachable!("{error}"));
        }
        let widths = |codes: &Codes| codes.parts[..2].iter().map(Part::widths).collect::<Vec<_>>();
        let before = widths(&told);
        for at in (0..5_000).step_by(500) {
            let ids = |codes: &mut Codes| {
                codes.ids(500, &slices(at), at + 500).unwrap_or_else(|error| unreachable!("{error}"))
            };
            assert_eq!(ids(&mut told), ids(&mut plain));
            assert_eq!(widths(&told), before, "from row {at}");
        }
        let back = |codes: &Codes| codes.arrays(0..codes.len()).unwrap_or_else(|error| unreachable!("{error}"));
        assert_eq!(back(&told), back(&plain));
        // Too late.
        told.foresee(&slices(0), 9).unwrap_or_else(|error| unreachable!("{error}"));
        assert_eq!((told.ahead, widths(&told)), (0, before));
    }

    #[test]
    #[cfg_attr(miri, ignore = "too many rows for an interpreter")]
    fn many_columns_make_byte_strings() {
        let mut codes = Codes::try_new(&vec![DataType::Int64; 40]).unwrap_or_else(|error| unreachable!("{error}"));
        // Rows that differ in one column each, twice over: 40 columns of 7 bits.
        let column = |column: usize| -> ArrayRef {
            let value = |row: usize| if row % 40 == column { (row / 40 % 100) as i64 * 1_000_003 } else { 0 };
            Arc::new(Int64Array::from_iter_values((0..8_000).map(value)))
        };
        let arrays: Vec<ArrayRef> = (0..40).map(column).collect();
        let ids = codes.ids(8_000, &arrays, 8_000).unwrap_or_else(|error| unreachable!("{error}"));
        assert!(matches!(codes.table, Table::Rows(_)));
        // The first forty rows are all zeros.
        let expected = (0..8_000u32).map(|row| (row % 4_000).saturating_sub(39));
        assert!(ids.iter().copied().eq(expected));
        let again = codes.ids(8_000, &arrays, 8_000).unwrap_or_else(|error| unreachable!("{error}"));
        assert_eq!(again, ids);
        let back = codes.arrays(0..codes.len()).unwrap_or_else(|error| unreachable!("{error}"));
        assert_eq!(back[5].len(), 3_961);
    }
}
