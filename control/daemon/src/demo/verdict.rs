//! Whether everything that was sent is accounted for.

mod traces;

use intake::Totals;
use load::traces::TraceSent;
use load::{Kind, Tally, Transport};
use signal_names as names;
use status::format::{Table, count};
use status::{Snapshot, identities};

/// Names of the counters that are compared, as the snapshot has them.
mod signal_names {
    pub(super) const UDP_PACKETS: &str = "udp_packets";
    pub(super) const UDP_KERNEL_DROPS: &str = "udp_kernel_drops";
    pub(super) const UDS_PACKETS: &str = "uds_packets";
    pub(super) const STREAM_PACKETS: &str = "stream_packets";
    pub(super) const SAMPLES: &str = "samples";
}

/// Everything that was sent.
pub(super) struct Sent {
    /// DogStatsD, over each transport.
    pub(super) lines: Vec<(Transport, load::Sent)>,
    /// Traces, by each tracer.
    pub(super) traces: Vec<TraceSent>,
}

/// One comparison.
struct Check {
    what: String,
    expected: f64,
    found: f64,
}

impl Check {
    /// Equal but for the rounding of a long sum.
    fn holds(&self) -> bool {
        (self.expected - self.found).abs() <= 1e-9 * self.expected.abs().max(1.0)
    }
}

/// The comparisons of a demo.
pub(super) struct Verdict {
    checks: Vec<Check>,
    /// Identities of the agent that do not hold.
    broken: Vec<String>,
    /// Datagrams that the kernel dropped; their contents are unknown, so sums are not compared.
    kernel_drops: u64,
    payloads: u64,
    points: u64,
    spans: u64,
}

impl Verdict {
    /// Compares what was sent, what the agent counted, and what was decoded.
    pub(super) fn new(sent: &Sent, last: &Snapshot, decoded: &Totals) -> Self {
        let mut all = Tally::default();
        for (_, sent) in &sent.lines {
            all.add(&sent.total, 1);
        }
        let counter = |name: &str| last.totals.get(name).copied().unwrap_or(0);
        let kernel_drops = counter(names::UDP_KERNEL_DROPS);
        let mut checks: Vec<Check> = sent
            .lines
            .iter()
            .map(|(transport, sent)| {
                let (what, received) = match transport {
                    Transport::Udp => ("UDP datagrams", counter(names::UDP_PACKETS) + kernel_drops),
                    Transport::UdsDatagram => ("Unix datagrams", counter(names::UDS_PACKETS)),
                    Transport::UdsStream => ("Unix stream frames", counter(names::STREAM_PACKETS)),
                };
                check(what, sent.total.packets, received)
            })
            .collect();
        if kernel_drops == 0 {
            checks.push(check("samples", all.samples, counter(names::SAMPLES)));
            checks.extend(decoded_checks(&all, decoded));
        }
        checks.extend(traces::checks(&sent.traces, last, decoded));
        let violations = decoded.violation_count();
        checks.push(check("payload rules broken", 0, violations));
        let broken = identities(last).into_iter().filter(|identity| !identity.holds);
        let broken = broken.map(|identity| {
            let (left, right) = (count(identity.left), count(identity.right));
            format!("{}: {left} is not {right} ({})", identity.name, identity.formula)
        });
        Self {
            checks,
            broken: broken.collect(),
            kernel_drops,
            payloads: decoded.accepted,
            points: decoded.points,
            spans: decoded.traces.spans,
        }
    }

    /// Whether nothing is missing. Datagrams that the kernel dropped and counted are not.
    pub(super) fn is_good(&self) -> bool {
        self.broken.is_empty() && self.checks.iter().all(Check::holds)
    }

    /// The verdict for people.
    pub(super) fn text(&self) -> String {
        let mut table = Table::new(&["", ">sent", ">arrived", ""]);
        for check in &self.checks {
            let verdict = if check.holds() { "ok" } else { "DIFFERS" };
            let (expected, found) = (number(check.expected), number(check.found));
            table.row([check.what.clone(), expected, found, verdict.to_owned()]);
        }
        let mut text = format!(
            "\nStopped. {} payloads with {} points and {} spans were decoded.\n\n{}\n",
            count(self.payloads),
            count(self.points),
            count(self.spans),
            table.render("  ")
        );
        if self.kernel_drops > 0 {
            text.push_str(&format!(
                "{} UDP datagrams found the socket's buffer full; the kernel dropped and counted \
                 them.\nSums are not compared then; a lower --rate or a higher net.core.rmem_max \
                 avoids it.\n",
                count(self.kernel_drops)
            ));
        }
        for broken in &self.broken {
            text.push_str(&format!("The agent's own counts differ: {broken}\n"));
        }
        text.push_str(match (self.is_good(), self.kernel_drops) {
            (true, 0) => "Everything is accounted for: what was sent is what was decoded.\n",
            (true, _) => "Everything is accounted for.\n",
            (false, _) => "NOT everything is accounted for. Please report this.\n",
        });
        text
    }
}

fn check(what: &str, expected: u64, found: u64) -> Check {
    Check { what: what.to_owned(), expected: as_f64(expected), found: as_f64(found) }
}

