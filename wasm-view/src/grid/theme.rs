//! Colours and fonts, as the page's style sheet gives them.

/// What the painter draws with; each is a CSS value.
#[derive(Debug, Clone, Default)]
pub(crate) struct Theme {
    pub(crate) background: String,
    pub(crate) header: String,
    pub(crate) line: String,
    pub(crate) text: String,
    pub(crate) muted: String,
    pub(crate) faint: String,
    pub(crate) hover: String,
    pub(crate) selected: String,
    pub(crate) accent: String,
    pub(crate) thumb: String,
    pub(crate) found: String,
    pub(crate) fresh: String,
    pub(crate) font: String,
}

impl Theme {
    /// The custom properties that the values are read from, in the order of [`Theme::new`].
    pub(crate) const PROPERTIES: [&'static str; 13] = [
        "--bodkin-background",
        "--bodkin-header",
        "--bodkin-line",
        "--bodkin-text",
        "--bodkin-muted",
        "--bodkin-faint",
        "--bodkin-hover",
        "--bodkin-selected",
        "--bodkin-accent",
        "--bodkin-thumb",
        "--bodkin-found",
        "--bodkin-fresh",
        "--bodkin-font",
    ];

    /// A theme of the values of [`Theme::PROPERTIES`]; a missing one is empty, which a canvas leaves aside.
    pub(crate) fn new(values: Vec<String>) -> Self {
        let mut values = values.into_iter();
        let mut next = || values.next().unwrap_or_default();
        Self {
            background: next(),
            header: next(),
            line: next(),
            text: next(),
            muted: next(),
            faint: next(),
            hover: next(),
            selected: next(),
            accent: next(),
            thumb: next(),
            found: next(),
            fresh: next(),
            font: next(),
        }
    }
}
