//! Receives packets, throws them away, and prints what that cost, as JSON.

use std::io::{self, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::Result;
use clap::Parser;
use load::Transport;
use load::null::{Null, NullProgress, NullSpec, Pause, Reader};
use serde_json::json;

/// Receives packets as the agent would, throws them away, and prints, as JSON, packets, bytes,
/// kernel drops and processor time: the floor for any receive path on this machine.
#[derive(Debug, Parser)]
#[command(name = "corelane-null", version)]
struct Arguments {
    /// Where to listen: `address:port` for UDP, a path for a Unix datagram socket.
    #[arg(default_value = "127.0.0.1:8125")]
    listen: String,
    /// How packets are read.
    #[arg(long, value_enum, default_value_t)]
    reader: Reader,
    /// Packets read by one call; with io_uring, buffers provided.
    #[arg(long, default_value_t = 64)]
    batch: u32,
    /// Bytes of one packet buffer.
    #[arg(long, default_value_t = 8_192)]
    buffer_bytes: u32,
    /// Receive buffer asked of the kernel; 0 keeps the default.
    #[arg(long, default_value_t = 16 << 20)]
    receive_buffer_bytes: u32,
    /// UDP: let the kernel join datagrams of one sender.
    #[arg(long)]
    joined: bool,
    /// Microseconds between two drains while packets come; 0 wakes for each.
    #[arg(long, default_value_t = 0)]
    drain_every_us: u32,
    /// What the pause between two drains is made of.
    #[arg(long, value_enum, default_value_t)]
    pause: Pause,
    /// Processor to pin to.
    #[arg(long)]
    cpu: Option<usize>,
    /// Seconds to receive for.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let transport =
        if arguments.listen.contains('/') { Transport::UdsDatagram } else { Transport::Udp };
    let null = Null::bind(NullSpec {
        transport,
        listen: arguments.listen,
        reader: arguments.reader,
        batch: arguments.batch,
        buffer_bytes: arguments.buffer_bytes,
        receive_buffer_bytes: arguments.receive_buffer_bytes,
        is_joined: arguments.joined,
        drain_every_us: arguments.drain_every_us,
        pause: arguments.pause,
        cpu: arguments.cpu,
    })?;
    let stop = AtomicBool::new(false);
    let duration = Duration::from_secs_f64(arguments.seconds.max(0.0));
    let received = thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(duration);
            stop.store(true, Ordering::Relaxed);
        });
        null.run(&stop, &NullProgress::default())
    })?;
    let mut out = io::stdout().lock();
    let ns_per_packet = received.ns_per_packet();
    serde_json::to_writer_pretty(
        &mut out,
        &json!({ "received": received, "ns_per_packet": ns_per_packet }),
    )?;
    writeln!(out)?;
    Ok(())
}
