//! `corelane version`.

use serde_json::json;

use crate::exit::{Exit, Outcome};
use crate::output;

/// Version of this binary.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Arguments of `version`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Print it as JSON
    #[arg(short, long)]
    json: bool,
}

/// Prints the version and the system it was built for.
pub(crate) fn run(args: &Args) -> Outcome {
    let target = format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS);
    if args.json {
        output::json(&json!({ "version": VERSION, "target": target }))?;
    } else {
        output::line(&format!("corelane {VERSION} ({target})"))?;
    }
    Ok(Exit::Success)
}
