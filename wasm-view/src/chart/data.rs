//! Rows of an answer to series of points: what is drawn, before it has a place.
//!
//! The answer's columns are the one along x (unless x is the order of the rows), the one that colours (if there is one),
//! and those along y. A bar's x is the number of its category. What a chart cannot show (more than [`MOST_BARS`] bars,
//! more than [`MOST_SERIES`] colours) is put together where that has a meaning, and else left out and counted.

use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;

use super::moments::Calendar;
use crate::format::{self, Formats, Style};
use crate::numbers;

/// Categories that a bar chart shows: the largest.
pub(crate) const MOST_BARS: usize = 50;
/// Colours of a palette.
pub(crate) const MOST_SERIES: usize = 8;
/// The colour of what is put together.
pub(crate) const REST: usize = MOST_SERIES;
/// Rows that a label's style is found in.
const SAMPLE: usize = 1_000;

/// What is drawn of each row or group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Kind {
    #[default]
    Bar,
    Line,
    Scatter,
}

/// What a chart is asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wish {
    pub(crate) kind: Kind,
    /// Whether values may be added up: counts and sums.
    pub(crate) adds: bool,
    /// The column along x as a title; empty when the rows' order is meant.
    pub(crate) x: String,
    /// The column that colours; may be empty.
    pub(crate) colour: String,
    /// Titles of what stands along y.
    pub(crate) ys: Vec<String>,
}

/// How values of a column lie on a line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Measure {
    /// They do not: text, booleans.
    #[default]
    Text,
    /// Numbers, perhaps whole ones.
    Number(bool),
    Time(Calendar),
}

impl Measure {
    fn of(data_type: &DataType) -> Self {
        match data_type {
            DataType::Dictionary(_, values) => Self::of(values),
            DataType::Timestamp(_, zone) => {
                Self::Time(Calendar { zone: zone.as_deref().map(str::to_owned), ..Calendar::default() })
            }
            DataType::Date32 | DataType::Date64 => Self::Time(Calendar { dates: true, ..Calendar::default() }),
            DataType::Time32(_) | DataType::Time64(_) => Self::Time(Calendar { clocks: true, ..Calendar::default() }),
            DataType::Duration(_) => Self::Number(true),
            other if other.is_numeric() => Self::Number(other.is_integer()),
            _ => Self::Text,
        }
    }

    fn value(&self, array: &dyn Array, row: usize) -> Option<f64> {
        let value = match self {
            Self::Text => None,
            Self::Number(_) => numbers::number(array, row).or_else(|| format::on_a_line(array, row)),
            Self::Time(_) => format::on_a_line(array, row),
        };
        value.filter(|value| value.is_finite())
    }
}

/// A value along the x of bars.
#[derive(Debug, Clone, Default)]
pub(crate) struct Category {
    /// The exact text; nothing for a null.
    pub(crate) exact: Option<String>,
    pub(crate) label: String,
    pub(crate) total: f64,
}

/// Points of one colour.
#[derive(Debug, Clone, Default)]
pub(crate) struct Series {
    pub(crate) name: String,
    /// Its place in the palette.
    pub(crate) colour: usize,
    pub(crate) points: Vec<(f64, f64)>,
    pub(crate) weight: f64,
    /// Where it stands among the others, if its name is a number.
    pub(crate) key: f64,
}

/// All that a chart draws.
#[derive(Debug, Default)]
pub(crate) struct Data {
    pub(crate) wish: Wish,
    pub(crate) x: Measure,
    /// The type of the column along x, as the answer has it.
    pub(crate) x_type: Option<DataType>,
    pub(crate) y: Measure,
    pub(crate) categories: Vec<Category>,
    pub(crate) series: Vec<Series>,
    /// Whether rows between those that came are missing.
    pub(crate) pieces: bool,
    /// Categories and series that there are, shown or not.
    pub(crate) all: (usize, usize),
    /// Series by their names, in the names' order.
    names: Vec<(String, usize)>,
}

impl Data {
    pub(crate) fn new(wish: Wish) -> Self {
        let mut data = Self { x: Measure::Number(true), ..Self::default() };
        if wish.colour.is_empty() {
            data.series = wish.ys.iter().map(|name| Series { name: name.clone(), ..Series::default() }).collect();
        }
        data.wish = wish;
        data
    }

