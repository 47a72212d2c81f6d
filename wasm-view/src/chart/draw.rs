//! Painting: what `plot` has placed, and over it what is pointed at and brushed.

use web_sys::CanvasRenderingContext2d;

use super::data::{Data, REST, Series};
use super::hit::Pointed;
use super::marks::{Bin, CELL, Dots, SHADES, Trace};
use super::plot::{Marks, Plot};
use crate::grid::{Colour, LABEL_SIZE, NAME_SIZE, Painter};

const TEXT_SIZE: &str = "12px ";
const NULL_SIZE: &str = "italic 11px ";
/// The most room of a slanted label.
const LONGEST: f64 = 104.0;
/// Points of a line that are few enough to be seen one by one.
const DOTTED: usize = 60;

/// A painter of charts.
#[derive(Debug)]
pub(super) struct Pen<'a> {
    pub(super) painter: &'a Painter,
}

fn colour_of(series: &Series) -> Colour {
    if series.colour == REST { Colour::THUMB } else { Colour::series(series.colour) }
}

impl Pen<'_> {
    fn context(&self) -> &CanvasRenderingContext2d {
        &self.painter.context
    }

    /// Draws a text; where it begins, ends or has its middle is said by `align`.
    fn text(&self, text: &str, align: &str, x: f64, y: f64) {
        self.context().set_text_align(align);
        self.painter.text(text, x, y);
    }

    /// A line through points; one that begins anew, or goes on.
    fn line(&self, points: impl Iterator<Item = (f64, f64)>, begins: bool) {
        for (index, (x, y)) in points.enumerate() {
            if index == 0 && begins { self.context().move_to(x, y) } else { self.context().line_to(x, y) }
        }
    }

    fn circle(&self, x: f64, y: f64, radius: f64) {
        self.context().begin_path();
        let _drawn = self.context().arc(x, y, radius, 0.0, std::f64::consts::TAU);
        self.context().fill();
    }

    /// Begins a picture of this size.
    pub(super) fn clear(&self, plot: &Plot) {
        let scale = self.painter.scale;
        let _kept = self.context().set_transform(scale, 0.0, 0.0, scale, 0.0, 0.0);
        self.context().clear_rect(0.0, 0.0, plot.width, plot.height);
    }

    /// Draws the chart.
    pub(super) fn chart(&self, data: &Data, plot: &Plot) {
        let painter = self.painter;
        self.clear(plot);
        painter.fill(Colour::BACKGROUND, 0.0, 0.0, plot.width, plot.height);
        if data.points() == 0 {
            return;
        }
        self.axes(data, plot);
        self.head(data, plot);
        if !matches!(plot.marks, Marks::Bars(_)) {
            self.zero(plot);
        }
        self.context().save();
        painter.clip(plot.x.from - 4.0, plot.y.to - 6.0, plot.x.to - plot.x.from + 8.0, plot.y.from - plot.y.to + 12.0);
        match &plot.marks {
            Marks::Bars(bars) => {
                for bar in bars {
                    painter.fill(colour_of(&data.series[bar.series]), bar.left, bar.top, bar.width, bar.height);
                }
            }
            Marks::Lines(traces) => {
                traces
                    .iter()
                    .zip(&data.series)
                    .for_each(|(trace, series)| self.trace(data, trace, colour_of(series), plot));
            }
            Marks::Dots(all) => {
                // What is put together lies below the others.
                for (dots, series) in all.iter().zip(&data.series).rev() {
                    self.dots(dots, series, plot);
                }
            }
        }
        self.context().restore();
        // The line that lengths begin at lies over what begins there.
        if let Marks::Bars(_) = plot.marks {
            self.zero(plot);
        }
    }

    fn zero(&self, plot: &Plot) {
        let painter = self.painter;
        if plot.y.low <= 0.0 && plot.y.high >= 0.0 {
            let y = painter.snap(plot.y.at(0.0));
            painter.fill(Colour::MUTED, plot.x.from, y, plot.x.to - plot.x.from, painter.hair());
        }
    }

    fn axes(&self, data: &Data, plot: &Plot) {
        let painter = self.painter;
        painter.font(LABEL_SIZE);
        for tick in &plot.y_ticks {
            let y = painter.snap(plot.y.at(tick.at));
            painter.fill(Colour::LINE, plot.x.from, y, plot.x.to - plot.x.from, painter.hair());
            self.painter.ink(Colour::MUTED);
            self.text(&tick.label, "right", plot.x.from - 8.0, y);
        }
        let bottom = plot.y.from;
        for tick in &plot.x_ticks {
            let x = painter.snap(plot.x.at(tick.at));
            if let Marks::Bars(_) = plot.marks {
                // A null is no value, and must not look like one.
                let is_null = data.categories.get(tick.at as usize).is_some_and(|category| category.exact.is_none());
                self.painter.ink(if is_null { Colour::FAINT } else { Colour::TEXT });
                painter.font(if is_null { NULL_SIZE } else { LABEL_SIZE });
                let mut label = tick.label.clone();
                if plot.slanted {
                    // Where bars are thinner than text is high, not every one has a label.
                    let every = (13.0 / ((plot.x.to - plot.x.from) / plot.x_ticks.len() as f64)).ceil().max(1.0);
                    if (tick.at / every).fract() != 0.0 {
                        continue;
                    }
                    self.context().save();
                    let _moved = self.context().translate(x + 3.0, bottom + 8.0);
                    let _turned = self.context().rotate(-0.8);
                    self.context().set_text_align("right");
                    painter.fitted(&mut label, 0.0, 0.0, LONGEST, false);
                    self.context().restore();
                } else {
                    self.text(&label, "center", x, bottom + 13.0);
                }
            } else {
                painter.fill(Colour::LINE, x, plot.y.to, painter.hair(), bottom - plot.y.to);
                self.painter.ink(Colour::MUTED);
                // The outermost labels stay inside.
                let half = painter.width_of(&tick.label) / 2.0;
                self.text(&tick.label, "center", x.clamp(half + 2.0, plot.width - half - 2.0), bottom + 13.0);
            }
        }
        painter.font(LABEL_SIZE);
        self.painter.ink(Colour::MUTED);
        let title = if data.wish.x.is_empty() { "row" } else { &data.wish.x };
        self.text(title, "right", plot.x.to, plot.height - 10.0);
    }

    /// The title of y, and the legend where there is more than one colour.
    fn head(&self, data: &Data, plot: &Plot) {
        self.painter.font(LABEL_SIZE);
        self.painter.ink(Colour::MUTED);
        let coloured = !data.wish.colour.is_empty();
        let title =
            if coloured || data.series.len() == 1 { data.wish.ys.first().map_or("", |title| title) } else { "" };
        self.text(title, "left", 14.0, 16.0);
        if data.series.len() < 2 && !coloured {
            return;
        }
        // From the right to the left, the last one first; what finds no room is in the tooltip.
        let mut right = plot.x.to;
        let least = 14.0 + self.painter.width_of(title) + 24.0;
        let widths = data.series.iter().map(|series| self.painter.width_of(&series.name).min(160.0) + 28.0);
        let widths: Vec<f64> = widths.collect();
        let mut room = right - least;
        let fits = widths
            .iter()
            .take_while(|&&width| {
                room -= width;
                room > 0.0
            })
            .count();
        for (series, width) in data.series.iter().zip(&widths).take(fits).rev() {
            right -= width;
            self.painter.fill(colour_of(series), right + 14.0, 11.0, 9.0, 9.0);
            self.painter.ink(Colour::TEXT);
            self.context().set_text_align("left");
            self.painter.fitted(&mut series.name.clone(), right + 28.0, 16.0, 160.0, false);
        }
    }

    fn trace(&self, data: &Data, trace: &Trace, colour: Colour, plot: &Plot) {
        let context = self.context();
        let place = |x: f64, y: f64| (plot.x.at(x), plot.y.at(y));
        context.set_line_join("round");
        context.set_stroke_style_str(self.painter.theme.colour(colour));
        self.painter.ink(colour);
        // Over rows that are missing no line is drawn.
        let apart = |a: &Bin, b: &Bin| data.pieces && plot.x.at(b.x) - plot.x.at(a.x) > 3.0;
        context.set_line_width(if trace.bins.len() > 400 { 1.25 } else { 2.0 });
        for bins in trace.bins.chunk_by(|a, b| !apart(a, b)) {
            if trace.binned {
                context.set_global_alpha(0.25);
                context.begin_path();
                self.line(bins.iter().map(|bin| place(bin.x, bin.high)), true);
                self.line(bins.iter().rev().map(|bin| place(bin.x, bin.low)), false);
                context.fill();
                context.set_global_alpha(1.0);
            }
            context.begin_path();
            self.line(bins.iter().map(|bin| place(bin.x, bin.mean)), true);
            context.stroke();
        }
        if trace.bins.len() <= DOTTED {
            for bin in &trace.bins {
                let (x, y) = place(bin.x, bin.mean);
                self.circle(x, y, 2.75);
            }
        }
    }

    fn dots(&self, dots: &Dots, series: &Series, plot: &Plot) {
        let context = self.context();
        self.painter.ink(colour_of(series));
        match dots {
            Dots::Single(cover) => {
                context.set_global_alpha(*cover);
                for &(x, y) in &series.points {
                    self.circle(plot.x.at(x), plot.y.at(y), 3.0);
                }
            }
            Dots::Squares(shades) => {
                for (index, squares) in shades.iter().enumerate() {
                    context.set_global_alpha(0.4 + 0.6 * index as f64 / (SHADES - 1) as f64);
                    context.begin_path();
                    squares.iter().for_each(|&(x, y)| context.rect(x, y, CELL, CELL));
                    context.fill();
                }
            }
        }
        context.set_global_alpha(1.0);
    }

    /// The stretch that is brushed.
    pub(super) fn brush(&self, plot: &Plot, from: (f64, f64), to: (f64, f64)) {
        let (left, right) = (from.0.min(to.0).max(plot.x.from), from.0.max(to.0).min(plot.x.to));
        let (mut top, mut bottom) = (plot.y.to, plot.y.from);
        if let Marks::Dots(_) = plot.marks {
            (top, bottom) = (from.1.min(to.1).max(top), from.1.max(to.1).min(bottom));
        }
        self.context().set_global_alpha(0.14);
        self.painter.fill(Colour::ACCENT, left, top, right - left, bottom - top);
        self.context().set_global_alpha(1.0);
        self.context().set_stroke_style_str(self.painter.theme.colour(Colour::ACCENT));
        self.context().set_line_width(1.0);
        self.context().stroke_rect(left, top, right - left, bottom - top);
    }

    /// What is pointed at: a line through it, its points, and a box of words.
    pub(super) fn pointed(&self, data: &Data, plot: &Plot, pointed: &Pointed, words: bool) {
        let painter = self.painter;
        match &plot.marks {
            Marks::Bars(_) => {
                let slot = (plot.x.to - plot.x.from) / data.categories.len().max(1) as f64;
                self.context().set_global_alpha(0.08);
                painter.fill(Colour::TEXT, pointed.x - slot / 2.0, plot.y.to, slot, plot.y.from - plot.y.to);
                self.context().set_global_alpha(1.0);
            }
            Marks::Lines(_) => {
                let x = painter.snap(pointed.x);
                painter.fill(Colour::MUTED, x, plot.y.to, painter.hair(), plot.y.from - plot.y.to);
            }
            Marks::Dots(_) => {}
        }
        for &(x, y, series) in &pointed.marks {
            self.painter.ink(Colour::BACKGROUND);
            self.circle(x, y, 5.5);
            self.painter.ink(colour_of(&data.series[series]));
            self.circle(x, y, 4.0);
        }
        if words {
            self.words(data, plot, pointed);
        }
    }

    fn words(&self, data: &Data, plot: &Plot, pointed: &Pointed) {
        const LINE: f64 = 18.0;
        let painter = self.painter;
        let font = |index: usize| painter.font(if index == 0 { NAME_SIZE } else { TEXT_SIZE });
        let indent = |index: usize| if pointed.lines[index].series.is_some() { 15.0 } else { 0.0 };
        let width_of = |index: usize| {
            font(index);
            painter.width_of(&pointed.lines[index].text) + indent(index)
        };
        let width = (0..pointed.lines.len()).map(width_of).fold(0.0, f64::max).min(plot.width - 40.0) + 20.0;
        let height = pointed.lines.len() as f64 * LINE + 12.0;
        // Beside what is pointed at, on the side that has room.
        let beside = match plot.marks {
            Marks::Bars(_) => 12.0 + ((plot.x.to - plot.x.from) / data.categories.len().max(1) as f64 / 2.0).min(28.0),
            _ => 14.0,
        };
        let right = pointed.x + beside;
        let left = if right + width > plot.width - 4.0 { (pointed.x - beside - width).max(4.0) } else { right };
        let at = pointed.marks.first().map_or(plot.y.to + 8.0 + height / 2.0, |mark| mark.1);
        let top = (at - height / 2.0).min(plot.height - height - 4.0).max(4.0);
        let rounded = |grown: f64, colour: Colour| {
            self.painter.ink(colour);
            self.context().begin_path();
            let (x, y) = (left - grown, top - grown);
            let _drawn =
                self.context().round_rect_with_f64(x, y, width + 2.0 * grown, height + 2.0 * grown, 7.0 + grown);
            self.context().fill();
        };
        rounded(1.0, Colour::THUMB);
        rounded(0.0, Colour::BACKGROUND);
        self.context().set_text_align("left");
        for (index, said) in pointed.lines.iter().enumerate() {
            let y = top + 6.0 + LINE * (index as f64 + 0.5);
            if let Some(series) = said.series {
                painter.fill(colour_of(&data.series[series]), left + 10.0, y - 4.0, 9.0, 9.0);
            }
            font(index);
            self.painter.ink(Colour::TEXT);
            painter.fitted(&mut said.text.clone(), left + 10.0 + indent(index), y, width - 18.0 - indent(index), false);
        }
    }
}
