//! Flatbuffers, written front to back: a table first, then what it leads to, then the distance between them.
//!
//! Every table brings its vtable right before it, and its longest fields first, so that all are aligned once the
//! table's start is. The format: <https://flatbuffers.dev/internals/>.

/// One field of a table.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Slot {
    /// Left out: the default of the format.
    Out,
    Bool(bool),
    U8(u8),
    I16(i16),
    I32(i32),
    I64(i64),
    /// A distance to something that is written later and then linked.
    Link,
}

impl Slot {
    fn size(self) -> usize {
        match self {
            Self::Out => 0,
            Self::Bool(_) | Self::U8(_) => 1,
            Self::I16(_) => 2,
            Self::I32(_) | Self::Link => 4,
            Self::I64(_) => 8,
        }
    }

    fn write(self, out: &mut Vec<u8>) {
        match self {
            Self::Out => {}
            Self::Bool(value) => out.push(u8::from(value)),
            Self::U8(value) => out.push(value),
            Self::I16(value) => out.extend(value.to_le_bytes()),
            Self::I32(value) => out.extend(value.to_le_bytes()),
            Self::I64(value) => out.extend(value.to_le_bytes()),
            Self::Link => out.extend([0; 4]),
        }
    }
}

/// A place in the flatbuffer: of a table, a text or a vector.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place(usize);

/// A flatbuffer in the making.
#[derive(Debug)]
pub(crate) struct Builder {
    bytes: Vec<u8>,
}

impl Builder {
    pub(crate) fn new() -> Self {
        Self { bytes: vec![0; 4] }
    }

    /// The bytes; the flatbuffer begins with this table.
    pub(crate) fn finish(mut self, root: Place) -> Vec<u8> {
        self.write_distance(0, root);
        self.pad(|length| length.is_multiple_of(8));
        self.bytes
    }

    fn pad(&mut self, is_right: impl Fn(usize) -> bool) {
        while !is_right(self.bytes.len()) {
            self.bytes.push(0);
        }
    }

    fn write_distance(&mut self, at: usize, to: Place) {
        let distance = (to.0 - at) as u32;
        self.bytes[at..at + 4].copy_from_slice(&distance.to_le_bytes());
    }

    /// A table with these fields, in the order of their numbers.
    pub(crate) fn table(&mut self, slots: &[Slot]) -> Place {
        let vtable_length = 4 + 2 * slots.len();
        let wide = slots.iter().any(|slot| matches!(slot, Slot::I64(_)));
        self.pad(
            |length| {
                if wide { (length + vtable_length) % 8 == 4 } else { (length + vtable_length).is_multiple_of(4) }
            },
        );
        let table = self.bytes.len() + vtable_length;
        let total: usize = slots.iter().map(|slot| slot.size()).sum();
        self.bytes.extend((vtable_length as u16).to_le_bytes());
        self.bytes.extend((4 + total as u16).to_le_bytes());
        for (number, slot) in slots.iter().enumerate() {
            // Behind the table's first four bytes, all longer fields, and those of the same length before it.
            let before = |(other, of): (usize, &Slot)| {
                let ahead = of.size() > slot.size() || of.size() == slot.size() && other < number;
                if ahead { of.size() } else { 0 }
            };
            let distance = 4 + slots.iter().enumerate().map(before).sum::<usize>();
            let distance = if slot.size() == 0 { 0 } else { distance as u16 };
            self.bytes.extend(distance.to_le_bytes());
        }
        self.bytes.extend((vtable_length as i32).to_le_bytes());
        for size in [8, 4, 2, 1] {
            slots.iter().filter(|slot| slot.size() == size).for_each(|slot| slot.write(&mut self.bytes));
        }
        Place(table)
    }

    /// Sets a field that was [`Slot::Link`].
    pub(crate) fn link(&mut self, table: Place, field: usize, to: Place) {
        let half = |at: usize| usize::from(u16::from_le_bytes([self.bytes[at], self.bytes[at + 1]]));
        let back = &self.bytes[table.0..table.0 + 4];
        let vtable = table.0 - i32::from_le_bytes([back[0], back[1], back[2], back[3]]) as usize;
        let at = table.0 + half(vtable + 4 + 2 * field);
        self.write_distance(at, to);
    }