    /// Takes the next rows of the answer, the first of which is row `first` of the table.
    pub(crate) fn add(&mut self, batch: &RecordBatch, first: usize, formats: &Formats) {
        self.pieces |= first > 0;
        let (by_order, colours) = (self.wish.x.is_empty(), !self.wish.colour.is_empty());
        let mut columns = batch.columns().iter();
        let x = if by_order { None } else { columns.next() };
        let colour = if colours { columns.next() } else { None };
        let ys: Vec<_> = columns.collect();
        let Some(y) = ys.first() else { return };
        self.y = Measure::of(y.data_type());
        if let Some(x) = x {
            (self.x, self.x_type) = (Measure::of(x.data_type()), Some(x.data_type().clone()));
        }
        let styles = [x, colour].map(|array| array.map(|array| Style::of(array.as_ref(), SAMPLE)));
        let colour_measure = colour.map_or(Measure::Text, |array| Measure::of(array.data_type()));
        let mut text = String::new();
        for row in 0..batch.num_rows() {
            let at = match x {
                None => Some((first + row) as f64),
                Some(x) if self.wish.kind == Kind::Bar => Some(self.category(x.as_ref(), row, styles[0], formats)),
                Some(x) => self.x.value(x.as_ref(), row),
            };
            let Some(at) = at else { continue };
            let mut series = 0;
            if let Some(array) = colour {
                text.clear();
                if !format::write(array.as_ref(), row, styles[1].as_ref(), formats, &mut text) {
                    text.push_str("null");
                }
                series = self.named(&text, colour_measure.value(array.as_ref(), row));
            }
            for (index, y) in ys.iter().enumerate() {
                let Some(value) = self.y.value(y.as_ref(), row).or_else(|| numbers::number(y.as_ref(), row)) else {
                    continue;
                };
                if let Some(series) = self.series.get_mut(series + index) {
                    series.points.push((at, value));
                    series.weight += if self.wish.kind == Kind::Scatter { 1.0 } else { value.abs() };
                }
                if colours {
                    break;
                }
            }
        }
    }

    /// The number of a row's category: the last one, or a new one. Equal values come in a row.
    fn category(&mut self, array: &dyn Array, row: usize, style: Option<Style>, formats: &Formats) -> f64 {
        let mut text = String::new();
        let exact = format::write(array, row, None, formats, &mut text).then_some(text);
        if self.categories.last().is_none_or(|last| last.exact != exact) {
            let mut label = String::new();
            if !format::write(array, row, style.as_ref(), formats, &mut label) {
                label.push_str("null");
            }
            self.categories.push(Category { exact, label, total: 0.0 });
        }
        (self.categories.len() - 1) as f64
    }

    /// The number of the series of a name.
    fn named(&mut self, name: &str, key: Option<f64>) -> usize {
        match self.names.binary_search_by(|(other, _)| other.as_str().cmp(name)) {
            Ok(at) => self.names[at].1,
            Err(at) => {
                let series = self.series.len();
                self.names.insert(at, (name.to_owned(), series));
                let key = key.unwrap_or(f64::INFINITY);
                self.series.push(Series { name: name.to_owned(), key, ..Series::default() });
                series
            }
        }
    }

    /// Chooses what is shown, and puts it in order.
    pub(crate) fn finish(&mut self) {
        self.all = (self.categories.len(), self.series.len());
        if !self.wish.colour.is_empty() {
            self.choose_series();
        }
        for (index, series) in self.series.iter_mut().enumerate() {
            series.colour = index.min(REST);
        }
        if self.wish.kind == Kind::Bar {
            self.choose_categories();
        }
    }

    fn choose_series(&mut self) {
        let names = std::mem::take(&mut self.names);
        let mut known = std::mem::take(&mut self.series);
        // By their names, or where those are numbers by the numbers.
        let series: Vec<Series> = names.iter().map(|&(_, at)| std::mem::take(&mut known[at])).collect();
        let order = by_size(series.iter().map(|series| -series.key).collect());
        let mut chosen = vec![false; series.len()];
        for &at in by_size(series.iter().map(|series| series.weight).collect()).iter().take(MOST_SERIES) {
            chosen[at] = true;
        }
        let mut rest = Vec::new();
        let mut slots: Vec<Option<Series>> = series.into_iter().map(Some).collect();
        for at in order {
            let Some(series) = slots[at].take() else { continue };
            if chosen[at] { self.series.push(series) } else { rest.push(series) }
        }
        let mut points = Vec::new();
        match self.wish.kind {
            Kind::Scatter => rest.iter().for_each(|series| points.extend_from_slice(&series.points)),
            Kind::Bar if self.wish.adds => {
                let mut sums = vec![0.0; self.categories.len()];
                rest.iter().flat_map(|series| &series.points).for_each(|&(at, value)| sums[at as usize] += value);
                points.extend(
                    sums.into_iter().enumerate().map(|(at, sum)| (at as f64, sum)).filter(|point| point.1 != 0.0),
                );
            }
            _ => {}
        }
        if !points.is_empty() {
            self.series.push(Series { name: "others".to_owned(), points, ..Series::default() });
        }
    }

    fn choose_categories(&mut self) {
        for (at, value) in self.series.iter().flat_map(|series| &series.points) {
            self.categories[*at as usize].total += value;
        }
        let mut order = by_size(self.categories.iter().map(|category| category.total).collect());
        order.truncate(MOST_BARS);
        if self.x != Measure::Text {
            // Numbers and times come in their own order.
            let mut chosen = vec![false; self.categories.len()];
            order.iter().for_each(|&at| chosen[at] = true);
            order = (0..chosen.len()).filter(|&at| chosen[at]).collect();
        }
        let mut places = vec![usize::MAX; self.categories.len()];
        order.iter().enumerate().for_each(|(place, &at)| places[at] = place);
        for series in &mut self.series {
            series.points.retain_mut(|(at, _)| {
                let place = places[*at as usize];
                *at = place as f64;
                place != usize::MAX
            });
        }
        self.categories = order.iter().map(|&at| self.categories[at].clone()).collect();
    }

