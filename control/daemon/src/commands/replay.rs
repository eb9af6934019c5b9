//! `corelane dogstatsd replay`: send recorded traffic again. spec: dogstatsd §12.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use capture::{Capture, ReadLimits, ReplayOptions, Target, pace_with};
use config::keys;
use serde_json::json;

use super::remote::Remote;
use super::stop_on_signal;
use crate::cli::AgentArgs;
use crate::exit::{Exit, Failure, Outcome};
use crate::output;
use crate::settings::ConfigArgs;

/// Arguments of `dogstatsd replay`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Without --socket or --udp it sends to dogstatsd_socket, or else to dogstatsd_port.
As root, packets are sent in the name of the recorded processes, so that the agent finds their
containers in the capture; otherwise this process is the sender.")]
pub(crate) struct Args {
    /// File that `dogstatsd capture` wrote
    #[arg(short, long, value_name = "PATH")]
    file: PathBuf,
    /// How often it is sent; 0 repeats until interrupted
    #[arg(short, long, default_value_t = 1)]
    loops: u32,
    /// Factor on the recorded rhythm; 0 sends without pauses
    #[arg(short, long, default_value_t = 1.0)]
    speed: f64,
    /// Unix socket to send to, datagram or stream
    #[arg(long, value_name = "PATH", conflicts_with = "udp")]
    socket: Option<PathBuf>,
    /// UDP address to send to
    #[arg(long, value_name = "ADDRESS:PORT")]
    udp: Option<SocketAddr>,
    /// Use what is whole of a file that was cut short
    #[arg(long)]
    allow_cut: bool,
    /// Print what was sent as JSON
    #[arg(short, long)]
    json: bool,
    #[command(flatten)]
    agent: AgentArgs,
}

/// Replays a capture and says how much was sent.
pub(crate) fn run(config: &ConfigArgs, args: &Args) -> Outcome {
    let limits = ReadLimits { is_cut_allowed: args.allow_cut, ..ReadLimits::default() };
    let recorded = Capture::open(&args.file, limits).map_err(Failure::usage)?;
    let target = target(config, args)?;
    let is_loaded = load_state(config, args, &recorded);
    let options = ReplayOptions {
        target,
        speed: args.speed,
        loops: args.loops,
        // Without the state the recorded processes would be looked for among today's.
        with_credentials: is_loaded,
    };
    let stop = stop_on_signal()?;
    let report = capture::replay(&recorded, &options, pace_with(&stop))?;
    if let Some(note) = report.note() {
        output::remark(&format!("corelane: {note}"));
    }
    if args.json {
        output::json(&json!({
            "packets": report.packets,
            "bytes": report.bytes,
            "refused": report.refused,
            "loops": report.loops,
            "interrupted": report.is_stopped,
        }))?;
        return Ok(Exit::Success);
    }
    output::line(&format!(
        "{} packets, {}, {} refused for their size, {} whole passes{}",
        status::format::count(report.packets),
        status::format::bytes(report.bytes),
        report.refused,
        report.loops,
        if report.is_stopped { ", interrupted" } else { "" },
    ))?;
    Ok(Exit::Success)
}

/// Gives the agent what was known about the senders. False if that did not work or is not needed.
fn load_state(config: &ConfigArgs, args: &Args, recorded: &Capture) -> bool {
    if recorded.state.pids.is_empty() {
        return false;
    }
    let state = capture::encode_state(&recorded.state);
    let loaded = Remote::find(config, &args.agent)
        .and_then(|remote| remote.require("POST", "/dogstatsd/replay-state", &state));
    match loaded {
        Ok(_) => true,
        Err(failure) => {
            let error = failure.text();
            output::remark(&format!("corelane: replaying without the senders' tags: {error}"));
            false
        }
    }
}

fn target(config: &ConfigArgs, args: &Args) -> Result<Target, Failure> {
    if let Some(address) = args.udp {
        return Ok(Target::Udp(address));
    }
    if let Some(path) = &args.socket {
        return Ok(unix_target(path.clone()));
    }
    let config = config.look()?;
    if let Some(path) = config.text(keys::DOGSTATSD_SOCKET).map(PathBuf::from)
        && path.exists()
    {
        return Ok(unix_target(path));
    }
    if let Some(path) = config.text(keys::DOGSTATSD_STREAM_SOCKET).map(PathBuf::from)
        && path.exists()
    {
        return Ok(Target::UnixStream(path));
    }
    match config.port(keys::DOGSTATSD_PORT) {
        0 => Err(Failure::usage(anyhow::anyhow!(
            "the configuration names no socket that exists; use --socket or --udp"
        ))),
        port => Ok(Target::Udp((Ipv4Addr::LOCALHOST, port).into())),
    }
}

/// A stream if that is what listens there, else datagrams.
fn unix_target(path: PathBuf) -> Target {
    match std::os::unix::net::UnixStream::connect(&path) {
        Ok(_) => Target::UnixStream(path),
        Err(_) => Target::UnixDatagram(path),
    }
}
