//! Flatbuffers, read in place: every access is checked where it is made.
//!
//! A table begins with the distance back to its vtable; the vtable says where each field stands in the table,
//! or that it is left out. Tables, texts and vectors are reached by distances forward, so that no walk can go
//! in circles. There is no pass of verification before: what is not looked at is not looked at twice, and what
//! is, cannot be out of range. Nothing needs to be aligned.
//!
//! The format: <https://flatbuffers.dev/internals/>.

/// The bytes are no such flatbuffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

type Result<T> = std::result::Result<T, Malformed>;

/// Bytes at a place.
fn array<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N]> {
    let end = at.checked_add(N).ok_or(Malformed)?;
    bytes.get(at..end).and_then(|part| part.try_into().ok()).ok_or(Malformed)
}

/// Where a distance at a place leads to.
fn follow(bytes: &[u8], at: usize) -> Result<usize> {
    at.checked_add(u32::from_le_bytes(array(bytes, at)?) as usize).ok_or(Malformed)
}

/// A table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Table<'a> {
    bytes: &'a [u8],
    at: usize,
    vtable: usize,
    /// Bytes of the vtable, its own two lengths included.
    length: usize,
}

/// A vector of things of one size, or of distances to tables.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Vector<'a> {
    bytes: &'a [u8],
    first: usize,
    count: usize,
    size: usize,
}

impl<'a> Table<'a> {
    /// The root of a flatbuffer.
    pub(crate) fn root(bytes: &'a [u8]) -> Result<Self> {
        Self::new(bytes, follow(bytes, 0)?)
    }

    fn new(bytes: &'a [u8], at: usize) -> Result<Self> {
        let back = i64::from(i32::from_le_bytes(array(bytes, at)?));
        let vtable = usize::try_from(at as i64 - back).map_err(|_| Malformed)?;
        let length = usize::from(u16::from_le_bytes(array(bytes, vtable)?));
        if length < 4 || vtable + length > bytes.len() {
            return Err(Malformed);
        }
        Ok(Self { bytes, at, vtable, length })
    }

    /// Where a field stands; `None` when it is left out.
    fn field(&self, number: usize) -> Result<Option<usize>> {
        let entry = 4 + 2 * number;
        if entry + 2 > self.length {
            return Ok(None);
        }
        let distance = u16::from_le_bytes(array(self.bytes, self.vtable + entry)?);
        Ok((distance != 0).then(|| self.at + usize::from(distance)))
    }

    fn number<const N: usize>(&self, number: usize) -> Result<Option<[u8; N]>> {
        self.field(number)?.map(|at| array(self.bytes, at)).transpose()
    }

    pub(crate) fn bool(&self, number: usize) -> Result<bool> {
        Ok(self.u8(number)? != 0)
    }

    pub(crate) fn u8(&self, number: usize) -> Result<u8> {
        Ok(self.number(number)?.map_or(0, u8::from_le_bytes))
    }

    pub(crate) fn i16(&self, number: usize, default: i16) -> Result<i16> {
        Ok(self.number(number)?.map_or(default, i16::from_le_bytes))
    }

    pub(crate) fn i32(&self, number: usize, default: i32) -> Result<i32> {
        Ok(self.number(number)?.map_or(default, i32::from_le_bytes))
    }

    pub(crate) fn i64(&self, number: usize) -> Result<i64> {
        Ok(self.number(number)?.map_or(0, i64::from_le_bytes))
    }

    pub(crate) fn table(&self, number: usize) -> Result<Option<Table<'a>>> {
        self.field(number)?.map(|at| Table::new(self.bytes, follow(self.bytes, at)?)).transpose()
    }

    pub(crate) fn text(&self, number: usize) -> Result<Option<&'a str>> {
        let Some(bytes) = self.vector(number, 1)? else { return Ok(None) };
        let text = bytes.bytes.get(bytes.first..bytes.first + bytes.count).ok_or(Malformed)?;
        std::str::from_utf8(text).map(Some).map_err(|_| Malformed)
    }

    /// A vector of things of `size` bytes; all of them lie in the bytes.
    pub(crate) fn vector(&self, number: usize, size: usize) -> Result<Option<Vector<'a>>> {
        let Some(at) = self.field(number)? else { return Ok(None) };
        let start = follow(self.bytes, at)?;
        let count = u32::from_le_bytes(array(self.bytes, start)?) as usize;
        let first = start + 4;
        let end = count.checked_mul(size).and_then(|length| first.checked_add(length)).ok_or(Malformed)?;
        if end > self.bytes.len() {
            return Err(Malformed);
        }
        Ok(Some(Vector { bytes: self.bytes, first, count, size }))
    }

    /// The tables of a vector; none when the field is left out.
    pub(crate) fn tables(&self, number: usize) -> Result<impl Iterator<Item = Result<Table<'a>>> + use<'a>> {
        let found = self.vector(number, 4)?;
        let empty = Vector { bytes: self.bytes, first: 0, count: 0, size: 4 };
        let vector = found.unwrap_or(empty);
        Ok((0..vector.count)
            .map(move |index| Table::new(vector.bytes, follow(vector.bytes, vector.first + 4 * index)?)))
    }
}

impl<'a> Vector<'a> {
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// The signed 64-bit number at a distance into a thing.
    pub(crate) fn i64(&self, index: usize, distance: usize) -> Result<i64> {
        self.part(index, distance).map(i64::from_le_bytes)
    }

    /// The signed 32-bit number at a distance into a thing.
    pub(crate) fn i32(&self, index: usize, distance: usize) -> Result<i32> {
        self.part(index, distance).map(i32::from_le_bytes)
    }

    fn part<const N: usize>(&self, index: usize, distance: usize) -> Result<[u8; N]> {
        if index >= self.count || distance + N > self.size {
            return Err(Malformed);
        }
        array(self.bytes, self.first + index * self.size + distance)
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
                let Ok(table) = Table::root(&bytes) else { continue };
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
