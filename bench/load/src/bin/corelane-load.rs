//! Sends a DogStatsD load and prints exactly what it sent, as JSON.

use std::io::{self, Write as _};
use std::sync::atomic::AtomicBool;

use anyhow::Result;
use clap::Parser;
use load::{Load, LoadSpec, Progress, Transport, TypeMix};

/// Sends a DogStatsD load and prints, as JSON, exactly what the kernel accepted: packets, bytes,
/// lines, and samples and sums by metric type. Packets are built before the first is sent.
#[derive(Debug, Parser)]
#[command(name = "corelane-load", version)]
struct Arguments {
    /// Where to: `address:port` for UDP, a path for Unix sockets.
    #[arg(default_value = "127.0.0.1:8125")]
    destination: String,
    /// How packets travel; a path means `uds-datagram` unless told otherwise.
    #[arg(long)]
    transport: Option<Transport>,
    /// Lines a second; 0 sends flat out.
    #[arg(long, default_value_t = 0.0)]
    rate: f64,
    /// Seconds to send for; 0 sets no limit.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Lines to send, rounded up to a packet; 0 sets no limit.
    #[arg(long, default_value_t = 0)]
    lines: u64,
    /// Distinct metric names; contexts are names times tag sets.
    #[arg(long, default_value_t = 100)]
    names: u32,
    /// Distinct sets of tags.
    #[arg(long, default_value_t = 30)]
    tag_sets: u32,
    /// Tags on each line.
    #[arg(long, default_value_t = 4)]
    tags: u32,
    /// Orders in which the same tags are written.
    #[arg(long, default_value_t = 1)]
    tag_orders: u32,
    /// Weights of the metric types.
    #[arg(long, default_value = "g:20,c:50,h:10,d:15,s:2,ms:3", value_parser = TypeMix::parse)]
    types: TypeMix,
    /// Limit of a packet in bytes; 0 takes 1432 on UDP and 8192 on Unix sockets.
    #[arg(long, default_value_t = 0)]
    packet_bytes: u32,
    /// Bytes that a line is padded to.
    #[arg(long, default_value_t = 100)]
    line_bytes: u32,
    /// Values on each line.
    #[arg(long, default_value_t = 1)]
    values: u32,
    /// Sample rate written on each line.
    #[arg(long, default_value_t = 1.0)]
    sample_rate: f64,
    /// Seed of order and values.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Sockets.
    #[arg(long, default_value_t = 1)]
    senders: u32,
    /// Threads that share the sockets.
    #[arg(long, default_value_t = 1)]
    threads: u32,
    /// Packets handed to the kernel at once when flat out.
    #[arg(long, default_value_t = 32)]
    batch: u32,
    /// Packets sent at once when paced; 0 chooses.
    #[arg(long, default_value_t = 0)]
    burst: u32,
    /// UDP: let the kernel cut packets from larger buffers.
    #[arg(long)]
    segmented: bool,
    /// Drop datagrams (counted) when the socket is full instead of waiting.
    #[arg(long)]
    nonblocking: bool,
    /// Processors to pin the threads to, separated by commas.
    #[arg(long, value_delimiter = ',')]
    cpus: Vec<usize>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let load = Load::prepare(arguments.into_spec())?;
    let sent = load.run(&AtomicBool::new(false), &Progress::default())?;
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, &sent)?;
    writeln!(out)?;
    Ok(())
}

impl Arguments {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a negative or huge number of seconds saturates"
    )]
    fn into_spec(self) -> LoadSpec {
        let guessed =
            if self.destination.contains('/') { Transport::UdsDatagram } else { Transport::Udp };
        LoadSpec {
            transport: self.transport.unwrap_or(guessed),
            destination: self.destination,
            names: self.names,
            tag_sets: self.tag_sets,
            tags: self.tags,
            tag_orders: self.tag_orders,
            types: self.types,
            packet_bytes_max: self.packet_bytes,
            line_bytes: self.line_bytes,
            values_per_line: self.values,
            sample_rate: self.sample_rate,
            seed: self.seed,
            rate: self.rate,
            duration_ms: (self.seconds * 1e3) as u64,
            lines_max: self.lines,
            senders: self.senders,
            threads: self.threads,
            batch: self.batch,
            burst: self.burst,
            is_segmented: self.segmented,
            is_nonblocking: self.nonblocking,
            cpus: self.cpus,
            ..LoadSpec::default()
        }
    }
}
