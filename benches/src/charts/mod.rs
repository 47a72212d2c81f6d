//! Charts of the measured figures, as SVG written by hand: horizontal bars in groups, each with its name and number beside it.
//!
//! One colour is ours and one grey is everybody else's, so that no legend is needed. Colours follow the reader's theme by a
//! media query within the picture, which stands on a ground of its own, since a page may have another theme than the
//! reader's system. `<title>` and `<desc>` say to screen readers what is to be seen.

pub mod list;

use std::fmt::Write;

/// One bar.
#[derive(Debug)]
pub struct Bar {
    /// Whose it is, written behind the number; may be empty.
    pub name: String,
    /// Its length.
    pub value: f64,
    /// The number as it is written.
    pub label: String,
    /// Drawn in our colour.
    pub is_ours: bool,
}

/// Bars that belong together.
#[derive(Debug)]
pub struct Group {
    /// What they are of.
    pub name: String,
    /// A second line, fainter; may be empty.
    pub note: String,
    /// From above.
    pub bars: Vec<Bar>,
}

/// A picture.
#[derive(Debug)]
pub struct Chart {
    /// The file in `docs/charts`, without its ending.
    pub file: &'static str,
    /// What is compared.
    pub title: &'static str,
    /// What is measured, its unit, and which direction is better.
    pub subtitle: String,
    /// Where and when, at the foot.
    pub source: String,
    /// From above.
    pub groups: Vec<Group>,
    /// Each group has a scale of its own, as they measure different things.
    pub scales_apart: bool,
    /// Where a line is drawn through all groups: what is equal.
    pub even: Option<f64>,
}

const WIDTH: f64 = 760.0;
/// Where bars begin, and where the longest ends.
const LEFT: f64 = 190.0;
const RIGHT: f64 = 570.0;
const TOP: f64 = 78.0;
const BAR: f64 = 15.0;
const BETWEEN_BARS: f64 = 4.0;
const BETWEEN_GROUPS: f64 = 17.0;

const STYLE: &str = "
  text { font: 13px -apple-system, 'Segoe UI', system-ui, 'Helvetica Neue', Arial, sans-serif; fill: #1f2328 }
  .title { font-size: 17px; font-weight: 600 } .number { font-weight: 600; font-variant-numeric: tabular-nums }
  .faint { fill: #59636e } .small { font-size: 12px; fill: #59636e }
  .ground { fill: #ffffff; stroke: #d1d9e0 } .ours { fill: #1668dc } .other { fill: #c3cad2 } .even { stroke: #59636e }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc } .faint, .small { fill: #9198a1 } .even { stroke: #9198a1 }
    .ground { fill: #0d1117; stroke: #3d444d } .ours { fill: #4c9aff } .other { fill: #495361 }
  }
";

/// The number as people read it: three digits, and thousands apart.
#[must_use]
pub fn number(value: f64) -> String {
    let digits = if value >= 100.0 || value.fract() == 0.0 { 0 } else { usize::from(value < 10.0) + 1 };
    let plain = format!("{value:.digits$}");
    let (whole, rest) =
        plain.split_once('.').map_or((plain.as_str(), String::new()), |(whole, rest)| (whole, format!(".{rest}")));
    let mut text = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + &rest
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn longest<'a>(bars: impl Iterator<Item = &'a Bar>) -> f64 {
    bars.map(|bar| bar.value).fold(f64::MIN_POSITIVE, f64::max)
}

/// What a screen reader says.
fn told(chart: &Chart) -> String {
    let group = |group: &Group| {
        let bars: Vec<String> =
            group.bars.iter().map(|bar| format!("{} {}", bar.name, bar.label).trim().to_owned()).collect();
        format!("{}: {}.", group.name, bars.join(", "))
    };
    format!("{} {}", chart.subtitle, chart.groups.iter().map(group).collect::<Vec<_>>().join(" "))
}

/// The picture as SVG.
///
/// # Errors
/// Never: what is written to is a text.
pub fn svg(chart: &Chart) -> Result<String, std::fmt::Error> {
    let mut body = String::new();
    let shared = longest(chart.groups.iter().flat_map(|group| &group.bars));
    let mut y = TOP;
    for group in &chart.groups {
        let scale = if chart.scales_apart { longest(group.bars.iter()) } else { shared };
        writeln!(body, r#"<text x="20" y="{:.1}">{}</text>"#, y + 12.0, escaped(&group.name))?;
        if !group.note.is_empty() {
            writeln!(body, r#"<text x="20" y="{:.1}" class="small">{}</text>"#, y + 29.0, escaped(&group.note))?;
        }
        let begin = y;
        for bar in &group.bars {
            let width = (bar.value / scale * (RIGHT - LEFT)).max(1.5);
            let class = if bar.is_ours { "ours" } else { "other" };
            writeln!(
                body,
                r#"<rect class="{class}" x="{LEFT}" y="{y:.1}" width="{width:.1}" height="{BAR}" rx="2"/>"#
            )?;
            let name = if bar.name.is_empty() {
                String::new()
            } else {
                let class = if bar.is_ours { "" } else { r#" class="faint""# };
                format!(r#" <tspan dx="4"{class}>{}</tspan>"#, escaped(&bar.name))
            };
            let label = escaped(&bar.label);
            let x = LEFT + width + 8.0;
            writeln!(
                body,
                r#"<text x="{x:.1}" y="{:.1}"><tspan class="number">{label}</tspan>{name}</text>"#,
                y + 12.0
            )?;
            y += BAR + BETWEEN_BARS;
        }
        // A group of one bar beside others of one is a row of a list.
        let least = if group.note.is_empty() { y } else { begin + 36.0 };
        y = y.max(least) + if group.bars.len() > 1 || !group.note.is_empty() { BETWEEN_GROUPS } else { 3.0 };
    }
    if let Some(even) = chart.even {
        let x = LEFT + even / shared * (RIGHT - LEFT);
        writeln!(
            body,
            r#"<line class="even" x1="{x:.1}" y1="{:.1}" x2="{x:.1}" y2="{:.1}" stroke-dasharray="2 3"/>"#,
            TOP - 6.0,
            y
        )?;
        y += 6.0;
    }
    let height = y + 26.0;
    let (title, subtitle, source) = (escaped(chart.title), escaped(&chart.subtitle), escaped(&chart.source));
    Ok(format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0}" width="{WIDTH}" height="{height:.0}" role="img" aria-labelledby="title what">
<title id="title">{title}</title>
<desc id="what">{}</desc>
<style>{STYLE}</style>
<rect class="ground" x="0.5" y="0.5" width="{:.0}" height="{:.0}" rx="8"/>
<text x="20" y="34" class="title">{title}</text>
<text x="20" y="55" class="faint">{subtitle}</text>
{body}<text x="20" y="{:.1}" class="small">{source}</text>
</svg>
"#,
        escaped(&told(chart)),
        WIDTH - 1.0,
        height - 1.0,
        height - 16.0,
    ))
}
