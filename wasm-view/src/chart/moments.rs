//! Dates and times along an axis: marks where calendars and clocks have theirs, in the column's zone, and texts that
//! filter boxes read.

use super::scale::{Tick, step};
use crate::filter_text::days;
use crate::format::{self, Clock, Zones};

const DAY: f64 = 86_400.0;
/// Steps of clocks and days, in seconds.
const STEPS: [f64; 19] = [
    1.0,
    2.0,
    5.0,
    10.0,
    15.0,
    30.0,
    60.0,
    120.0,
    300.0,
    600.0,
    900.0,
    1_800.0,
    3_600.0,
    7_200.0,
    10_800.0,
    21_600.0,
    43_200.0,
    DAY,
    2.0 * DAY,
];
/// Steps of the calendar, in months.
const MONTHS: [i64; 10] = [1, 2, 3, 6, 12, 24, 60, 120, 600, 1_200];
/// From the first day of 1970, a Thursday, to the first Monday.
const MONDAY: f64 = 4.0 * DAY;

/// What is meant by seconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Calendar {
    /// Where clocks hang; without it they show UTC, or no zone is meant.
    pub(crate) zone: Option<String>,
    /// Days only.
    pub(crate) dates: bool,
    /// Times of the day only.
    pub(crate) clocks: bool,
}

/// How far a moment is past the last whole multiple of a step.
fn past(moment: f64, step: f64) -> f64 {
    moment - (moment / step).floor() * step
}

impl Calendar {
    /// What clocks show at a moment, as seconds.
    fn local(&self, moment: f64, zones: &Zones) -> f64 {
        let offset = self.zone.as_deref().and_then(|zone| zones.offset(zone, moment.floor() as i64));
        moment + f64::from(offset.unwrap_or(0))
    }

    fn moment(&self, local: f64, zones: &Zones) -> f64 {
        let whole = local.floor();
        let moment = self.zone.as_deref().and_then(|zone| zones.moment(zone, whole as i64));
        moment.map_or(local, |moment| moment as f64 + (local - whole))
    }

    /// What clocks show, as text, as fine as is wanted.
    fn write(&self, local: f64, fine: Clock, out: &mut String) {
        // Half a microsecond is lost to the number that carries moments.
        let local = local + 5e-7;
        let seconds = local.floor();
        if !self.clocks {
            format::date((seconds / DAY).floor() as i64, out);
        }
        if fine > Clock::Date && !self.dates {
            if !self.clocks {
                out.push(' ');
            }
            format::clock(seconds as i64, ((local - seconds) * 1e9) as u32, fine, out);
        }
    }

    /// A moment in a tooltip: as fine as what a span of so many seconds needs.
    pub(crate) fn text(&self, moment: f64, span: f64, zones: &Zones) -> String {
        let mut out = String::new();
        let local = self.local(moment, zones);
        let fine = if span < 10.0 || past(local + 5e-7, 1.0) > 1e-6 {
            Clock::Millis
        } else if past(local + 5e-7, 60.0) >= 1.0 {
            Clock::Seconds
        } else {
            Clock::Minutes
        };
        self.write(local, fine, &mut out);
        out
    }

    /// Marks between two moments.
    pub(crate) fn ticks(&self, low: f64, high: f64, most: f64, zones: &Zones) -> Vec<Tick> {
        let (from, to) = (self.local(low, zones), self.local(high, zones));
        let fits = |step: f64| (to - from) / step <= most;
        let mut ticks: Vec<Tick> = Vec::new();
        let tick = |local: f64, label: String| Tick { at: self.moment(local, zones), label };
        let whole = |step: &f64| fits(*step) && (!self.dates || *step >= DAY);
        let seconds = if fits(1.0) && !self.dates || self.clocks {
            let fine = step(to - from, most);
            Some(if fine < 1.0 { fine } else { STEPS.into_iter().find(whole).unwrap_or(DAY) })
        } else {
            STEPS.into_iter().find(whole).or_else(|| fits(7.0 * DAY).then_some(7.0 * DAY))
        };
        if let Some(step) = seconds {
            let shift = if step > 2.0 * DAY { MONDAY } else { 0.0 };
            let mut number = ((from - shift) / step - 1e-9).ceil();
            while number * step + shift <= to + 1e-6 && ticks.len() < 100 {
                let local = number * step + shift;
                let mut label = String::new();
                let midnight = past(local, DAY) == 0.0 && !self.clocks;
                if midnight || step >= DAY {
                    self.write(local, Clock::Date, &mut label);
                } else {
                    let fine = match step {
                        step if step < 1.0 => Clock::Millis,
                        step if step < 60.0 => Clock::Seconds,
                        _ => Clock::Minutes,
                    };
                    format::clock(local.floor() as i64, (past(local, 1.0) * 1e9) as u32, fine, &mut label);
                }
                ticks.push(tick(local, label));
                number += 1.0;
            }
            return ticks;
        }
        let month_of = |local: f64| {
            let (year, month, day) = format::civil((local / DAY).floor() as i64);
            (year * 12 + month - 1, day == 1 && past(local, DAY) == 0.0)
        };
        let step = MONTHS.into_iter().find(|&months| fits(months as f64 * 30.44 * DAY)).unwrap_or(12_000);
        let (month, begins) = month_of(from);
        let mut next = (month + i64::from(!begins) + step - 1).div_euclid(step) * step;
        for _ in 0..100 {
            let local = days(next.div_euclid(12), next.rem_euclid(12) + 1) as f64 * DAY;
            if local > to {
                break;
            }
            let mut label = String::new();
            self.write(local, Clock::Date, &mut label);
            // The year, or the year and the month.
            let end = label.rfind('-').unwrap_or(label.len());
            label.truncate(if step >= 12 { label[..end].rfind('-').unwrap_or(end) } else { end });
            ticks.push(tick(local, label));
            next += step;
        }
        ticks
    }

