//! Charts: the answer of a question, as bars, lines or points on a canvas.
//!
//! The page asks (`js/chart.js`): a chart is a plan, run by whoever holds the rows, and [`Chart`] takes the Arrow stream
//! of its result. What is then drawn costs what the pixels cost. Two canvases lie on each other: the chart, which changes
//! with its data, and what is pointed at and brushed, which changes with every move.
//!
//! * `data` – rows to series. * `plot` – where things are; `scale`, `moments` – axes of numbers and of times; `marks` –
//!   bars, lines, points. * `hit` – what lies under the pointer, and what a brush takes, as filter boxes read it.
//! * `draw` – the painting.

mod data;
mod draw;
mod hit;
mod marks;
mod moments;
mod plot;
mod scale;

use js_sys::Function;
use wasm_bindgen::prelude::*;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};

use crate::format::{Formats, Zones};
use crate::grid::{LABEL_SIZE, Painter, Theme};
use crate::load;
use crate::viewer::{bytes_of, failed};
use data::{Data, Kind, MOST_SERIES, Wish};
use draw::Pen;
use hit::Pointed;
use plot::Plot;

/// A chart on two canvases.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Chart {
    canvas: HtmlCanvasElement,
    over: HtmlCanvasElement,
    painter: Painter,
    over_painter: Painter,
    formats: Formats,
    data: Data,
    /// What comes in now, until it is whole.
    next: Data,
    size: (f64, f64),
    plot: Option<Plot>,
    pointer: Option<(f64, f64)>,
    brush: Option<((f64, f64), (f64, f64))>,
}

fn painter(canvas: &HtmlCanvasElement) -> Result<Painter, JsError> {
    let context = canvas.get_context("2d").ok().flatten().and_then(|context| context.dyn_into().ok());
    let context: CanvasRenderingContext2d = context.ok_or_else(|| failed("the canvas has no 2D context"))?;
    Ok(Painter { context, theme: Theme::default(), scale: 1.0 })
}

#[wasm_bindgen]
impl Chart {
    /// A chart on a canvas and one that lies over it. `zone_offset` and `separator` are those of a viewer.
    ///
    /// # Errors
    /// When a canvas has no 2D context.
    #[wasm_bindgen(constructor)]
    pub fn new(
        canvas: HtmlCanvasElement,
        over: HtmlCanvasElement,
        zone_offset: Function,
        separator: &str,
    ) -> Result<Chart, JsError> {
        let source = move |zone: &str, seconds: i64| -> Option<i32> {
            let (zone, seconds) = (JsValue::from_str(zone), JsValue::from_f64(seconds as f64));
            let offset = zone_offset.call2(&JsValue::NULL, &zone, &seconds).ok()?.as_f64()?;
            offset.is_finite().then_some(offset as i32)
        };
        Ok(Self {
            painter: painter(&canvas)?,
            over_painter: painter(&over)?,
            canvas,
            over,
            formats: Formats {
                zones: Zones::new(Box::new(source)),
                separator: separator.chars().next().unwrap_or(','),
            },
            data: Data::default(),
            next: Data::default(),
            size: (0.0, 0.0),
            plot: None,
            pointer: None,
            brush: None,
        })
    }

    /// A plan for a part of a plan's rows.
    ///
    /// # Errors
    /// When the bytes are no plan.
    pub fn part(plan: &[u8], first: usize, rows: usize) -> Result<Vec<u8>, JsError> {
        let mut plan = wire::plan::from_bytes(plan).map_err(failed)?;
        (plan.offset, plan.limit) = (first, Some(rows));
        bytes_of(&plan)
    }

    /// Takes colours and font, in the order of `js/style.js`.
    #[wasm_bindgen(js_name = setTheme)]
    pub fn set_theme(&mut self, values: Vec<String>) {
        self.painter.theme.values.clone_from(&values);
        self.over_painter.theme.values = values;
    }

    /// Takes the size in CSS pixels and the screen's pixels per CSS pixel.
    pub fn resize(&mut self, width: f64, height: f64, scale: f64) {
        let scale = scale.clamp(0.25, 8.0);
        for canvas in [&self.canvas, &self.over] {
            canvas.set_width((width * scale).round() as u32);
            canvas.set_height((height * scale).round() as u32);
        }
        (self.painter.scale, self.over_painter.scale) = (scale, scale);
        self.size = (width, height);
        self.place();
    }

