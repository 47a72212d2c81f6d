//! Lists, structs and maps: in a line for the grid, or with a line for each part.

use arrow_array::cast::AsArray;
use arrow_array::{Array, StructArray};
use arrow_schema::DataType;
use kernels::arrays;

use super::{Depth, Formats, write_nested};

/// Values of a list that are shown.
const LIST_SHOWN: usize = 1_000;
/// Depth of nesting that is shown.
const DEPTH_SHOWN: usize = 8;

/// Writes a value that is not null.
pub(super) fn write(array: &dyn Array, row: usize, formats: &Formats, out: &mut String, depth: Depth) {
    if depth.depth >= DEPTH_SHOWN {
        return out.push('…');
    }
    if let Some(array) = array.as_struct_opt() {
        let below = Depth { depth: depth.depth + 1, ..depth };
        out.push('{');
        for (place, (field, column)) in array.fields().iter().zip(array.columns()).enumerate() {
            next(place, below, out);
            out.push_str(field.name());
            out.push_str(": ");
            part(column.as_ref(), row, formats, out, below);
        }
        end(array.num_columns(), depth, out);
        return out.push('}');
    }
    match arrays::list_value(array, row) {
        Some(values) => {
            let is_map = matches!(array.data_type(), DataType::Map(..));
            list(values.as_ref(), values.as_struct_opt().filter(|_| is_map), formats, out, depth);
        }
        None => out.push('…'),
    }
}

/// Writes the values of a list, or of a map: each key, and its value behind it.
fn list(values: &dyn Array, map: Option<&StructArray>, formats: &Formats, out: &mut String, depth: Depth) {
    let below = Depth { depth: depth.depth + 1, ..depth };
    out.push(if map.is_some() { '{' } else { '[' });
    for row in 0..values.len().min(LIST_SHOWN) {
        next(row, below, out);
        match map.map(StructArray::columns) {
            Some([keys, values]) => {
                part(keys.as_ref(), row, formats, out, below);
                out.push_str(": ");
                part(values.as_ref(), row, formats, out, below);
            }
            _ => part(values, row, formats, out, below),
        }
    }
    if values.len() > LIST_SHOWN {
        next(1, below, out);
        out.push('…');
    }
    end(values.len(), depth, out);
    out.push(if map.is_some() { '}' } else { ']' });
}

fn part(values: &dyn Array, row: usize, formats: &Formats, out: &mut String, depth: Depth) {
    if !write_nested(values, row, None, formats, out, depth) {
        out.push_str("null");
    }
}

/// Goes on to a part.
fn next(place: usize, depth: Depth, out: &mut String) {
    out.push_str(if place == 0 { "" } else { "," });
    if depth.lines {
        line(depth, out);
    } else if place > 0 {
        out.push(' ');
    }
}

/// Goes back to the line of the value itself.
fn end(parts: usize, depth: Depth, out: &mut String) {
    if depth.lines && parts > 0 {
        line(depth, out);
    }
}

fn line(depth: Depth, out: &mut String) {
    out.push('\n');
    (0..depth.depth).for_each(|_| out.push_str("  "));
}