    /// How many points there are.
    pub(crate) fn points(&self) -> usize {
        self.series.iter().map(|series| series.points.len()).sum()
    }
}

/// Their numbers, from the greatest to the least; equal ones as they stood.
fn by_size(values: Vec<f64>) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|&a, &b| values[b].total_cmp(&values[a]).then(a.cmp(&b)));
    order
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Float64Array, Int64Array, StringArray};

    use super::*;
    use crate::format::Zones;

    pub(crate) fn formats() -> Formats {
        Formats { zones: Zones::new(Box::new(|_, _| None)), separator: ',' }
    }

    pub(crate) fn wish(kind: Kind, adds: bool, colour: &str) -> Wish {
        Wish { kind, adds, x: "x".to_owned(), colour: colour.to_owned(), ys: vec!["count".to_owned()] }
    }

    /// Data of columns that are given in the order of an answer.
    pub(crate) fn data(wish: Wish, columns: Vec<ArrayRef>) -> Data {
        let names = ["a", "b", "c", "d"];
        let batch = RecordBatch::try_from_iter(names.into_iter().zip(columns)).unwrap();
        let mut data = Data::new(wish);
        data.add(&batch, 0, &formats());
        data.finish();
        data
    }

    pub(crate) fn text(values: &[Option<&str>]) -> ArrayRef {
        Arc::new(StringArray::from(values.to_vec()))
    }

    fn shown(data: &Data) -> String {
        let labels: Vec<&str> = data.categories.iter().map(|category| category.label.as_str()).collect();
        let series = data.series.iter().map(|series| format!("{} {:?}", series.name, series.points));
        [labels.join(","), series.collect::<Vec<_>>().join("; ")].join(" | ")
    }

    #[test]
    fn bars_of_text_stand_by_size_and_bars_of_numbers_in_their_order() {
        let counts: ArrayRef = Arc::new(Int64Array::from(vec![1, 5, 3]));
        let names = text(&[Some("a"), Some("b"), None]);
        let bars = data(wish(Kind::Bar, true, ""), vec![names, counts.clone()]);
        assert_eq!(shown(&bars), "b,null,a | count [(2.0, 1.0), (0.0, 5.0), (1.0, 3.0)]");
        let months: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 10]));
        let bars = data(wish(Kind::Bar, true, ""), vec![months, counts]);
        assert_eq!(shown(&bars), "1,2,10 | count [(0.0, 1.0), (1.0, 5.0), (2.0, 3.0)]");
    }

    #[test]
    fn the_largest_are_shown_and_the_rest_is_counted() {
        let names: Vec<String> = (0..70).map(|at| format!("n{at:02}")).collect();
        let names: ArrayRef = Arc::new(StringArray::from(names));
        let counts: ArrayRef = Arc::new(Int64Array::from_iter_values(0..70));
        let bars = data(wish(Kind::Bar, true, ""), vec![names.clone(), counts.clone()]);
        assert_eq!((bars.categories.len(), bars.all, bars.points()), (50, (70, 1), 50));
        assert_eq!((bars.categories[0].label.as_str(), bars.categories[49].label.as_str()), ("n69", "n20"));
        // As colours of one bar: eight, and the others in one.
        let one = text(&[Some("x"); 70]);
        let bars = data(wish(Kind::Bar, true, "b"), vec![one.clone(), names.clone(), counts.clone()]);
        assert_eq!((bars.series.len(), bars.all), (9, (1, 70)));
        assert_eq!((bars.series[8].name.as_str(), bars.series[8].colour), ("others", REST));
        assert_eq!(bars.series[8].points, [(0.0, f64::from((0..62).sum::<i32>()))]);
        // Means cannot be added up.
        let bars = data(wish(Kind::Bar, false, "b"), vec![one, names, counts]);
        assert_eq!(bars.series.len(), 8);
    }

    #[test]
    fn lines_and_points_leave_out_what_is_null() {
        let x: ArrayRef = Arc::new(Float64Array::from(vec![Some(1.0), None, Some(f64::NAN), Some(2.0)]));
        let y: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), Some(2), Some(3), None]));
        let line = data(wish(Kind::Line, false, ""), vec![x, y.clone()]);
        assert_eq!(line.series[0].points, [(1.0, 1.0)]);
        let ordered = Wish { x: String::new(), ..wish(Kind::Line, false, "") };
        let line = data(ordered, vec![y]);
        assert_eq!(line.series[0].points, [(0.0, 1.0), (1.0, 2.0), (2.0, 3.0)]);
        // Colours of numbers stand in the numbers' order.
        let x: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3]));
        let colour: ArrayRef = Arc::new(Int64Array::from(vec![10, 2, 10]));
        let dots = data(wish(Kind::Scatter, false, "c"), vec![x.clone(), colour, x]);
        assert_eq!(shown(&dots), " | 2 [(2.0, 2.0)]; 10 [(1.0, 1.0), (3.0, 3.0)]");
    }
}
