//! Heads: a column's name and sort, its type, and what it holds as bars or shares.

use super::layout::{Layout, PROFILE_HEIGHT};
use super::paint::{Columns, LABEL_SIZE, NAME_SIZE, PADDING, Painter, Scene};
use super::theme::Colour;

/// Height of the name and the type together.
const WORDS: f64 = 46.0;

/// A column's head.
#[derive(Debug, Clone, Default)]
pub(crate) struct Head {
    pub(crate) name: String,
    pub(crate) label: String,
    /// The share of nulls; stands behind the label, or for it where there is no room for both.
    pub(crate) nulls: String,
    pub(crate) right: bool,
    /// Sorted: descending or not, and the rank among several keys (0 when it is the only one).
    pub(crate) sort: Option<(bool, usize)>,
    pub(crate) filtered: bool,
}

/// What a column holds, as it is drawn under its name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Strip {
    /// A histogram: heights from 0 to 1.
    pub(crate) bars: Vec<f64>,
    /// The shares of the most frequent values, from 0 to 1.
    pub(crate) shares: Vec<f64>,
    /// The most frequent value and its share, or how many there are.
    pub(crate) text: String,
    /// Where the histogram begins and ends, in the numbers of the column's unit.
    pub(crate) axis: (f64, f64),
    /// The part of it, from 0 to 1, that is chosen.
    pub(crate) mark: Option<(f64, f64)>,
}

impl Painter {
    /// Width of a head.
    pub(crate) fn measure_head(&self, head: &Head) -> f64 {
        self.font(NAME_SIZE);
        let name = self.width_of(&head.name) + 22.0;
        self.font(LABEL_SIZE);
        name.max(self.width_of(&head.label).min(130.0)) + 2.0 * PADDING
    }

    pub(super) fn header(&self, layout: &Layout, columns: &dyn Columns, scene: &Scene) {
        self.fill(Colour::HEADER, 0.0, 0.0, layout.width, layout.body_top());
        for column in layout.visible_columns().chain(layout.fixed()) {
            self.head(layout, columns, column, scene);
        }
        self.fill(Colour::LINE, 0.0, layout.body_top() - self.hair(), layout.width, self.hair());
    }

    fn head(&self, layout: &Layout, columns: &dyn Columns, column: usize, scene: &Scene) {
        let head = columns.head(column);
        let (left, width) = (layout.left_of(column), layout.width_of(column));
        let clip = layout.clip_of(column);
        self.context.save();
        self.clip(clip, 0.0, left + width - clip, layout.body_top());
        let chosen = scene.area.as_ref().is_some_and(|area| area.columns.contains(&column));
        let ground = match scene.hover_head == Some(column) {
            _ if chosen && scene.whole_columns => Colour::SELECTED,
            true => Colour::HOVER,
            false => Colour::HEADER,
        };
        self.fill(ground, left, 0.0, width, layout.header);
        let marked = head.sort.is_some() || head.filtered;
        // A rank behind the arrow stands in the padding.
        let mark = if head.sort.is_some() { 16.0 } else { 0.0 };
        let (x, align) = if head.right { (left + width - PADDING, "right") } else { (left + PADDING, "left") };
        self.context.set_text_align(align);
        self.font(NAME_SIZE);
        self.ink(if marked { Colour::ACCENT } else { Colour::TEXT });
        let mut name = head.name;
        let room = width - 2.0 * PADDING - mark;
        let shown = self.fitted(&mut name, x, 17.0, room, true);
        if let Some((descending, rank)) = head.sort {
            let at = if head.right { x - shown - 10.0 } else { x + shown + 10.0 };
            self.arrow(at, 17.0, descending);
            if rank > 0 {
                self.font(LABEL_SIZE);
                self.context.set_text_align("center");
                self.text(&rank.to_string(), at + if head.right { -9.0 } else { 9.0 }, 18.0);
                self.context.set_text_align(align);
            }
        }
        self.font(LABEL_SIZE);
        self.ink(Colour::MUTED);
        let mut label = head.label;
        if !head.nulls.is_empty() {
            let both = [&label, " · ", &head.nulls].concat();
            label = if self.width_of(&both) <= width - 2.0 * PADDING { both } else { head.nulls };
        }
        self.fitted(&mut label, x, 34.0, width - 2.0 * PADDING, false);
        if let Some(strip) = columns.strip(column).filter(|_| layout.header > WORDS) {
            self.context.set_text_align("left");
            self.strip(strip, left + PADDING, width - 2.0 * PADDING);
        }
        if scene.hover_head == Some(column) {
            self.dots(if head.right { left + 9.0 } else { left + width - 13.0 }, ground);
        }
        self.context.restore();
        if left + width > clip {
            self.fill(Colour::LINE, left + width - self.hair(), 12.0, self.hair(), layout.header - 24.0);
        }
    }

