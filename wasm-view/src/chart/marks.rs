//! Bars, lines and points, with their places.
//!
//! A line of more points than the screen has columns is drawn as what is in each column: a band from the least to the
//! greatest value, and a line through their means. Many points are drawn as the squares that they fall into, the darker
//! the more there are. So a chart costs what its pixels cost, whatever the table.

use super::data::{Data, Series};
use super::scale::Scale;

/// The widest bar.
const WIDEST: f64 = 56.0;
/// Points that are drawn one by one.
const SINGLE: usize = 4_000;
/// The side of a square of many points.
pub(crate) const CELL: f64 = 3.0;
/// Darknesses of squares.
pub(crate) const SHADES: usize = 8;

/// One bar, in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bar {
    pub(crate) left: f64,
    pub(crate) width: f64,
    pub(crate) top: f64,
    pub(crate) height: f64,
    pub(crate) category: usize,
    /// Its series' number.
    pub(crate) series: usize,
}

/// Bars beside each other, or on top of each other when their values add up.
pub(crate) fn bars(data: &Data, x: &Scale, y: &Scale) -> Vec<Bar> {
    let stacked = data.wish.adds && !data.wish.colour.is_empty();
    let beside = if stacked { 1.0 } else { data.series.len().max(1) as f64 };
    let slot = (x.to - x.from) / data.categories.len().max(1) as f64;
    let width = (slot * 0.82 / beside).min(WIDEST);
    let gap = if width > 6.0 && beside > 1.0 { 1.0 } else { 0.0 };
    let mut ends = vec![(0.0f64, 0.0f64); data.categories.len()];
    let mut bars = Vec::new();
    for (index, series) in data.series.iter().enumerate() {
        for &(at, value) in &series.points {
            let category = at as usize;
            let mut base = 0.0;
            let mut left = x.at(at) - width * beside / 2.0;
            if stacked {
                let Some(end) = ends.get_mut(category) else { continue };
                let end = if value < 0.0 { &mut end.0 } else { &mut end.1 };
                base = *end;
                *end += value;
            } else {
                left += width * index as f64;
            }
            let (from, to) = (y.at(base), y.at(base + value));
            let (top, height) = (from.min(to), (from - to).abs());
            bars.push(Bar { left, width: (width - gap).max(0.5), top, height, category, series: index });
        }
    }
    bars
}

/// What is in one column of pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bin {
    /// The mean of what is along x.
    pub(crate) x: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) mean: f64,
    pub(crate) count: f64,
}

/// A line.
#[derive(Debug)]
pub(crate) struct Trace {
    pub(crate) bins: Vec<Bin>,
    /// Whether bins are of many points, so that there is a band.
    pub(crate) binned: bool,
}

/// The points of a line, by columns of pixels when they are many.
pub(crate) fn trace(series: &Series, pieces: bool, x: &Scale) -> Trace {
    let columns = (x.to - x.from).max(1.0);
    // Pieces of a table come in no order along x.
    if !pieces && series.points.len() as f64 <= 2.0 * columns {
        let single = |&(x, y): &(f64, f64)| Bin { x, low: y, high: y, mean: y, count: 1.0 };
        return Trace { bins: series.points.iter().map(single).collect(), binned: false };
    }
    let mut bins =
        vec![Bin { x: 0.0, low: f64::INFINITY, high: f64::NEG_INFINITY, mean: 0.0, count: 0.0 }; columns as usize + 1];
    for &(at, value) in &series.points {
        if let Some(bin) = bins.get_mut((x.at(at) - x.from) as usize) {
            bin.count += 1.0;
            bin.x += (at - bin.x) / bin.count;
            bin.mean += (value - bin.mean) / bin.count;
            (bin.low, bin.high) = (bin.low.min(value), bin.high.max(value));
        }
    }
    bins.retain(|bin| bin.count > 0.0);
    Trace { bins, binned: true }
}

/// Points of one colour.
#[derive(Debug)]
pub(crate) enum Dots {
    /// One by one, with how much they cover what is below.
    Single(f64),
    /// Squares by their shade, the lightest first.
    Squares([Vec<(f64, f64)>; SHADES]),
}

