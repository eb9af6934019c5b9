//! The report: one table of all results, and plots.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;

use crate::figures::Figure;
use crate::result::{ScenarioResult, Summary};
use crate::svg::{Group, bars};

/// Writes `report.md`, `cost.svg` and `throughput.svg` from all results of the directory.
pub(crate) fn write(directory: &Path) -> Result<()> {
    let results = ScenarioResult::read_all(directory)?;
    if results.is_empty() {
        return Ok(());
    }
    std::fs::write(directory.join("report.md"), document(&results))?;
    let cost = [
        ("null receiver", Figure::NullSecsPerMillion),
        ("null receiver, moderated", Figure::NullModeratedSecsPerMillion),
        ("agent", Figure::CpuSecsPerMillion),
    ];
    let plot = bars("CPU seconds per million lines", "s", &groups(&results, &cost));
    std::fs::write(directory.join("cost.svg"), plot)?;
    let throughput = [("agent", Figure::LinesPerSec)];
    let plot = bars("Lines a second, lossless, one lane", "", &groups(&results, &throughput));
    std::fs::write(directory.join("throughput.svg"), plot)?;
    Ok(())
}

/// One row per figure.
pub(crate) fn table(results: &[ScenarioResult]) -> String {
    let mut text = String::from(
        "| scenario | figure | median | spread | bound | met |\n|---|---|--:|--:|--:|---|\n",
    );
    for result in results {
        for (figure, summary) in &result.figures {
            text.push_str(&row(&result.name, *figure, summary));
        }
        for figure in &result.unmeasured {
            let line = format!(
                "| {} | {} | not measured | | | no |\n",
                result.name,
                figure.meaning().trim()
            );
            text.push_str(&line);
        }
    }
    text
}

fn document(results: &[ScenarioResult]) -> String {
    let mut text = String::from("# Bench report\n\n");
    for result in results {
        // Writing to a string cannot fail.
        let _ok = writeln!(
            text,
            "- `{}`: {} ({} rounds at {}, {})",
            result.name,
            result.about,
            result.rounds.len(),
            result.revision,
            result.machine,
        )
        .is_ok();
    }
    text.push('\n');
    text.push_str(&table(results));
    if results.iter().any(|result| result.figures.contains_key(&Figure::WorkNsPerSpan)) {
        text.push_str(ALLOCATIONS);
    }
    text.push_str("\n![cost](cost.svg)\n\n![throughput](throughput.svg)\n");
    text
}

/// Counted by a test, not measured here.
const ALLOCATIONS: &str = "\nAllocations per span: 0.02 at most (5 for a payload of 250 spans, \
    none for a span), held by `tests/allocations`.\n";

fn row(name: &str, figure: Figure, summary: &Summary) -> String {
    let digits = figure.decimals();
    let bound = summary.bound.map_or_else(String::new, |bound| {
        let min = bound.min.map(|min| format!("≥ {min}"));
        let max = bound.max.map(|max| format!("≤ {max}"));
        [min, max].into_iter().flatten().collect::<Vec<_>>().join(", ")
    });
    let met = match (summary.bound, summary.is_met) {
        (None, _) => "",
        (Some(_), true) => "yes",
        (Some(_), false) => "**no**",
    };
    format!(
        "| {name} | {} | {:.digits$} {} | {:.digits$}..{:.digits$} | {bound} | {met} |\n",
        figure.meaning().trim(),
        summary.median,
        figure.unit(),
        summary.least,
        summary.most,
    )
}

/// The results that have at least one of the figures.
fn groups(results: &[ScenarioResult], wanted: &[(&'static str, Figure)]) -> Vec<Group> {
    results
        .iter()
        .map(|result| Group {
            label: result.name.clone(),
            bars: wanted
                .iter()
                .filter_map(|(label, figure)| Some((*label, result.figures.get(figure)?.median)))
                .collect(),
        })
        .filter(|group| !group.bars.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Bound;

    #[test]
    fn a_row_shows_median_spread_and_bound() {
        let bound = Some(Bound { min: None, max: Some(50.0) });
        let summary = Summary { median: 61.25, least: 60.0, most: 70.0, bound, is_met: false };
        assert_eq!(
            row("start", Figure::StartToBoundMs, &summary),
            "| start | From start to all sockets bound | 61.2 ms | 60.0..70.0 | ≤ 50 | **no** |\n"
        );
    }
}
