//! Colours and fonts, as the page's style sheet gives them.

/// A colour by its place among those that the page gives (`js/style.js` has the same order).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Colour(usize);

impl Colour {
    pub(crate) const BACKGROUND: Self = Self(0);
    pub(crate) const HEADER: Self = Self(1);
    pub(crate) const LINE: Self = Self(2);
    pub(crate) const TEXT: Self = Self(3);
    pub(crate) const MUTED: Self = Self(4);
    pub(crate) const FAINT: Self = Self(5);
    pub(crate) const HOVER: Self = Self(6);
    pub(crate) const SELECTED: Self = Self(7);
    pub(crate) const ACCENT: Self = Self(8);
    pub(crate) const THUMB: Self = Self(9);
    pub(crate) const FOUND: Self = Self(10);
    pub(crate) const FRESH: Self = Self(11);

    /// The colour of a chart's series.
    pub(crate) fn series(series: usize) -> Self {
        Self(FONT + 1 + series)
    }
}

/// The place of the font, behind the colours of the grid.
const FONT: usize = 12;

/// What the painter draws with; each is a CSS value.
#[derive(Debug, Clone, Default)]
pub(crate) struct Theme {
    /// A missing one is empty, which a canvas leaves aside.
    pub(crate) values: Vec<String>,
}

impl Theme {
    pub(crate) fn colour(&self, colour: Colour) -> &str {
        self.values.get(colour.0).map_or("", |value| value)
    }

    pub(crate) fn font(&self) -> &str {
        self.colour(Colour(FONT))
    }
}
