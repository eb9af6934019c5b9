//! `corelane apm replay`: send recorded requests of tracers again.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs as _};
use std::path::PathBuf;

use capture::{RequestReplayOptions, RequestReplayReport, RequestTarget, pace_with};
use config::keys;
use serde_json::json;

use super::stop_on_signal;
use crate::exit::{Exit, Failure, Outcome};
use crate::output;
use crate::settings::ConfigArgs;

/// Arguments of `apm replay`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Without --socket or --address it sends to apm_config.receiver_port, or else to
apm_config.receiver_socket. Spans keep their recorded times. A request that the agent refuses is
counted, and the next one is sent.")]
pub(crate) struct Args {
    /// File that `apm capture` wrote
    #[arg(short, long, value_name = "PATH")]
    file: PathBuf,
    /// How often it is sent; 0 repeats until interrupted
    #[arg(short, long, default_value_t = 1)]
    loops: u32,
    /// Factor on the recorded rhythm; 0 sends without pauses
    #[arg(short, long, default_value_t = 1.0)]
    speed: f64,
    /// Unix socket to send to
    #[arg(long, value_name = "PATH", conflicts_with = "address")]
    socket: Option<PathBuf>,
    /// TCP address to send to
    #[arg(long, value_name = "HOST:PORT")]
    address: Option<String>,
    /// Print what was sent as JSON
    #[arg(short, long)]
    json: bool,
}

/// Replays a capture and says how much was sent, and how it was answered.
pub(crate) fn run(config: &ConfigArgs, args: &Args) -> Outcome {
    let target = target(config, args)?;
    let options = RequestReplayOptions { target, speed: args.speed, loops: args.loops };
    let stop = stop_on_signal()?;
    let report = capture::replay_requests(&args.file, &options, pace_with(&stop))?;
    if report.is_cut {
        output::remark("corelane: the capture has no end; its whole requests were sent");
    }
    if report.recorded_drops > 0 {
        let drops = status::format::count(report.recorded_drops);
        output::remark(&format!(
            "corelane: {drops} requests came while it was recorded that it \
                                 does not hold"
        ));
    }
    if args.json {
        output::json(&json!({
            "requests": report.requests(),
            "accepted": report.accepted(),
            "answers": report.answers,
            "bytes": report.bytes,
            "loops": report.loops,
            "recorded_drops": report.recorded_drops,
            "cut": report.is_cut,
            "interrupted": report.is_stopped,
        }))?;
    } else {
        output::line(&sentence(&report))?;
    }
    Ok(Exit::Success)
}

fn sentence(report: &RequestReplayReport) -> String {
    let requests = report.requests();
    let refused: Vec<String> = report
        .answers
        .iter()
        .filter(|(status, _)| !(200..300).contains(*status))
        .map(|(status, count)| format!("{} refused with {status}", status::format::count(*count)))
        .collect();
    let refused = if refused.is_empty() { "none refused".to_owned() } else { refused.join(", ") };
    format!(
        "{} requests, {}, {refused}, {} whole passes{}",
        status::format::count(requests),
        status::format::bytes(report.bytes),
        report.loops,
        if report.is_stopped { ", interrupted" } else { "" },
    )
}

fn target(config: &ConfigArgs, args: &Args) -> Result<RequestTarget, Failure> {
    if let Some(path) = &args.socket {
        return Ok(RequestTarget::Unix(path.clone()));
    }
    if let Some(name) = &args.address {
        let mut addresses = name.to_socket_addrs().map_err(|error| {
            Failure::usage(anyhow::anyhow!("--address {name}: {error}; write HOST:PORT"))
        })?;
        let none = || Failure::usage(anyhow::anyhow!("--address {name} has no address"));
        return addresses.next().map(RequestTarget::Tcp).ok_or_else(none);
    }
    let config = config.look()?;
    let port = config.port(keys::APM_RECEIVER_PORT);
    if port > 0 {
        return Ok(RequestTarget::Tcp(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)));
    }
    match config.text(keys::APM_RECEIVER_SOCKET) {
        Some(path) => Ok(RequestTarget::Unix(path.into())),
        None => Err(Failure::usage(anyhow::anyhow!(
            "the configuration names no receiver of traces; use --socket or --address"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_told_by_status() {
        let mut report = RequestReplayReport { bytes: 2048, loops: 1, ..Default::default() };
        report.answers = [(200, 3)].into();
        assert_eq!(sentence(&report), "3 requests, 2.0 KiB, none refused, 1 whole passes");
        report.answers.insert(413, 2);
        report.is_stopped = true;
        assert_eq!(
            sentence(&report),
            "5 requests, 2.0 KiB, 2 refused with 413, 1 whole passes, interrupted"
        );
    }
}
