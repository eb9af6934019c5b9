//! The table: one row per case, medians over the rounds.

use std::io::{self, Write};

use crate::Outcome;
use crate::cases::Case;

/// Writes Markdown.
pub(crate) fn write(out: &mut impl Write, cases: &[Case], outcomes: &[Outcome]) -> io::Result<()> {
    writeln!(
        out,
        "| case | packets/s | lines/s | lost | turned away | receiver ns/packet (min..max) | receiver CPU s/M \
         lines | sender CPU s/M lines | packets/read | waits/s | idle |"
    )?;
    writeln!(out, "|---|---|---|---|---|---|---|---|---|---|---|")?;
    for case in cases {
        let runs: Vec<&Outcome> =
            outcomes.iter().filter(|outcome| outcome.case == case.name).collect();
        write_row(out, &case.name, &runs)?;
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn write_row(out: &mut impl Write, name: &str, runs: &[&Outcome]) -> io::Result<()> {
    let figure = |value: fn(&Outcome) -> f64| median(runs.iter().map(|run| value(run)).collect());
    let costs: Vec<f64> = runs.iter().map(|run| run.received.ns_per_packet()).collect();
    let least = costs.iter().copied().fold(f64::INFINITY, f64::min);
    let most = costs.iter().copied().fold(0.0, f64::max);
    let lost =
        figure(|run| 1.0 - run.received.packets as f64 / run.sent.total.packets.max(1) as f64);
    let turned_away = figure(|run| {
        let offered = run.sent.total.packets + run.sent.dropped_packets;
        run.sent.dropped_packets as f64 / offered.max(1) as f64
    });
    writeln!(
        out,
        "| {name} | {:.0} | {:.0} | {:.2} % | {:.2} % | {:.0} ({least:.0}..{most:.0}) | {:.3} | {:.3} | {:.1} \
         | {:.0} | {:.0} % |",
        figure(|run| run.received.packets as f64 * 1e9 / run.received.busy_ns.max(1) as f64),
        figure(|run| lines(run) * 1e9 / run.received.busy_ns.max(1) as f64),
        lost * 100.0,
        turned_away * 100.0,
        median(costs),
        figure(|run| run.received.cpu_ns as f64 / 1e3 / lines(run)),
        figure(|run| run.sent.cpu_ns as f64 / 1e3 / run.sent.total.lines.max(1) as f64),
        figure(|run| run.received.packets as f64 / run.received.reads.max(1) as f64),
        figure(|run| run.received.waits as f64 * 1e9 / run.received.busy_ns.max(1) as f64),
        figure(|run| run.idle_share) * 100.0,
    )
}

/// Lines received, by the share of packets that arrived.
#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn lines(run: &Outcome) -> f64 {
    let share = run.received.packets as f64 / run.sent.total.packets.max(1) as f64;
    (run.sent.total.lines as f64 * share).max(1.0)
}

/// The middle of some values; the mean of the two middle ones when their number is even.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        odd if odd % 2 == 1 => values[odd / 2],
        even => f64::midpoint(values[even / 2 - 1], values[even / 2]),
    }
}
