//! What is found out of a file's pieces while its copy is made, and kept in a file beside the copy: of each column and piece the
//! least value, the greatest and the number of nulls; and of columns with few different values how often each stands in each
//! piece. Queries that would have to look for these would read whole columns.
//!
//! On disk: an Arrow stream for each table of the notes, each behind its length; then a checksum. Notes that are not whole, or
//! not of this copy, are none.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch, UInt32Array, UInt64Array};
use arrow_buffer::Buffer;
use arrow_schema::{DataType, Field, Schema};
use kernels::query::AggregateFunction;
use kernels::{GroupBy, Indices, KeyNumbers, statistics, take_chunks};

use super::{Bounds, Tallies};

/// A column with more different values is not counted.
const FEW: usize = 256;
/// Rows by which it is decided whether a column is worth counting.
const SAMPLE: usize = 1_024;
/// What a file of notes begins with.
const MAGIC: &[u8; 8] = b"BKNOTES1";

/// What is known of a file's pieces.
#[derive(Debug, Clone)]
pub(super) struct Notes {
    pieces: usize,
    bounds: BTreeMap<usize, Bounds>,
    tallies: BTreeMap<usize, Tallies>,
}

/// What one column of one piece holds.
#[derive(Debug)]
struct Noted {
    /// The least and the greatest value, and the number of nulls.
    bounds: Option<(ArrayRef, ArrayRef, u64)>,
    /// The different values and how often each comes.
    values: Option<(ArrayRef, Vec<u32>)>,
}

/// What one piece holds.
#[derive(Debug)]
pub(super) struct Page(Vec<Noted>);

/// Looks at pieces, on any thread.
#[derive(Debug)]
pub(super) struct Look {
    /// Whether a column seems to have few different values.
    counts: Vec<AtomicBool>,
}

impl Look {
    pub(super) fn new(schema: &Schema) -> Self {
        let able = |field: &Arc<Field>| !field.data_type().is_nested() && !field.data_type().is_floating();
        Self { counts: schema.fields().iter().map(|field| AtomicBool::new(able(field))).collect() }
    }

    /// Looks at a piece; what cannot be found out is left out.
    pub(super) fn at(&self, piece: &RecordBatch) -> Page {
        let columns = piece.columns().iter().zip(&self.counts).map(|(column, counts)| {
            let values = values(column, counts);
            // Few values have the bounds of all rows.
            let bounded = values.as_ref().map_or(column, |(values, _)| values);
            Noted { bounds: bounds(bounded, column.logical_null_count() as u64), values }
        });
        Page(columns.collect())
    }
}

fn bounds(values: &ArrayRef, nulls: u64) -> Option<(ArrayRef, ArrayRef, u64)> {
    if values.data_type().is_nested() {
        return None;
    }
    let both = [AggregateFunction::Min, AggregateFunction::Max].map(|one| (one, vec![values.data_type().clone()]));
    let mut state = GroupBy::try_new(&[], &both).ok()?;
    state.update(values.len(), &[], &[vec![values.as_ref()], vec![values.as_ref()]]).ok()?;
    let [min, max] = state.aggregate_arrays().ok()?.try_into().ok()?;
    Some((min, max, nulls))
}

fn values(column: &ArrayRef, counts: &AtomicBool) -> Option<(ArrayRef, Vec<u32>)> {
    if !counts.load(Ordering::Relaxed) {
        return None;
    }
    let sample = column.slice(0, SAMPLE.min(column.len()));
    let found = match statistics::count_distinct(&[sample.as_ref()]) {
        Ok(distinct) if distinct <= FEW => statistics::value_counts(&[column.as_ref()], None).ok(),
        _ => None,
    };
    match found.filter(|found| found.distinct <= FEW) {
        Some(found) => {
            let counts = found.counts.values().iter().map(|&count| u32::try_from(count).unwrap_or(u32::MAX));
            Some((found.values, counts.collect()))
        }
        None => {
            counts.store(false, Ordering::Relaxed);
            None
        }
    }
}

/// Some arrays of one type, one behind the other.
fn joined(arrays: &[ArrayRef]) -> Option<ArrayRef> {
    let chunks: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
    let all = Indices::identity(chunks.iter().map(|chunk| chunk.len()).sum()).ok()?;
    take_chunks(&chunks, &all).ok()
}

