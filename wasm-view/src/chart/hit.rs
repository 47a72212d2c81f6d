//! What lies under the pointer, in words, and what a brush takes, as filter boxes read it.

use arrow_schema::DataType;

use super::data::{Data, Kind, Measure};
use super::plot::{Marks, Plot};
use super::scale::{self, decimals, step};
use crate::filter_text;
use crate::format::{self, Formats};

/// How far from a point one still points at it, in pixels.
const NEAR: f64 = 10.0;

/// A line of a tooltip: its series, if it has one, and its text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Said {
    pub(crate) series: Option<usize>,
    pub(crate) text: String,
}

/// What is pointed at.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pointed {
    /// The middle of it, in pixels.
    pub(crate) x: f64,
    /// The points that it is, each with its series.
    pub(crate) marks: Vec<(f64, f64, usize)>,
    pub(crate) category: Option<usize>,
    pub(crate) lines: Vec<Said>,
}

/// A value of an axis, for a tooltip.
fn told(measure: &Measure, value: f64, span: f64, formats: &Formats) -> String {
    match measure {
        Measure::Time(calendar) => calendar.text(value, span, &formats.zones),
        _ => scale::figure(value, formats.separator),
    }
}

fn joined(name: &str, value: &str) -> String {
    [name, "  ", value].concat()
}

/// What is at a place, if anything is.
pub(crate) fn pointed(data: &Data, plot: &Plot, x: f64, y: f64, formats: &Formats) -> Option<Pointed> {
    if !plot.holds(x, y) || data.points() == 0 {
        return None;
    }
    let x_text = |value: f64| told(&data.x, value, plot.x.high - plot.x.low, formats);
    let y_text = |value: f64| told(&data.y, value, plot.y.high - plot.y.low, formats);
    let x_name = if data.wish.x.is_empty() { "row" } else { &data.wish.x };
    let mut found = Pointed { x, marks: Vec::new(), category: None, lines: Vec::new() };
    let mut say = |series: Option<usize>, text: String| found.lines.push(Said { series, text });
    match &plot.marks {
        Marks::Bars(bars) => {
            let last = data.categories.len().checked_sub(1)?;
            let at = (plot.x.back(x) + 0.5).max(0.0) as usize;
            let at = at.min(last);
            say(None, joined(x_name, &data.categories[at].label));
            for bar in bars.iter().filter(|bar| bar.category == at) {
                let series = &data.series[bar.series];
                let value = series.points.iter().find(|point| point.0 == at as f64)?.1;
                say(Some(bar.series), joined(&series.name, &y_text(value)));
            }
            if data.series.len() > 1 && data.wish.adds && !data.wish.colour.is_empty() {
                say(None, joined("together", &y_text(data.categories[at].total)));
            }
            (found.category, found.x) = (Some(at), plot.x.at(at as f64));
        }
        Marks::Lines(traces) => {
            // The nearest point of any line, and what the others have there.
            let nearest = |at: f64, bins: &[super::marks::Bin]| {
                let far = |bin: &super::marks::Bin| (bin.x - at).abs();
                bins.iter().copied().min_by(|a, b| far(a).total_cmp(&far(b)))
            };
            let wanted = plot.x.back(x);
            let all = traces.iter().filter_map(|trace| nearest(wanted, &trace.bins));
            let at = all.map(|bin| bin.x).min_by(|a, b| (a - wanted).abs().total_cmp(&(b - wanted).abs()))?;
            let title = if data.wish.x.is_empty() { at.round() + 1.0 } else { at };
            say(None, joined(x_name, &x_text(title)));
            found.x = plot.x.at(at);
            for (index, trace) in traces.iter().enumerate() {
                let near = nearest(at, &trace.bins).filter(|bin| (plot.x.at(bin.x) - found.x).abs() <= 2.0);
                let Some(bin) = near else { continue };
                let mut text = joined(&data.series[index].name, &y_text(bin.mean));
                if bin.count > 1.0 {
                    text.push_str(&["  (", &y_text(bin.low), " to ", &y_text(bin.high), ")"].concat());
                }
                say(Some(index), text);
                found.marks.push((found.x, plot.y.at(bin.mean), index));
            }
        }
        Marks::Dots(_) => {
            let mut best = (NEAR * NEAR, 0, (0.0, 0.0));
            for (index, series) in data.series.iter().enumerate() {
                for &point in &series.points {
                    let (dx, dy) = (plot.x.at(point.0) - x, plot.y.at(point.1) - y);
                    if dx * dx + dy * dy < best.0 {
                        best = (dx * dx + dy * dy, index, point);
                    }
                }
            }
            let (far, index, point) = best;
            if far >= NEAR * NEAR {
                return None;
            }
            say(None, joined(x_name, &x_text(point.0)));
            say(None, joined(data.wish.ys.first()?, &y_text(point.1)));
            if !data.wish.colour.is_empty() {
                say(Some(index), joined(&data.wish.colour, &data.series[index].name));
            }
            found.x = plot.x.at(point.0);
            found.marks.push((found.x, plot.y.at(point.1), index));
        }
    }
    Some(found)
}

