//! Structs with text, lists and nesting, by [rkyv](https://rkyv.org): their bytes are checked once, then fields are
//! read where they lie, without an allocation for any of them.

use rkyv::api::high::{HighDeserializer, HighSerializer, HighValidator};
use rkyv::bytecheck::CheckBytes;
use rkyv::rancor;
use rkyv::ser::allocator::ArenaHandle;
use rkyv::util::AlignedVec;
use rkyv::{Archive, Deserialize, Serialize};

use crate::{Error, Result};

fn wrong(error: &rancor::Error) -> Box<Error> {
    Box::new(Error::Archive { reason: error.to_string() })
}

/// The bytes of a struct.
///
/// # Errors
/// [`Error::Archive`], with rkyv's words.
pub fn write<T>(value: &T) -> Result<AlignedVec>
where
    T: for<'a> Serialize<HighSerializer<AlignedVec, ArenaHandle<'a>, rancor::Error>>,
{
    rkyv::to_bytes::<rancor::Error>(value).map_err(|error| wrong(&error))
}

/// Bytes from outside, aligned as archives must be. One copy, of which the received bytes can then be freed.
#[must_use]
pub fn align(bytes: &[u8]) -> AlignedVec {
    let mut aligned = AlignedVec::with_capacity(bytes.len());
    aligned.extend_from_slice(bytes);
    aligned
}

/// The struct in its bytes, which are checked as a whole: every length, every distance, all text.
///
/// # Errors
/// [`Error::Archive`] when the bytes are no such struct, or are not aligned (see [`align`]).
pub fn read<T>(bytes: &[u8]) -> Result<&T::Archived>
where
    T: Archive,
    T::Archived: for<'a> CheckBytes<HighValidator<'a, rancor::Error>>,
{
    rkyv::access::<T::Archived, rancor::Error>(bytes).map_err(|error| wrong(&error))
}

/// The struct in values of its own, to be changed.
///
/// # Errors
/// As [`read`].
pub fn to_owned<T>(bytes: &[u8]) -> Result<T>
where
    T: Archive,
    T::Archived: for<'a> CheckBytes<HighValidator<'a, rancor::Error>> + Deserialize<T, HighDeserializer<rancor::Error>>,
{
    rkyv::deserialize::<T, rancor::Error>(read::<T>(bytes)?).map_err(|error| wrong(&error))
}
