//! Work that several threads may share.
//!
//! With the feature `parallel`, tasks run on the rayon pool that the caller stands in (by default one thread for each
//! core; `rayon::ThreadPool::install` chooses another). Without it, and in a pool of one thread, they run one after
//! another and nothing is split. Results are the same but for the last digits of floating-point sums, which are added
//! up piece by piece.

use std::ops::Range;

use crate::Result;
use crate::error::all;

/// Rows below which a second thread costs more than it brings.
pub(crate) const WORTH: usize = 1 << 17;

/// Threads at hand.
pub(crate) fn count() -> usize {
    #[cfg(feature = "parallel")]
    return rayon::current_num_threads();
    #[cfg(not(feature = "parallel"))]
    1
}

/// Calls `each` for every task, on all threads at hand; the results stand in the order of the tasks.
pub(crate) fn map<T: Send, R: Send>(tasks: Vec<T>, each: impl Fn(T) -> R + Sync + Send) -> Vec<R> {
    #[cfg(feature = "parallel")]
    if tasks.len() > 1 && count() > 1 {
        use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};
        return tasks.into_par_iter().with_max_len(1).map(each).collect();
    }
    tasks.into_iter().map(each).collect()
}

/// As [`map`]; the first error in the order of the tasks.
pub(crate) fn try_map<T: Send, R: Send>(tasks: Vec<T>, each: impl Fn(T) -> Result<R> + Sync + Send) -> Result<Vec<R>> {
    if cfg!(not(feature = "parallel")) || count() == 1 || tasks.len() < 2 {
        return all(tasks.into_iter().map(each));
    }
    all(map(tasks, each))
}

/// As [`try_map`], on one thread when there are few rows.
pub(crate) fn try_map_if<T: Send, R: Send>(
    rows: usize,
    tasks: Vec<T>,
    each: impl Fn(T) -> Result<R> + Sync + Send,
) -> Result<Vec<R>> {
    if rows < WORTH && count() > 1 { all(tasks.into_iter().map(each)) } else { try_map(tasks, each) }
}

/// Calls `each` for each of the [`ranges`] of so many rows.
pub(crate) fn map_ranges<R: Send>(
    rows: usize,
    multiple: usize,
    each: impl Fn(Range<usize>) -> R + Sync + Send,
) -> Vec<R> {
    if count() == 1 { vec![each(0..rows)] } else { map(ranges(rows, multiple), each) }
}

/// Rows cut into a range for each thread, at multiples of `multiple`; one range when there are few.
pub(crate) fn ranges(rows: usize, multiple: usize) -> Vec<Range<usize>> {
    let threads = if rows < WORTH { 1 } else { count() };
    let step = rows.div_ceil(threads).next_multiple_of(multiple).max(1);
    (0..threads).map(|thread| rows.min(thread * step)..rows.min((thread + 1) * step)).collect()
}
