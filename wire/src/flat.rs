//! Flatbuffers, read in place: every access is checked where it is made.
//!
//! A table begins with the distance back to its vtable; the vtable says where each field stands in the table,
//! or that it is left out. Tables, texts and vectors are reached by distances forward, so that no walk can go
//! in circles. There is no pass of verification before: what is not looked at is not looked at twice, and what
//! is, cannot be out of range. Nothing needs to be aligned.
//!
//! The format: <https://flatbuffers.dev/internals/>.

use crate::{Error, Result};

/// The bytes of a flatbuffer, and where in the stream the message begins that they are of, for errors.
#[derive(Debug, Clone, Copy)]
struct Bytes<'a> {
    bytes: &'a [u8],
    offset: u64,
}

impl Bytes<'_> {
    #[cold]
    #[inline(never)]
    fn malformed(self) -> Box<Error> {
        Error::metadata(self.offset, "the metadata is not a valid flatbuffer")
    }

    /// A signed number of up to eight bytes at a place.
    fn number(self, at: usize, size: usize) -> Result<i64> {
        let part = at.checked_add(size).and_then(|end| self.bytes.get(at..end));
        let Some(part) = part else { return Err(self.malformed()) };
        let mut number = [0; 8];
        number[8 - size..].copy_from_slice(part);
        Ok(i64::from_le_bytes(number) >> (64 - 8 * size))
    }

    /// Where a distance at a place leads to.
    fn follow(self, at: usize) -> Result<usize> {
        at.checked_add(self.number(at, 4)? as u32 as usize).ok_or_else(|| self.malformed())
    }
}

/// A table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Table<'a> {
    bytes: Bytes<'a>,
    at: usize,
    vtable: usize,
    /// Bytes of the vtable, its own two lengths included.
    length: usize,
}

/// A vector of things of one size, or of distances to tables.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Vector<'a> {
    bytes: Bytes<'a>,
    first: usize,
    count: usize,
    size: usize,
}

impl<'a> Table<'a> {
    /// The root of a flatbuffer, of the message at a place of the stream.
    pub(crate) fn root(bytes: &'a [u8], offset: u64) -> Result<Self> {
        Self::at(Bytes { bytes, offset }, 0)
    }

    /// The table that a distance at a place leads to.
    fn at(bytes: Bytes<'a>, place: usize) -> Result<Self> {
        let at = bytes.follow(place)?;
        let vtable = at as i64 - bytes.number(at, 4)?;
        let vtable = usize::try_from(vtable).map_err(|_| bytes.malformed())?;
        let length = usize::from(bytes.number(vtable, 2)? as u16);
        if length < 4 || vtable + length > bytes.bytes.len() {
            return Err(bytes.malformed());
        }
        Ok(Self { bytes, at, vtable, length })
    }

    /// Where a field stands; `None` when it is left out.
    fn field(&self, number: usize) -> Result<Option<usize>> {
        let entry = 4 + 2 * number;
        if entry + 2 > self.length {
            return Ok(None);
        }
        let distance = self.bytes.number(self.vtable + entry, 2)? as u16;
        Ok((distance != 0).then(|| self.at + usize::from(distance)))
    }

    fn number(&self, number: usize, size: usize, default: i64) -> Result<i64> {
        self.field(number)?.map_or(Ok(default), |at| self.bytes.number(at, size))
    }

    pub(crate) fn bool(&self, number: usize) -> Result<bool> {
        Ok(self.u8(number)? != 0)
    }

    pub(crate) fn u8(&self, number: usize) -> Result<u8> {
        Ok(self.number(number, 1, 0)? as u8)
    }

    pub(crate) fn i16(&self, number: usize, default: i16) -> Result<i16> {
        Ok(self.number(number, 2, default.into())? as i16)
    }

    pub(crate) fn i32(&self, number: usize, default: i32) -> Result<i32> {
        Ok(self.number(number, 4, default.into())? as i32)
    }

    pub(crate) fn i64(&self, number: usize) -> Result<i64> {
        self.number(number, 8, 0)
    }

    pub(crate) fn table(&self, number: usize) -> Result<Option<Table<'a>>> {
        self.field(number)?.map(|at| Table::at(self.bytes, at)).transpose()
    }

    pub(crate) fn text(&self, number: usize) -> Result<Option<&'a str>> {
        let Some(text) = self.vector(number, 1)? else { return Ok(None) };
        let text = self.bytes.bytes.get(text.first..text.first + text.count);
        let text = text.and_then(|text| std::str::from_utf8(text).ok());
        text.map(Some).ok_or_else(|| self.bytes.malformed())
    }

    /// A vector of things of `size` bytes; all of them lie in the bytes.
    pub(crate) fn vector(&self, number: usize, size: usize) -> Result<Option<Vector<'a>>> {
        let Some(at) = self.field(number)? else { return Ok(None) };
        let bytes = self.bytes;
        let start = bytes.follow(at)?;
        let count = bytes.number(start, 4)? as u32 as usize;
        let first = start + 4;
        let end = count.checked_mul(size).and_then(|length| first.checked_add(length));
        if end.is_none_or(|end| end > bytes.bytes.len()) {
            return Err(bytes.malformed());
        }
        Ok(Some(Vector { bytes, first, count, size }))
    }

    /// The tables of a vector; none when the field is left out.
    pub(crate) fn tables(&self, number: usize) -> Result<impl Iterator<Item = Result<Table<'a>>> + use<'a>> {
        let empty = Vector { bytes: self.bytes, first: 0, count: 0, size: 4 };
        let vector = self.vector(number, 4)?.unwrap_or(empty);
        Ok((0..vector.count).map(move |index| Table::at(vector.bytes, vector.first + 4 * index)))
    }
}

impl Vector<'_> {
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// The signed 64-bit number at a distance into a thing.
    pub(crate) fn i64(&self, index: usize, distance: usize) -> Result<i64> {
        self.number(index, distance, 8)
    }

    /// The signed 32-bit number at a distance into a thing.
    pub(crate) fn i32(&self, index: usize, distance: usize) -> Result<i32> {
        Ok(self.number(index, distance, 4)? as i32)
    }

    fn number(&self, index: usize, distance: usize, size: usize) -> Result<i64> {
        if index >= self.count || distance + size > self.size {
            return Err(self.bytes.malformed());
        }
        self.bytes.number(self.first + index * self.size + distance, size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_the_bytes_nothing_is_read_beyond_them() {
        let mut state = 1u64;
        for length in 0..60 {
            for _ in 0..2_000 {
                let mut bytes = vec![0u8; length];
                for byte in &mut bytes {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    // Small numbers lead somewhere.
                    *byte = ((state >> 33) % 24) as u8 * u8::from(state >> 60 < 12);
                }
                let Ok(table) = Table::root(&bytes, 0) else { continue };
                for number in 0..6 {
                    let _value = (table.i64(number), table.text(number), table.bool(number));
                    let _tables = table.tables(number).map(|tables| tables.take(100).count());
                    if let Ok(Some(inner)) = table.table(number) {
                        let _value = inner.i32(0, 1);
                    }
                }
            }
        }
    }
}
