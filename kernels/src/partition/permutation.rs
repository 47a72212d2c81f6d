//! All numbers below a bound, each once, in an order that a seed gives: no list of them is held.
//!
//! A Feistel network of six rounds permutes the numbers of 2*k* bits, the least such power of four that is not below the bound;
//! a number that falls beyond the bound is permuted again until it does not (Black and Rogaway, 2002), which takes less than
//! four rounds of that on average. Any place of the order is known at once, so that a reader may begin anywhere.

use super::hash::{fold, mix};

/// Rounds: from four on the halves are mixed, small bounds want some more.
const ROUNDS: usize = 6;

/// An order of the numbers below a bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permutation {
    bound: u64,
    half: u32,
    keys: [u64; ROUNDS],
}

impl Permutation {
    /// The order of the numbers below `bound` that a seed of any length gives: the same in every process and on every
    /// machine.
    ///
    /// ```
    /// let order = kernels::partition::Permutation::new(5, &[7]);
    /// let mut numbers: Vec<u64> = (0..5).map(|place| order.at(place)).collect();
    /// numbers.sort_unstable();
    /// assert_eq!(numbers, [0, 1, 2, 3, 4]);
    /// ```
    #[must_use]
    pub fn new(bound: u64, seed: &[u64]) -> Self {
        let seed = seed.iter().fold(0, |hash, &word| fold(hash, word));
        let bits = u64::BITS - bound.saturating_sub(1).leading_zeros();
        let mut keys = [0; ROUNDS];
        for (round, key) in keys.iter_mut().enumerate() {
            *key = fold(seed, round as u64);
        }
        Self { bound, half: bits.div_ceil(2).max(1), keys }
    }

    /// The number that stands at a place. Both are below the bound; a place that is not is given back.
    #[must_use]
    pub fn at(&self, place: u64) -> u64 {
        if place >= self.bound {
            return place;
        }
        let mut number = place;
        loop {
            number = self.permute(number);
            if number < self.bound {
                return number;
            }
        }
    }

    fn permute(&self, number: u64) -> u64 {
        let mask = u64::MAX >> (64 - self.half);
        let (mut left, mut right) = (number >> self.half, number & mask);
        for key in self.keys {
            (left, right) = (right, left ^ (mix(right ^ key) & mask));
        }
        left << self.half | right
    }
}

#[cfg(test)]
mod tests {
    use super::Permutation;

    #[test]
    fn every_number_stands_once() {
        for bound in (0..70).chain([255, 256, 257, 1_000, 4_097]) {
            for seed in 0..4 {
                let order = Permutation::new(bound, &[seed]);
                let mut seen = vec![false; bound as usize];
                for place in 0..bound {
                    let number = order.at(place) as usize;
                    assert!(!std::mem::replace(&mut seen[number], true), "{number} twice below {bound}");
                }
            }
        }
        assert_ne!(Permutation::new(1_000, &[1]), Permutation::new(1_000, &[2]));
        assert!(Permutation::new(u64::MAX, &[3]).at(5) < u64::MAX);
    }

    /// The number at each place is as likely as any other: chi squared over seeds, far from both ends.
    #[test]
    fn no_number_is_favoured() {
        let (bound, seeds) = (10usize, 20_000u64);
        let mut counts = vec![0f64; bound * bound];
        for seed in 0..seeds {
            let order = Permutation::new(bound as u64, &[seed, 0]);
            for place in 0..bound {
                counts[place * bound + order.at(place as u64) as usize] += 1.0;
            }
        }
        let expected = seeds as f64 / bound as f64;
        let squares: f64 = counts.iter().map(|count| (count - expected).powi(2) / expected).sum();
        assert!(squares < 81.0 + 6.0 * (2.0f64 * 81.0).sqrt(), "{squares}");
    }
}
