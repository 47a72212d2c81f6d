//! What stands at a place of an order, without the whole order; and small sorts by comparison.

use std::cmp::Ordering;

#[cfg(feature = "small")]
use super::radix::insertion;

/// The key at place `nth` of the order, and the one behind it if there is one. `O(keys)`. There must be a key at `nth`;
/// the keys' own order changes.
#[cfg(not(feature = "small"))]
pub(crate) fn select(keys: &mut [u64], nth: usize) -> (u64, Option<u64>) {
    let (_, &mut low, above) = keys.select_nth_unstable(nth);
    (low, above.iter().copied().min())
}

/// The key at place `nth` of the order, and the one behind it if there is one. `O(keys)`. There must be a key at `nth`;
/// the keys' own order changes.
#[cfg(feature = "small")]
pub(crate) fn select(keys: &mut [u64], nth: usize) -> (u64, Option<u64>) {
    let low = radix_select(keys, nth);
    let (mut below, mut next) = (0, None);
    for &key in keys.iter() {
        below += usize::from(key <= low);
        if key > low && next.is_none_or(|next| key < next) {
            next = Some(key);
        }
    }
    (low, if below > nth + 1 { Some(low) } else { next })
}

/// The keys that share the wanted one's highest bits are moved to the front, and looked at again by the next bits. Each round
/// leaves at most a 256th of the range, so that there are at most eight.
#[cfg(feature = "small")]
fn radix_select(mut keys: &mut [u64], mut nth: usize) -> u64 {
    loop {
        if keys.len() <= 64 {
            insertion(keys);
            return keys[nth];
        }
        let (least, greatest) = crate::bitcode::bounds(keys);
        let shift = 56u32.saturating_sub((greatest - least).leading_zeros());
        let digit = |key: u64| ((key - least) >> shift) as usize;
        let mut counts = [0; 256];
        keys.iter().for_each(|&key| counts[digit(key)] += 1);
        let mut wanted = 0;
        while nth >= counts[wanted] {
            nth -= counts[wanted];
            wanted += 1;
        }
        if counts[wanted] == keys.len() {
            // All keys are equal.
            return least;
        }
        let mut kept = 0;
        for at in 0..keys.len() {
            if digit(keys[at]) == wanted {
                keys.swap(at, kept);
                kept += 1;
            }
        }
        keys = &mut keys[..kept];
    }
}

/// Sorts by a comparison; what is equal keeps its order.
pub(crate) fn sort_by(items: &mut [u32], compare: impl Fn(u32, u32) -> Ordering) {
    #[inline(never)]
    fn one_sort(items: &mut [u32], compare: &dyn Fn(u32, u32) -> Ordering) {
        items.sort_by(|&a, &b| compare(a, b));
    }
    if cfg!(feature = "small") { one_sort(items, &compare) } else { items.sort_by(|&a, &b| compare(a, b)) }
}

/// Sorts rows by their codes; what is equal keeps its order.
pub(crate) fn sort_pairs(pairs: &mut Vec<(u64, u32)>) {
    if cfg!(not(feature = "small")) {
        return pairs.sort_by_key(|pair| pair.0);
    }
    let mut places: Vec<u32> = (0..pairs.len() as u32).collect();
    sort_by(&mut places, |a, b| pairs[a as usize].0.cmp(&pairs[b as usize].0));
    *pairs = places.iter().map(|&place| pairs[place as usize]).collect();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_says_what_stands_at_a_place() {
        let spread = |row: u64, step: u64| (row * 7_919 % 1_237).wrapping_mul(step);
        for (length, step) in [(1, 1), (2, 3), (64, 1), (65, 1 << 40), (500, 0), (3_000, 1), (3_000, u64::MAX / 1_237)]
        {
            let keys: Vec<u64> = (0..length).map(|row| spread(row, step)).collect();
            let mut sorted = keys.clone();
            sorted.sort_unstable();
            for nth in (0..keys.len()).step_by(keys.len().div_ceil(97)).chain([keys.len() - 1]) {
                let found = select(&mut keys.clone(), nth);
                assert_eq!(found, (sorted[nth], sorted.get(nth + 1).copied()), "{nth} of {length} by {step}");
            }
        }
    }

    #[test]
    fn equal_items_keep_their_order() {
        let mut items: Vec<u32> = (0..1_000).collect();
        sort_by(&mut items, |a, b| (a % 7).cmp(&(b % 7)));
        let mut pairs: Vec<(u64, u32)> = (0..1_000).map(|row| (u64::from(row % 7), row)).collect();
        sort_pairs(&mut pairs);
        assert!(pairs.iter().map(|pair| pair.1).eq(items.iter().copied()));
        assert!(items.windows(2).all(|pair| (pair[0] % 7, pair[0]) < (pair[1] % 7, pair[1])));
    }
}
