//! Several key columns as one: each row's numbers side by side in a word, and the words interned.
//!
//! Each column has as many bits as its numbers need. When a column outgrows its bits, the words so far are laid
//! out anew. Columns that need more than 64 bits together are paired up one after the other instead.

use super::intern::WordInterner;

/// The groups of two or more key columns.
#[derive(Debug)]
pub(super) enum Combiner {
    Words {
        bits: Vec<u32>,
        table: WordInterner,
    },
    /// The first pairs columns 0 and 1, the next its result and column 2, and so on.
    Pairs(Vec<WordInterner>),
}

impl Combiner {
    pub(super) fn new(columns: usize) -> Self {
        Self::Words { bits: vec![0; columns], table: WordInterner::default() }
    }

    /// Number of groups so far.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Words { table, .. } => table.len(),
            Self::Pairs(pairs) => pairs.last().map_or(0, WordInterner::len),
        }
    }

    /// The group of each row. `columns` are the rows' numbers, column by column, each below its column's length.
    pub(super) fn ids(&mut self, columns: &[Vec<u32>], lengths: &[usize]) -> Vec<u32> {
        self.fit(lengths);
        match self {
            Self::Words { bits, table } => {
                let words = pack(columns, bits);
                let mut ids = Vec::new();
                table.intern_each(words.iter().copied(), 0, &mut ids);
                ids
            }
            Self::Pairs(pairs) => {
                let Some((first, rest)) = columns.split_first() else { return Vec::new() };
                let mut ids = first.clone();
                for (pairs, column) in pairs.iter_mut().zip(rest) {
                    let words = ids.iter().zip(column).map(|(&id, &other)| u64::from(id) << 32 | u64::from(other));
                    let mut next = Vec::new();
                    pairs.intern_each(words, 0, &mut next);
                    ids = next;
                }
                ids
            }
        }
    }

    /// Makes every column's numbers fit.
    fn fit(&mut self, lengths: &[usize]) {
        let Self::Words { bits, .. } = self else { return };
        let needed: Vec<u32> =
            lengths.iter().map(|&length| usize::BITS - length.saturating_sub(1).leading_zeros()).collect();
        if needed.iter().zip(&*bits).all(|(needed, bits)| needed <= bits) {
            return;
        }
        let total: u32 = needed.iter().sum();
        let columns = self.columns();
        // A bit to spare for each keeps new layouts rare, while there is room for it.
        let spare = u32::from(total + needed.len() as u32 <= 64);
        if total <= 64 {
            let bits: Vec<u32> = needed.iter().map(|needed| needed + spare).collect();
            let mut table = WordInterner::default();
            table.intern_each(pack(&columns, &bits).iter().copied(), 0, &mut Vec::new());
            *self = Self::Words { bits, table };
        } else {
            *self = Self::Pairs((1..needed.len()).map(|_| WordInterner::default()).collect());
            self.ids(&columns, lengths);
        }
    }

    /// For each column the numbers of all groups, in the order of the groups.
    pub(super) fn columns(&self) -> Vec<Vec<u32>> {
        match self {
            Self::Words { bits, table } => {
                let mut below: u32 = bits.iter().sum();
                let column = |&bits: &u32| {
                    below -= bits;
                    let mask = (1u64 << bits) - 1;
                    // A column may have no bits, and then stand above all 64 of them.
                    table.words().iter().map(|word| (word.checked_shr(below).unwrap_or(0) & mask) as u32).collect()
                };
                bits.iter().map(column).collect()
            }
            Self::Pairs(pairs) => {
                // Backwards: the last pair gives each group's last column, and the pair before it.
                let mut ids: Vec<u32> = (0..self.len() as u32).collect();
                let mut columns = Vec::with_capacity(pairs.len() + 1);
                for pairs in pairs.iter().rev() {
                    let words = pairs.words();
                    columns.push(ids.iter().map(|&id| words[id as usize] as u32).collect());
                    ids.iter_mut().for_each(|id| *id = (words[*id as usize] >> 32) as u32);
                }
                columns.push(ids);
                columns.reverse();
                columns
            }
        }
    }
}

/// Numbers side by side, the first column's in the highest bits.
fn pack(columns: &[Vec<u32>], bits: &[u32]) -> Vec<u64> {
    let Some((first, rest)) = columns.split_first() else { return Vec::new() };
    let mut words: Vec<u64> = first.iter().map(|&id| id.into()).collect();
    for (column, &bits) in rest.iter().zip(bits.get(1..).unwrap_or(&[])) {
        for (word, &id) in words.iter_mut().zip(column) {
            *word = *word << bits | u64::from(id);
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_stay_what_they_are_when_columns_outgrow_their_bits() {
        // From a few bits over 64 to pairs; every step must keep the groups of the steps before.
        let mut combiner = Combiner::new(3);
        let mut seen: Vec<[u32; 3]> = Vec::new();
        for power in [1u32, 3, 9, 20, 21, 25, 31] {
            let length = 1usize << power;
            let rows: Vec<[u32; 3]> =
                (0..500u32).map(|row| [row % 7, row.wrapping_mul(97) % length as u32, (length - 1) as u32]).collect();
            let columns: Vec<Vec<u32>> =
                (0..3).map(|column| rows.iter().map(|row| row[column] % length as u32).collect()).collect();
            let ids = combiner.ids(&columns, &[length; 3]);
            for (position, id) in ids.into_iter().enumerate() {
                let row = [columns[0][position], columns[1][position], columns[2][position]];
                let expected = seen.iter().position(|other| *other == row).unwrap_or_else(|| {
                    seen.push(row);
                    seen.len() - 1
                });
                assert_eq!(id as usize, expected, "2^{power}");
            }
            let back = combiner.columns();
            assert_eq!(combiner.len(), seen.len());
            assert!(
                seen.iter().enumerate().all(|(group, row)| (0..3).all(|column| back[column][group] == row[column]))
            );
        }
        assert!(matches!(combiner, Combiner::Pairs(_)));
    }
}
