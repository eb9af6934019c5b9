//! What groups are told apart by, and its canonical bytes. spec: apm §9.3.
//!
//! A key is compared, hashed, kept and merged as one run of bytes: fixed numbers, then texts with
//! their lengths. Equal keys have equal bytes and the other way round.

mod codec;

pub(crate) use codec::{Fields, Reader, write_list, write_pairs, write_text};
pub use codec::{TagList, TagTexts};

/// The payload part of the key: what all spans of a chunk share. A group belongs to one payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PayloadKey<'a> {
    /// Environment of the payload, or else that of the agent; not empty.
    pub env: &'a str,
    /// Host name that the tracer reports, or else that of the agent.
    pub hostname: &'a str,
    /// Version of the application.
    pub version: &'a str,
    /// Container id; empty with the feature `disable_cid_stats`.
    pub container_id: &'a str,
    /// Commit of the application: meta `_dd.git.commit.sha`, or else the container's tag.
    pub git_commit_sha: &'a str,
    /// Container's tag `image_tag`.
    pub image_tag: &'a str,
    /// Language of the tracer.
    pub lang: &'a str,
    /// Process tags joined by commas; empty with the feature `disable_process_stats`.
    pub process_tags: &'a str,
    /// Base service; empty for spans that the agent counts itself.
    pub service: &'a str,
}

/// Whether a span is the root of its trace; not told by older clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum TraceRoot {
    /// Not told.
    #[default]
    NotSet = 0,
    /// A root.
    Yes = 1,
    /// Not a root.
    No = 2,
}

impl TraceRoot {
    /// From the number on the wire; what is unknown is not set.
    #[must_use]
    pub const fn from_number(number: u64) -> Self {
        match number {
            1 => Self::Yes,
            2 => Self::No,
            _ => Self::NotSet,
        }
    }

    /// The number on the wire.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }
}

/// What the concentrator counts of one span: the group part of the key, and the values.
///
/// [`crate::is_counted`] tells which spans to hand in.
#[derive(Clone, Copy, Debug)]
pub struct SpanStats<'a> {
    /// Service.
    pub service: &'a str,
    /// Operation.
    pub name: &'a str,
    /// Resource, obfuscated.
    pub resource: &'a str,
    /// Type: `web`, `sql`, and so on.
    pub span_type: &'a str,
    /// Meta `span.kind` as it is.
    pub span_kind: &'a str,
    /// Service source: meta `_dd.svc_src`.
    pub svc_src: &'a str,
    /// See [`crate::http_status`]; 0 for none.
    pub http_status: u32,
    /// See [`crate::grpc_status`].
    pub grpc_status: Option<u32>,
    /// Whether the origin of the chunk starts with `synthetics`.
    pub is_synthetics: bool,
    /// Whether the span has no parent.
    pub is_trace_root: bool,
    /// Whether the span is a top-level one.
    pub is_top_level: bool,
    /// Whether the span failed.
    pub is_error: bool,
    /// Keys and values that [`crate::peer_tag_scope`] selects, in the order of the keys.
    pub peer_tags: &'a [(&'a str, &'a str)],
    /// Keys and values of configured tags, see [`crate::additional_tag_value`].
    pub additional_tags: &'a [(&'a str, &'a str)],
    /// Start in nanoseconds of Unix time.
    pub start_ns: i64,
    /// Duration in nanoseconds; negative ones count as 0.
    pub duration_ns: i64,
    /// See [`crate::weight`].
    pub weight: f64,
}

/// The group part of a key, borrowed from its bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct GroupKey<'a> {
    /// Service.
    pub service: &'a str,
    /// Operation.
    pub name: &'a str,
    /// Resource.
    pub resource: &'a str,
    /// Type.
    pub span_type: &'a str,
    /// Kind.
    pub span_kind: &'a str,
    /// Service source.
    pub svc_src: &'a str,
    /// gRPC status: a decimal number, or empty.
    pub grpc_status: &'a str,
    /// HTTP method; client stats only.
    pub http_method: &'a str,
    /// HTTP endpoint; client stats only.
    pub http_endpoint: &'a str,
    /// HTTP status, 0 for none.
    pub http_status: u32,
    /// Whether a synthetic test made the request.
    pub is_synthetics: bool,
    /// Whether the span is a root.
    pub trace_root: TraceRoot,
    /// Peer tags.
    pub peer_tags: TagList<'a>,
    /// Additional metric tags.
    pub additional_tags: TagList<'a>,
    /// Span derived primary tags; client stats only.
    pub derived_tags: TagList<'a>,
}

impl<'a> PayloadKey<'a> {
    /// Appends the bytes of the key.
    pub(crate) fn write(&self, key: &mut Vec<u8>) {
        for text in [
            self.env,
            self.hostname,
            self.version,
            self.container_id,
            self.git_commit_sha,
            self.image_tag,
            self.lang,
            self.process_tags,
            self.service,
        ] {
            write_text(key, text);
        }
    }

