//! Things by number, in the order of their numbers.
//!
//! A tree would find a place for a new one faster among very many. Here there are few (the chunks of a table, a stream's
//! dictionaries), most come with the greatest number so far, and looking one up is all that has to be fast: two lists beside
//! each other do that in a tenth of a tree's code, and the search is the same code whatever the things are.

use std::iter::{Copied, Zip};
use std::slice::Iter;

/// Things by number.
#[derive(Debug, Clone, PartialEq)]
pub struct Ordered<V> {
    /// Rising, one for each value.
    numbers: Vec<u64>,
    values: Vec<V>,
}

impl<V> Default for Ordered<V> {
    fn default() -> Self {
        Self { numbers: Vec::new(), values: Vec::new() }
    }
}

/// Where a number is, or where it would be.
#[inline(never)]
fn place(numbers: &[u64], number: u64) -> Result<usize, usize> {
    match numbers.last() {
        Some(&last) if last >= number => numbers.binary_search(&number),
        _ => Err(numbers.len()),
    }
}

impl<V> Ordered<V> {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// The thing of this number.
    #[must_use]
    pub fn get(&self, number: u64) -> Option<&V> {
        place(&self.numbers, number).ok().and_then(|at| self.values.get(at))
    }

    /// The thing of this number, to be changed.
    pub fn get_mut(&mut self, number: u64) -> Option<&mut V> {
        place(&self.numbers, number).ok().and_then(|at| self.values.get_mut(at))
    }

    /// Puts a thing in, in the place of one of the same number.
    pub fn insert(&mut self, number: u64, value: V) {
        match place(&self.numbers, number) {
            Ok(at) => self.values[at] = value,
            Err(at) => {
                self.numbers.insert(at, number);
                self.values.insert(at, value);
            }
        }
    }

    /// Takes a thing out.
    pub fn remove(&mut self, number: u64) -> Option<V> {
        let at = place(&self.numbers, number).ok()?;
        self.numbers.remove(at);
        Some(self.values.remove(at))
    }

    /// Takes all out.
    pub fn clear(&mut self) {
        self.numbers.clear();
        self.values.clear();
    }

    /// The numbers, rising.
    #[must_use]
    pub fn numbers(&self) -> &[u64] {
        &self.numbers
    }

    /// The things, by rising number.
    #[must_use]
    pub fn values(&self) -> &[V] {
        &self.values
    }

    /// The things, to be changed.
    pub fn values_mut(&mut self) -> &mut [V] {
        &mut self.values
    }

    /// Numbers and things.
    pub fn iter(&self) -> Zip<Copied<Iter<'_, u64>>, Iter<'_, V>> {
        self.numbers.iter().copied().zip(&self.values)
    }

    /// Numbers and things, these to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (u64, &mut V)> {
        self.numbers.iter().copied().zip(&mut self.values)
    }

    /// The greatest number below this one.
    #[must_use]
    pub fn before(&self, number: u64) -> Option<u64> {
        let (Ok(at) | Err(at)) = place(&self.numbers, number);
        self.numbers.get(at.checked_sub(1)?).copied()
    }

    /// The least number above this one.
    #[must_use]
    pub fn after(&self, number: u64) -> Option<u64> {
        let at = match place(&self.numbers, number) {
            Ok(at) => at + 1,
            Err(at) => at,
        };
        self.numbers.get(at).copied()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn it_is_what_a_tree_is() {
        let (mut ordered, mut tree) = (Ordered::default(), BTreeMap::new());
        assert!(ordered.is_empty());
        let mut seed = 1u64;
        for step in 0..2_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let number = seed >> 58;
            if step % 3 == 2 {
                assert_eq!(ordered.remove(number), tree.remove(&number));
            } else {
                ordered.insert(number, step);
                tree.insert(number, step);
            }
            assert_eq!(ordered.len(), tree.len());
            assert!(ordered.iter().eq(tree.iter().map(|(&number, value)| (number, value))));
            assert_eq!(ordered.get(number), tree.get(&number));
            assert_eq!(ordered.get_mut(number), tree.get_mut(&number));
            assert_eq!(ordered.before(number), tree.range(..number).next_back().map(|(&number, _)| number));
            assert_eq!(ordered.after(number), tree.range(number + 1..).next().map(|(&number, _)| number));
        }
        ordered.clear();
        assert_eq!((ordered.before(9), ordered.after(0), ordered.values()), (None, None, &[][..]));
    }
}
