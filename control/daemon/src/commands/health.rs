//! `corelane health`: is a running agent well?

use std::time::Duration;

use serde_json::json;

use super::remote::Remote;
use crate::cli::AgentArgs;
use crate::exit::{Exit, Outcome};
use crate::output;
use crate::settings::ConfigArgs;

/// Arguments of `health`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How long to wait for the answer
    #[arg(short, long, default_value = "20s", value_parser = super::span)]
    timeout: Duration,
    /// Print the result as JSON
    #[arg(short, long)]
    json: bool,
    #[command(flatten)]
    agent: AgentArgs,
}

/// Prints PASS or FAIL with the reason; the exit status says the same.
pub(crate) fn run(config: &ConfigArgs, args: &Args) -> Outcome {
    let remote = Remote::find(config, &args.agent)?.within(args.timeout);
    let reply = remote.ask("GET", "/health", &[])?;
    let reason = if reply.is_success() { None } else { Some(reply.error()) };
    match (args.json, &reason) {
        (true, _) => output::json(&json!({ "healthy": reason.is_none(), "reason": reason }))?,
        (false, None) => output::line("Agent health: PASS")?,
        (false, Some(reason)) => output::line(&format!("Agent health: FAIL\n{reason}"))?,
    }
    Ok(if reason.is_none() { Exit::Success } else { Exit::Failed })
}
