//! Which rows can come among the first `limit` ones.
//!
//! A pool of candidates is cut back to the best `limit` prefixes whenever it has doubled; from then on the
//! worst of them is a threshold that most rows fail at once. Rows with the threshold's own prefix stay,
//! since later bytes or later keys may decide between them. Without a limit that pays, all rows are
//! candidates.

use super::SortOptions;
use super::column::Column;
use crate::query::Nulls;

/// Row numbers, ascending, among which the first `limit` rows of the order are found.
pub(super) fn candidates(column: &Column<'_>, options: SortOptions, rows: usize, limit: usize) -> Vec<u32> {
    let all = 0..rows as u32;
    if limit.saturating_mul(8) >= rows {
        return all.collect();
    }
    let (mut nulls, mut wanted) = (Vec::new(), limit);
    if column.has_nulls() {
        nulls = all.clone().filter(|&row| !column.is_valid(row)).collect();
        let valid = rows - nulls.len();
        match options.nulls {
            Nulls::First if nulls.len() >= limit => return nulls,
            Nulls::First => wanted -= nulls.len(),
            Nulls::Last if valid >= limit => nulls.clear(),
            Nulls::Last => wanted = valid,
        }
    }
    let mut pool: Vec<(u64, u32)> = Vec::with_capacity(2 * wanted + 64);
    let mut cut_at = 2 * wanted + 64;
    let mut threshold = u64::MAX;
    for row in all.filter(|&row| column.is_valid(row)) {
        let prefix = column.prefix(row);
        let prefix = if options.descending { !prefix } else { prefix };
        if prefix > threshold {
            continue;
        }
        pool.push((prefix, row));
        if pool.len() >= cut_at && wanted > 0 {
            threshold = pool.select_nth_unstable(wanted - 1).1.0;
            pool.retain(|entry| entry.0 <= threshold);
            cut_at = 2 * pool.len() + 64;
        }
    }
    let mut rows: Vec<u32> = pool.into_iter().map(|entry| entry.1).collect();
    rows.append(&mut nulls);
    rows.sort_unstable();
    rows
}
