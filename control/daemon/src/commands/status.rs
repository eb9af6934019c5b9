//! `corelane status`: what a running agent does.

use status::Snapshot;

use super::remote::Remote;
use crate::cli::AgentArgs;
use crate::exit::{Exit, Failure, Outcome};
use crate::output;
use crate::settings::ConfigArgs;

/// Arguments of `status`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Print everything as JSON
    #[arg(short, long)]
    json: bool,
    #[command(flatten)]
    agent: AgentArgs,
}

/// Prints the status. The text is made here from the agent's data.
pub(crate) fn run(config: &ConfigArgs, args: &Args) -> Outcome {
    let reply = Remote::find(config, &args.agent)?.require("GET", "/status", &[])?;
    if args.json {
        let document: serde_json::Value = serde_json::from_slice(&reply.body)?;
        output::json(&document)?;
        return Ok(Exit::Success);
    }
    let snapshot: Snapshot = serde_json::from_slice(&reply.body)
        .map_err(|error| Failure::told(format!("the agent's status cannot be read: {error}")))?;
    output::print(&status::text(&snapshot))?;
    Ok(Exit::Success)
}
