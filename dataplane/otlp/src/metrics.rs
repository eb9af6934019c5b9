//! Points to series and sketches. spec: otlp §5, §6.
//!
//! ```text
//! ExportMetricsServiceRequest
//!   resource --> host, tags, origin
//!     scope --> tags, provenance
//!       metric --> name, unit --+-- renamed --------+
//!                               '-- Mappings: copies-+
//!         point --> tags --> number | histogram | exponential | summary --> SeriesSink
//!                                        |
//!                            Cumulative: the last value of each series
//! ```
//!
//! Points are read one at a time over one another: nothing of a request is kept but the places of
//! metrics that are copied, whose points are read again after the scope's originals. Each point
//! leaves as its own series with its own time.
//!
//! State: the last values of cumulative series, a time to live long and bounded in number. Equal
//! series must meet the same [`Translator`], in the order of time: have one for all connections.
//! Counts of what became of points, which balance even where a body breaks off ([`Counts`]).
//!
//! Costs of a point with three attributes under a resource with eight, as `benches/metrics.rs`
//! measures them on a machine with other work:
//!
//! | point | ns | bytes read | allocations |
//! |---|---|---|---|
//! | gauge, cumulative sum | 800 | 154 | 6.5 of 440 bytes |
//! | histogram of 11 buckets | 1,900 (cumulative 2,200) | 359 | 12.6 of 1,340 bytes |
//! | exponential histogram of 40 buckets | 5,400 | 217 | 19.6 of 10,600 bytes |
//! | summary of two quantiles, four series | 2,300 | 209 | 24.5 of 1,380 bytes |
//!
//! Six of the allocations are the context, which a series gets anew with each point: its name, its
//! set of tags and each tag that is not the scope's. A cumulative series takes 56 to 112 bytes, a
//! histogram one such for each bucket and up to four more. The widest explicit bucket is spread
//! over some 60,000 keys in 0.4 ms.

mod counts;
mod cumulative;
mod exponential;
mod float_text;
mod histogram;
mod mapping;
mod names;
mod number;
mod request;
mod run;
mod settings;
mod summary;
mod tags;
mod unit_names;
mod units;

use std::borrow::Cow;
use std::sync::Arc;

use context::Keys;
use signal::{Provenance, SeriesSink};

use crate::wire::{Fields, WireError};
use crate::{Attributes, Resource, Scope, Source};

pub use counts::{Counts, Dropped, Tally};
pub use settings::{
    CumulativeMode, HistogramMode, InitialValue, MetricsSettings, SettingsError, SummaryMode,
    ZeroBucket,
};

use cumulative::Cumulative;
use mapping::{Mapping, Mappings};
use request::{ExponentialPoint, HistogramPoint, Kind, Metric, NumberPoint, SummaryPoint};
use run::{Run, Subject};
use tags::{Place, PointTags};

/// Turns requests into series. See the module.
#[derive(Debug)]
pub struct Translator {
    settings: MetricsSettings,
    keys: Keys,
    host: Arc<str>,
    process_start_nanos: u64,
    mappings: Mappings,
    cumulative: Cumulative,
    tags: PointTags,
    counts: Counts,
}

/// Category of metrics that came over OTLP. spec: otlp §5.1.
const CATEGORY: u32 = 17;
const PRODUCT: u32 = 10;

impl Translator {
    /// A translator for an agent on `host` that started at a time in nanoseconds of Unix time.
    /// Contexts get keys under the secret of `keys`.
    ///
    /// # Errors
    /// [`SettingsError`] of settings that contradict each other.
    pub fn new(
        settings: MetricsSettings,
        keys: Keys,
        host: &Arc<str>,
        process_start_nanos: u64,
    ) -> Result<Self, SettingsError> {
        settings.validate()?;
        Ok(Self {
            mappings: Mappings::new(settings.maps_runtime_metrics, settings.remaps_host_metrics),
            cumulative: Cumulative::new(settings.cumulative_series_max, settings.delta_ttl_secs),
            settings,
            keys,
            host: Arc::clone(host),
            process_start_nanos,
            tags: PointTags::default(),
            counts: Counts::default(),
        })
    }

