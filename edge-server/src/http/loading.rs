//! Tables that are still being read: a large CSV is read behind the server's back, which answers for all others meanwhile, says
//! how far it is, and is not ready before it has come to its end.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use crate::source::{Reading, Source};

/// Tables that were not there when the server began to listen.
#[derive(Clone, Default)]
pub struct Loading(Arc<Mutex<BTreeMap<String, State>>>);

/// How far a table is.
enum State {
    Reading(Arc<Reading>),
    Here(Arc<dyn Source>),
    Failed(String),
}

impl std::fmt::Debug for Loading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Loading").field(&self.told()).finish()
    }
}

impl Loading {
    fn all(&self) -> MutexGuard<'_, BTreeMap<String, State>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A table whose reading begins, and how far it is.
    pub fn begin(&self, name: &str, reading: Arc<Reading>) {
        self.all().insert(name.to_owned(), State::Reading(reading));
    }

    /// The table has been read.
    pub fn done(&self, name: &str, source: Arc<dyn Source>) {
        self.all().insert(name.to_owned(), State::Here(source));
    }

    /// The table cannot be read.
    pub fn failed(&self, name: &str, why: &str) {
        self.all().insert(name.to_owned(), State::Failed(why.to_owned()));
    }

    /// Whether a table of the name is here or will be.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.all().contains_key(name)
    }

    pub(super) fn len(&self) -> usize {
        self.all().len()
    }

    /// Those that have been read.
    pub(super) fn here(&self) -> Vec<(String, Arc<dyn Source>)> {
        let all = self.all();
        let here = all.iter().filter_map(|(name, state)| match state {
            State::Here(source) => Some((name.clone(), source.clone())),
            _ => None,
        });
        here.collect()
    }

    /// A table that has been read, or why it is not here; nothing when there is none of the name.
    pub(super) fn get(&self, name: &str) -> Option<Result<Arc<dyn Source>, String>> {
        match self.all().get(name)? {
            State::Here(source) => Some(Ok(source.clone())),
            State::Reading(reading) => Some(Err(format!("it is being read: {} %", percent(reading)))),
            // What is wrong with the file is for the log.
            State::Failed(_) => Some(Err("its file could not be read; the server's log says why".to_owned())),
        }
    }

    /// What is not here, and how far it is; nothing when all is.
    pub(super) fn told(&self) -> Vec<Value> {
        let all = self.all();
        let missing = all.iter().filter_map(|(name, state)| match state {
            State::Here(_) => None,
            State::Reading(reading) => Some(json!({"name": name, "state": "loading", "percent": percent(reading)})),
            State::Failed(why) => Some(json!({"name": name, "state": "failed", "detail": why})),
        });
        missing.collect()
    }

    /// How many are not here.
    pub(super) fn missing(&self) -> usize {
        self.all().values().filter(|state| !matches!(state, State::Here(_))).count()
    }
}

fn percent(reading: &Reading) -> u64 {
    (100 * reading.read()).checked_div(reading.total()).unwrap_or(0).min(100)
}
