//! Bytes that came from the server, in one aligned piece of this module's memory: the page writes them there by a view, and
//! structs are read and changed where they lie.

use std::hint::black_box;

use arrow_buffer::MutableBuffer;
use wasm_bindgen::prelude::*;
use wire::record::example::{ArchivedPanel, Gauge, Panel};
use wire::record::{archive, pod};

use crate::told;

/// Bytes of a patch of one field: where it begins, and eight bytes.
const PATCH: usize = 12;

/// A piece of memory that the page writes into.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Received {
    pub(crate) bytes: MutableBuffer,
}

#[wasm_bindgen]
impl Received {
    /// Room for so many bytes, zeroes at first.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new(length: usize) -> Self {
        Self { bytes: MutableBuffer::from_len_zeroed(length) }
    }

    /// Its address in the memory.
    #[must_use]
    pub fn at(&self) -> usize {
        self.bytes.as_ptr() as usize
    }

    /// Bytes.
    #[must_use]
    pub fn length(&self) -> usize {
        self.bytes.len()
    }

    // A panel: text, lists and nesting.

    /// Checks that the bytes are a panel, all of it.
    ///
    /// # Errors
    /// What is wrong with them.
    #[wasm_bindgen(js_name = checkPanel)]
    pub fn check_panel(&self) -> Result<(), JsError> {
        self.panel().map(|_| ())
    }

    /// Checks once, then reads every field where it lies, so many times; gives the sum of numbers and lengths.
    ///
    /// # Errors
    /// As [`Received::check_panel`].
    #[wasm_bindgen(js_name = readPanel)]
    pub fn read_panel(&self, times: u32) -> Result<f64, JsError> {
        let panel = self.panel()?;
        Ok((0..times).fold(0.0, |_, _| sum(black_box(panel))))
    }

    /// Lines, and values of all of them.
    ///
    /// # Errors
    /// As [`Received::check_panel`].
    #[wasm_bindgen(js_name = panelSize)]
    pub fn panel_size(&self) -> Result<Vec<usize>, JsError> {
        let panel = self.panel()?;
        Ok(vec![panel.lines.len(), panel.lines.iter().map(|line| line.values.len()).sum()])
    }

    /// Where the title lies and how long it is, and the same of a line's values.
    ///
    /// # Errors
    /// As [`Received::check_panel`], and when there is no such line.
    #[wasm_bindgen(js_name = panelPlaces)]
    pub fn panel_places(&self, line: usize) -> Result<Vec<usize>, JsError> {
        let panel = self.panel()?;
        let values = &panel.lines.get(line).ok_or_else(|| told("there is no such line"))?.values;
        Ok(vec![panel.title.as_ptr() as usize, panel.title.len(), values.as_ptr() as usize, values.len()])
    }

    // A gauge: fixed layout.

    /// The address of the gauge that is read by reference from a part of the bytes.
    ///
    /// # Errors
    /// When the part is longer or shorter than a gauge, or not aligned as one is.
    #[wasm_bindgen(js_name = gaugeAt)]
    pub fn gauge_at(&self, from: usize, to: usize) -> Result<usize, JsError> {
        let part = self.bytes.as_slice().get(from..to).ok_or_else(|| told("no part of the bytes"))?;
        pod::read::<Gauge>(part).map(|gauge| std::ptr::from_ref(gauge) as usize).map_err(told)
    }

    /// One field of the gauge: 0 the last value, 1 the least, 2 the greatest, 3 how many, 4 when.
    ///
    /// # Errors
    /// As [`Received::gauge_at`].
    pub fn field(&self, which: u32) -> Result<f64, JsError> {
        let gauge = pod::read::<Gauge>(self.bytes.as_slice()).map_err(told)?;
        Ok(match which {
            0 => gauge.last,
            1 => gauge.low,
            2 => gauge.high,
            3 => gauge.count as f64,
            _ => gauge.at as f64,
        })
    }

    /// Records values in the gauge, in the bytes that came: 0, 1, 2 and so on, so many.
    ///
    /// # Errors
    /// As [`Received::gauge_at`].
    pub fn record(&mut self, times: u32) -> Result<(), JsError> {
        let gauge = pod::read_mut::<Gauge>(self.bytes.as_slice_mut()).map_err(told)?;
        (0..times).for_each(|value| black_box(&mut *gauge).record(f64::from(value), i64::from(value)));
        Ok(())
    }

    /// Applies patches of single fields, one after another; gives how many.
    ///
    /// # Errors
    /// When one does not lie in the gauge; those before it are applied.
    pub fn patch(&mut self, patches: &Self, times: u32) -> Result<u32, JsError> {
        let gauge = pod::read_mut::<Gauge>(self.bytes.as_slice_mut()).map_err(told)?;
        let mut applied = 0;
        for _ in 0..times {
            for patch in patches.bytes.as_slice().chunks(PATCH) {
                pod::apply(gauge, patch).map_err(told)?;
                applied += 1;
            }
        }
        Ok(applied)
    }
}

impl Received {
    fn panel(&self) -> Result<&ArchivedPanel, JsError> {
        archive::read::<Panel>(self.bytes.as_slice()).map_err(told)
    }
}

fn sum(panel: &ArchivedPanel) -> f64 {
    let lines = panel
        .lines
        .iter()
        .map(|line| line.name.len() as f64 + line.values.iter().map(|value| value.to_native()).sum::<f64>());
    let remark = panel.remark.as_ref().map_or(0, |remark| remark.len());
    f64::from(panel.every.to_native()) + (panel.title.len() + remark) as f64 + lines.sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gauge_is_read_and_changed_where_it_came() -> Result<(), JsError> {
        let mut received = Received::new(40);
        received.record(3)?;
        assert_eq!(received.gauge_at(0, 40)?, received.at());
        assert_eq!([received.field(0)?, received.field(3)?], [2.0, 3.0]);
        let mut patches = Received::new(24);
        patches.bytes.as_slice_mut()[..12].copy_from_slice(&pod::to_patch(16, &9.5f64.to_ne_bytes()));
        patches.bytes.as_slice_mut()[12..].copy_from_slice(&pod::to_patch(0, &(-1.0f64).to_ne_bytes()));
        assert_eq!(received.patch(&patches, 2)?, 4);
        assert_eq!([received.field(0)?, received.field(2)?], [-1.0, 9.5]);
        Ok(())
    }

    #[test]
    fn fields_of_a_panel_lie_in_the_bytes_that_came() -> Result<(), JsError> {
        let bytes = include_bytes!("../../../wire/tests/fixtures/panel.rkyv");
        let mut received = Received::new(bytes.len());
        received.bytes.as_slice_mut().copy_from_slice(bytes);
        let [title, length, values, count] = received.panel_places(0)?[..] else { return Err(told("four places")) };
        let within = received.at()..received.at() + bytes.len();
        assert!(within.contains(&title) && within.contains(&values) && length == 18 && count == 2);
        assert_eq!(received.read_panel(2)?, 250.0 + 18.0 + 4.0 + 3.0 + 3.0 - 0.5);
        Ok(())
    }
}
