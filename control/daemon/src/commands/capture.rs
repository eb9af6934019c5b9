//! `corelane dogstatsd capture` and `corelane apm capture`: record traffic into a file.

use std::path::PathBuf;
use std::time::Duration;

use status::CaptureRequest;

use super::remote::Remote;
use crate::cli::AgentArgs;
use crate::exit::{Exit, Outcome};
use crate::output;
use crate::settings::ConfigArgs;

/// Arguments of both.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Ends by itself after this time
    #[arg(short, long, default_value = "1m", value_parser = super::span, value_name = "TIME")]
    duration: Duration,
    /// Directory of the file; the agent's user must be able to write to it
    #[arg(short, long, value_name = "DIR")]
    path: Option<PathBuf>,
    /// Ends by itself when the file has so many bytes, before compression
    #[arg(long, value_parser = super::size, value_name = "BYTES")]
    size: Option<u64>,
    /// Write the file uncompressed
    #[arg(long)]
    uncompressed: bool,
    /// End the capture that is under way
    #[arg(long, conflicts_with_all = ["path", "size", "uncompressed"])]
    stop: bool,
    /// Print the path of the file as JSON
    #[arg(short, long)]
    json: bool,
    #[command(flatten)]
    agent: AgentArgs,
}

/// Starts or ends the capture that is asked for at `target`, and prints the path of its file.
pub(crate) fn run(config: &ConfigArgs, args: &Args, target: &str) -> Outcome {
    let remote = Remote::find(config, &args.agent)?;
    let reply = if args.stop {
        remote.require("DELETE", target, &[])?
    } else {
        let dir = match &args.path {
            Some(path) => Some(std::path::absolute(path)?.display().to_string()),
            None => None,
        };
        let duration_secs = args.duration.as_secs().max(1);
        let request = CaptureRequest {
            dir,
            duration_secs,
            is_compressed: !args.uncompressed,
            bytes_max: args.size,
        };
        remote.require("POST", target, &serde_json::to_vec(&request)?)?
    };
    let answer: serde_json::Value = serde_json::from_slice(&reply.body)?;
    if args.json {
        output::json(&answer)?;
        return Ok(Exit::Success);
    }
    output::line(answer.get("path").and_then(serde_json::Value::as_str).unwrap_or_default())?;
    Ok(Exit::Success)
}
