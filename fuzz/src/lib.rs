//! Fuzz targets: one for each kind of bytes that come from outside.
//!
//! A target is a `check_*` function of the crate that reads the bytes; it panics when an invariant
//! breaks. The same table serves three uses:
//!
//! ```text
//! TARGETS -> tests/replay.rs       every committed input and a seeded run of mutations, on stable
//!         -> fuzz_targets/*.rs     live fuzzing with coverage: cargo x fuzz TARGET [SECS]
//!         -> corpus/<target>/      committed inputs, each named by what it shows
//! ```
//!
//! It deliberately knows nothing about the formats: inputs that show a bug go into the corpus, and
//! properties about meaning belong to the crate that owns the format.

#![forbid(unsafe_code)]

mod http;
mod mutate;

use std::path::PathBuf;
use std::{fs, io};

pub use mutate::Mutator;

/// A function that must survive any bytes.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Name of the corpus directory and of the live fuzzer.
    pub name: &'static str,
    /// Panics when the bytes break an invariant.
    pub check: fn(&[u8]),
    /// Longest input worth making.
    pub input_bytes_max: usize,
    /// Mutated inputs of one replay: a second or two unoptimised.
    pub mutation_count: u32,
}

/// A DogStatsD packet, as any process of the host may send it.
pub const PACKET: Target = Target {
    name: "packet",
    check: parse::check_packet,
    input_bytes_max: 2048,
    mutation_count: 50_000,
};

/// Bytes of a Unix stream connection.
pub const STREAM: Target = Target {
    name: "stream",
    check: receive::check_stream_bytes,
    input_bytes_max: 1024,
    mutation_count: 20_000,
};

/// A capture file, as somebody else may have written it.
pub const CAPTURE: Target = Target {
    name: "capture",
    check: capture::check_capture_bytes,
    input_bytes_max: 4096,
    mutation_count: 20_000,
};

/// A file of captured requests, as somebody else may have written it.
pub const CAPTURED_REQUESTS: Target = Target {
    name: "captured-requests",
    check: capture::check_request_bytes,
    input_bytes_max: 4096,
    mutation_count: 20_000,
};

/// A configuration file, whose author is trusted but whose bytes may be anything.
pub const CONFIG: Target = Target {
    name: "config",
    check: config::check_config_bytes,
    input_bytes_max: 2048,
    mutation_count: 1_000,
};

/// Traces of v0.1 and v0.2.
pub const TRACES_JSON: Target = Target {
    name: "traces-json",
    check: span::check_json,
    input_bytes_max: 4096,
    mutation_count: 1_500,
};

/// Traces of v0.3 and v0.4, msgpack or JSON.
pub const TRACES_V04: Target = Target {
    name: "traces-v04",
    check: span::check_v04,
    input_bytes_max: 4096,
    mutation_count: 4_000,
};

/// Traces of v0.5.
pub const TRACES_V05: Target = Target {
    name: "traces-v05",
    check: span::check_v05,
    input_bytes_max: 4096,
    mutation_count: 4_000,
};

/// Traces of v0.7.
pub const TRACES_V07: Target = Target {
    name: "traces-v07",
    check: span::check_v07,
    input_bytes_max: 4096,
    mutation_count: 4_000,
};

/// Traces of v1.0.
pub const TRACES_V1: Target = Target {
    name: "traces-v1",
    check: span::check_v1,
    input_bytes_max: 4096,
    mutation_count: 4_000,
};

/// A request of OTLP/JSON, of any signal.
pub const OTLP_JSON: Target = Target {
    name: "otlp-json",
    check: otlp::check_json,
    input_bytes_max: 4096,
    mutation_count: 5_000,
};

/// A request of OTLP with spans.
pub const OTLP_TRACES: Target = Target {
    name: "otlp-traces",
    check: otlp::check_traces,
    input_bytes_max: 4096,
    mutation_count: 4_000,
};

/// A request of OTLP with log records.
pub const OTLP_LOGS: Target = Target {
    name: "otlp-logs",
    check: otlp::logs::check_logs,
    input_bytes_max: 4096,
    mutation_count: 4_000,
};

/// Stats that a tracer computed.
pub const CLIENT_STATS: Target = Target {
    name: "client-stats",
    check: stats::check_client_stats,
    input_bytes_max: 4096,
    mutation_count: 2_000,
};

/// A sketch of latencies within such stats.
pub const SKETCH: Target = Target {
    name: "sketch",
    check: stats::check_sketch,
    input_bytes_max: 1024,
    mutation_count: 10_000,
};

