//! Statistics of traces: how many spans of a kind there were, how many failed, how long they took.
//! spec: apm §9, §10.2.
//!
//! ```text
//! lane:    spans --Concentrator::chunk, Recorder::add--> buckets --flush--> ClosedBucket (moved)
//! ```
//!
//! A span is counted in the group of its key: the payload part ([`PayloadKey`], what a chunk shares)
//! and the group part (fields of [`SpanStats`]). A key is one canonical run of bytes, written to a
//! scratch buffer, hashed once, compared at once, and kept once per bucket; a hit allocates nothing.
//!
//! It deliberately knows no span model, no clock and no randomness: what to read of a span's
//! attributes are functions over small inputs ([`is_counted`], [`http_status`], [`grpc_status`],
//! [`peer_tag_scope`]), times are handed in.
//!
//! Invariants: spans handed in = unweighted hits of groups + dropped ([`Tally`]); groups and bytes
//! of keys are bounded by [`ConcentratorSettings`]; a [`Sketch`] is the same whatever the order of
//! its insertions was.

#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        clippy::float_cmp,
        reason = "tests compare exact counts and cast small numbers"
    )
)]

mod bucket;
pub mod check;
mod client;
mod concentrator;
mod hash;
mod key;
mod msgpack;
mod payload;
mod rules;
mod sketch;

pub use bucket::{
    Bucket, BucketSet, Cell, ClosedBucket, Counts, Exported, GroupRef, PayloadRef, Summary,
};
pub use client::{
    AggregatorSettings, AggregatorTally, ClientAggregator, ClientBucket, ClientCell, ClientGroup,
    ClientPayload, ClientRules, ClientStatsError, EncodedSketch, RequestFacts,
};
pub use concentrator::{
    Concentrator, ConcentratorSettings, OVERFLOW_RESOURCE, Recorded, Recorder, Tally,
};
pub use hash::{process_tags_hash, tag_list_hash};
pub use key::{GroupKey, PayloadKey, SpanStats, TagList, TagTexts, TraceRoot};
pub use payload::{ContainerTags, StatsBody, StatsHeader, encode_payloads};
pub use rules::{
    BLOCKED_VALUE, DEFAULT_PEER_TAGS, GRPC_STATUS_KEYS, HttpStatus, PeerTagScope, SpanMarks,
    additional_tag_value, grpc_status, http_status, is_counted, peer_tag_keys, peer_tag_scope,
    weight,
};
pub use sketch::{
    BIN_LIMIT, GAMMA, Sketch, SketchError, index_of, index_of_truncated, lower_bound, truncate,
};
