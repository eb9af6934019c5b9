//! Events and service checks. spec: dogstatsd §11.

use std::sync::Arc;

use naming::{Host, Labels};
use parse::unescape_newlines;
use signal::{AlertType, CheckStatus, Counter, Event, Priority, ServiceCheck};

use crate::Shard;
use crate::resolve::find_origin;

impl Shard {
    /// Takes one event.
    pub(crate) fn take_event(&mut self, event: &parse::Event<'_>, peer: Option<&Arc<str>>) {
        if self.flushed.events.len() >= self.settings.events_max {
            self.tally.add(Counter::DroppedEventLimit, 1);
            return;
        }
        let (tags, host) = self.label(&event.fields, event.host, peer);
        let alert_type = match event.alert_type {
            b"error" => AlertType::Error,
            b"warning" => AlertType::Warning,
            b"success" => AlertType::Success,
            _ => AlertType::Info,
        };
        let priority = if event.is_low_priority { Priority::Low } else { Priority::Normal };
        self.flushed.events.push(Event {
            title: unescape_newlines(event.title),
            text: unescape_newlines(event.text),
            timestamp_secs: self.timestamp(event.timestamp_secs),
            priority,
            host,
            tags,
            alert_type,
            aggregation_key: lossy(event.aggregation_key),
            source_type_name: lossy(event.source_type),
        });
        self.tally.add(Counter::Events, 1);
    }

    /// Takes one service check.
    pub(crate) fn take_check(&mut self, check: &parse::ServiceCheck<'_>, peer: Option<&Arc<str>>) {
        if self.flushed.checks.len() >= self.settings.events_max {
            self.tally.add(Counter::DroppedEventLimit, 1);
            return;
        }
        let (tags, host) = self.label(&check.fields, check.host, peer);
        let status = match check.status {
            0 => CheckStatus::Ok,
            1 => CheckStatus::Warning,
            2 => CheckStatus::Critical,
            _ => CheckStatus::Unknown,
        };
        self.flushed.checks.push(ServiceCheck {
            name: lossy(check.name),
            status,
            timestamp_secs: self.timestamp(check.timestamp_secs),
            host,
            message: lossy(check.message),
            tags,
        });
        self.tally.add(Counter::ServiceChecks, 1);
    }

    /// Tags, sorted and unique, and host: of the field, of the tag, or of the agent.
    fn label(
        &mut self,
        fields: &parse::Fields<'_>,
        host_field: Option<&[u8]>,
        peer: Option<&Arc<str>>,
    ) -> (Vec<Arc<str>>, Arc<str>) {
        let mut scratch = std::mem::take(&mut self.scratch);
        let labels = self.rules.label(fields.tags, self.with_host_tags, &mut scratch);
        let origin = find_origin(&self.settings.origin, &self.snapshot, &labels, fields, peer);
        let mut tags: Vec<Arc<str>> = labels.tags().map(Arc::from).collect();
        tags.extend(origin.tags);
        tags.sort_unstable();
        tags.dedup();
        let host = match host_field {
            Some(host) => lossy(host).into(),
            None => self.host_of(&labels),
        };
        self.scratch = scratch;
        (tags, host)
    }

    fn host_of(&self, labels: &Labels<'_>) -> Arc<str> {
        match labels.host() {
            Host::Default => Arc::clone(&self.settings.host),
            Host::Explicit(host) => host.into(),
        }
    }

    fn timestamp(&self, given_secs: i64) -> i64 {
        if given_secs == 0 { i64::try_from(self.now_secs).unwrap_or(i64::MAX) } else { given_secs }
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
