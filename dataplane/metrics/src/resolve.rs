//! The way of a line that is not known: name, origin, context.

use std::sync::Arc;

use context::{ContextTable, Description, Resolution};
use entity::{Cardinality, Claims, ExternalData, LocalData, Resolved, resolve};
use naming::{Host, Labels, MetricOptions};
use parse::{Fields, Line, MetricKind, parse_metric};
use signal::{Context, ContextId, Counter, TimedKind, TimedSample};

use crate::pending::Pending;
use crate::{Shard, ShardSettings};

impl Shard {
    /// The context of a line; `None` when the line is dropped, which is counted.
    pub(crate) fn context_of(
        &mut self,
        line: &Pending<'_>,
        id: Option<ContextId>,
        peer: Option<&Arc<str>>,
    ) -> Option<(ContextId, Arc<Context>)> {
        let seen_secs = self.now_secs;
        // A line of the same run may have resolved it meanwhile.
        let mut known = id.or_else(|| self.contexts.find(line.key));
        // Twice at most: a known id may have expired, a resolved one has not.
        for _ in 0..2 {
            let id = match known {
                Some(id) => id,
                None => self.resolve_line(line, peer)?,
            };
            match self.contexts.touch(id, seen_secs) {
                Resolution::Context(context) => return Some((id, Arc::clone(context))),
                Resolution::Filtered => {
                    self.tally.add(Counter::DroppedFiltered, u64::from(line.count()));
                    return None;
                }
                Resolution::Expired => known = None,
            }
        }
        None
    }

    #[cold]
    fn resolve_line(&mut self, line: &Pending<'_>, peer: Option<&Arc<str>>) -> Option<ContextId> {
        self.tally.add(Counter::ContextMisses, 1);
        let options = self.options();
        let mut numbers = Vec::new();
        let Ok(metric) = parse_metric(&Line::new(line.line), options, &mut numbers) else {
            return None;
        };
        let metric_options = MetricOptions {
            is_distribution: line.kind == MetricKind::Distribution,
            with_host_tags: self.with_host_tags,
        };
        let Self { rules, scratch, contexts, tally, settings, snapshot, .. } = self;
        let labels = rules.name_metric(metric.name, metric.fields.tags, metric_options, scratch);
        let Some(labels) = labels else { return self.resolve_filtered(line) };
        let origin = find_origin(&settings.origin, snapshot, &labels, &metric.fields, peer);
        let alive = contexts.alive();
        let id = describe(settings, contexts, line, &labels, &origin, self.now_secs);
        tally.add(Counter::ContextsCreated, contexts.alive().saturating_sub(alive) as u64);
        if id.is_none() {
            tally.add(Counter::DroppedContextLimit, u64::from(line.count()));
        }
        id
    }

    fn resolve_filtered(&mut self, line: &Pending<'_>) -> Option<ContextId> {
        self.contexts.resolve_filtered(line.key, self.now_secs);
        let id = self.contexts.find(line.key);
        if id.is_none() {
            // No room to remember the verdict; the line is dropped all the same.
            self.tally.add(Counter::DroppedFiltered, u64::from(line.count()));
        }
        id
    }

    /// Samples with a timestamp of their client. spec: dogstatsd §9.
    pub(crate) fn take_timed(
        &mut self,
        line: &Pending<'_>,
        context: &Arc<Context>,
        numbers: &[f64],
    ) {
        let kind = match line.kind {
            MetricKind::Gauge => TimedKind::Gauge,
            MetricKind::Counter => TimedKind::Count,
            MetricKind::Histogram
            | MetricKind::Timing
            | MetricKind::Distribution
            | MetricKind::Set => {
                self.tally.add(Counter::DroppedTimedType, u64::from(line.count()));
                return;
            }
        };
        for &value in numbers {
            if !value.is_finite() {
                self.tally.add(Counter::DroppedNotFinite, 1);
            } else if self.flushed.timed.len() >= self.settings.timed_samples_max {
                self.tally.add(Counter::DroppedTimedLimit, 1);
            } else {
                self.tally.add(Counter::RecordedTimed, 1);
                self.flushed.timed.push(TimedSample {
                    context: Arc::clone(context),
                    kind,
                    timestamp_secs: line.timestamp_secs,
                    value,
                });
            }
        }
    }
}

/// Makes or finds the context of a line whose labels are known.
fn describe(
    settings: &ShardSettings,
    contexts: &mut ContextTable,
    line: &Pending<'_>,
    labels: &Labels<'_>,
    origin: &Resolved,
    now_secs: u64,
) -> Option<ContextId> {
    let mut tags: Vec<&str> = labels.tags().collect();
    tags.extend(origin.tags.iter().map(|tag| &**tag).filter(|tag| labels.keeps_tag(tag)));
    let host = match labels.host() {
        Host::Default => &settings.host,
        Host::Explicit(host) => host,
    };
    let copy_name = match &settings.distribution_copy_prefix {
        Some(prefix) if line.is_copy => Some([prefix, labels.name()].concat()),
        _ => None,
    };
    let no_origin = Arc::clone(contexts.no_origin());
    let description = Description {
        name: copy_name.as_deref().unwrap_or_else(|| labels.name()),
        tags: &mut tags,
        host,
        provenance: labels.provenance(),
        origin: origin.entity.as_ref().unwrap_or(&no_origin),
    };
    contexts.resolve(Some(line.key), description, now_secs)
}

/// Who sent a message, and the tags that brings. spec: dogstatsd §7.
pub(crate) fn find_origin(
    settings: &entity::OriginSettings,
    snapshot: &entity::OriginSnapshot,
    labels: &Labels<'_>,
    fields: &Fields<'_>,
    peer: Option<&Arc<str>>,
) -> Resolved {
    let client = fields.client.unwrap_or_default();
    let claims = Claims {
        peer,
        local: LocalData::parse(client.local_data),
        external: ExternalData::parse(client.external_data),
        entity_id: labels.entity_id().unwrap_or_default().as_bytes(),
        cardinality: Cardinality::choose(
            client.cardinality,
            labels.cardinality().unwrap_or_default().as_bytes(),
        ),
    };
    resolve(settings, &claims, snapshot)
}
