//! Time zones: the offset from UTC at a moment, from the browser's own tables.

use std::cell::RefCell;

/// Seconds that share an offset: zones change theirs on full or half hours.
const SPAN: i64 = 1_800;
const SLOTS: usize = 512;

/// Asks for the offset in seconds of a zone at a moment (seconds since 1970); `None` for unknown zones.
pub(crate) type Source = Box<dyn Fn(&str, i64) -> Option<i32>>;

/// Span, zone and what was said of them.
type Known = (i64, Box<str>, Option<i32>);

/// Offsets, each asked for once.
pub(crate) struct Zones {
    source: Source,
    /// Keyed by the lowest bits of the span; a hit has the same span and zone.
    known: RefCell<Vec<Option<Known>>>,
}

impl std::fmt::Debug for Zones {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Zones").finish_non_exhaustive()
    }
}

impl Zones {
    pub(crate) fn new(source: Source) -> Self {
        Self { source, known: RefCell::new(vec![None; SLOTS]) }
    }

    /// Seconds east of UTC; `None` when nobody knows the zone.
    pub(crate) fn offset(&self, zone: &str, seconds: i64) -> Option<i32> {
        if let Some(fixed) = fixed(zone) {
            return Some(fixed);
        }
        let span = seconds.div_euclid(SPAN);
        let slot = span.rem_euclid(SLOTS as i64) as usize;
        let mut known = self.known.borrow_mut();
        if let Some((at, name, offset)) = &known[slot]
            && *at == span
            && **name == *zone
        {
            return *offset;
        }
        let offset = (self.source)(zone, seconds);
        known[slot] = Some((span, zone.into(), offset));
        offset
    }

    /// The moment at which clocks of a zone show these seconds; the earlier one when they show them twice.
    pub(crate) fn moment(&self, zone: &str, local: i64) -> Option<i64> {
        let first = i64::from(self.offset(zone, local)?);
        let guess = local.saturating_sub(first);
        let second = i64::from(self.offset(zone, guess)?);
        Some(local.saturating_sub(second))
    }
}

/// `UTC`, `Z`, `+02:00`, `-0530`.
fn fixed(zone: &str) -> Option<i32> {
    if matches!(zone, "UTC" | "Z" | "utc" | "Etc/UTC") {
        return Some(0);
    }
    let sign = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits: Vec<i32> =
        zone.get(1..)?.bytes().filter(|&byte| byte != b':').map(|byte| i32::from(byte) - 48).collect();
    if digits.iter().any(|digit| !(0..=9).contains(digit)) {
        return None;
    }
    match digits.as_slice() {
        [a, b] => Some(sign * (a * 10 + b) * 3_600),
        [a, b, c, d] => Some(sign * ((a * 10 + b) * 3_600 + (c * 10 + d) * 60)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_offsets_and_asked_ones() {
        let asked = std::rc::Rc::new(std::cell::Cell::new(0));
        let counter = asked.clone();
        let zones = Zones::new(Box::new(move |zone, seconds| {
            counter.set(counter.get() + 1);
            // A zone that is an hour ahead, and two from second 7,200 on.
            (zone == "Here").then_some(if seconds < 7_200 { 3_600 } else { 7_200 })
        }));
        assert_eq!(zones.offset("-05:30", 0), Some(-19_800));
        assert_eq!(zones.offset("UTC", 0), Some(0));
        assert_eq!(zones.offset("Nowhere", 0), None);
        assert_eq!(zones.offset("Here", 10), Some(3_600));
        assert_eq!(zones.offset("Here", 20), Some(3_600));
        assert_eq!(asked.get(), 2);
        assert_eq!(zones.moment("Here", 5_400), Some(1_800));
        assert_eq!(zones.moment("Here", 20_000), Some(12_800));
    }
}
