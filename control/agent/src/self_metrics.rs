//! What the agent reports to the intake about itself. spec: dogstatsd §14.2.

use std::sync::Arc;

use context::Keys;
use forward::EndpointStats;
use signal::{
    CheckStatus, Context, Point, Provenance, Series, SeriesKind, SeriesSink, ServiceCheck, TagSet,
};

use crate::flush::SelfReport;

/// Contexts of the agent's own series.
#[derive(Debug)]
pub(crate) struct SelfMetrics {
    keys: Keys,
    host: Arc<str>,
    running: Context,
    payloads_dropped: Context,
}

/// One value of one series of the trace pipeline.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TraceSeries {
    /// Name with its prefix.
    pub(crate) name: String,
    /// Tags.
    pub(crate) tags: Vec<String>,
    /// A rate or a gauge.
    pub(crate) kind: SeriesKind,
    /// Value per second, or as it is.
    pub(crate) value: f64,
}

/// How long the retry queue of an endpoint could hold the present input.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct QueueDuration {
    /// Base URL.
    pub(crate) url: String,
    /// Input of late.
    pub(crate) bytes_per_sec: f64,
    /// Room that is left.
    pub(crate) capacity_bytes: u64,
}

impl QueueDuration {
    /// One for each URL with input; its keys add up, since each has its share of the room.
    pub(crate) fn of<'s>(stats: impl IntoIterator<Item = &'s EndpointStats>) -> Vec<Self> {
        let mut queues: Vec<Self> = Vec::new();
        for endpoint in stats {
            let Some(bytes_per_sec) = endpoint.input_bytes_per_sec else { continue };
            let known = queues.iter().position(|queue| queue.url == endpoint.url);
            let index = known.unwrap_or(queues.len());
            if known.is_none() {
                queues.push(Self { url: endpoint.url.clone(), ..Self::default() });
            }
            if let Some(queue) = queues.get_mut(index) {
                queue.bytes_per_sec += bytes_per_sec;
                queue.capacity_bytes += endpoint.room_bytes;
            }
        }
        queues
    }
}

impl SelfMetrics {
    /// Series of the agent on `host`.
    pub(crate) fn new(keys: &Keys, host: &Arc<str>, version: &str) -> Self {
        Self {
            keys: keys.clone(),
            host: Arc::clone(host),
            running: context(keys, host, "datadog.agent.running", &[format!("version:{version}")]),
            payloads_dropped: context(
                keys,
                host,
                "n_o_i_n_d_e_x.datadog.agent.payload.dropped",
                &[],
            ),
        }
    }

    /// Hands the series of one flush to `sink`.
    #[expect(clippy::cast_precision_loss, reason = "counts and bytes are far below 2^53")]
    pub(crate) fn write(&self, report: &SelfReport, sink: &mut impl SeriesSink) {
        let timestamp_secs = i64::try_from(report.now_secs).unwrap_or(i64::MAX);
        let gauge = |context: &Context,
                     value: f64,
                     is_no_index: bool,
                     source_type_name: &'static str,
                     sink: &mut dyn SeriesSink| {
            sink.series(Series {
                context,
                suffix: "",
                kind: SeriesKind::Gauge,
                interval_secs: 0,
                unit: "",
                source_type_name,
                is_no_index,
                points: &[Point { timestamp_secs, value }],
            });
        };
        gauge(&self.running, 1.0, false, "System", sink);
        gauge(&self.payloads_dropped, report.payloads_dropped as f64, true, "System", sink);
        for queue in &report.queues {
            let tags = ["agent:core".to_owned(), format!("domain:{}", queue.url)];
            let capacity_bytes = queue.capacity_bytes as f64;
            for (name, value) in [
                ("capacity_secs", capacity_bytes / queue.bytes_per_sec),
                ("bytes_per_sec", queue.bytes_per_sec),
                ("capacity_bytes", capacity_bytes),
            ] {
                let name = format!("datadog.agent.retry_queue_duration.{name}");
                gauge(&context(&self.keys, &self.host, &name, &tags), value, false, "", sink);
            }
        }
        for series in &report.traces {
            sink.series(Series {
                context: &context(&self.keys, &self.host, &series.name, &series.tags),
                suffix: "",
                kind: series.kind,
                interval_secs: match series.kind {
                    SeriesKind::Gauge => 0,
                    SeriesKind::Rate | SeriesKind::Count => report.interval_secs,
                },
                unit: "",
                source_type_name: "",
                is_no_index: false,
                points: &[Point { timestamp_secs, value: series.value }],
            });
        }
    }

    /// The check that says that the agent is up.
    pub(crate) fn up(&self, now_secs: u64) -> ServiceCheck {
        ServiceCheck {
            name: "datadog.agent.up".to_owned(),
            status: CheckStatus::Ok,
            timestamp_secs: i64::try_from(now_secs).unwrap_or(i64::MAX),
            host: Arc::clone(&self.host),
            ..ServiceCheck::default()
        }
    }
}

fn context(keys: &Keys, host: &Arc<str>, name: &str, tags: &[String]) -> Context {
    let tag_key = Keys::tag_set(tags.iter().map(|tag| keys.hash(tag.as_bytes())));
    let tags = tags.iter().map(|tag| Arc::from(tag.as_str())).collect();
    Context {
        key: keys.context(name, host, tag_key),
        name: name.into(),
        tags: Arc::new(TagSet::new(tag_key, tags)),
        host: Arc::clone(host),
        provenance: Provenance::INTERNAL,
        origin: Arc::from(""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_one_url_add_up_and_idle_ones_say_nothing() {
        let endpoint = |url: &str, input_bytes_per_sec| EndpointStats {
            url: url.to_owned(),
            input_bytes_per_sec,
            room_bytes: 1000,
            ..EndpointStats::default()
        };
        let stats = [
            endpoint("https://a", Some(2.0)),
            endpoint("https://a", Some(3.0)),
            endpoint("https://b", None),
        ];
        let expected =
            QueueDuration { url: "https://a".to_owned(), bytes_per_sec: 5.0, capacity_bytes: 2000 };
        assert_eq!(QueueDuration::of(&stats), [expected]);
    }
}
