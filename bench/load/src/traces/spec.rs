//! What trace load to generate.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::SpecError;

/// Version of the protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
pub enum TraceVersion {
    /// Arrays of maps with text keys.
    #[default]
    #[serde(rename = "v0.4")]
    #[value(name = "v0.4")]
    V04,
    /// Arrays of arrays, strings in a dictionary in front.
    #[serde(rename = "v0.5")]
    #[value(name = "v0.5")]
    V05,
    /// As v0.4, with a payload and chunks around the spans.
    #[serde(rename = "v0.7")]
    #[value(name = "v0.7")]
    V07,
    /// Maps with integer keys, each string once.
    #[serde(rename = "v1.0")]
    #[value(name = "v1.0")]
    V10,
}

impl TraceVersion {
    /// Every version.
    pub const ALL: [Self; 4] = [Self::V04, Self::V05, Self::V07, Self::V10];

    /// Path of the receiver's route. spec: apm §2
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::V04 => "/v0.4/traces",
            Self::V05 => "/v0.5/traces",
            Self::V07 => "/v0.7/traces",
            Self::V10 => "/v1.0/traces",
        }
    }
}

/// How requests travel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum TraceTransport {
    /// HTTP/1.1 over TCP.
    #[default]
    Tcp,
    /// HTTP/1.1 over a Unix stream socket.
    Uds,
}

/// Whose tracer the load looks like: names, tags, headers, and habits of its encoder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// Flask, psycopg, redis-py; v1.0 with chunks first and keys of two bytes.
    #[default]
    Python,
    /// Express, pg, ioredis; lengths and numbers in full width.
    Node,
    /// net/http, lib/pq, go-redis.
    Go,
    /// Servlets, JDBC, Jedis; the thread on every span.
    Java,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 4] = [Self::Python, Self::Node, Self::Go, Self::Java];
}

/// A trace load: what payloads look like, where they go, how fast and for how long.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TraceSpec {
    /// Version of the protocol.
    pub version: TraceVersion,
    /// How requests travel.
    pub transport: TraceTransport,
    /// `address:port` for TCP, a path for a Unix socket.
    pub destination: String,
    /// Whose tracer the load looks like.
    pub language: Language,
    /// File that `corelane apm capture` wrote: the spans are those of its traces, instead of those
    /// of the modelled application. Empty models it; `services` are of different processes then,
    /// and `resources` mean nothing.
    pub corpus: PathBuf,
    /// Distinct web services; each has a database and a cache, under shared or own names as the
    /// language has it.
    pub services: u32,
    /// Distinct resources of each web service.
    pub resources: u32,
    /// Spans of each trace.
    pub spans_per_trace: u32,
    /// Traces in each payload, all of one service.
    pub traces_per_payload: u32,
    /// Distinct payloads.
    pub payloads: u32,
    /// Of a thousand traces so many have priority 1, the others 0. Spread evenly.
    pub kept_per_mille: u32,
    /// Of a thousand traces about so many have an error, on up to three spans.
    pub errors_per_mille: u32,
    /// Whether the header says that the tracer made stats already.
    pub is_stats_computed: bool,
    /// Container id in the header; empty sends none.
    pub container_id: String,
    /// Start of the first trace, Unix nanoseconds; 0 takes the time of preparing.
    pub start_unix_ns: u64,
    /// Seed of ids, durations and literals.
    pub seed: u64,
    /// Spans a second over all connections; 0 sends flat out.
    pub rate: f64,
    /// Ends after this many milliseconds; 0 sets no limit.
    pub duration_ms: u64,
    /// Ends once this many payloads were sent; 0 sets no limit.
    pub payloads_max: u64,
    /// Connections. Each has one request on its way at a time.
    pub connections: u32,
    /// Threads that share the connections.
    pub threads: u32,
    /// How long an answer may take, in milliseconds.
    pub answer_timeout_ms: u64,
    /// Processors that the threads are pinned to, in turn; empty pins nothing.
    pub cpus: Vec<usize>,
}

impl Default for TraceSpec {
    fn default() -> Self {
        Self {
            version: TraceVersion::V04,
            transport: TraceTransport::Tcp,
            destination: "127.0.0.1:8126".into(),
            language: Language::Python,
            corpus: PathBuf::new(),
            services: 4,
            resources: 20,
            spans_per_trace: 50,
            traces_per_payload: 5,
            payloads: 64,
            kept_per_mille: 100,
            errors_per_mille: 20,
            is_stats_computed: false,
            container_id: String::new(),
            start_unix_ns: 0,
            seed: 1,
            rate: 0.0,
            duration_ms: 0,
            payloads_max: 0,
            connections: 8,
            threads: 1,
            answer_timeout_ms: 30_000,
            cpus: Vec::new(),
        }
    }
}

/// Bounds the memory of a pool: two million spans of some 400 bytes.
const SPANS_MAX: u64 = 1 << 21;

impl TraceSpec {
    /// Spans of one pass over the pool.
    #[must_use]
    pub const fn pool_spans(&self) -> u64 {
        (self.spans_per_trace as u64)
            .saturating_mul(self.traces_per_payload as u64)
            .saturating_mul(self.payloads as u64)
    }

    /// Checks what a pool cannot be built from.
    ///
    /// # Errors
    /// The first field that is out of range.
    pub fn check(&self) -> Result<(), SpecError> {
        let positive = [
            ("services", self.services),
            ("resources", self.resources),
            ("spans_per_trace", self.spans_per_trace),
            ("traces_per_payload", self.traces_per_payload),
            ("payloads", self.payloads),
            ("connections", self.connections),
            ("threads", self.threads),
        ];
        if let Some((field, _)) = positive.iter().find(|(_, value)| *value == 0) {
            return Err(SpecError::Zero(field));
        }
        if self.answer_timeout_ms == 0 {
            return Err(SpecError::Zero("answer_timeout_ms"));
        }
        let shares =
            [("kept_per_mille", self.kept_per_mille), ("errors_per_mille", self.errors_per_mille)];
        if let Some((field, value)) = shares.into_iter().find(|(_, value)| *value > 1000) {
            return Err(SpecError::PerMille { field, value });
        }
        if self.pool_spans() > SPANS_MAX {
            return Err(SpecError::TooManySpans(self.pool_spans()));
        }
        if !(self.rate >= 0.0 && self.rate.is_finite()) {
            return Err(SpecError::Rate(self.rate));
        }
        if self.threads > self.connections {
            return Err(SpecError::ConnectionThreads(self.threads));
        }
        if self.container_id.contains(|c: char| !c.is_ascii_graphic()) {
            return Err(SpecError::ContainerId);
        }
        Ok(())
    }
}
