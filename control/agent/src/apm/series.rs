//! What the trace pipeline reports to the intake about itself. spec: apm §11.
//!
//! Counters since the start become rates over the time between two flushes, by the names that the
//! Agent's dashboards use, tagged as far as they are counted apart.

use std::collections::BTreeMap;

use server::Refusal;
use signal::SeriesKind;
use traces::{Dropped, Malformed};

use super::report::TraceReport;
use crate::self_metrics::TraceSeries;

/// Counters as they were at the last flush.
#[derive(Debug, Default)]
pub(crate) struct TraceMeter {
    last: BTreeMap<(String, Vec<String>), u64>,
}

/// Begins every name.
const PREFIX: &str = "datadog.trace_agent.";

/// Counters by name and tags; those of several lanes add up.
#[derive(Default)]
struct Counted(BTreeMap<(String, Vec<String>), u64>);

impl Counted {
    fn add(&mut self, name: &str, tags: &[(&str, &str)], count: u64) {
        let told = tags.iter().filter(|(_, value)| !value.is_empty());
        let mut tags: Vec<String> = told.map(|(key, value)| format!("{key}:{value}")).collect();
        // As sets of tags are kept; the keys differ.
        tags.sort_unstable();
        *self.0.entry((format!("{PREFIX}{name}"), tags)).or_default() += count;
    }
}

impl TraceMeter {
    /// The series of one flush. What did not change since the last one is left out, but for the
    /// sign of life.
    #[expect(clippy::cast_precision_loss, reason = "counts of seconds are far below 2^53")]
    pub(crate) fn series(&mut self, report: &TraceReport, interval_secs: u32) -> Vec<TraceSeries> {
        let gauge = |name: &str, value: f64| TraceSeries {
            name: format!("{PREFIX}{name}"),
            tags: Vec::new(),
            kind: SeriesKind::Gauge,
            value,
        };
        let mut series = vec![gauge("heartbeat", 1.0)];
        for ((name, tags), count) in counted(report).0 {
            let last = self.last.insert((name.clone(), tags.clone()), count).unwrap_or(0);
            let more = count.saturating_sub(last);
            if more > 0 {
                let value = more as f64 / f64::from(interval_secs.max(1));
                series.push(TraceSeries { name, tags, kind: SeriesKind::Rate, value });
            }
        }
        series
    }
}

fn counted(report: &TraceReport) -> Counted {
    let mut counted = Counted::default();
    for lane in &report.lanes {
        for tracer in &lane.tracers {
            let tags = [
                ("lang", &*tracer.language),
                ("tracer_version", &*tracer.tracer_version),
                ("endpoint", tracer.endpoint),
            ];
            counted.add("receiver.payload_accepted", &tags, tracer.payloads);
            counted.add("receiver.trace", &tags, tracer.traces);
            counted.add("receiver.traces_received", &tags, tracer.traces);
            counted.add("receiver.spans_received", &tags, tracer.spans);
            counted.add("receiver.traces_bytes", &tags, tracer.bytes);
        }
        for sender in &lane.refusals {
            let of = [
                ("lang", &*sender.language),
                ("tracer_version", &*sender.tracer_version),
                ("service", &*sender.service),
            ];
            for (refusal, count) in Refusal::ALL.into_iter().zip(sender.requests) {
                let [lang, version, service] = of;
                let tags = [lang, version, service, ("error", refusal.name())];
                let is_busy = refusal == Refusal::Busy;
                let name = if is_busy { "receiver.payload_refused" } else { "receiver.error" };
                counted.add(name, if is_busy { &of } else { &tags }, count);
            }
        }
        let processed = &lane.processed;
        for reason in Dropped::ALL {
            let (name, tags) = match reason {
                Dropped::IgnoredResource | Dropped::Filtered => ("receiver.traces_filtered", None),
                Dropped::ByPriority | Dropped::SampledOut | Dropped::NoError => continue,
                Dropped::Empty
                | Dropped::ForeignSpan
                | Dropped::TraceIdZero
                | Dropped::SpanIdZero
                | Dropped::TooLarge => ("normalizer.traces_dropped", Some(reason.as_str())),
            };
            let tags = tags.map(|reason| ("reason", reason));
            counted.add(name, tags.as_slice(), processed.traces_dropped(reason));
            counted.add("receiver.spans_dropped", &[], processed.spans_dropped(reason));
        }
        for reason in Malformed::ALL {
            let tags = [("reason", reason.as_str())];
            counted.add("normalizer.spans_malformed", &tags, processed.malformed(reason));
        }
    }
    for sampler in sampling::Sampler::ALL {
        let tags = [("sampler", sampler.name())];
        counted.add("sampler.seen", &tags, report.sampled.seen(sampler));
        counted.add("sampler.kept", &tags, report.sampled.kept(sampler));
    }
    let (writer, stats) = (&report.writer, &report.stats);
    for (name, count) in [
        ("trace_writer.payloads", writer.payloads_out),
        ("trace_writer.traces", writer.chunks_out),
        ("trace_writer.spans", writer.spans_out),
        ("trace_writer.bytes", writer.bytes_compressed),
        ("trace_writer.bytes_uncompressed", writer.bytes_uncompressed),
        ("trace_writer.dropped", writer.chunks_dropped),
        ("stats_writer.payloads", stats.bodies_out),
        ("stats_writer.stats_entries", stats.groups_out),
        ("stats_writer.client_payloads", stats.client_payloads),
        ("stats_writer.bytes", stats.bytes_compressed),
        ("stats_writer.bytes_uncompressed", stats.bytes_uncompressed),
        ("stats_writer.dropped", stats.bodies_dropped),
    ] {
        counted.add(name, &[], count);
    }
    counted
}

#[cfg(test)]
mod tests {
    use lane::{TraceCounts, TracerCounts};

    use super::*;

    #[test]
    fn counters_become_rates_by_sender_over_all_lanes() {
        let lane = |traces| {
            let mut counts = TraceCounts::default();
            counts.tracers.push(TracerCounts {
                language: "go".into(),
                endpoint: "/v0.4/traces",
                traces,
                ..TracerCounts::default()
            });
            counts
        };
        let mut report = TraceReport::new(2);
        report.set_lane(0, lane(10));
        report.set_lane(1, lane(20));
        report.writer.spans_out = 7;
        let mut meter = TraceMeter::default();
        let rate = |name: &str, tags: &[&str], value| TraceSeries {
            name: format!("{PREFIX}{name}"),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            kind: SeriesKind::Rate,
            value,
        };
        let tags = ["endpoint:/v0.4/traces", "lang:go"];
        let series = meter.series(&report, 10);
        assert_eq!(
            (series[0].name.as_str(), series[0].value),
            ("datadog.trace_agent.heartbeat", 1.0)
        );
        assert_eq!(
            series[1..],
            [
                rate("receiver.trace", &tags, 3.0),
                rate("receiver.traces_received", &tags, 3.0),
                rate("trace_writer.spans", &[], 0.7),
            ]
        );
        report.set_lane(1, lane(25));
        assert_eq!(
            meter.series(&report, 10)[1..],
            [rate("receiver.trace", &tags, 0.5), rate("receiver.traces_received", &tags, 0.5)]
        );
        assert_eq!(meter.series(&report, 10).len(), 1, "nothing changed");
    }
}