/// What filter boxes take for a stretch of an axis: `10..20`, `2013-05-01..2013-05-31`.
fn range(measure: &Measure, low: f64, high: f64, formats: &Formats) -> String {
    let mut out = String::new();
    match measure {
        Measure::Time(calendar) => return calendar.range(low, high, &formats.zones),
        Measure::Text => {}
        Measure::Number(whole) => {
            let unit = if *whole { 1.0 } else { step(high - low, 100.0) };
            let (mut first, mut last) = ((low / unit).ceil(), (high / unit).floor());
            if first > last {
                first = (low / unit).round();
                last = first;
            }
            let fixed = Some((decimals(unit), None));
            format::float(first * unit, fixed, &mut out);
            if last > first {
                out.push_str("..");
                format::float(last * unit, fixed, &mut out);
            }
        }
    }
    out
}

/// What filter boxes take for categories.
fn one_of(data: &Data, first: usize, last: usize) -> String {
    let Some(data_type) = &data.x_type else { return String::new() };
    let chosen = data.categories.get(first..=last).unwrap_or_default();
    let exact: Vec<&str> = chosen.iter().filter_map(|category| category.exact.as_deref()).collect();
    let Some((head, tail)) = exact.split_first() else { return filter_text::of_value(data_type, None, false) };
    if tail.is_empty() {
        return filter_text::of_value(data_type, Some(head), false);
    }
    match &data.x {
        // The categories of times stand in their order.
        Measure::Time(_) => [head, "..", tail.last().unwrap_or(head)].concat(),
        Measure::Number(_) => exact.join(", "),
        Measure::Text if *data_type == DataType::Boolean => filter_text::of_value(data_type, None, true),
        Measure::Text => {
            let mut text = String::from("=");
            for (index, value) in exact.iter().enumerate() {
                text.push_str(if index > 0 { ", " } else { "" });
                text.push_str(&filter_text::of_value(data_type, Some(value), false)[1..]);
            }
            text
        }
    }
}

