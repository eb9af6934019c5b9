//! Sends a trace load and prints exactly what it sent, as JSON.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use anyhow::Result;
use clap::Parser;
use load::traces::{Language, TraceLoad, TraceProgress, TraceSpec, TraceTransport, TraceVersion};
use serde_json::json;

/// Sends a trace load and prints, as JSON, exactly what was accepted, refused and not answered:
/// payloads, chunks, spans, errors, and hits of trace stats. Requests are built before the first is
/// sent.
#[derive(Debug, Parser)]
#[command(name = "corelane-trace-load", version)]
struct Arguments {
    /// Where to: `address:port` for TCP, a path for a Unix socket.
    #[arg(default_value = "127.0.0.1:8126")]
    destination: String,
    /// Version of the protocol.
    #[arg(long, value_enum, default_value_t)]
    protocol: TraceVersion,
    /// Whose tracer the load looks like.
    #[arg(long, value_enum, default_value_t)]
    language: Language,
    /// Capture of a tracer whose spans are sent; without, they are modelled.
    #[arg(long, default_value = "")]
    corpus: PathBuf,
    /// Spans a second; 0 sends flat out.
    #[arg(long, default_value_t = 0.0)]
    rate: f64,
    /// Seconds to send for; 0 sets no limit.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Payloads to send; 0 sets no limit.
    #[arg(long, default_value_t = 0)]
    payloads: u64,
    /// Spans of each trace.
    #[arg(long, default_value_t = 50)]
    spans: u32,
    /// Traces in each payload.
    #[arg(long, default_value_t = 5)]
    traces: u32,
    /// Of a thousand traces so many are kept.
    #[arg(long, default_value_t = 100)]
    kept_per_mille: u32,
    /// Of a thousand traces about so many have an error.
    #[arg(long, default_value_t = 20)]
    errors_per_mille: u32,
    /// Connections.
    #[arg(long, default_value_t = 8)]
    connections: u32,
    /// Threads that share the connections.
    #[arg(long, default_value_t = 1)]
    threads: u32,
    /// Processors to pin the threads to, in turn.
    #[arg(long, value_delimiter = ',')]
    cpus: Vec<usize>,
    /// Seed of ids, durations and literals.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> Result<()> {
    let load = TraceLoad::prepare(Arguments::parse().spec())?;
    let sent = load.run(&AtomicBool::new(false), &TraceProgress::default())?;
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(
        &mut out,
        &json!({ "spec": load.spec(), "sent": sent, "spans_per_sec": sent.spans_per_sec() }),
    )?;
    writeln!(out)?;
    Ok(())
}

impl Arguments {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float to integer cast saturates, and no run is that long"
    )]
    fn spec(self) -> TraceSpec {
        let is_path = self.destination.contains('/');
        TraceSpec {
            version: self.protocol,
            transport: if is_path { TraceTransport::Uds } else { TraceTransport::Tcp },
            destination: self.destination,
            language: self.language,
            corpus: self.corpus,
            spans_per_trace: self.spans,
            traces_per_payload: self.traces,
            kept_per_mille: self.kept_per_mille,
            errors_per_mille: self.errors_per_mille,
            seed: self.seed,
            rate: self.rate,
            duration_ms: (self.seconds * 1000.0) as u64,
            payloads_max: self.payloads,
            connections: self.connections,
            threads: self.threads,
            cpus: self.cpus,
            ..TraceSpec::default()
        }
    }
}
