//! Data for scripts: values of the view's rows, its columns as typed arrays, and the view as Arrow.
//!
//! What leaves is copied, a piece of rows at a time. What is not copied stands in `shared.rs`.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{BinaryType, BinaryViewType, LargeBinaryType};
use arrow_schema::{DataType, SchemaRef};
use js_sys::Uint8Array;
use kernels::arrays::fixed_values;
use wasm_bindgen::prelude::*;

use super::{Viewer, failed};
use crate::format::{self, Formats};
use crate::leaving::{self, Export};
use crate::load::is_unread;
use crate::numbers::{number, word};

/// The view on its way out as Arrow.
#[wasm_bindgen]
#[derive(Debug)]
pub struct ArrowExport(Export);

#[wasm_bindgen]
impl ArrowExport {
    /// Takes the next window of the view and gives the next bytes.
    ///
    /// # Errors
    /// When the window cannot be read, or a type not be written.
    pub fn push(&mut self, stream: Vec<u8>) -> Result<Vec<u8>, JsError> {
        self.0.push(stream).map_err(failed)
    }

    /// What stands behind the last rows.
    ///
    /// # Errors
    /// What the writer reports.
    pub fn end(&mut self) -> Result<Vec<u8>, JsError> {
        self.0.end().map_err(failed)
    }
}

#[wasm_bindgen]
impl Viewer {
    /// Begins an export of the columns that are shown, and can be read, as an Arrow file or stream.
    #[must_use]
    #[wasm_bindgen(js_name = arrowExport)]
    pub fn arrow_export(&self, file: bool) -> ArrowExport {
        let columns = (0..self.columns.len()).filter_map(|position| self.columns.column(position));
        ArrowExport(Export::new(columns.filter(|&column| self.is_read(column)).collect(), file))
    }

    /// Values of the rows of a window, row by row, of the columns that are shown.
    ///
    /// # Errors
    /// When the window cannot be read.
    #[wasm_bindgen(js_name = rowValues)]
    pub fn row_values(&self, stream: Vec<u8>) -> Result<Vec<JsValue>, JsError> {
        let batch = leaving::read(stream).map_err(failed)?;
        let mut out = Vec::with_capacity(batch.num_rows() * self.columns.len());
        for row in 0..batch.num_rows() {
            for position in 0..self.columns.len() {
                let array = self.columns.column(position).and_then(|column| batch.columns().get(column));
                out.push(array.map_or(JsValue::NULL, |array| value(array.as_ref(), row, &self.formats)));
            }
        }
        Ok(out)
    }

    /// The class of JavaScript that holds a column's values; empty when they are a list, nothing for a column that is not
    /// there or not read.
    #[wasm_bindgen(js_name = columnClass)]
    pub fn column_class(&self, name: &str) -> Option<String> {
        let (schema, column) = self.column_of(name)?;
        Some(class(schema.field(column).data_type()).to_owned())
    }

    /// The type of a column of what is shown, as headers show it.
    #[wasm_bindgen(js_name = shownType)]
    pub fn shown_type(&self, name: &str) -> Option<String> {
        let (schema, column) = self.column_of(name)?;
        Some(format::type_label(schema.field(column).data_type()))
    }

    /// A column of a window: bytes of the values, and bits of the validity if some are null. Of a column that has no class,
    /// the values.
    ///
    /// # Errors
    /// When there is no such column, or the window cannot be read.
    #[wasm_bindgen(js_name = columnPiece)]
    pub fn column_piece(&self, stream: Vec<u8>, name: &str) -> Result<Vec<JsValue>, JsError> {
        let batch = leaving::read(stream).map_err(failed)?;
        let array = batch.column_by_name(name).ok_or_else(|| failed(["unknown column ", name].concat()))?;
        let bytes = match (array.as_boolean_opt(), fixed_values(array.as_ref())) {
            (Some(array), _) => Uint8Array::from(&array.values().iter().map(u8::from).collect::<Vec<u8>>()[..]),
            (None, Some(values)) if !class(array.data_type()).is_empty() => Uint8Array::from(values.as_slice()),
            _ => return Ok((0..array.len()).map(|row| value(array.as_ref(), row, &self.formats)).collect()),
        };
        let bits = array.nulls().filter(|nulls| nulls.null_count() > 0).map(|nulls| nulls.inner().sliced());
        let bits =
            bits.map_or(JsValue::NULL, |bits| Uint8Array::from(&bits.as_slice()[..array.len().div_ceil(8)]).into());
        Ok(vec![bytes.into(), bits])
    }
}