    /// Begins another chart; the old one stays until [`Chart::finish`]. `kind` is `bar`, `line` or `scatter`; `adds` says
    /// that values may be added up; `x`, `colour` and `ys` are titles of the answer's columns, the first two of which may
    /// be missing.
    pub fn begin(&mut self, kind: &str, adds: bool, x: String, colour: String, ys: Vec<String>) {
        let kind = match kind {
            "line" => Kind::Line,
            "scatter" => Kind::Scatter,
            _ => Kind::Bar,
        };
        self.next = Data::new(Wish { kind, adds, x, colour, ys });
    }

    /// Takes an answer, or a part of it, as an Arrow stream; its first row is row `first` of the table. Gives the number
    /// of its rows.
    ///
    /// # Errors
    /// When the bytes are no Arrow stream.
    pub fn add(&mut self, stream: Vec<u8>, first: usize) -> Result<usize, JsError> {
        let (_, batches) = load::read(stream).map_err(failed)?;
        let mut rows = 0;
        for batch in &batches {
            self.next.add(batch, first + rows, &self.formats);
            rows += batch.num_rows();
        }
        Ok(rows)
    }

    /// Shows what has come. Gives the numbers of points, of categories shown and known, of series shown and known.
    pub fn finish(&mut self) -> Vec<usize> {
        self.data = std::mem::take(&mut self.next);
        self.data.finish();
        self.place();
        let data = &self.data;
        vec![data.points(), data.categories.len(), data.all.0, data.series.len().min(MOST_SERIES), data.all.1]
    }

    fn place(&mut self) {
        self.painter.font(LABEL_SIZE);
        let width_of = |text: &str| self.painter.width_of(text);
        let (width, height) = self.size;
        self.plot = (width > 0.0).then(|| Plot::new(&self.data, width, height, &self.formats, &width_of));
    }

    /// Paints the chart, and what lies over it.
    pub fn paint(&self) {
        if let Some(plot) = &self.plot {
            Pen { painter: &self.painter }.chart(&self.data, plot);
        }
        self.paint_over();
    }

    fn paint_over(&self) {
        let Some(plot) = &self.plot else { return };
        let pen = Pen { painter: &self.over_painter };
        pen.clear(plot);
        if let Some((from, to)) = self.brush {
            pen.brush(plot, from, to);
        }
        if let Some(pointed) = self.found() {
            pen.pointed(&self.data, plot, &pointed, self.brush.is_none());
        }
    }

    fn found(&self) -> Option<Pointed> {
        let (x, y) = self.pointer?;
        hit::pointed(&self.data, self.plot.as_ref()?, x, y, &self.formats)
    }

    /// The pointer is here, or at NaN when it is away.
    #[wasm_bindgen(js_name = pointerMove)]
    pub fn pointer_move(&mut self, x: f64, y: f64) {
        self.pointer = (!x.is_nan()).then_some((x, y));
        self.paint_over();
    }

    /// Points at the next mark along x, or the one before.
    pub fn step(&mut self, by: f64) {
        let Some(plot) = &self.plot else { return };
        let x = plot.x;
        let stride = match self.data.wish.kind {
            Kind::Bar => (x.to - x.from) / self.data.categories.len().max(1) as f64,
            _ => (x.to - x.from) / 50.0,
        };
        let middle = (plot.y.from + plot.y.to) / 2.0;
        let start = if self.data.wish.kind == Kind::Bar { x.from - stride / 2.0 } else { x.from - stride };
        let at = self.pointer.map_or(start, |(at, _)| at);
        let half = if self.data.wish.kind == Kind::Bar { stride / 2.0 } else { 0.0 };
        self.pointer = Some(((at + by * stride).clamp(x.from + half, x.to - half), middle));
        self.paint_over();
    }

    /// What is pointed at, a line for each thing that the tooltip says; empty when it is nothing.
    pub fn pointed(&self) -> String {
        let lines = self.found().map_or_else(Vec::new, |found| found.lines);
        lines.iter().map(|said| said.text.as_str()).collect::<Vec<_>>().join("\n")
    }

    /// Brushes from one place to another; NaN ends it.
    pub fn brush(&mut self, x0: f64, y0: f64, x1: f64, y1: f64) {
        self.brush = (!x0.is_nan()).then_some(((x0, y0), (x1, y1)));
        self.paint_over();
    }

    /// What filter boxes take for what is brushed: a text for the column along x, and for points one for the column along
    /// y. Without a brush what is pointed at.
    pub fn brushed(&self) -> Vec<String> {
        let place = self.brush.or_else(|| self.pointer.map(|at| (at, at)));
        let (Some(plot), Some((from, to))) = (&self.plot, place) else { return Vec::new() };
        hit::brushed(&self.data, plot, from, to, &self.formats)
    }
}
