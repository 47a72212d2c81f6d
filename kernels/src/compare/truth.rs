//! Three-valued logic over bitmaps.

use arrow_buffer::{BooleanBuffer, NullBuffer};

use crate::{Mask, bits};

/// For each row: true, false or unknown (SQL's NULL).
///
/// Kept as two bitmaps, where the answer is true and where it is false, so that the logic of Kleene is
/// plain bit arithmetic: `and` is (T∧T, F∨F), `or` is (T∨T, F∧F), `not` swaps. The second bitmap is
/// absent while nothing is unknown.
#[derive(Debug, Clone, PartialEq)]
pub struct Truth {
    is_true: BooleanBuffer,
    is_false: Option<BooleanBuffer>,
}

fn and(a: &BooleanBuffer, b: &BooleanBuffer) -> BooleanBuffer {
    bits::combine(a, b, |a, b| a & b)
}

fn or(a: &BooleanBuffer, b: &BooleanBuffer) -> BooleanBuffer {
    bits::combine(a, b, |a, b| a | b)
}

fn not(a: &BooleanBuffer) -> BooleanBuffer {
    bits::combine(a, a, |a, _| !a)
}

impl Truth {
    /// Every answer is known.
    pub(crate) fn known(is_true: BooleanBuffer) -> Self {
        Self { is_true, is_false: None }
    }

    /// The same known answer for every row.
    pub(crate) fn constant(rows: usize, answer: bool) -> Self {
        Self::known(Mask::constant(rows, answer).bits().clone())
    }

    /// Unknown for every row.
    pub(crate) fn unknown(rows: usize) -> Self {
        let none = BooleanBuffer::new_unset(rows);
        Self { is_true: none.clone(), is_false: Some(none) }
    }

    /// The given answers for rows that are valid, unknown for the others.
    pub(crate) fn of_valid(answers: BooleanBuffer, nulls: Option<&NullBuffer>) -> Self {
        match nulls {
            Some(nulls) if nulls.null_count() > 0 => {
                let valid = nulls.inner();
                Self { is_false: Some(bits::combine(valid, &answers, |v, a| v & !a)), is_true: and(valid, &answers) }
            }
            _ => Self::known(answers),
        }
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.is_true.len()
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.is_true.is_empty()
    }

    /// The answer of a row; `None` is unknown.
    ///
    /// # Panics
    /// When the row is not below [`Truth::len`], as a slice does.
    #[must_use]
    pub fn get(&self, row: usize) -> Option<bool> {
        if self.is_true.value(row) {
            return Some(true);
        }
        match &self.is_false {
            Some(is_false) if !is_false.value(row) => None,
            _ => Some(false),
        }
    }

    /// Whether no row's answer is true and none can become so by a further `and`.
    pub(crate) fn is_never_true(&self) -> bool {
        !self.is_true.has_true()
    }

    fn is_false(&self) -> BooleanBuffer {
        self.is_false.clone().unwrap_or_else(|| not(&self.is_true))
    }

    /// True where both are, false where either is.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let is_true = and(&self.is_true, &other.is_true);
        let is_false = match (&self.is_false, &other.is_false) {
            (None, None) => None,
            _ => Some(or(&self.is_false(), &other.is_false())),
        };
        Self { is_true, is_false }
    }

    /// True where either is, false where both are.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        let is_true = or(&self.is_true, &other.is_true);
        let is_false = match (&self.is_false, &other.is_false) {
            (None, None) => None,
            _ => Some(and(&self.is_false(), &other.is_false())),
        };
        Self { is_true, is_false }
    }

    /// True and false change places; unknown stays.
    #[must_use]
    pub fn not(&self) -> Self {
        match &self.is_false {
            None => Self::known(not(&self.is_true)),
            Some(is_false) => Self { is_true: is_false.clone(), is_false: Some(self.is_true.clone()) },
        }
    }

    /// The rows whose answer is true: what SQL's WHERE keeps.
    #[must_use]
    pub fn to_mask(&self) -> Mask {
        Mask::new(self.is_true.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Option<bool>; 3] = [Some(true), Some(false), None];

    fn truth(values: &[Option<bool>]) -> Truth {
        let bits: BooleanBuffer = values.iter().map(|v| v.unwrap_or(true)).collect();
        let nulls = NullBuffer::from_iter(values.iter().map(Option::is_some));
        Truth::of_valid(bits, Some(&nulls))
    }

    #[test]
    fn kleene_tables() {
        let pairs: Vec<_> = ALL.iter().flat_map(|a| ALL.iter().map(move |b| (*a, *b))).collect();
        let left = truth(&pairs.iter().map(|p| p.0).collect::<Vec<_>>());
        let right = truth(&pairs.iter().map(|p| p.1).collect::<Vec<_>>());
        for (row, (a, b)) in pairs.iter().enumerate() {
            let and = match (a, b) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            };
            let or = match (a, b) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            };
            assert_eq!(left.and(&right).get(row), and, "{a:?} and {b:?}");
            assert_eq!(left.or(&right).get(row), or, "{a:?} or {b:?}");
            assert_eq!(left.not().get(row), a.map(|a| !a), "not {a:?}");
        }
        assert_eq!(Truth::unknown(2).not().get(1), None);
    }
}
