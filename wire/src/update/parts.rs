//! Updates that come in several batches of a continuous stream: a replacement's batches, and of an exchange the rows that
//! go, then the rows that come. All but the last batch say `bodkin.more`.

use arrow_array::RecordBatch;
use arrow_schema::Metadata;

use super::{Change, MORE, SEQUENCE, UPDATE, Update};
use crate::{Error, Result};

/// Takes the batches of a continuous stream and gives its updates.
#[derive(Debug, Default)]
pub struct Parts {
    waiting: Vec<RecordBatch>,
    /// The kind and the number that the waiting ones say.
    said: Option<(String, String)>,
}

impl Parts {
    /// Takes the next batch and its metadata; gives the update of which it is the last.
    ///
    /// # Errors
    /// [`Error::Update`] when the metadata is none of an update, or does not go with the batch before.
    pub fn push(&mut self, batch: RecordBatch, metadata: &Metadata) -> Result<Option<Update>> {
        let text = |key: &str| metadata.get(key).cloned().unwrap_or_default();
        let said = (text(UPDATE), text(SEQUENCE));
        if self.said.as_ref().is_some_and(|before| *before != said) {
            return Err(Error::update("another update came before the last batch of this", MORE));
        }
        let is_exchange = said.0 == "exchange";
        self.waiting.push(batch);
        if metadata.contains_key(MORE) {
            self.said = Some(said);
            return Ok(None);
        }
        self.said = None;
        let mut batches = std::mem::take(&mut self.waiting);
        if !is_exchange {
            return Update::from_batches(metadata, None, batches).map(Some);
        }
        let (Some(insert), Some(remove), None) = (batches.pop(), batches.pop(), batches.pop()) else {
            return Err(Error::update("there are not two batches in the", "exchange"));
        };
        let update = Update::from_batches(metadata, Some("upsert"), vec![insert.clone()])?;
        Ok(Some(Update { change: Change::Exchange { remove, insert }, ..update }))
    }
}