/// A column's numbers in each piece, over the values of all pieces.
fn tallied(pages: &[Page], column: usize) -> Option<Tallies> {
    let of_pieces = pages.iter().map(|Page(columns)| columns.get(column)?.values.as_ref());
    let of_pieces = of_pieces.collect::<Option<Vec<_>>>()?;
    let mut numbers = KeyNumbers::try_new(&[of_pieces.first()?.0.data_type().clone()]).ok()?;
    let mut places = Vec::with_capacity(of_pieces.len());
    for (values, _) in &of_pieces {
        places.push(numbers.update(values.len(), &[values.as_ref()]).ok()?);
        if numbers.len() > FEW {
            return None;
        }
    }
    let width = numbers.len();
    let mut counts = vec![0; width * of_pieces.len()];
    for ((row, (_, of_piece)), places) in counts.chunks_exact_mut(width.max(1)).zip(&of_pieces).zip(places) {
        places.into_iter().zip(of_piece).for_each(|(place, &count)| row[place as usize] = count);
    }
    // Numbers are given in the order of first rows, as here.
    let chunks: Vec<&dyn Array> = of_pieces.iter().map(|(values, _)| values.as_ref()).collect();
    let values = statistics::unique(&chunks).ok()?;
    (values.len() == width).then(|| Tallies { values, counts: Arc::new(counts) })
}

impl Notes {
    /// Puts what was found out of all pieces together.
    pub(super) fn of(pages: &[Page]) -> Self {
        let columns = pages.first().map_or(0, |Page(columns)| columns.len());
        let mut notes = Self { pieces: pages.len(), bounds: BTreeMap::new(), tallies: BTreeMap::new() };
        for column in 0..columns {
            let of_pieces = pages.iter().map(|Page(columns)| columns.get(column)?.bounds.clone());
            if let Some(of_pieces) = of_pieces.collect::<Option<Vec<_>>>() {
                let mins: Vec<ArrayRef> = of_pieces.iter().map(|(min, ..)| min.clone()).collect();
                let maxes: Vec<ArrayRef> = of_pieces.iter().map(|(_, max, _)| max.clone()).collect();
                let nulls = of_pieces.iter().map(|(.., nulls)| *nulls).collect();
                let joined = joined(&mins).zip(joined(&maxes));
                notes.bounds.extend(joined.map(|(min, max)| (column, whole(min, max, nulls))));
            }
            notes.tallies.extend(tallied(pages, column).map(|tallies| (column, tallies)));
        }
        notes
    }

    pub(super) fn pieces(&self) -> usize {
        self.pieces
    }

    pub(super) fn bounds(&self, column: usize) -> Option<Bounds> {
        self.bounds.get(&column).cloned()
    }

    pub(super) fn tallies(&self, column: usize) -> Option<Tallies> {
        self.tallies.get(&column).cloned()
    }

    /// The notes as bytes; nothing when they cannot be written.
    pub(super) fn to_bytes(&self) -> Option<Vec<u8>> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend((self.pieces as u64).to_le_bytes());
        let parts: Vec<(String, ArrayRef)> = self
            .bounds
            .iter()
            .flat_map(|(column, Bounds { min, max, nulls, .. })| {
                let nulls: ArrayRef = Arc::new(nulls.clone());
                [("min", min.clone()), ("max", max.clone()), ("nulls", nulls)]
                    .map(|(part, array)| (named(part, *column), array))
            })
            .collect();
        table(&mut bytes, parts)?;
        for (column, Tallies { values, counts }) in &self.tallies {
            table(&mut bytes, vec![(named("values", *column), values.clone())])?;
            let counts: ArrayRef = Arc::new(UInt32Array::from(counts.to_vec()));
            table(&mut bytes, vec![(named("counts", *column), counts)])?;
        }
        let checksum = crc32fast::hash(&bytes);
        bytes.extend(checksum.to_le_bytes());
        Some(bytes)
    }

    /// Reads notes; none when they are not there or not whole.
    pub(super) fn read(path: &Path) -> Option<Self> {
        Self::from_bytes(std::fs::read(path).ok()?)
    }

    fn from_bytes(mut bytes: Vec<u8>) -> Option<Self> {
        let checksum = u32::from_le_bytes(bytes.split_off(bytes.len().checked_sub(4)?).try_into().ok()?);
        if crc32fast::hash(&bytes) != checksum || !bytes.starts_with(MAGIC) {
            return None;
        }
        let bytes = Buffer::from_vec(bytes);
        let number = |at: usize| Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
        let pieces = usize::try_from(number(8)?).ok()?;
        let mut arrays: BTreeMap<String, ArrayRef> = BTreeMap::new();
        let mut at = 16;
        while at < bytes.len() {
            let length = usize::try_from(number(at)?).ok()?;
            let stream = (at + 8).checked_add(length).filter(|&end| end <= bytes.len())?;
            // A copy, which is aligned.
            let stream = Buffer::from_vec(bytes.get(at + 8..stream)?.to_vec());
            let (_, batches) = wire::stream::read(stream, &wire::Limits::default()).ok()?;
            for batch in &batches {
                let schema = batch.schema();
                let names = schema.fields().iter().map(|field| field.name().clone());
                arrays.extend(names.zip(batch.columns().iter().cloned()));
            }
            at += 8 + length;
        }
        let mut notes = Self { pieces, bounds: BTreeMap::new(), tallies: BTreeMap::new() };
        for (name, array) in &arrays {
            let Some((part, column)) = name.split_once(' ') else { continue };
            let column: usize = column.parse().ok()?;
            let other = |part| arrays.get(&named(part, column)).cloned();
            match part {
                "min" => {
                    let nulls = other("nulls")?.as_primitive_opt::<arrow_array::types::UInt64Type>()?.clone();
                    notes.bounds.insert(column, whole(array.clone(), other("max")?, nulls));
                }
                "values" => {
                    let counts = other("counts")?.as_primitive_opt::<UInt32Type>()?.values().to_vec();
                    if counts.len() != array.len() * pieces {
                        return None;
                    }
                    notes.tallies.insert(column, Tallies { values: array.clone(), counts: Arc::new(counts) });
                }
                _ => {}
            }
        }
        let fits = |Bounds { min, max, nulls, .. }: &Bounds| [min.len(), max.len(), nulls.len()] == [pieces; 3];
        notes.bounds.values().all(fits).then_some(notes)
    }
}