    /// Bars or shares between the type and the filter box.
    fn strip(&self, strip: &Strip, left: f64, room: f64) {
        let (top, height) = (WORDS, PROFILE_HEIGHT - 6.0);
        if room <= 0.0 {
            return;
        }
        if !strip.bars.is_empty() {
            self.fill(Colour::LINE, left, top + height - self.hair(), room, self.hair());
            let step = room / strip.bars.len() as f64;
            let gap = if step > 3.0 { 1.0 } else { 0.0 };
            for (place, &bar) in strip.bars.iter().enumerate() {
                // What is there at all shows.
                let tall = if bar > 0.0 { (bar * height).max(1.0) } else { 0.0 };
                let (from, to) = (self.snap(left + place as f64 * step), self.snap(left + (place as f64 + 1.0) * step));
                self.fill(Colour::THUMB, from, top + height - tall, to - from - gap, tall);
            }
            if let Some((from, to)) = strip.mark {
                self.mark(strip, left, room, from, to);
            }
            return;
        }
        let mut text = strip.text.clone();
        self.ink(Colour::MUTED);
        self.fitted(&mut text, left, top + 9.0, room, false);
        if strip.shares.is_empty() {
            return;
        }
        self.fill(Colour::LINE, left, top + height - 4.0, room, 4.0);
        let mut from = left;
        for (place, &share) in strip.shares.iter().enumerate() {
            let wide = share * room;
            self.context.set_global_alpha(1.0 - 0.28 * place as f64);
            self.fill(Colour::MUTED, from, top + height - 4.0, (wide - 1.0).max(1.0), 4.0);
            from += wide;
        }
        self.context.set_global_alpha(1.0);
    }

    /// The part of a histogram that is chosen: its bars in another colour, between two lines.
    fn mark(&self, strip: &Strip, left: f64, room: f64, from: f64, to: f64) {
        let (top, height) = (WORDS, PROFILE_HEIGHT - 6.0);
        let (from, to) =
            (self.snap(left + from * room), self.snap(left + to * room).max(self.snap(left + from * room) + 2.0));
        let step = room / strip.bars.len() as f64;
        let gap = if step > 3.0 { 1.0 } else { 0.0 };
        for (place, &bar) in strip.bars.iter().enumerate().filter(|&(_, &bar)| bar > 0.0) {
            let tall = (bar * height).max(1.0);
            let first = self.snap(left + place as f64 * step).max(from);
            let last = (self.snap(left + (place as f64 + 1.0) * step) - gap).min(to);
            if last > first {
                self.fill(Colour::ACCENT, first, top + height - tall, last - first, tall);
            }
        }
        self.context.set_global_alpha(0.12);
        self.fill(Colour::ACCENT, from, top, to - from, height);
        self.context.set_global_alpha(1.0);
        for edge in [from, to - 1.0] {
            self.fill(Colour::ACCENT, edge, top, 1.0, height);
        }
    }

    /// Says that there is a menu.
    fn dots(&self, x: f64, ground: Colour) {
        self.fill(ground, x - 8.0, 25.0, 20.0, 20.0);
        self.ink(Colour::MUTED);
        for place in 0..3 {
            self.context.begin_path();
            let _drawn = self.context.arc(x + 2.0, 29.0 + 5.0 * f64::from(place), 1.5, 0.0, 7.0);
            self.context.fill();
        }
    }

    fn arrow(&self, x: f64, y: f64, descending: bool) {
        let tip = if descending { 3.0 } else { -3.0 };
        self.context.begin_path();
        self.context.move_to(x - 4.0, y - tip);
        self.context.line_to(x + 4.0, y - tip);
        self.context.line_to(x, y + tip);
        self.context.close_path();
        self.context.fill();
    }
}
