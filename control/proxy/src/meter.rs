//! What the proxies report to the intake about themselves, by the names of the Agent.
//! spec: proxies §3, "Metrics" of each proxy.
//!
//! Sums and durations since the last report. Tags that come from clients are few: at most
//! [`ROWS_MAX`] rows are kept apart, what comes beyond goes without tags.

use std::collections::BTreeMap;
use std::mem;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::HeaderMap;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use tokio::time::Instant;

use crate::Kind;
use crate::counts::{Counters, InFlight, Refused};
use crate::evp::subdomain;

/// One value of one series.
#[derive(Clone, Debug, PartialEq)]
pub struct ProxySeries {
    /// Name with its prefix.
    pub name: String,
    /// Tags, sorted.
    pub tags: Vec<String>,
    /// Whether it counts over the time since the last report; a gauge otherwise.
    pub is_rate: bool,
    /// Value per second, or as it is.
    pub value: f64,
}

/// Sums and durations since the last report.
#[derive(Debug, Default)]
pub(crate) struct Meter(Mutex<BTreeMap<Row, Cell>>);

/// Name behind the prefix, and tags.
type Row = (&'static str, Vec<String>);

#[derive(Debug)]
enum Cell {
    Sum(i64),
    Times(Times),
}

#[derive(Debug, Default)]
struct Times {
    count: u64,
    sum_ms: f64,
    max_ms: f64,
    /// The first of them, for quantiles.
    kept_ms: Vec<f64>,
}

/// One request, from its head until it is dropped.
#[derive(Debug)]
pub(crate) struct Call<'p> {
    pub(crate) kind: Kind,
    pub(crate) counters: &'p Counters,
    meter: &'p Meter,
    tags: Vec<String>,
    started: Instant,
    _in_flight: InFlight<'p>,
}

/// Names of the series of a proxy.
struct Names {
    requests: &'static str,
    duration: Option<&'static str>,
    error: Option<&'static str>,
}

/// Begins every name.
const PREFIX: &str = "datadog.trace_agent.";
/// Rows in one report.
const ROWS_MAX: usize = 500;
/// Durations of a row that its quantiles are made of.
const KEPT_MAX: usize = 1000;
/// Longest tag in bytes, as anywhere in the product.
const TAG_BYTES_MAX: usize = 200;

const EVP_BYTES: &str = "evp_proxy.request_bytes";
/// Time of one call of telemetry, by host.
pub(crate) const TELEMETRY_MS: &str = "telemetry_proxy.roundtrip_ms";
/// Calls of telemetry that failed, by host.
pub(crate) const TELEMETRY_ERROR: &str = "telemetry_proxy.error";
/// Requests of telemetry of nobody knows which container.
pub(crate) const TELEMETRY_NO_CONTAINER: &str = "telemetry_proxy.no_container_id_found";

impl Names {
    fn of(kind: Kind) -> Option<Self> {
        let count = |requests| Some(Self { requests, duration: None, error: None });
        match kind {
            Kind::Profiling => count("profile"),
            Kind::OpenLineage => count("openlineage"),
            Kind::PipelineStats => count("pipelines_stats"),
            Kind::DebuggerLogs | Kind::DebuggerDiagnostics | Kind::Debugger => Some(Self {
                requests: "debugger.proxy_request",
                duration: Some("debugger.proxy_request_duration_ms"),
                error: Some("debugger.proxy_request_error"),
            }),
            Kind::Symdb => Some(Self {
                requests: "symdb.proxy_request",
                duration: Some("symdb.proxy_request_duration_ms"),
                error: Some("symdb.proxy_request_error"),
            }),
            Kind::Evp => Some(Self {
                requests: "evp_proxy.request",
                duration: Some("evp_proxy.request_duration_ms"),
                error: Some("evp_proxy.request_error"),
            }),
            // Telemetry reports its calls, not its requests.
            Kind::Telemetry | Kind::Logs | Kind::DogStatsD | Kind::TracerFlare => None,
        }
    }
}

