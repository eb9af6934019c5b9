//! Horizontal bar charts as SVG.

use std::fmt::Write as _;

/// Bars that belong together, each with the name of its series.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Group {
    /// Name of the group.
    pub(crate) label: String,
    /// Series and value.
    pub(crate) bars: Vec<(&'static str, f64)>,
}

/// A chart with one block of bars per group, on one linear scale from 0.
pub(crate) fn bars(title: &str, unit: &str, groups: &[Group]) -> String {
    let values = groups.iter().flat_map(|group| group.bars.iter().map(|(_, value)| *value));
    let most = values.fold(0.0, f64::max);
    let scale = if most > 0.0 { BAR_WIDTH_MAX / most } else { 0.0 };
    let mut body = String::new();
    let mut top = 50.0;
    for group in groups {
        text(&mut body, 10.0, top + 13.0, "bold", &group.label);
        top += 20.0;
        for (series, value) in &group.bars {
            text(&mut body, 24.0, top + 12.0, "normal", series);
            let width = value * scale;
            let colour = colour(series);
            push(
                &mut body,
                format_args!(
                    "<rect x=\"{BARS_LEFT}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"14\" \
                     fill=\"{colour}\"/>"
                ),
            );
            let shown = format!("{} {unit}", figure(*value));
            text(&mut body, BARS_LEFT + width + 6.0, top + 12.0, "normal", shown.trim());
            top += 18.0;
        }
        top += 8.0;
    }
    let mut svg = String::new();
    push(
        &mut svg,
        format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{top:.0}\" \
             font-family=\"sans-serif\" font-size=\"12\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"white\"/>"
        ),
    );
    text(&mut svg, 10.0, 26.0, "bold", title);
    svg.push_str(&body);
    svg.push_str("</svg>\n");
    svg
}

fn text(svg: &mut String, x: f64, y: f64, weight: &str, content: &str) {
    let content = content.replace('&', "&amp;").replace('<', "&lt;");
    push(
        svg,
        format_args!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" font-weight=\"{weight}\" fill=\"#222\">{content}</text>"
        ),
    );
}

fn push(svg: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ok = writeln!(svg, "{arguments}").is_ok();
}

/// Three digits that matter, thousands grouped.
fn figure(value: f64) -> String {
    if value >= 1e6 {
        format!("{:.2} M", value / 1e6)
    } else if value >= 1e3 {
        format!("{:.1} k", value / 1e3)
    } else {
        format!("{value:.3}")
    }
}

/// The agent stands out; receivers that do nothing are grey.
fn colour(series: &str) -> &'static str {
    match series {
        "agent" => "#2f6fb0",
        "null receiver" => "#9a9a9a",
        _ => "#c4c4c4",
    }
}

const WIDTH: f64 = 900.0;
const BARS_LEFT: f64 = 220.0;
const BAR_WIDTH_MAX: f64 = 560.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_bar_fills_the_width_and_text_is_escaped() {
        let group =
            Group { label: "a<b".into(), bars: vec![("agent", 2.0), ("null receiver", 1.0)] };
        let svg = bars("t", "s", &[group]);
        assert!(svg.contains("width=\"560.0\"") && svg.contains("width=\"280.0\""), "{svg}");
        assert!(svg.contains("a&lt;b"));
        assert_eq!(svg.matches("<svg").count(), 1);
    }

    #[test]
    fn nothing_to_show_is_still_a_picture() {
        assert!(bars("t", "s", &[]).ends_with("</svg>\n"));
    }
}
