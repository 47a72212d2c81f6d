//! Where a chart's parts stand: the area of the marks, the scales of both axes and their ticks.

use super::data::{Data, Kind, Measure};
use super::marks::{Bar, Dots, Trace, bars, dots, trace};
use super::scale::{Scale, Tick, ticks};
use crate::format::Formats;

/// Above the marks: the title of y, and the legend.
const HEAD: f64 = 34.0;
/// Below them: labels and the title of x.
const FOOT: f64 = 42.0;
const RIGHT: f64 = 18.0;
/// The most room that slanted labels take in height.
const SLANTED: f64 = 90.0;
/// Pixels that a label takes at least, along x and along y.
const APART: (f64, f64) = (76.0, 30.0);

/// What is drawn.
#[derive(Debug)]
pub(crate) enum Marks {
    Bars(Vec<Bar>),
    Lines(Vec<Trace>),
    Dots(Vec<Dots>),
}

/// A chart with all places.
#[derive(Debug)]
pub(crate) struct Plot {
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) x: Scale,
    /// From the bottom to the top.
    pub(crate) y: Scale,
    pub(crate) x_ticks: Vec<Tick>,
    pub(crate) y_ticks: Vec<Tick>,
    /// Labels of bars are too long to stand beside each other.
    pub(crate) slanted: bool,
    pub(crate) marks: Marks,
}

/// Least and greatest of some numbers; zero and one of none.
fn extent(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) =
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    if low > high { (0.0, 1.0) } else { (low, high) }
}

/// Room beside the outermost marks; around a single value as much as shows that it is one.
fn padded((low, high): (f64, f64), part: f64) -> (f64, f64) {
    let room = if low == high { low.abs().max(1.0) * 0.1 } else { (high - low) * part };
    (low - room, high + room)
}

fn y_extent(data: &Data) -> (f64, f64) {
    let values = || data.series.iter().flat_map(|series| series.points.iter().copied());
    let stacked = data.wish.adds && !data.wish.colour.is_empty() && data.wish.kind == Kind::Bar;
    let (low, high) = if stacked {
        let mut ends = vec![(0.0f64, 0.0f64); data.categories.len()];
        for (at, value) in values() {
            let end = &mut ends[at as usize];
            if value < 0.0 { end.0 += value } else { end.1 += value }
        }
        extent(ends.into_iter().flat_map(|(low, high)| [low, high]))
    } else {
        extent(values().map(|(_, value)| value))
    };
    // Lengths are compared from zero on; places are not.
    let from_zero = data.wish.kind == Kind::Bar || data.wish.kind == Kind::Line && data.wish.adds;
    if !from_zero || matches!(data.y, Measure::Time(_)) {
        return padded((low, high), 0.05);
    }
    let (low, high) = (low.min(0.0), high.max(0.0));
    let room = if low == high { 1.0 } else { (high - low) * 0.06 };
    (if low < 0.0 { low - room } else { 0.0 }, if high > 0.0 || low == 0.0 { high + room } else { 0.0 })
}

fn ticks_of(measure: &Measure, low: f64, high: f64, room: f64, apart: f64, formats: &Formats) -> Vec<Tick> {
    match measure {
        Measure::Time(calendar) => calendar.ticks(low, high, room / (apart + 24.0), &formats.zones),
        Measure::Number(whole) => ticks(low, high, room / apart, *whole, formats.separator),
        Measure::Text => Vec::new(),
    }
}