/// The points of a series where there are so many in all.
pub(crate) fn dots(series: &Series, all: usize, x: &Scale, y: &Scale) -> Dots {
    if all <= SINGLE {
        return Dots::Single(if all < 300 { 0.8 } else { 0.45 });
    }
    let columns = ((x.to - x.from) / CELL) as usize + 1;
    let rows = ((y.from - y.to) / CELL) as usize + 1;
    let mut counts = vec![0u32; columns * rows];
    for &(at, value) in &series.points {
        let (column, row) = (((x.at(at) - x.from) / CELL) as usize, ((y.at(value) - y.to) / CELL) as usize);
        if let Some(count) = counts.get_mut(row * columns + column) {
            *count += 1;
        }
    }
    let most = counts.iter().max().map_or(1, |most| most.max(&2).ilog2() as usize);
    let mut shades: [Vec<(f64, f64)>; SHADES] = std::array::from_fn(|_| Vec::new());
    for (at, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        // What is so many times as dense is a shade darker.
        let shade = count.ilog2() as usize * (SHADES - 1) / most;
        let (column, row) = (at % columns, at / columns);
        shades[shade].push((x.from + column as f64 * CELL, y.to + row as f64 * CELL));
    }
    Dots::Squares(shades)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Float64Array, Int64Array};

    use super::super::data::Kind;
    use super::super::data::tests::{data, text, wish};
    use super::*;

    const X: Scale = Scale { low: 0.0, high: 100_000.0, from: 40.0, to: 240.0 };
    const Y: Scale = Scale { low: 0.0, high: 10.0, from: 110.0, to: 10.0 };

    #[test]
    fn bars_stand_on_each_other_or_beside() {
        let columns = || -> Vec<ArrayRef> {
            let values = Arc::new(Int64Array::from(vec![3, 4]));
            vec![text(&[Some("a"), Some("a")]), text(&[Some("p"), Some("q")]), values]
        };
        let x = Scale { low: -0.5, high: 0.5, from: 0.0, to: 40.0 };
        let places = |adds: bool| {
            let bars = bars(&data(wish(Kind::Bar, adds, "c"), columns()), &x, &Y);
            bars.iter().map(|bar| (bar.left.round(), bar.top, bar.height)).collect::<Vec<_>>()
        };
        assert_eq!(places(true), [(4.0, 80.0, 30.0), (4.0, 40.0, 40.0)]);
        assert_eq!(places(false), [(4.0, 80.0, 30.0), (20.0, 70.0, 40.0)]);
        // What is negative hangs below zero.
        let below: ArrayRef = Arc::new(Float64Array::from(vec![-2.0]));
        let y = Scale { low: -10.0, ..Y };
        let hanging = bars(&data(wish(Kind::Bar, false, ""), vec![text(&[None]), below]), &x, &y);
        assert_eq!((hanging[0].top, hanging[0].height), (60.0, 10.0));
    }

    #[test]
    fn many_points_are_thinned_and_no_peak_is_lost() {
        let mut points: Vec<(f64, f64)> = (0..100_000).map(|at| (f64::from(at), 1.0)).collect();
        points[77_777].1 = 9.0;
        let series = Series { points, ..Series::default() };
        let line = trace(&series, false, &X);
        assert!(line.binned && line.bins.len() <= 201);
        assert_eq!(line.bins.iter().map(|bin| bin.count).sum::<f64>(), 100_000.0);
        let peak = line.bins.iter().find(|bin| bin.high == 9.0).unwrap();
        assert!((X.at(peak.x) - X.at(77_777.0)).abs() <= 1.0 && peak.low == 1.0 && peak.mean < 1.1);
        let few = Series { points: vec![(0.0, 1.0), (10.0, 2.0)], ..Series::default() };
        let line = trace(&few, false, &X);
        assert!(!line.binned && line.bins.len() == 2);
    }

    #[test]
    fn squares_are_darker_where_points_are_dense() {
        let mut points: Vec<(f64, f64)> = vec![(0.0, 0.0); 9];
        points.push((100_000.0, 10.0));
        let series = Series { points, ..Series::default() };
        let Dots::Squares(shades) = dots(&series, 10_000, &X, &Y) else { panic!("these are many") };
        assert_eq!(shades[0], [(238.0, 10.0)]);
        assert_eq!(shades[7], [(40.0, 109.0)]);
        assert!(matches!(dots(&series, 10, &X, &Y), Dots::Single(_)));
    }
}