    pub(crate) fn text(&mut self, text: &str) -> Place {
        self.pad(|length| length.is_multiple_of(4));
        let place = self.bytes.len();
        self.bytes.extend((text.len() as u32).to_le_bytes());
        self.bytes.extend(text.as_bytes());
        self.bytes.push(0);
        Place(place)
    }

    /// A vector of distances, to be set by [`Builder::link_element`].
    pub(crate) fn links(&mut self, count: usize) -> Place {
        self.pad(|length| length.is_multiple_of(4));
        let place = self.bytes.len();
        self.bytes.extend((count as u32).to_le_bytes());
        self.bytes.resize(place + 4 + 4 * count, 0);
        Place(place)
    }

    pub(crate) fn link_element(&mut self, vector: Place, index: usize, to: Place) {
        self.write_distance(vector.0 + 4 + 4 * index, to);
    }

    /// A vector of structs of so many 64-bit numbers each.
    pub(crate) fn longs(&mut self, numbers: &[i64], each: usize) -> Place {
        self.pad(|length| length % 8 == 4);
        let place = self.bytes.len();
        self.bytes.extend(((numbers.len() / each) as u32).to_le_bytes());
        numbers.iter().for_each(|number| self.bytes.extend(number.to_le_bytes()));
        Place(place)
    }

    /// A vector of 32-bit numbers.
    pub(crate) fn ints(&mut self, numbers: impl ExactSizeIterator<Item = i32>) -> Place {
        self.pad(|length| length.is_multiple_of(4));
        let place = self.bytes.len();
        self.bytes.extend((numbers.len() as u32).to_le_bytes());
        numbers.for_each(|number| self.bytes.extend(number.to_le_bytes()));
        Place(place)
    }

    /// Key-value metadata, as the field of a table; an empty list is left out before, by its slot.
    pub(crate) fn pairs<'a>(
        &mut self,
        table: Place,
        field: usize,
        pairs: impl ExactSizeIterator<Item = (&'a str, &'a str)>,
    ) {
        let vector = self.links(pairs.len());
        self.link(table, field, vector);
        for (index, (key, value)) in pairs.enumerate() {
            let pair = self.table(&[Slot::Link, Slot::Link]);
            self.link_element(vector, index, pair);
            let key = self.text(key);
            self.link(pair, 0, key);
            let value = self.text(value);
            self.link(pair, 1, value);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops where it fails")]
mod tests {
    use super::*;
    use crate::flat::Table;

    #[test]
    fn what_is_built_is_read() {
        let mut builder = Builder::new();
        let slots =
            [Slot::I16(-7), Slot::U8(9), Slot::Link, Slot::I64(-1 << 40), Slot::Out, Slot::Bool(true), Slot::Link];
        let root = builder.table(&slots);
        let text = builder.text("Ærø");
        builder.link(root, 2, text);
        let list = builder.links(2);
        builder.link(root, 6, list);
        for index in 0..2 {
            let inner = builder.table(&[Slot::I32(index as i32 + 5)]);
            builder.link_element(list, index, inner);
        }
        let bytes = builder.finish(root);
        let table = Table::root(&bytes, 0).unwrap();
        assert_eq!((table.i16(0, 0).unwrap(), table.u8(1).unwrap(), table.i64(3).unwrap()), (-7, 9, -1 << 40));
        assert_eq!((table.text(2).unwrap(), table.i32(4, 11).unwrap()), (Some("Ærø"), 11));
        assert!(table.bool(5).unwrap());
        let inner: Vec<i32> = table.tables(6).unwrap().map(|inner| inner.unwrap().i32(0, 0).unwrap()).collect();
        assert_eq!(inner, [5, 6]);
        assert_eq!(bytes.len() % 8, 0);
    }

    #[test]
    fn wide_fields_are_aligned() {
        for before in 0..9 {
            let mut builder = Builder::new();
            let text = builder.text(&"x".repeat(before));
            let root = builder.table(&[Slot::Link, Slot::I64(1), Slot::U8(2)]);
            assert_eq!((root.0 + 4) % 8, 0);
            let longs = builder.longs(&[1, 2, 3, 4], 2);
            assert_eq!((longs.0 + 4) % 8, 0);
            builder.link(root, 0, longs);
            let _ = text;
        }
    }
}
