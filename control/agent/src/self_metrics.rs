//! What the agent reports to the intake about itself. spec: dogstatsd §14.2.

use std::sync::Arc;

use context::Keys;
use signal::{
    CheckStatus, Context, Point, Provenance, Series, SeriesKind, SeriesSink, ServiceCheck, TagSet,
};

/// Contexts of the agent's own series, made once.
#[derive(Debug)]
pub(crate) struct SelfMetrics {
    host: Arc<str>,
    running: Context,
    payloads_dropped: Context,
}

impl SelfMetrics {
    /// Series of the agent on `host`.
    pub(crate) fn new(keys: &Keys, host: &Arc<str>, version: &str) -> Self {
        let context = |name: &str, tags: &[String]| {
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
        };
        Self {
            host: Arc::clone(host),
            running: context("datadog.agent.running", &[format!("version:{version}")]),
            payloads_dropped: context("n_o_i_n_d_e_x.datadog.agent.payload.dropped", &[]),
        }
    }

    /// Hands the series of one flush to `sink`.
    #[expect(clippy::cast_precision_loss, reason = "a count of payloads is far below 2^53")]
    pub(crate) fn write(&self, now_secs: u64, payloads_dropped: u64, sink: &mut impl SeriesSink) {
        let timestamp_secs = i64::try_from(now_secs).unwrap_or(i64::MAX);
        let gauge = |context, value, is_no_index, source_type_name, sink: &mut dyn SeriesSink| {
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
        gauge(&self.payloads_dropped, payloads_dropped as f64, true, "System", sink);
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