    /// Translates the body of a request, protobuf, and hands what becomes of it to `sink`. Returns
    /// what became of its points. `now_secs` is Unix time.
    ///
    /// # Errors
    /// [`WireError`]. What lies before the flaw was handed on: it is in [`Translator::counts`].
    pub fn translate(
        &mut self,
        body: &[u8],
        now_secs: u64,
        sink: &mut dyn SeriesSink,
    ) -> Result<Counts, WireError> {
        self.sweep(now_secs);
        let mut run = Run {
            settings: &self.settings,
            keys: &self.keys,
            cumulative: &mut self.cumulative,
            tags: &mut self.tags,
            sink,
            counts: Counts::default(),
            process_start_nanos: self.process_start_nanos,
            now_secs,
            bins_left: run::BINS_MAX,
        };
        let outcome = request(&mut run, body, &self.host, &self.mappings);
        let counts = run.counts;
        debug_assert!(counts.is_balanced(), "every point is accounted for: {counts:?}");
        self.counts.merge(&counts);
        outcome.map(|()| counts)
    }

    /// Forgets cumulative series that had no points for their time to live, some of them at a time.
    /// Each request does so too: only an agent that gets none has to call it, every few seconds.
    pub fn sweep(&mut self, now_secs: u64) {
        self.cumulative.sweep(now_secs);
    }

    /// What became of all points since the start.
    #[must_use]
    pub const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Cumulative series that are remembered: a histogram is one for each of its buckets and up to
    /// four more.
    #[must_use]
    pub const fn cumulative_series(&self) -> usize {
        self.cumulative.len()
    }
}

fn request(
    run: &mut Run<'_>,
    body: &[u8],
    host: &Arc<str>,
    mappings: &Mappings,
) -> Result<(), WireError> {
    let mut fields = Fields::new(body);
    while let Some(field) = fields.read()? {
        if field.number == 1 {
            resource_metrics(run, field.bytes()?, host, mappings)?;
        }
    }
    Ok(())
}

/// What the scopes of a resource have in common.
struct Origin {
    host: Arc<str>,
    entity: Arc<str>,
    tags: Vec<String>,
    /// Its attributes as tags, where those are wanted.
    attributes: Vec<(String, String)>,
}

fn resource_metrics(
    run: &mut Run<'_>,
    message: &[u8],
    agent_host: &Arc<str>,
    mappings: &Mappings,
) -> Result<(), WireError> {
    // The resource may lie behind the scopes.
    let resource = last(message, 1)?.map(Resource::read).transpose()?.unwrap_or_default();
    let mut tags = run.settings.tags.clone();
    tags.extend(resource.tags());
    let attributes = if run.settings.resource_attributes_as_tags {
        texts(&resource.attributes)?
    } else {
        Vec::new()
    };
    let host = match resource.source() {
        Source::Host(name) => name.into(),
        Source::Serverless { .. } => "".into(),
        Source::None => {
            run.counts.resources_without_host += 1;
            Arc::clone(agent_host)
        }
    };
    let origin = Origin { host, entity: resource.origin().into(), tags, attributes };
    let mut fields = Fields::new(message);
    while let Some(field) = fields.read()? {
        if field.number == 2 {
            scope_metrics(run, field.bytes()?, &origin, mappings)?;
        }
    }
    Ok(())
}