/// An SQL statement, behind a byte that selects options.
pub const STATEMENT: Target = Target {
    name: "statement",
    check: sql::check_statement,
    input_bytes_max: 512,
    mutation_count: 300,
};

/// Commands, bodies, URLs and whatever else is obfuscated or normalised.
pub const OBFUSCATED: Target = Target {
    name: "obfuscated",
    check: obfuscate::check_obfuscators,
    input_bytes_max: 512,
    mutation_count: 800,
};

/// What a client of the trace port writes, behind a byte that says in pieces of what length.
pub const HTTP: Target = Target {
    name: "http",
    check: http::check_connection,
    input_bytes_max: 2048,
    mutation_count: 2_000,
};

/// Head of a request that is passed on to another host.
pub const PROXY_HEAD: Target = Target {
    name: "proxy-head",
    check: proxy::check_head_bytes,
    input_bytes_max: 1024,
    mutation_count: 2_000,
};

/// Canonical JSON of remote configuration.
pub const RC_CANONICAL: Target = Target {
    name: "rc-canonical",
    check: remote::check_canonical,
    input_bytes_max: 4096,
    mutation_count: 20_000,
};

/// A signed document of remote configuration.
pub const RC_DOCUMENT: Target = Target {
    name: "rc-document",
    check: remote::check_document,
    input_bytes_max: 8192,
    mutation_count: 3_000,
};

/// A request of a tracer for its configurations.
pub const RC_REQUEST: Target = Target {
    name: "rc-request",
    check: remote::check_request,
    input_bytes_max: 4096,
    mutation_count: 10_000,
};

/// An answer of the backend of remote configuration.
pub const RC_ANSWER: Target = Target {
    name: "rc-answer",
    check: remote::check_answer,
    input_bytes_max: 16384,
    mutation_count: 200,
};

/// A store of remote configuration, which somebody may have tampered with.
pub const RC_STORE: Target = Target {
    name: "rc-store",
    check: remote::check_store,
    input_bytes_max: 16384,
    mutation_count: 200,
};

/// What a tracer hands to the debugger's sender: a URL, a site, a path, tags or a payload.
pub const DEBUGGER: Target = Target {
    name: "debugger",
    check: debugger::check_sender_bytes,
    input_bytes_max: 2048,
    mutation_count: 10_000,
};

/// Log records that an application submits, as JSON and as lines.
pub const LOGS_INGEST: Target = Target {
    name: "logs-ingest",
    check: logs::check_ingest,
    input_bytes_max: 4096,
    mutation_count: 4_000,
};

/// Points that a program measured with OpenTelemetry.
pub const OTLP_METRICS: Target = Target {
    name: "otlp-metrics",
    check: otlp::metrics::check_metrics,
    input_bytes_max: 2048,
    mutation_count: 2_000,
};

/// Every target.
pub const TARGETS: &[Target] = &[
    PACKET,
    STREAM,
    CAPTURE,
    CAPTURED_REQUESTS,
    CONFIG,
    TRACES_JSON,
    TRACES_V04,
    TRACES_V05,
    TRACES_V07,
    TRACES_V1,
    OTLP_JSON,
    OTLP_TRACES,
    OTLP_LOGS,
    CLIENT_STATS,
    SKETCH,
    STATEMENT,
    OBFUSCATED,
    HTTP,
    PROXY_HEAD,
    RC_CANONICAL,
    RC_DOCUMENT,
    RC_REQUEST,
    RC_ANSWER,
    RC_STORE,
    DEBUGGER,
    LOGS_INGEST,
    OTLP_METRICS,
];

/// One committed input.
#[derive(Debug)]
pub struct CorpusFile {
    /// File name, which says what the input shows.
    pub name: String,
    /// Its contents.
    pub bytes: Vec<u8>,
}

impl Target {
    /// Directory of the committed inputs.
    #[must_use]
    pub fn corpus_dir(&self) -> PathBuf {
        corpus_root().join(self.name)
    }

    /// Committed inputs in the order of their names.
    ///
    /// # Errors
    /// The directory or a file cannot be read.
    pub fn corpus(&self) -> io::Result<Vec<CorpusFile>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(self.corpus_dir())? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            files.push(CorpusFile { name, bytes: fs::read(entry.path())? });
        }
        files.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(files)
    }
}

/// Directory that holds one directory of inputs for each target.
#[must_use]
pub fn corpus_root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/corpus"))
}
