//! Where the chunks of a column begin, and in which of them a row lies.

/// The first row of each chunk.
#[derive(Debug)]
pub(crate) struct Starts {
    starts: Vec<usize>,
    /// The rows of every chunk but the last, as a power of two, when they are as many: what readers make.
    shift: Option<u32>,
}

impl Starts {
    /// Of chunks of these lengths.
    pub(crate) fn new(lengths: impl Iterator<Item = usize> + Clone) -> Self {
        let mut starts = Vec::new();
        let mut rows = 0usize;
        for length in lengths.clone() {
            starts.push(rows);
            rows = rows.saturating_add(length);
        }
        let first = lengths.clone().next().unwrap_or(0);
        let even = first.is_power_of_two()
            && lengths
                .enumerate()
                .all(|(chunk, length)| length == first || chunk + 1 == starts.len() && length < first);
        Self { starts, shift: even.then(|| first.trailing_zeros()) }
    }

    /// The chunk of a row, and the row in it. The row must be one of the column's.
    #[inline]
    pub(crate) fn locate(&self, row: usize) -> (usize, usize) {
        if self.starts.len() == 1 {
            return (0, row);
        }
        if let Some(shift) = self.shift {
            return (row >> shift, row & ((1 << shift) - 1));
        }
        let chunk = self.starts.partition_point(|&start| start <= row).saturating_sub(1);
        (chunk, row - self.starts[chunk])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_found() {
        let cases: [&[usize]; 7] = [&[5], &[4, 4, 4], &[4, 4, 1], &[8, 8, 0], &[4, 4, 5], &[0, 3, 0, 2], &[1, 1, 1]];
        for lengths in cases {
            let starts = Starts::new(lengths.iter().copied());
            let mut row = 0;
            for (chunk, &length) in lengths.iter().enumerate() {
                for place in 0..length {
                    assert_eq!(starts.locate(row), (chunk, place), "{lengths:?}");
                    row += 1;
                }
            }
        }
    }
}