/// Sums by type. Gauges and sets are not sums: the latest value, and the number of members.
fn decoded_checks(sent: &Tally, decoded: &Totals) -> Vec<Check> {
    let sum = |prefix: &str, suffix: &str, value: fn(&intake::NameTotals) -> f64| {
        let named = decoded
            .by_name
            .iter()
            .filter(|(name, _)| name.starts_with(prefix) && name.ends_with(suffix));
        named.map(|(_, totals)| value(totals)).sum::<f64>()
    };
    let samples = |kind| as_f64(sent.kind(kind).samples);
    let rows = [
        (
            "counters, sum",
            sent.count.weighted_sum,
            sum("corelane.load.count.", "", |totals| totals.counted),
        ),
        (
            "histograms, values",
            samples(Kind::Histogram),
            sum("corelane.load.histogram.", ".count", |totals| totals.counted),
        ),
        (
            "timings, values",
            samples(Kind::Timing),
            sum("corelane.load.timing.", ".count", |totals| totals.counted),
        ),
        (
            "distributions, values",
            samples(Kind::Distribution),
            sum("corelane.load.distribution.", "", |totals| totals.sketched),
        ),
        (
            "distributions, sum",
            sent.distribution.sum,
            sum("corelane.load.distribution.", "", |totals| totals.sketch_sum),
        ),
    ];
    let rows = rows.into_iter();
    rows.map(|(what, expected, found)| Check { what: what.to_owned(), expected, found }).collect()
}

/// A sum for people: with its fraction only if it has one.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to be a whole number that fits"
)]
fn number(value: f64) -> String {
    if (0.0..=9e15).contains(&value) && value.fract() == 0.0 {
        return count(value as u64);
    }
    format!("{value:.3}")
}

#[expect(clippy::cast_precision_loss, reason = "counts of a demo are far below 2^53")]
const fn as_f64(n: u64) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use intake::NameTotals;
    use load::KindTally;

    use super::*;

    fn sent() -> Sent {
        let counted = KindTally { lines: 4, samples: 4, sum: 2500.0, weighted_sum: 2500.0 };
        let timed = KindTally { lines: 2, samples: 3, sum: 1.5, weighted_sum: 1.5 };
        let total = Tally {
            packets: 2,
            samples: 7,
            count: counted,
            distribution: timed,
            ..Tally::default()
        };
        let lines = vec![(Transport::Udp, load::Sent { total, ..load::Sent::default() })];
        Sent { lines, traces: Vec::new() }
    }

    fn counted(packets: u64, drops: u64) -> Snapshot {
        let totals = [("udp_packets", packets), ("udp_kernel_drops", drops), ("samples", 7)];
        let totals = totals.into_iter().chain([("recorded", 7)]);
        let mut snapshot = Snapshot {
            totals: totals.map(|(name, n)| (name.to_owned(), n)).collect(),
            ..Snapshot::default()
        };
        snapshot.flush.samples_in = 7;
        snapshot
    }

    fn decoded() -> Totals {
        let mut totals = Totals { accepted: 3, points: 12, ..Totals::default() };
        let count = NameTotals { counted: 2500.0, ..NameTotals::default() };
        totals.by_name.insert("corelane.load.count.00001".to_owned(), count);
        let sketch = NameTotals { sketched: 3.0, sketch_sum: 1.5, ..NameTotals::default() };
        totals.by_name.insert("corelane.load.distribution.00002".to_owned(), sketch);
        totals.by_name.insert("datadog.agent.running".to_owned(), count);
        totals
    }

    #[test]
    fn all_is_well() {
        let verdict = Verdict::new(&sent(), &counted(2, 0), &decoded());
        assert!(verdict.is_good());
        expect![[r#"

            Stopped. 3 payloads with 12 points and 0 spans were decoded.

                                      sent  arrived
              UDP datagrams              2        2  ok
              samples                    7        7  ok
              counters, sum          2,500    2,500  ok
              histograms, values         0        0  ok
              timings, values            0        0  ok
              distributions, values      3        3  ok
              distributions, sum     1.500    1.500  ok
              payload rules broken       0        0  ok

            Everything is accounted for: what was sent is what was decoded.
        "#]]
        .assert_eq(&verdict.text());
    }

    #[test]
    fn a_missing_value_is_named() {
        let mut totals = decoded();
        totals.by_name.remove("corelane.load.count.00001");
        let verdict = Verdict::new(&sent(), &counted(2, 0), &totals);
        assert!(!verdict.is_good());
        assert!(verdict.text().contains("DIFFERS"), "{}", verdict.text());
        let verdict = Verdict::new(&sent(), &counted(1, 0), &decoded());
        assert!(!verdict.is_good());
    }

    #[test]
    fn drops_of_the_kernel_are_accounted_for() {
        let verdict = Verdict::new(&sent(), &counted(1, 1), &Totals::default());
        assert!(verdict.is_good());
        assert!(verdict.text().contains("net.core.rmem_max"), "{}", verdict.text());
    }

    #[test]
    fn an_identity_that_breaks_is_a_failure() {
        let mut snapshot = counted(2, 0);
        snapshot.totals.insert("messages".to_owned(), 1);
        let verdict = Verdict::new(&sent(), &snapshot, &decoded());
        assert!(!verdict.is_good());
        assert!(verdict.text().contains("messages: 1 is not 0"), "{}", verdict.text());
    }
}
