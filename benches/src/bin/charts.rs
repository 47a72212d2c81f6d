//! Draws the charts of `docs/performance.md` from the figures in `benches/results`.
//!
//! `cargo run -p benches --bin charts` writes `docs/charts/*.svg`; a test says when they are older than the figures.

use std::error::Error;
use std::fs;

use benches::charts::{list, svg};
use benches::results::root;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = root().join("docs/charts");
    fs::create_dir_all(&folder)?;
    for chart in list::charts()? {
        fs::write(folder.join(chart.file).with_extension("svg"), svg(&chart)?)?;
    }
    Ok(())
}