impl Viewer {
    fn is_read(&self, column: usize) -> bool {
        let fields = self.original_schema().map(|schema| schema.fields());
        fields.and_then(|fields| fields.get(column)).is_some_and(|field| !is_unread(field.data_type()))
    }

    /// A column of what is shown, by its name.
    pub(super) fn column_of(&self, name: &str) -> Option<(&SchemaRef, usize)> {
        let schema = self.shown_schema()?;
        let column = schema.fields().iter().position(|field| field.name() == name)?;
        self.is_read(column).then_some((schema, column))
    }
}

/// The class of JavaScript whose elements are the values of a type; empty when none are.
pub(super) fn class(data_type: &DataType) -> &'static str {
    match data_type {
        DataType::Boolean | DataType::UInt8 => "Uint8Array",
        DataType::Int8 => "Int8Array",
        DataType::Int16 => "Int16Array",
        DataType::UInt16 | DataType::Float16 => "Uint16Array",
        DataType::Int32 | DataType::Date32 | DataType::Time32(_) => "Int32Array",
        DataType::UInt32 => "Uint32Array",
        DataType::Float32 => "Float32Array",
        DataType::Float64 => "Float64Array",
        DataType::UInt64 => "BigUint64Array",
        DataType::Int64 | DataType::Date64 | DataType::Time64(_) | DataType::Timestamp(..) | DataType::Duration(_) => {
            "BigInt64Array"
        }
        _ => "",
    }
}

/// A cell for a script: numbers, big integers, truth; bytes; lists and objects; what is left as exact text.
fn value(array: &dyn Array, row: usize, formats: &Formats) -> JsValue {
    if row >= array.len() || array.is_null(row) {
        return JsValue::NULL;
    }
    let word = || word(array, row).unwrap_or_default();
    let bytes = |bytes: &[u8]| JsValue::from(Uint8Array::from(bytes));
    match array.data_type() {
        DataType::Boolean => JsValue::from_bool(array.as_boolean_opt().is_some_and(|array| array.value(row))),
        DataType::Int64 | DataType::Duration(_) => JsValue::from(word()),
        DataType::UInt64 => JsValue::from(word() as u64),
        DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::UInt8
        | DataType::UInt16
        | DataType::UInt32
        | DataType::Float16
        | DataType::Float32
        | DataType::Float64 => JsValue::from_f64(number(array, row).unwrap_or_default()),
        DataType::Binary => bytes(array.as_bytes_opt::<BinaryType>().map_or(&[], |array| array.value(row))),
        DataType::LargeBinary => bytes(array.as_bytes_opt::<LargeBinaryType>().map_or(&[], |array| array.value(row))),
        DataType::BinaryView => bytes(array.as_byte_view_opt::<BinaryViewType>().map_or(&[], |array| array.value(row))),
        DataType::FixedSizeBinary(_) => bytes(array.as_fixed_size_binary_opt().map_or(&[], |array| array.value(row))),
        DataType::Dictionary(..) => array
            .as_any_dictionary_opt()
            .map_or(JsValue::NULL, |array| value(array.values().as_ref(), format::key_of(array.keys(), row), formats)),
        #[cfg(feature = "nested")]
        data_type if data_type.is_nested() => nested(array, row, formats),
        _ => {
            let mut text = String::new();
            let some = format::write(array, row, None, formats, &mut text);
            if some { JsValue::from_str(&text) } else { JsValue::NULL }
        }
    }
}

/// Lists as arrays, structs as objects, maps as arrays of objects.
#[cfg(feature = "nested")]
fn nested(array: &dyn Array, row: usize, formats: &Formats) -> JsValue {
    if let Some(values) = kernels::arrays::list_value(array, row) {
        let part = |row| value(values.as_ref(), row, formats);
        return JsValue::from((0..values.len()).map(part).collect::<js_sys::Array>());
    }
    let object = js_sys::Object::new();
    let Some(array) = array.as_struct_opt() else { return JsValue::NULL };
    for (field, column) in array.fields().iter().zip(array.columns()) {
        let part = value(column.as_ref(), row, formats);
        let _set = js_sys::Reflect::set(&object, &JsValue::from_str(field.name()), &part);
    }
    object.into()
}
