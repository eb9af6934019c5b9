//! `corelane flare`: an archive for support. spec: config §12.2
//!
//! The archive comes from the running agent; if none answers it is made here, of what can be known
//! without one. It is written first and sent from there, so that who sends it can look at it.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use agent::flare as agent_flare;
use config::{Config, keys};
use flare::{Asker, Case, Receipt, Scrubber};
use serde_json::json;
use status::{Snapshot, client};

use super::remote::{ANSWER_TIME_MAX, Remote};
use super::version::VERSION;
use crate::cli::AgentArgs;
use crate::exit::{Exit, Failure, Outcome};
use crate::output;
use crate::settings::ConfigArgs;

/// Arguments of `flare`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  corelane flare                                    write an archive to look at
  corelane flare --send --case-id 1234 -e me@x.eu   write it and send it to a case

Keys, passwords and tokens are removed from all that it holds.")]
pub(crate) struct Args {
    /// Only write the archive; this is the default
    #[arg(short, long, conflicts_with = "send")]
    local_only: bool,
    /// Send the archive to Datadog support, without asking again
    #[arg(short, long, requires = "email")]
    send: bool,
    /// Case of support that it belongs to; without one support opens a case
    #[arg(long, value_name = "NUMBER", requires = "send")]
    case_id: Option<String>,
    /// The same
    #[arg(value_name = "CASE", requires = "send", conflicts_with = "case_id")]
    case: Option<String>,
    /// Address that support answers to
    #[arg(short, long, requires = "send")]
    email: Option<String>,
    /// Directory to write the archive to; the temporary directory otherwise
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Print path and case as JSON
    #[arg(short, long)]
    json: bool,
    #[command(flatten)]
    agent: AgentArgs,
}

/// How long the making of an archive may take here.
const TIME_MAX: Duration = Duration::from_secs(60);

/// Writes the archive, and sends it if that is wanted.
pub(crate) fn run(config: &ConfigArgs, args: &Args) -> Outcome {
    let case_id = args.case_id.clone().or_else(|| args.case.clone());
    if let Some(id) = &case_id {
        flare::check_case(id).map_err(|error| Failure::usage(anyhow::anyhow!("{error}")))?;
    }
    let (archive, is_of_agent) = archive(config, args)?;
    let file_name = agent_flare::file_name(unix_secs());
    let directory = args.output.clone().unwrap_or_else(std::env::temp_dir);
    let path = directory.join(&file_name);
    write(&path, &archive)?;
    if !args.json {
        output::line(&path.display().to_string())?;
    }
    let receipt = match args.send {
        true => {
            let case = Case { id: case_id, email: args.email.clone() };
            Some(send(config, args, case, file_name, archive)?)
        }
        false => None,
    };
    if args.json {
        output::json(&json!({
            "path": path,
            "agent_answered": is_of_agent,
            "sent": receipt.is_some(),
            "case_id": receipt.as_ref().map(|receipt| &receipt.case_id),
            "request_uuid": receipt.as_ref().map(|receipt| &receipt.request_uuid),
        }))?;
    } else if let Some(receipt) = receipt {
        output::line(&format!("sent; the case is {}", receipt.case_id))?;
    }
    Ok(Exit::Success)
}

/// The archive, and whether a running agent made it.
fn archive(config: &ConfigArgs, args: &Args) -> Result<(Vec<u8>, bool), Failure> {
    let asked =
        Remote::find(config, &args.agent).and_then(|remote| remote.require("POST", "/flare", &[]));
    match asked {
        Ok(reply) => Ok((reply.body, true)),
        Err(failure) if matches!(failure.exit, Exit::NoAgent | Exit::Usage) => {
            output::remark(&format!(
                "corelane: {}; the archive holds what is known without an agent",
                failure.text()
            ));
            Ok((local_archive(config, &failure.text())?, false))
        }
        Err(failure) => Err(failure),
    }
}

/// An archive of the configuration alone.
fn local_archive(config: &ConfigArgs, reason: &str) -> Result<Vec<u8>, Failure> {
    let config = Arc::new(config.look()?);
    let host = host_name(&config);
    let scrubber = Scrubber::new(&config);
    let bounds = agent_flare::bounds(&config, TIME_MAX);
    let version = agent_flare::version(VERSION, unix_secs());
    let mut members = flare::members_of(&agent_flare::about(config, version));
    let reason = format!("{reason}\n");
    members.push(flare::Member::new("status.log", move || Ok(flare::Content::Text(reason))));
    let collected = flare::collect(&host, members, &scrubber, &bounds, || false);
    Ok(collected?.bytes.into())
}

/// A new file that its owner alone may read.
fn write(path: &Path, archive: &[u8]) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    let opened = options.write(true).create_new(true).mode(0o600).open(path);
    let written = opened.and_then(|mut file| file.write_all(archive));
    written.map_err(|error| {
        let path = path.display();
        Failure::told(format!("cannot write {path}: {error}; choose another --output"))
    })
}

fn send(
    config: &ConfigArgs,
    args: &Args,
    case: Case,
    file_name: String,
    archive: Vec<u8>,
) -> Result<Receipt, Failure> {
    let config = config.load()?;
    if config.api_key().is_empty() {
        return Err(Failure::usage(anyhow::anyhow!(
            "the archive is not sent: there is no `api_key` to send it with"
        )));
    }
    let mut upload = agent_flare::upload(&config, case, Asker::Local, file_name, archive.into());
    upload.hostname = agent_host_name(&args.agent, &config).unwrap_or_else(|| host_name(&config));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(upload.send(agent_flare::outbound(&config)))?)
}

/// The name that a running agent reports.
fn agent_host_name(agent: &AgentArgs, config: &Config) -> Option<String> {
    let configured = config.text(keys::API_SOCKET).map(PathBuf::from);
    let socket = agent.api_socket.clone().or(configured)?;
    let reply = client::request(&socket, "GET", "/status", &[], ANSWER_TIME_MAX).ok()?;
    let snapshot: Snapshot = serde_json::from_slice(&reply.body).ok()?;
    Some(snapshot.host_name)
}

/// The name of this host without an agent that would look for a better one.
fn host_name(config: &Config) -> String {
    let kernel = || std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    config.text(keys::HOSTNAME).map_or_else(|| kernel().trim().to_owned(), str::to_owned)
}

fn unix_secs() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