/// What a brush from one place to another takes: the text for the filter of x, and for points also that of y.
pub(crate) fn brushed(data: &Data, plot: &Plot, from: (f64, f64), to: (f64, f64), formats: &Formats) -> Vec<String> {
    if data.wish.x.is_empty() || data.points() == 0 {
        return Vec::new();
    }
    let (low, high) = (plot.x.back(from.0.min(to.0)), plot.x.back(from.0.max(to.0)));
    if data.wish.kind == Kind::Bar {
        let last = data.categories.len().saturating_sub(1);
        let at = |value: f64| ((value + 0.5).max(0.0) as usize).min(last);
        return vec![one_of(data, at(low), at(high))];
    }
    let mut texts = vec![range(&data.x, low, high, formats)];
    if data.wish.kind == Kind::Scatter {
        let (low, high) = (plot.y.back(from.1.max(to.1)), plot.y.back(from.1.min(to.1)));
        texts.push(range(&data.y, low, high, formats));
    }
    texts
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array};

    use super::super::data::tests::{data, formats, text, wish};
    use super::*;

    fn plot(data: &Data) -> Plot {
        Plot::new(data, 600.0, 300.0, &formats(), &|text| text.len() as f64 * 7.0)
    }

    fn ints(values: &[i64]) -> ArrayRef {
        Arc::new(Int64Array::from(values.to_vec()))
    }

    fn lines(pointed: &Pointed) -> Vec<&str> {
        pointed.lines.iter().map(|said| said.text.as_str()).collect()
    }

    #[test]
    fn a_bar_says_its_category_and_value() {
        let bars = data(wish(Kind::Bar, true, ""), vec![text(&[Some("a"), Some("b, c")]), ints(&[1, 20_000])]);
        let placed = plot(&bars);
        let at = pointed(&bars, &placed, placed.x.at(0.0), 100.0, &formats()).unwrap();
        assert_eq!((lines(&at), at.category), (vec!["x  b, c", "count  20,000"], Some(0)));
        assert_eq!(pointed(&bars, &placed, 5.0, 100.0, &formats()), None);
        let brush = |low: f64, high: f64| {
            brushed(&bars, &placed, (placed.x.at(low), 50.0), (placed.x.at(high), 60.0), &formats())
        };
        assert_eq!(brush(-0.1, 1.2), ["=\"b, c\", a"]);
        assert_eq!(brush(1.2, 0.9), ["=a"]);
    }

    #[test]
    fn lines_say_what_they_have_at_the_nearest_point() {
        let columns = vec![ints(&[10, 20, 20]), text(&[Some("p"), Some("p"), Some("q")]), ints(&[1, 2, 3])];
        let line = data(wish(Kind::Line, false, "c"), columns);
        let placed = plot(&line);
        let at = pointed(&line, &placed, placed.x.at(19.0), 100.0, &formats()).unwrap();
        assert_eq!((lines(&at), at.marks.len()), (vec!["x  20", "p  2", "q  3"], 2));
        let at = pointed(&line, &placed, placed.x.at(10.2), 100.0, &formats()).unwrap();
        assert_eq!(lines(&at), ["x  10", "p  1"]);
        let brush = brushed(&line, &placed, (placed.x.at(11.6), 0.0), (placed.x.at(19.4), 0.0), &formats());
        assert_eq!(brush, ["12..19"]);
        let brush = brushed(&line, &placed, (placed.x.at(11.6), 0.0), (placed.x.at(11.7), 0.0), &formats());
        assert_eq!(brush, ["12"]);
    }

    #[test]
    fn a_brush_over_points_has_two_sides() {
        let ys: ArrayRef = Arc::new(Float64Array::from(vec![0.0, 0.5, 1.0]));
        let dots = data(wish(Kind::Scatter, false, ""), vec![ints(&[0, 50, 100]), ys]);
        let placed = plot(&dots);
        let at = pointed(&dots, &placed, placed.x.at(50.0) + 3.0, placed.y.at(0.5), &formats()).unwrap();
        assert_eq!(lines(&at), ["x  50", "count  0.5000"]);
        assert_eq!(pointed(&dots, &placed, placed.x.at(70.0), placed.y.at(0.5), &formats()), None);
        let (from, to) = ((placed.x.at(9.7), placed.y.at(0.201)), (placed.x.at(60.4), placed.y.at(0.802)));
        assert_eq!(brushed(&dots, &placed, from, to, &formats()), ["10..60", "0.21..0.80"]);
    }

    #[test]
    fn categories_of_other_types_are_brushed_in_their_notation() {
        let both = |column: ArrayRef| {
            let bars = data(wish(Kind::Bar, true, ""), vec![column, ints(&[3, 2, 1])]);
            let placed = plot(&bars);
            let all = (placed.x.at(0.0), 0.0);
            let many = brushed(&bars, &placed, all, (placed.x.at(2.0), 0.0), &formats()).remove(0);
            let one = brushed(&bars, &placed, all, all, &formats()).remove(0);
            let x_type = bars.x_type.clone().unwrap();
            for text in [&one, &many] {
                assert!(filter_text::parse("x", &x_type, text, &formats().zones).is_ok(), "{text}");
            }
            (one, many)
        };
        let pair = |one: &str, many: &str| (one.to_owned(), many.to_owned());
        assert_eq!(both(ints(&[1, 2, 12])), pair("=1", "1, 2, 12"));
        assert_eq!(both(text(&[None, Some("b"), Some("c")])), pair("null", "=b, c"));
        let dates: ArrayRef = Arc::new(Date32Array::from(vec![0, 1, 365]));
        assert_eq!(both(dates), pair("=1970-01-01", "1970-01-01..1971-01-01"));
        let flags: ArrayRef = Arc::new(BooleanArray::from(vec![Some(false), Some(true), None]));
        assert_eq!(both(flags), pair("=false", "!null"));
    }
}
