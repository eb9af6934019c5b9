//! `corelane remote-config`: what was configured from afar, and who got it.

use status::{RemoteStatus, Snapshot, remote_text};

use super::remote::Remote;
use crate::cli::AgentArgs;
use crate::exit::{Exit, Failure, Outcome};
use crate::output;
use crate::settings::ConfigArgs;

/// Arguments of `remote-config status`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Print everything as JSON
    #[arg(short, long)]
    json: bool,
    #[command(flatten)]
    agent: AgentArgs,
}

/// Prints repositories, clients, configurations and what became of them.
pub(crate) fn run(config: &ConfigArgs, args: &Args) -> Outcome {
    let reply = Remote::find(config, &args.agent)?.require("GET", "/status", &[])?;
    let snapshot: Snapshot = serde_json::from_slice(&reply.body)
        .map_err(|error| Failure::told(format!("the agent's status cannot be read: {error}")))?;
    let remote = snapshot.remote.unwrap_or_else(|| RemoteStatus {
        disabled_reason: "the agent knows nothing of it".to_owned(),
        ..RemoteStatus::default()
    });
    if args.json {
        output::json(&serde_json::to_value(&remote)?)?;
    } else {
        output::print(&remote_text(&remote))?;
    }
    Ok(Exit::Success)
}
