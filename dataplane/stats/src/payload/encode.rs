//! The message. Keys are named after the fields of the reference. spec: apm §9.1.

use super::split::Part;
use super::{ContainerTags, StatsHeader};
use crate::bucket::{Bucket, Counts, Exported, GroupRef, PayloadRef, Summary};
use crate::hash::process_tags_hash;
use crate::key::TagList;
use crate::msgpack::Writer;

/// Writes one message.
pub(super) struct Message<'a, C> {
    writer: Writer<'a>,
    buckets: &'a [Bucket<C>],
    round: &'a mut dyn FnMut(f64) -> u64,
    /// A sketch, encoded before its length is known.
    sketch: Vec<u8>,
}

impl<'a, C: Counts> Message<'a, C> {
    pub(super) fn new(
        out: &'a mut Vec<u8>,
        buckets: &'a [Bucket<C>],
        round: &'a mut dyn FnMut(f64) -> u64,
    ) -> Self {
        Self { writer: Writer::new(out), buckets, round, sketch: Vec::new() }
    }

    /// `parts` is not empty, so that `Stats` never is.
    pub(super) fn write(
        &mut self,
        header: &StatsHeader<'_>,
        is_split: bool,
        parts: &[Part],
        tags_of: &mut dyn FnMut(&str) -> ContainerTags,
    ) {
        self.writer.map(6);
        self.text("AgentHostname", header.hostname);
        self.text("AgentEnv", header.env);
        self.writer.text("Stats");
        self.writer.array(parts.len());
        for part in parts {
            self.write_payload(part, tags_of);
        }
        self.text("AgentVersion", header.version);
        self.flag("ClientComputed", header.is_client_computed);
        self.flag("SplitPayload", is_split);
    }

    fn write_payload(&mut self, part: &Part, tags_of: &mut dyn FnMut(&str) -> ContainerTags) {
        let (bucket, payload) = part.payload;
        let payload = self.buckets.get(bucket).and_then(|bucket| bucket.payload(payload));
        let PayloadRef { key, tags } = payload.unwrap_or_default();
        let (container_id, tags) = container(key.container_id, tags, tags_of);

        self.writer.map(16);
        self.text("Hostname", key.hostname);
        self.text("Env", key.env);
        self.text("Version", key.version);
        self.writer.text("Stats");
        let runs = part.groups.chunk_by(|a, b| a.0 == b.0);
        self.writer.array(runs.clone().count());
        for run in runs {
            self.write_bucket(run);
        }
        self.text("Lang", key.lang);
        // What differs between the merged senders is not sent.
        self.text("TracerVersion", "");
        self.text("RuntimeID", "");
        self.uint("Sequence", 0);
        self.text("AgentAggregation", "");
        self.text("Service", key.service);
        self.text("ContainerID", container_id);
        self.writer.text("Tags");
        self.writer.array(tags.len());
        for tag in &tags {
            self.writer.text(tag);
        }
        self.text("GitCommitSha", key.git_commit_sha);
        self.text("ImageTag", key.image_tag);
        self.uint("ProcessTagsHash", process_tags_hash(key.process_tags));
        self.text("ProcessTags", key.process_tags);
    }

    /// Groups of one bucket, at least one.
    fn write_bucket(&mut self, groups: &[(usize, usize)]) {
        let at = groups.first().map_or(0, |(bucket, _)| *bucket);
        let Some(bucket) = self.buckets.get(at) else {
            self.writer.map(0);
            return;
        };
        self.writer.map(4);
        self.uint("Start", bucket.start_ns());
        self.uint("Duration", bucket.duration_ns());
        self.writer.text("Stats");
        self.writer.array(groups.len());
        for (_, group) in groups {
            match bucket.group(*group) {
                Some(group) => self.write_group(&group),
                None => self.writer.map(0),
            }
        }
        self.uint("AgentTimeShift", 0);
    }

    fn write_group(&mut self, group: &GroupRef<'_, C>) {
        let key = &group.key;
        let Exported { hits, top_level_hits, errors, duration_ns, ok, error } =
            group.cell.export(self.round);
        self.writer.map(22);
        self.text("Service", key.service);
        self.text("Name", key.name);
        self.text("Resource", key.resource);
        self.uint("HTTPStatusCode", u64::from(key.http_status));
        self.text("Type", key.span_type);
        // Only obfuscation needs it, which is done.
        self.text("DBType", "");
        self.uint("Hits", hits);
        self.uint("Errors", errors);
        self.uint("Duration", duration_ns);
        self.summary("OkSummary", ok);
        self.summary("ErrorSummary", error);
        self.flag("Synthetics", key.is_synthetics);
        self.uint("TopLevelHits", top_level_hits);
        self.text("SpanKind", key.span_kind);
        self.list("PeerTags", key.peer_tags);
        self.uint("IsTraceRoot", u64::from(key.trace_root.number()));
        self.text("GRPCStatusCode", key.grpc_status);
        self.text("HTTPMethod", key.http_method);
        self.text("HTTPEndpoint", key.http_endpoint);
        self.text("srv_src", key.svc_src);
        self.list("SpanDerivedPrimaryTags", key.derived_tags);
        self.list("AdditionalMetricTags", key.additional_tags);
    }

    fn text(&mut self, name: &str, text: &str) {
        self.writer.text(name);
        self.writer.text(text);
    }

    fn uint(&mut self, name: &str, number: u64) {
        self.writer.text(name);
        self.writer.uint(number);
    }

    fn flag(&mut self, name: &str, is_set: bool) {
        self.writer.text(name);
        self.writer.flag(is_set);
    }

    fn list(&mut self, name: &str, tags: TagList<'_>) {
        self.writer.text(name);
        self.writer.array(tags.len());
        for tag in tags.iter() {
            self.writer.text(tag);
        }
    }

    fn summary(&mut self, name: &str, summary: Summary<'_>) {
        self.writer.text(name);
        match summary {
            Summary::Encoded(bytes) => self.writer.bin(bytes),
            Summary::Sketch(sketch) => {
                self.sketch.clear();
                sketch.encode(&mut self.sketch);
                self.writer.bin(&self.sketch);
            }
        }
    }
}

/// Container id and tags to send. spec: apm §10.2.
fn container<'a>(
    id: &'a str,
    tags: TagList<'_>,
    tags_of: &mut dyn FnMut(&str) -> ContainerTags,
) -> (&'a str, Vec<String>) {
    if id.is_empty() {
        return ("", Vec::new());
    }
    if !tags.is_empty() {
        return (id, tags.iter().map(str::to_owned).collect());
    }
    match tags_of(id) {
        ContainerTags::Known(tags) => (id, tags),
        ContainerTags::Failed => ("", Vec::new()),
    }
}
