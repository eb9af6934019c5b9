//! Receives HTTP requests, throws them away, and prints what that cost, as JSON.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::Result;
use clap::Parser;
use load::null::http::{HttpNull, HttpNullProgress, HttpNullSpec};

/// Receives HTTP requests as an agent would its traces, throws them away, and prints, as JSON,
/// requests, bytes and processor time: the floor for any receiver of traces on this machine.
#[derive(Debug, Parser)]
#[command(name = "corelane-trace-null", version)]
struct Arguments {
    /// Where to listen: `address:port` for TCP, a path for a Unix socket.
    #[arg(default_value = "127.0.0.1:8126")]
    listen: String,
    /// Processor to pin to.
    #[arg(long)]
    cpu: Option<usize>,
    /// Seconds to receive for.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let spec = HttpNullSpec { listen: arguments.listen, cpu: arguments.cpu };
    let null = HttpNull::bind(spec)?;
    let stop = AtomicBool::new(false);
    let duration = Duration::from_secs_f64(arguments.seconds.max(0.0));
    let received = thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(duration);
            stop.store(true, Ordering::Relaxed);
        });
        null.run(&stop, &Arc::new(HttpNullProgress::default()))
    })?;
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, &received)?;
    writeln!(out)?;
    Ok(())
}