impl Meter {
    /// Adds to a sum.
    pub(crate) fn count(&self, name: &'static str, tags: &[String], more: i64) {
        self.with(
            name,
            tags,
            || Cell::Sum(0),
            |cell| {
                if let Cell::Sum(sum) = cell {
                    *sum = sum.saturating_add(more);
                }
            },
        );
    }

    /// Adds a duration.
    pub(crate) fn time(&self, name: &'static str, tags: &[String], duration: Duration) {
        let ms = duration.as_secs_f64() * 1000.0;
        self.with(
            name,
            tags,
            || Cell::Times(Times::default()),
            |cell| {
                if let Cell::Times(times) = cell {
                    times.count += 1;
                    times.sum_ms += ms;
                    times.max_ms = times.max_ms.max(ms);
                    if times.kept_ms.len() < KEPT_MAX {
                        times.kept_ms.push(ms);
                    }
                }
            },
        );
    }

    /// Everything since the last call, `interval_secs` ago.
    pub(crate) fn take(&self, interval_secs: u32) -> Vec<ProxySeries> {
        let rows = mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let mut series = Vec::new();
        for ((name, tags), cell) in rows {
            let mut push = |suffix: &str, is_rate, value: f64| {
                let name = format!("{PREFIX}{name}{suffix}");
                let value = if is_rate { value / f64::from(interval_secs.max(1)) } else { value };
                series.push(ProxySeries { name, tags: tags.clone(), is_rate, value });
            };
            match cell {
                Cell::Sum(sum) => push("", true, as_float(sum)),
                Cell::Times(times) => {
                    // What a histogram of DogStatsD becomes by default.
                    let count = as_float(i64::try_from(times.count).unwrap_or(i64::MAX));
                    push(".avg", false, times.sum_ms / count);
                    push(".count", true, count);
                    push(".max", false, times.max_ms);
                    let mut sorted = times.kept_ms;
                    sorted.sort_by(f64::total_cmp);
                    push(".median", false, quantile(&sorted, 50));
                    push(".95percentile", false, quantile(&sorted, 95));
                }
            }
        }
        series
    }

    fn with(
        &self,
        name: &'static str,
        tags: &[String],
        new: impl FnOnce() -> Cell,
        add: impl FnOnce(&mut Cell),
    ) {
        let mut rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut row = (name, tags.to_vec());
        if rows.len() >= ROWS_MAX && !rows.contains_key(&row) {
            row.1.clear();
        }
        add(rows.entry(row).or_insert_with(new));
    }
}

impl<'p> Call<'p> {
    /// Counts a request.
    pub(crate) fn begin(
        kind: Kind,
        counters: &'p Counters,
        meter: &'p Meter,
        headers: &HeaderMap,
    ) -> Self {
        let tags = if kind == Kind::Evp { evp_tags(headers) } else { Vec::new() };
        if let Some(names) = Names::of(kind) {
            meter.count(names.requests, &tags, 1);
        }
        if kind == Kind::Evp {
            let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
            let length = length.and_then(|length| length.parse().ok());
            meter.count(EVP_BYTES, &tags, length.unwrap_or(-1));
        }
        let _in_flight = counters.begin();
        Self { kind, counters, meter, tags, started: Instant::now(), _in_flight }
    }

    /// Counts it as not answered by its intake.
    pub(crate) fn refuse(&self, reason: Refused) {
        self.counters.refuse(reason);
        let Some(error) = Names::of(self.kind).and_then(|names| names.error) else { return };
        if self.kind == Kind::Evp {
            self.meter.count(error, &self.tags, 1);
        } else {
            self.meter.count(error, &[format!("error:{}", reason.name())], 1);
        }
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if let Some(duration) = Names::of(self.kind).and_then(|names| names.duration) {
            self.meter.time(duration, &self.tags, self.started.elapsed());
        }
    }
}

