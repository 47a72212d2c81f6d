//! Lists, structs and maps: in a line for the grid, or with a line for each part.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_schema::DataType;

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
    let values = match array.data_type() {
        DataType::List(_) => array.as_list_opt::<i32>().map(|array| array.value(row)),
        DataType::LargeList(_) => array.as_list_opt::<i64>().map(|array| array.value(row)),
        DataType::FixedSizeList(..) => array.as_fixed_size_list_opt().map(|array| array.value(row)),
        DataType::Map(..) => {
            if let Some(array) = array.as_map_opt() {
                list(&array.value(row), formats, out, depth);
            }
            return;
        }
        DataType::Struct(fields) => {
            let Some(array) = array.as_struct_opt() else { return };
            let below = Depth { depth: depth.depth + 1, ..depth };
            out.push('{');
            for (place, (field, column)) in fields.iter().zip(array.columns()).enumerate() {
                next(place, below, out);
                out.push_str(field.name());
                out.push_str(": ");
                part(column.as_ref(), row, formats, out, below);
            }
            end(fields.len(), depth, out);
            return out.push('}');
        }
        _ => None,
    };
    match values {
        Some(values) => list(values.as_ref(), formats, out, depth),
        None => out.push('…'),
    }
}

fn list(values: &dyn Array, formats: &Formats, out: &mut String, depth: Depth) {
    let below = Depth { depth: depth.depth + 1, ..depth };
    out.push('[');
    for row in 0..values.len().min(LIST_SHOWN) {
        next(row, below, out);
        part(values, row, formats, out, below);
    }
    if values.len() > LIST_SHOWN {
        next(1, below, out);
        out.push('…');
    }
    end(values.len(), depth, out);
    out.push(']');
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
