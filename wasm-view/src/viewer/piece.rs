//! Rows of a view that is too large to be here, a piece at a time: a viewer without a canvas goes through all of them, finds
//! and counts, and has one piece at a time.

use wasm_bindgen::prelude::*;

use super::select::Counting;
use super::{Viewer, failed};
use crate::far::Far;
use crate::load;
use crate::numbers::{Tally, number};
use crate::selection::Area;
use crate::view::Rows;

#[wasm_bindgen]
impl Viewer {
    /// Takes a piece in the place of the one before, as an Arrow stream; what is looked for and what was counted stays.
    ///
    /// # Errors
    /// When the bytes are no such stream.
    #[wasm_bindgen(js_name = takePiece)]
    pub fn take_piece(&mut self, stream: Vec<u8>, slots: Vec<f64>) -> Result<(), JsError> {
        let (schema, batches) = load::read(stream).map_err(failed)?;
        let mut far = Far::default();
        far.give(0, &schema, batches);
        self.table = far.into_table();
        self.view.rows = Rows::All;
        if self.styles.is_empty() {
            self.arrange_columns();
        }
        self.set_column_slots(slots);
        self.layout.set_rows(self.rows_shown());
        Ok(())
    }

    /// Looks for the text in all rows of the piece, whose first is this row of the view; `false` when there are enough
    /// matches.
    #[wasm_bindgen(js_name = findPiece)]
    pub fn find_piece(&mut self, first: usize) -> bool {
        (self.find.next_row, self.find.first) = (0, first);
        self.find.running = true;
        let cells = self.layout.rows.saturating_mul(self.columns.len().max(1));
        self.find_step(cells);
        let enough = self.find.is_enough();
        self.find.next_row += first;
        !enough
    }

    /// Counts the cells of the piece at these positions, beside those of the pieces before.
    #[wasm_bindgen(js_name = countPiece)]
    pub fn count_piece(&mut self, from: usize, to: usize) {
        let mut counting = self.counting.take().unwrap_or_else(|| Counting {
            row: 0,
            tally: Tally::default(),
            area: Area { rows: 0..0, columns: from..to },
        });
        for position in from..to {
            for row in 0..self.layout.rows {
                let Some((array, row, _)) = self.at(row, position) else { continue };
                counting.tally.present += usize::from(array.is_valid(row));
                number(array, row).into_iter().for_each(|value| counting.tally.add(value));
            }
        }
        self.counting = Some(counting);
    }
}
