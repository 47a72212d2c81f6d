//! Files of one schema, one behind the other, as one table.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_schema::{Field, Schema, SchemaRef};

use super::{Batches, Source};
use crate::{Error, Result};

/// A source and the pieces of it that are read.
type Part = (Arc<dyn Source>, Option<Vec<usize>>);

/// Sources of one schema.
pub(super) struct Joined {
    parts: Vec<Arc<dyn Source>>,
    schema: SchemaRef,
}

impl Joined {
    /// Joins the files of a folder.
    ///
    /// # Errors
    /// [`Error::Format`] that names the file and the column that differ from the first.
    pub(super) fn try_new(folder: &Path, files: &[PathBuf], parts: Vec<Arc<dyn Source>>) -> Result<Self> {
        let Some(schema) = parts.first().map(|part| part.schema().clone()) else {
            return Err(Error::Format { path: folder.to_owned(), reason: "the folder is empty".to_owned() });
        };
        for (part, path) in parts.iter().zip(files) {
            let differs = |reason: String| Error::Format { path: path.clone(), reason };
            let (expected, found) = (schema.fields(), part.schema().fields());
            if expected.len() != found.len() {
                return Err(differs(format!("{} columns, the first file has {}", found.len(), expected.len())));
            }
            for (known, field) in expected.iter().zip(found) {
                if known.name() != field.name() || known.data_type() != field.data_type() {
                    return Err(differs(format!(
                        "column \"{}\" is {}, in the first file column \"{}\" is {}",
                        field.name(),
                        field.data_type(),
                        known.name(),
                        known.data_type()
                    )));
                }
            }
        }
        // One file may have nulls where another has none.
        let fields: Vec<Field> =
            schema.fields().iter().map(|field| field.as_ref().clone().with_nullable(true)).collect();
        Ok(Self { parts, schema: Arc::new(Schema::new(fields)) })
    }
}

impl Source for Joined {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn rows(&self) -> usize {
        self.parts.iter().map(|part| part.rows()).sum()
    }

    fn bytes(&self) -> u64 {
        self.parts.iter().map(|part| part.bytes()).sum()
    }

    fn unpacked(&self) -> u64 {
        self.parts.iter().map(|part| part.unpacked()).sum()
    }

    fn tag(&self) -> u64 {
        self.parts.iter().fold(0, |tag, part| tag.rotate_left(7) ^ part.tag())
    }

    fn pieces(&self) -> Vec<usize> {
        let parts: Vec<Vec<usize>> = self.parts.iter().map(|part| part.pieces()).collect();
        // One part whose pieces are not known leaves none known.
        if parts.iter().zip(&self.parts).any(|(pieces, part)| pieces.is_empty() && part.rows() > 0) {
            return Vec::new();
        }
        parts.concat()
    }

    fn together(&self, columns: &[usize], pieces: &[usize]) -> Vec<usize> {
        let (mut first, mut number, mut all) = (0, 0, Vec::with_capacity(pieces.len()));
        for part in &self.parts {
            let past = first + part.pieces().len();
            let own: Vec<usize> =
                pieces.iter().filter(|&&piece| (first..past).contains(&piece)).map(|piece| piece - first).collect();
            let stretches = part.together(columns, &own);
            for (at, stretch) in stretches.iter().enumerate() {
                // No two parts share a stretch.
                number += usize::from(at == 0 || stretches[at - 1] != *stretch);
                all.push(number);
            }
            first = past;
        }
        all
    }

    fn scan(&self, columns: Option<&[usize]>, pieces: Option<&[usize]>) -> Result<Batches> {
        let mut first = 0;
        let mut parts: Vec<Part> = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            let Some(pieces) = pieces else {
                parts.push((part.clone(), None));
                continue;
            };
            let past = first + part.pieces().len();
            let own = pieces.iter().filter(|&&piece| (first..past).contains(&piece)).map(|piece| piece - first);
            let own: Vec<usize> = own.collect();
            if !own.is_empty() {
                parts.push((part.clone(), Some(own)));
            }
            first = past;
        }
        let columns = columns.map(<[usize]>::to_vec);
        let schema = match &columns {
            Some(columns) => self.schema.project(columns).map(Arc::new),
            None => Ok(self.schema.clone()),
        };
        let schema = schema.map_err(|error| Error::Internal(error.to_string()))?;
        // Each file is opened when the one before has been read.
        Ok(Box::new(parts.into_iter().flat_map(move |(part, pieces)| -> Batches {
            let schema = schema.clone();
            match part.scan(columns.as_deref(), pieces.as_deref()) {
                // Files may differ in what they say of nulls and in metadata; their rows are of one table.
                Ok(batches) => Box::new(batches.map(move |batch| {
                    let batch = batch?;
                    let options = arrow_array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
                    arrow_array::RecordBatch::try_new_with_options(schema.clone(), batch.columns().to_vec(), &options)
                        .map_err(|error| Error::Internal(error.to_string()))
                })),
                Err(error) => Box::new(std::iter::once(Err(error))),
            }
        })))
    }
}