fn scope_metrics(
    run: &mut Run<'_>,
    message: &[u8],
    origin: &Origin,
    mappings: &Mappings,
) -> Result<(), WireError> {
    let scope = last(message, 1)?.map(Scope::read).transpose()?.unwrap_or_default();
    let mut tags = origin.tags.clone();
    if run.settings.instrumentation_scope_metadata_as_tags {
        let or_none = |text: &str| if text.is_empty() { "n/a".to_owned() } else { text.to_owned() };
        tags.push(format!("instrumentation_scope:{}", or_none(&scope.name)));
        tags.push(format!("instrumentation_scope_version:{}", or_none(&scope.version)));
        let attributes = texts(&scope.attributes)?;
        tags.extend(attributes.iter().map(|(key, value)| format!("{key}:{}", or_none(value))));
    }
    let service = names::origin_service(&scope.name);
    let provenance = Provenance { product: PRODUCT, category: CATEGORY, service };
    let place = Place::new(run.keys, &origin.host, &origin.entity, provenance, tags);
    let mut copied: Vec<(&[u8], &[&'static Mapping])> = Vec::new();
    let mut fields = Fields::new(message);
    while let Some(field) = fields.read()? {
        if field.number == 2 {
            let message = field.bytes()?;
            let mut metric = Metric::read(message)?;
            let Some(data) = metric.data else {
                run.counts.points.add(Err(Dropped::NoData));
                continue;
            };
            if is_internal(&metric.name, data.kind) {
                run.drop_points(&data, Dropped::Internal)?;
                continue;
            }
            let copies = mappings.of(&metric.name);
            if !copies.is_empty() {
                copied.push((message, copies));
            }
            metric.name = names::renamed(metric.name);
            points(run, &place, origin, &metric, None)?;
        }
    }
    for (message, copies) in copied {
        let mut metric = Metric::read(message)?;
        let kind = metric.data.map(|data| data.kind);
        for mapping in copies {
            if kind.is_some_and(|kind| mapping.copies(kind)) {
                metric.name = Cow::Borrowed(mapping.to);
                points(run, &place, origin, &metric, Some(mapping))?;
            }
        }
    }
    Ok(())
}

/// Translates the points of a metric under its present name.
fn points(
    run: &mut Run<'_>,
    place: &Place,
    origin: &Origin,
    metric: &Metric<'_>,
    mapping: Option<&'static Mapping>,
) -> Result<(), WireError> {
    let Some(data) = &metric.data else { return Ok(()) };
    let unit = run.settings.has_units.then(|| {
        let own = mapping.and_then(|mapping| mapping.unit);
        own.map(str::to_owned).or_else(|| units::unit_of(&metric.unit))
    });
    let subject = Subject {
        place,
        name: &metric.name,
        unit: unit.as_ref().and_then(|unit| unit.as_deref()).unwrap_or_default(),
        resource_tags: &origin.attributes,
        mapping,
    };
    match data.kind {
        Kind::Gauge | Kind::Sum => {
            run.points(data, &subject, |run, subject, point: &NumberPoint<'_>, index| {
                number::translate(run, subject, data, point, index)
            })
        }
        Kind::Histogram => {
            run.points(data, &subject, |run, subject, point: &HistogramPoint<'_>, _| {
                histogram::translate(run, subject, data, point)
            })
        }
        Kind::ExponentialHistogram => {
            run.points(data, &subject, |run, subject, point: &ExponentialPoint<'_>, _| {
                exponential::translate(run, subject, data, point)
            })
        }
        Kind::Summary => {
            run.points(data, &subject, |run, subject, point: &SummaryPoint<'_>, index| {
                summary::translate(run, subject, point, index)
            })
        }
    }
}

/// Whether a metric is meant for others than the intake. spec: otlp §4.10.
fn is_internal(name: &str, kind: Kind) -> bool {
    match kind {
        Kind::Sum => name == names::STATS_PAYLOAD,
        Kind::Histogram | Kind::ExponentialHistogram => name == names::SDK_DURATION,
        Kind::Gauge | Kind::Summary => false,
    }
}

/// The last message in a field.
fn last(message: &[u8], number: u32) -> Result<Option<&[u8]>, WireError> {
    let (mut fields, mut last) = (Fields::new(message), None);
    while let Some(field) = fields.read()? {
        if field.number == number {
            last = Some(field.bytes()?);
        }
    }
    Ok(last)
}

fn texts(attributes: &Attributes<'_>) -> Result<Vec<(String, String)>, WireError> {
    let text = |(key, value): (&str, &crate::Value<'_>)| {
        Ok((key.to_owned(), value.to_text()?.into_owned()))
    };
    attributes.iter().map(|held| text((&held.key, &held.value))).collect()
}

/// Translates any bytes as a request, twice, and panics when an invariant breaks: every point is
/// accounted for, what is handed on is counted, and nothing of it is infinite or no number.
pub fn check_metrics(body: &[u8]) {
    check::check(body);
}

mod check;
#[cfg(test)]
mod tests;