    /// Reads what [`PayloadKey::write`] wrote.
    pub(crate) fn read(key: &'a [u8]) -> Self {
        let mut reader = Reader::new(key);
        Self {
            env: reader.text(),
            hostname: reader.text(),
            version: reader.text(),
            container_id: reader.text(),
            git_commit_sha: reader.text(),
            image_tag: reader.text(),
            lang: reader.text(),
            process_tags: reader.text(),
            service: reader.text(),
        }
    }
}

impl SpanStats<'_> {
    /// Appends the bytes of the group's key.
    pub(crate) fn write_key(&self, key: &mut Vec<u8>) {
        let mut digits = [0; 10];
        let fields = Fields {
            service: self.service,
            name: self.name,
            resource: self.resource,
            span_type: self.span_type,
            span_kind: self.span_kind,
            svc_src: self.svc_src,
            grpc_status: self.grpc_status.map_or("", |status| codec::decimal(status, &mut digits)),
            http_method: "",
            http_endpoint: "",
            http_status: self.http_status,
            is_synthetics: self.is_synthetics,
            trace_root: if self.is_trace_root { TraceRoot::Yes } else { TraceRoot::No },
        };
        fields.write(key);
        write_pairs(key, self.peer_tags);
        write_pairs(key, self.additional_tags);
        write_pairs(key, &[]);
    }
}

impl<'a> GroupKey<'a> {
    /// Reads the bytes of a key.
    pub(crate) fn read(key: &'a [u8]) -> Self {
        let mut reader = Reader::new(key);
        let fields = Fields::read(&mut reader);
        Self {
            service: fields.service,
            name: fields.name,
            resource: fields.resource,
            span_type: fields.span_type,
            span_kind: fields.span_kind,
            svc_src: fields.svc_src,
            grpc_status: fields.grpc_status,
            http_method: fields.http_method,
            http_endpoint: fields.http_endpoint,
            http_status: fields.http_status,
            is_synthetics: fields.is_synthetics,
            trace_root: fields.trace_root,
            peer_tags: reader.list(),
            additional_tags: reader.list(),
            derived_tags: reader.list(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn keys_survive_their_bytes(
            texts in prop::collection::vec(".{0,200}", 9),
            tags in prop::collection::vec((".{0,9}", ".{0,150}"), 0..4),
            http_status: u32,
            grpc_status: Option<u32>,
            is_synthetics: bool,
            is_trace_root: bool,
        ) {
            let payload = PayloadKey {
                env: &texts[0],
                hostname: &texts[1],
                version: &texts[2],
                container_id: &texts[3],
                git_commit_sha: &texts[4],
                image_tag: &texts[5],
                lang: &texts[6],
                process_tags: &texts[7],
                service: &texts[8],
            };
            let mut bytes = Vec::new();
            payload.write(&mut bytes);
            prop_assert_eq!(PayloadKey::read(&bytes), payload);

            let pairs: Vec<(&str, &str)> = tags.iter().map(|(k, v)| (&**k, &**v)).collect();
            let span = SpanStats {
                service: &texts[0],
                name: &texts[1],
                resource: &texts[2],
                span_type: &texts[3],
                span_kind: &texts[4],
                svc_src: &texts[5],
                http_status,
                grpc_status,
                is_synthetics,
                is_trace_root,
                is_top_level: true,
                is_error: false,
                peer_tags: &pairs,
                additional_tags: &[("a", "1")],
                start_ns: 0,
                duration_ns: 0,
                weight: 1.0,
            };
            bytes.clear();
            span.write_key(&mut bytes);
            let key = GroupKey::read(&bytes);
            prop_assert_eq!(
                [key.service, key.name, key.resource, key.span_type, key.span_kind, key.svc_src],
                [&*texts[0], &texts[1], &texts[2], &texts[3], &texts[4], &texts[5]]
            );
            prop_assert_eq!(key.grpc_status, grpc_status.map_or(String::new(), |s| s.to_string()));
            prop_assert_eq!((key.http_status, key.is_synthetics), (http_status, is_synthetics));
            prop_assert_eq!(key.trace_root == TraceRoot::Yes, is_trace_root);
            let joined: Vec<String> = tags.iter().map(|(k, v)| format!("{k}:{v}")).collect();
            prop_assert!(key.peer_tags.iter().eq(joined.iter().map(String::as_str)));
            prop_assert_eq!(key.peer_tags.len(), joined.len());
            prop_assert!(key.additional_tags.iter().eq(["a:1"]));
            prop_assert!(key.derived_tags.is_empty());
        }

        #[test]
        fn arbitrary_bytes_read_as_something(bytes: Vec<u8>) {
            let key = GroupKey::read(&bytes);
            prop_assert!(key.peer_tags.iter().count() <= bytes.len());
            let payload = PayloadKey::read(&bytes);
            prop_assert!(payload.service.len() <= bytes.len());
        }
    }
}