impl Plot {
    /// Places everything; `width_of` measures a label.
    pub(crate) fn new(data: &Data, width: f64, height: f64, formats: &Formats, width_of: &dyn Fn(&str) -> f64) -> Self {
        let (low, high) = y_extent(data);
        let y_ticks = ticks_of(&data.y, low, high, height - HEAD - FOOT, APART.1, formats);
        let widest = |ticks: &[Tick]| ticks.iter().map(|tick| width_of(&tick.label)).fold(20.0, f64::max);
        let left = (widest(&y_ticks) + 24.0).ceil();
        let right = (width - RIGHT).floor().max(left + 20.0);
        let (mut foot, mut slanted) = (FOOT, false);
        let (x, x_ticks) = if data.wish.kind == Kind::Bar {
            let count = data.categories.len() as f64;
            let x = Scale { low: -0.5, high: count - 0.5, from: left, to: right };
            let label =
                |(at, category): (usize, &super::data::Category)| Tick { at: at as f64, label: category.label.clone() };
            let labels: Vec<Tick> = data.categories.iter().enumerate().map(label).collect();
            slanted = widest(&labels) + 8.0 > (right - left) / count.max(1.0) && !labels.is_empty();
            if slanted {
                foot = 20.0 + (widest(&labels) * 0.7 + 16.0).min(SLANTED);
            }
            (x, labels)
        } else {
            let values = data.series.iter().flat_map(|series| series.points.iter().map(|point| point.0));
            let found = extent(values);
            let (low, high) = padded(found, if data.wish.kind == Kind::Scatter { 0.02 } else { 0.0 });
            let x = Scale { low, high, from: left, to: right };
            (x, ticks_of(&data.x, low, high, right - left, APART.0, formats))
        };
        let y = Scale { low, high, from: (height - foot).max(HEAD + 20.0), to: HEAD };
        let marks = match data.wish.kind {
            Kind::Bar => Marks::Bars(bars(data, &x, &y)),
            Kind::Line => Marks::Lines(data.series.iter().map(|series| trace(series, data.pieces, &x)).collect()),
            Kind::Scatter => {
                Marks::Dots(data.series.iter().map(|series| dots(series, data.points(), &x, &y)).collect())
            }
        };
        Self { width, height, x, y, x_ticks, y_ticks, slanted, marks }
    }

    /// Whether a point lies over the marks, or a little beside them.
    pub(crate) fn holds(&self, x: f64, y: f64) -> bool {
        (self.x.from - 8.0..=self.x.to + 8.0).contains(&x) && (self.y.to - 8.0..=self.y.from + 8.0).contains(&y)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Float64Array, Int64Array};

    use super::super::data::tests::{data, formats, text, wish};
    use super::*;

    fn plot(data: &Data) -> Plot {
        Plot::new(data, 600.0, 300.0, &formats(), &|text| text.len() as f64 * 7.0)
    }

    #[test]
    fn bars_begin_at_zero_and_lines_where_their_values_do() {
        let values: ArrayRef = Arc::new(Float64Array::from(vec![100.0, 110.0]));
        let bars = data(wish(Kind::Bar, false, ""), vec![text(&[Some("a"), Some("b")]), values.clone()]);
        let placed = plot(&bars);
        assert_eq!((placed.y.low, placed.slanted), (0.0, false));
        assert_eq!(
            placed.y_ticks.iter().map(|tick| tick.label.as_str()).collect::<Vec<_>>(),
            ["0", "20", "40", "60", "80", "100"]
        );
        let line = data(wish(Kind::Line, false, ""), vec![values.clone(), values]);
        assert_eq!(plot(&line).y.low, 99.5);
    }

    #[test]
    fn stacks_are_as_high_as_their_parts() {
        let values: ArrayRef = Arc::new(Int64Array::from(vec![3, 4, 5]));
        let x = text(&[Some("a"), Some("a"), Some("b")]);
        let colour = text(&[Some("p"), Some("q"), Some("p")]);
        let stacked = plot(&data(wish(Kind::Bar, true, "c"), vec![x.clone(), colour.clone(), values.clone()]));
        assert!(stacked.y.high > 7.0 && stacked.y.high < 8.0);
        assert!(plot(&data(wish(Kind::Bar, false, "c"), vec![x, colour, values])).y.high < 6.0);
    }

    #[test]
    fn nothing_and_one_value_have_a_place() {
        let none: ArrayRef = Arc::new(Int64Array::from(Vec::<i64>::new()));
        for kind in [Kind::Bar, Kind::Line, Kind::Scatter] {
            plot(&data(wish(kind, true, ""), vec![none.clone(), none.clone()]));
            let one: ArrayRef = Arc::new(Int64Array::from(vec![7]));
            let placed = plot(&data(wish(kind, true, ""), vec![one.clone(), one]));
            assert!(placed.y.high > placed.y.low, "{placed:?}");
        }
    }

    #[test]
    fn long_labels_lean() {
        let names: Vec<String> = (0..40).map(|at| format!("a long name {at:02}")).collect();
        let names: Vec<Option<&str>> = names.iter().map(|name| Some(name.as_str())).collect();
        let counts: ArrayRef = Arc::new(Int64Array::from_iter_values(0..40));
        let placed = plot(&data(wish(Kind::Bar, true, ""), vec![text(&names), counts]));
        assert!(placed.slanted && placed.y.from < 300.0 - FOOT, "{placed:?}");
    }
}