fn whole(min: ArrayRef, max: ArrayRef, nulls: UInt64Array) -> Bounds {
    Bounds { min, max, known: BooleanArray::from(vec![true; nulls.len()]), nulls }
}

fn named(part: &str, column: usize) -> String {
    format!("{part} {column}")
}

/// Writes a table of the notes behind its length.
fn table(bytes: &mut Vec<u8>, columns: Vec<(String, ArrayRef)>) -> Option<()> {
    if columns.is_empty() {
        return Some(());
    }
    let field = |(name, array): &(String, ArrayRef)| Field::new(name, DataType::clone(array.data_type()), true);
    let schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
    let batch = RecordBatch::try_new(schema.clone(), columns.into_iter().map(|(_, array)| array).collect()).ok()?;
    let mut encoder = wire::stream::StreamEncoder::try_new(&schema).ok()?;
    let mut parts = encoder.encode(&batch).ok()?;
    parts.extend(encoder.finish().ok()?);
    bytes.extend(parts.iter().map(|part| part.len() as u64).sum::<u64>().to_le_bytes());
    parts.iter().for_each(|part| bytes.extend_from_slice(part));
    Some(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops where it fails")]
mod tests {
    use arrow_array::{Float64Array, Int64Array, StringArray};

    use super::*;

    fn pieces() -> Vec<RecordBatch> {
        let piece = |numbers: Vec<Option<i64>>, words: Vec<&str>| {
            let unlike: Vec<f64> = (0..numbers.len()).map(|row| row as f64).collect();
            let arrays: [(&str, ArrayRef); 3] = [
                ("number", Arc::new(Int64Array::from(numbers))),
                ("word", Arc::new(StringArray::from(words))),
                ("float", Arc::new(Float64Array::from(unlike))),
            ];
            RecordBatch::try_from_iter_with_nullable(arrays.map(|(name, array)| (name, array, true))).unwrap()
        };
        vec![
            piece(vec![Some(3), None, Some(3)], vec!["b", "a", "b"]),
            piece(vec![None], vec!["c"]),
            piece((0..600).map(Some).collect(), (0..600).map(|row| if row < 599 { "a" } else { "d" }).collect()),
        ]
    }

    #[test]
    fn notes_are_what_the_pieces_hold_and_survive_the_disk() {
        let pieces = pieces();
        let look = Look::new(pieces[0].schema_ref());
        let pages: Vec<Page> = pieces.iter().map(|piece| look.at(piece)).collect();
        let bytes = Notes::of(&pages).to_bytes().unwrap();
        let notes = Notes::from_bytes(bytes.clone()).unwrap();
        assert_eq!(notes.pieces(), 3);
        let Bounds { min, max, nulls, .. } = notes.bounds(0).unwrap();
        assert_eq!(min.as_ref(), &Int64Array::from(vec![Some(3), None, Some(0)]) as &dyn Array);
        assert_eq!(max.as_ref(), &Int64Array::from(vec![Some(3), None, Some(599)]) as &dyn Array);
        assert_eq!(nulls.values().to_vec(), [1, 1, 0]);
        assert!(notes.tallies(0).is_none(), "one piece has too many different numbers");
        assert!(notes.tallies(2).is_none() && notes.bounds(2).is_some());
        let Tallies { values, counts } = notes.tallies(1).unwrap();
        let values: Vec<&str> = values.as_string::<i32>().iter().flatten().collect();
        assert_eq!(values, ["b", "a", "c", "d"]);
        assert_eq!(*counts, [2, 1, 0, 0, 0, 0, 1, 0, 0, 599, 0, 1]);
        for cut in 0..bytes.len() {
            assert!(Notes::from_bytes(bytes[..cut].to_vec()).is_none(), "{cut}");
            let mut bent = bytes.clone();
            bent[cut] ^= 16;
            assert!(Notes::from_bytes(bent).is_none(), "{cut}");
        }
    }
}
