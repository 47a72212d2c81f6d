//! Changes of a list inside a struct.

use crate::{Error, Result};

/// Items that go and items that come at one place of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "archive", derive(rkyv::Archive, rkyv::Serialize, rkyv::Deserialize))]
#[cfg_attr(feature = "archive", allow(unsafe_code, reason = "the derive writes what it proves"))]
pub struct Splice<T> {
    /// Where; `None` for the end.
    pub at: Option<u32>,
    /// How many items go.
    pub remove: u32,
    /// What comes in their place.
    pub insert: Vec<T>,
}

impl<T> Splice<T> {
    /// Items that come at the end.
    #[must_use]
    pub const fn push(insert: Vec<T>) -> Self {
        Self { at: None, remove: 0, insert }
    }

    /// Changes the list.
    ///
    /// # Errors
    /// [`Error::Record`] when what goes does not lie in the list; nothing is changed then.
    pub fn apply(self, list: &mut Vec<T>) -> Result<()> {
        let start = self.at.map_or(list.len(), |at| at as usize);
        match start.checked_add(self.remove as usize).filter(|&end| end <= list.len()) {
            Some(end) => {
                list.splice(start..end, self.insert);
                Ok(())
            }
            None => Err(Box::new(Error::Record { what: "items of a list", expected: list.len(), found: start })),
        }
    }
}
