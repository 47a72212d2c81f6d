//! Pieces read on every core, and what comes of them in their order.
//!
//! A wave is so many pieces as all cores have something to do; the first is small, for whoever has enough after one piece, and
//! each next is larger. Pieces that one reader gives best, as those of a Parquet row group, stay together.

use std::sync::Arc;

use arrow_array::RecordBatch;
use rayon::prelude::*;

use crate::source::Source;
use crate::{Error, Result};

/// Rows for which a thread of their own is worth while.
const TASK_ROWS: usize = 1 << 17;
/// Tasks of one thread in a wave, at most.
const DEEP: usize = 4;

/// Reads some columns of some pieces (ascending numbers); `each` is called for every batch on any core, `taken` for what comes
/// of it in the order of the pieces, until it says that it has enough.
///
/// # Errors
/// What the source reports, and what the two return.
pub(super) fn sweep<T: Send>(
    source: &Arc<dyn Source>,
    columns: &[usize],
    pieces: &[usize],
    each: impl Fn(usize, RecordBatch) -> Result<T> + Sync,
    mut taken: impl FnMut(usize, T) -> Result<bool>,
) -> Result<()> {
    let rows = source.pieces();
    let tasks = tasks(pieces, &source.together(columns, pieces), &rows);
    let read = |task: &[usize]| -> Result<Vec<T>> {
        let mut batches = source.scan(Some(columns), Some(task))?;
        let gone = || Error::Internal("a file has fewer batches than before".to_owned());
        task.iter().map(|&piece| each(piece, batches.next().ok_or_else(gone)??)).collect()
    };
    let threads = rayon::current_num_threads();
    let (mut next, mut wave) = (0, 1);
    while next < tasks.len() {
        let now = &tasks[next..(next + wave).min(tasks.len())];
        next += now.len();
        wave = if wave == 1 { threads.max(2) } else { (2 * wave).min(DEEP * threads.max(2)) };
        let done: Vec<Result<Vec<T>>> = match now {
            [task] => vec![read(task)],
            tasks => tasks.par_iter().with_max_len(1).map(|task| read(task)).collect(),
        };
        for (task, made) in now.iter().zip(done) {
            for (&piece, made) in task.iter().zip(made?) {
                if !taken(piece, made)? {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

/// Pieces cut into tasks: the first is one piece, the others have enough rows, and end where a reader ends.
fn tasks<'a>(pieces: &'a [usize], together: &[usize], rows: &[usize]) -> Vec<&'a [usize]> {
    let mut tasks = Vec::new();
    let (mut begin, mut gathered) = (0, 0);
    for (at, &piece) in pieces.iter().enumerate() {
        gathered += rows.get(piece).copied().unwrap_or(0);
        let goes_on = together.get(at).is_some_and(|this| together.get(at + 1) == Some(this));
        let is_enough = gathered >= TASK_ROWS || tasks.is_empty();
        if (is_enough && !goes_on) || at + 1 == pieces.len() {
            tasks.push(&pieces[begin..=at]);
            (begin, gathered) = (at + 1, 0);
        }
    }
    tasks
}

#[cfg(test)]
mod tests {
    #[test]
    fn tasks_end_where_a_reader_ends() {
        let rows = [40_000; 10];
        let pieces = [0, 1, 2, 3, 4, 5, 6, 8, 9];
        let alone: Vec<Vec<usize>> = super::tasks(&pieces, &pieces, &rows).into_iter().map(<[usize]>::to_vec).collect();
        assert_eq!(alone, [vec![0], vec![1, 2, 3, 4], vec![5, 6, 8, 9]]);
        let groups = [0, 0, 1, 1, 1, 1, 1, 2, 2];
        let held: Vec<Vec<usize>> = super::tasks(&pieces, &groups, &rows).into_iter().map(<[usize]>::to_vec).collect();
        assert_eq!(held, [vec![0, 1], vec![2, 3, 4, 5, 6], vec![8, 9]]);
        assert!(super::tasks(&[], &[], &rows).is_empty());
    }
}