    /// What to type to find the moments from one to another; as coarse as a stretch of this length is meant.
    pub(crate) fn range(&self, low: f64, high: f64, zones: &Zones) -> String {
        let (low, high) = (self.local(low, zones), self.local(high, zones));
        let (unit, fine) = match high - low {
            _ if self.dates => (DAY, Clock::Date),
            span if span >= 4.0 * DAY && !self.clocks => (DAY, Clock::Date),
            span if span >= 600.0 => (60.0, Clock::Minutes),
            span if span >= 10.0 => (1.0, Clock::Seconds),
            _ => (0.001, Clock::Millis),
        };
        // What is written as a day or a minute means all of it.
        let first = (low / unit).round();
        let last = ((high / unit).round() - 1.0).max(first);
        // A time of the day has seconds in its filter box, and is a moment.
        let fine = if self.clocks { fine.max(Clock::Seconds) } else { fine };
        let mut out = String::new();
        self.write(first * unit, fine, &mut out);
        if last > first || self.clocks {
            out.push_str("..");
            self.write((if self.clocks { last + 1.0 } else { last }) * unit, fine, &mut out);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const YEAR_2013: f64 = 1_356_998_400.0;

    fn zones() -> Zones {
        Zones::new(Box::new(|zone, _| (zone == "Here").then_some(-18_000)))
    }

    #[track_caller]
    fn check(calendar: &Calendar, low: f64, span: f64, most: f64, expected: &str) {
        let ticks = calendar.ticks(low, low + span, most, &zones());
        let labels: Vec<&str> = ticks.iter().map(|tick| tick.label.as_str()).collect();
        assert_eq!(labels.join(" "), expected);
        assert!(ticks.iter().all(|tick| (low..=low + span + 1.0).contains(&tick.at)), "{ticks:?}");
    }

    #[test]
    fn marks_stand_where_calendars_have_them() {
        let plain = Calendar::default();
        check(&plain, YEAR_2013, 365.0 * DAY, 5.0, "2013-01 2013-04 2013-07 2013-10 2014-01");
        check(&plain, YEAR_2013 + 1.0, 364.0 * DAY, 4.0, "2013-04 2013-07 2013-10");
        check(&plain, YEAR_2013, 3_000.0 * DAY, 5.0, "2014 2016 2018 2020");
        check(&plain, YEAR_2013, 21.0 * DAY, 4.0, "2013-01-07 2013-01-14 2013-01-21");
        check(&plain, YEAR_2013 + 3_600.0, 86_400.0, 5.0, "06:00 12:00 18:00 2013-01-02");
        check(&plain, YEAR_2013 + 1.0, 50.0, 6.0, "00:00:10 00:00:20 00:00:30 00:00:40 00:00:50");
        check(&plain, YEAR_2013 + 0.25, 0.5, 3.0, "00:00:00.400 00:00:00.600");
        let clocks = Calendar { clocks: true, ..Calendar::default() };
        check(&clocks, 0.0, DAY, 3.0, "00:00 12:00 00:00");
        let dates = Calendar { dates: true, ..Calendar::default() };
        check(&dates, YEAR_2013, 2.0 * DAY, 9.0, "2013-01-01 2013-01-02 2013-01-03");
        // Noon in a zone is seventeen o'clock elsewhere.
        let zoned = Calendar { zone: Some("Here".to_owned()), ..Calendar::default() };
        let ticks = zoned.ticks(YEAR_2013, YEAR_2013 + DAY, 2.0, &zones());
        assert_eq!(ticks[0], Tick { at: YEAR_2013 + 5.0 * 3_600.0, label: "2013-01-01".to_owned() });
    }

    #[test]
    fn ranges_are_what_filter_boxes_take() {
        let zoned = Calendar { zone: Some("Here".to_owned()), ..Calendar::default() };
        let month = YEAR_2013 + 18_000.0 + 600.0;
        for (calendar, low, high, expected) in [
            (&zoned, month, month + 31.0 * DAY, "2013-01-01..2013-01-31"),
            (&zoned, month, month + 7_205.0, "2013-01-01 00:10..2013-01-01 02:09"),
            (&Calendar { dates: true, ..Calendar::default() }, YEAR_2013, YEAR_2013 + 100.0, "2013-01-01"),
            (&Calendar { clocks: true, ..Calendar::default() }, 36_000.0, 39_600.0, "10:00:00..11:00:00"),
        ] {
            let text = calendar.range(low, high, &zones());
            assert_eq!(text, expected);
            let (data_type, name) = if calendar.clocks {
                (arrow_schema::DataType::Time32(arrow_schema::TimeUnit::Second), "clock")
            } else {
                (arrow_schema::DataType::Timestamp(arrow_schema::TimeUnit::Second, Some("Here".into())), "moment")
            };
            assert!(crate::filter_text::parse(name, &data_type, &text, &zones()).is_ok(), "{text}");
        }
        assert_eq!(zoned.text(month, 1e6, &zones()), "2013-01-01 00:10");
        assert_eq!(zoned.text(month + 0.25, 1e6, &zones()), "2013-01-01 00:10:00.250");
    }
}
