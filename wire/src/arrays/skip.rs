//! Columns that are not read: their nodes and buffers are counted, so that the ones behind them are found.

use std::ops::Range;

use arrow_schema::{DataType, Field, UnionMode};
use kernels::arrays;

use super::ArrayReader;
use super::read::unsupported_type;
use crate::{Error, Result};

impl ArrayReader<'_> {
    /// Goes past the next column. The place of its buffers in the body, from the first byte to the last.
    pub(crate) fn skip(&mut self, field: &Field) -> Result<Range<usize>> {
        let first = self.next.buffer;
        self.skip_type(field, field.data_type())?;
        let past = self.next.buffer;
        if past > self.buffers.len() || self.next.node > self.nodes.len() {
            return Err(Error::metadata(self.offset, "a batch has fewer buffers than its schema"));
        }
        let mut span: Option<Range<usize>> = None;
        for buffer in first..past {
            let part = |distance: usize| self.buffers.i64(buffer, distance);
            let (start, length) = (part(0)?, part(8)?);
            if length == 0 {
                continue;
            }
            let found = usize::try_from(start).ok().zip(usize::try_from(length).ok());
            let found = found.and_then(|(start, length)| Some(start..start.checked_add(length)?));
            let found = found.filter(|found| found.end <= self.length).ok_or_else(|| {
                Box::new(Error::BufferOutOfBounds {
                    offset: self.offset,
                    column: field.name().clone(),
                    start,
                    length,
                    body: self.length,
                })
            })?;
            span = Some(match span {
                Some(span) => span.start.min(found.start)..span.end.max(found.end),
                None => found,
            });
        }
        Ok(span.unwrap_or(0..0))
    }

    fn skip_type(&mut self, field: &Field, data_type: &DataType) -> Result<()> {
        self.next.node += 1;
        let (buffers, children): (usize, Vec<&Field>) = match data_type {
            DataType::Null => (0, Vec::new()),
            DataType::Boolean | DataType::FixedSizeBinary(_) | DataType::Dictionary(..) => (2, Vec::new()),
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Binary | DataType::LargeBinary => (3, Vec::new()),
            DataType::Utf8View | DataType::BinaryView => {
                let missing = || Error::metadata(self.offset, "a view column lacks its number of buffers");
                let counts = self.variadic.filter(|counts| self.next.variadic < counts.len()).ok_or_else(missing)?;
                let count = counts.i64(self.next.variadic, 0)?;
                self.next.variadic += 1;
                let limit = self.buffers.len();
                let count = usize::try_from(count)
                    .ok()
                    .filter(|&count| count <= limit)
                    .ok_or_else(|| Error::limit(self.offset, "number of view buffers", count, limit))?;
                (2 + count, Vec::new())
            }
            DataType::List(child) | DataType::LargeList(child) | DataType::Map(child, _) => (2, vec![child]),
            DataType::ListView(child) | DataType::LargeListView(child) => (3, vec![child]),
            DataType::FixedSizeList(child, _) => (1, vec![child]),
            DataType::Struct(fields) => (1, fields.iter().map(|field| field.as_ref()).collect()),
            DataType::RunEndEncoded(ends, values) => (0, vec![ends, values]),
            DataType::Union(fields, mode) => {
                let own = usize::from(self.is_v4) + 1 + usize::from(*mode == UnionMode::Dense);
                (own, fields.iter().map(|(_, field)| field.as_ref()).collect())
            }
            _ if arrays::fixed_width(data_type).is_some() => (2, Vec::new()),
            _ => return Err(unsupported_type(field, data_type)),
        };
        self.next.buffer = self.next.buffer.saturating_add(buffers);
        children.into_iter().try_for_each(|child| self.skip_type(child, child.data_type()))
    }
}