/// Tags of a request to the event platform: its media type, without the boundary of a multipart
/// body, which is another one each time, and where it goes, when that is a name.
fn evp_tags(headers: &HeaderMap) -> Vec<String> {
    let mut tags = Vec::new();
    let media = headers.get(CONTENT_TYPE).and_then(|media| media.to_str().ok());
    let media = media.and_then(|media| media.split(';').next()).map(str::trim);
    if let Some(media) = media.filter(|media| !media.is_empty()) {
        tags.push(cut(format!("content_type:{media}")));
    }
    if let Ok(subdomain) = subdomain(headers) {
        tags.push(cut(format!("subdomain:{subdomain}")));
    }
    tags
}

fn cut(mut tag: String) -> String {
    tag.truncate(tag.floor_char_boundary(TAG_BYTES_MAX));
    tag
}

/// A quantile of what is sorted; 0 of nothing.
fn quantile(sorted: &[f64], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(rank).copied().unwrap_or(0.0)
}

#[expect(clippy::cast_precision_loss, reason = "counts of seconds are far below 2^53")]
const fn as_float(count: i64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn one(name: &str, tags: &[&str], is_rate: bool, value: f64) -> ProxySeries {
        let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
        ProxySeries { name: format!("{PREFIX}{name}"), tags, is_rate, value }
    }

    #[test]
    fn sums_become_rates_and_durations_a_histogram() {
        let meter = Meter::default();
        for ms in 1..=20 {
            meter.time("t", &[], Duration::from_millis(ms));
        }
        meter.count("c", &["a:b".to_owned()], 30);
        meter.count("c", &["a:b".to_owned()], -10);
        assert_eq!(
            meter.take(10),
            [
                one("c", &["a:b"], true, 2.0),
                one("t.avg", &[], false, 10.5),
                one("t.count", &[], true, 2.0),
                one("t.max", &[], false, 20.0),
                one("t.median", &[], false, 10.0),
                one("t.95percentile", &[], false, 19.0),
            ]
        );
        assert_eq!(meter.take(10), []);
    }

    #[test]
    fn tags_of_clients_are_bounded() {
        let meter = Meter::default();
        for n in 0..2 * ROWS_MAX {
            meter.count("c", &[format!("n:{n}")], 1);
        }
        let rows = meter.take(1);
        assert_eq!(rows.len(), ROWS_MAX + 1);
        let sum: f64 = rows.iter().map(|row| row.value).sum();
        assert!((sum - 1000.0).abs() < 1e-9, "{sum}");
    }

    #[test]
    fn events_are_told_apart_by_type_and_place() {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("multipart/form-data; boundary=1"));
        headers.insert("x-datadog-evp-subdomain", HeaderValue::from_static("a.b"));
        let (counters, meter) = (Counters::default(), Meter::default());
        let call = Call::begin(Kind::Evp, &counters, &meter, &headers);
        call.refuse(Refused::Upstream);
        drop(call);
        let series = meter.take(1);
        let tags = ["content_type:multipart/form-data", "subdomain:a.b"];
        for (name, value) in [
            ("evp_proxy.request", 1.0),
            ("evp_proxy.request_bytes", -1.0),
            ("evp_proxy.request_error", 1.0),
            ("evp_proxy.request_duration_ms.count", 1.0),
        ] {
            assert!(series.contains(&one(name, &tags, true, value)), "{name} in {series:?}");
        }
        headers.insert("x-datadog-evp-subdomain", HeaderValue::from_static("a/b"));
        assert_eq!(evp_tags(&headers), tags[..1]);
    }

    #[test]
    fn errors_of_the_debugger_are_named() {
        let (counters, meter) = (Counters::default(), Meter::default());
        let call = Call::begin(Kind::Debugger, &counters, &meter, &HeaderMap::new());
        call.refuse(Refused::Timeout);
        drop(call);
        let named = one("debugger.proxy_request_error", &["error:timeout"], true, 1.0);
        assert!(meter.take(1).contains(&named));
        assert_eq!(counters.snapshot().in_flight, 0);
    }
}
