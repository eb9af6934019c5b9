//! `corelane run`: the agent in the foreground, from start to stop.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use agent::{Agent, Options};
use anyhow::Context as _;
use status::Source;

use super::version::VERSION;
use crate::exit::{Exit, Failure, Outcome};
use crate::logging;
use crate::notify::Notifier;
use crate::output;
use crate::pidfile::PidFile;
use crate::settings::{self, ConfigArgs};
use crate::signals::{self, Signal};
use crate::stop;

/// Arguments of `run`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Signals:
  TERM, INT  read what the sockets hold, flush, deliver, end; a second one ends at once
  HUP        read the configuration again and apply what can change
  USR1       write the status to the log")]
pub(crate) struct Args {
    /// File to write the process id to
    #[arg(short, long, value_name = "PATH")]
    pidfile: Option<PathBuf>,
}

/// How often the service manager is told what the agent does.
const STATUS_INTERVAL: Duration = Duration::from_secs(15);

/// Runs the agent until a signal ends it.
pub(crate) fn run(args: &ConfigArgs, run: &Args) -> Outcome {
    let signals = signals::watch()?;
    let config = args.load()?;
    for found in config.diagnostics().iter().filter(|found| settings::is_worth_saying(found)) {
        output::remark(settings::render(found).trim_end());
    }
    logging::start(&config)?;
    let _pidfile = run.pidfile.as_deref().map(PidFile::write).transpose()?;
    let file = config.file().map_or_else(|| "none".to_owned(), |path| path.display().to_string());
    log::info!("corelane {VERSION} starts, configuration file: {file}");

    let notifier = Notifier::from_environment();
    let agent = Agent::start(config, options(args)).context("the agent cannot start")?;
    let source = agent.source();
    notifier.ready(&status::summary(&source.snapshot()));
    log::info!("ready");
    serve(&signals, &source, &notifier)?;

    log::info!("stopping: what is held is flushed and delivered; a second signal ends at once");
    notifier.stopping();
    match stop::stop(agent, &signals)? {
        Some(last) => {
            log::info!("stopped: {}", status::summary(&last));
            Ok(Exit::Success)
        }
        None => {
            log::warn!("ended by a second signal: what was not delivered may be lost");
            Ok(Exit::Failed)
        }
    }
}

/// How the agent reads its configuration again: as at the start.
fn options(args: &ConfigArgs) -> Options {
    let args = args.clone();
    let reload = move || args.load().map_err(|failure| failure.text());
    Options {
        version: VERSION.to_owned(),
        reload: Arc::new(reload),
        applied: logging::apply_level,
        recent_log: logging::recent,
    }
}

/// Answers signals until one asks to stop.
fn serve(
    signals: &Receiver<Signal>,
    source: &Arc<dyn Source>,
    notifier: &Notifier,
) -> Result<(), Failure> {
    let interval = notifier.watchdog_interval().unwrap_or(STATUS_INTERVAL).min(STATUS_INTERVAL);
    let mut next = Instant::now() + interval;
    loop {
        match signals.recv_timeout(next.saturating_duration_since(Instant::now())) {
            Ok(Signal::Stop) => return Ok(()),
            Ok(Signal::Reload) => {
                notifier.reloading();
                match source.reload() {
                    Ok(told) => log::info!("configuration read again: {told}"),
                    Err(error) => log::error!("the configuration stays as it was: {error}"),
                }
                notifier.ready(&status::summary(&source.snapshot()));
            }
            Ok(Signal::Status) => {
                for line in status::text(&source.snapshot()).lines() {
                    log::info!("{line}");
                }
            }
            Err(RecvTimeoutError::Timeout) => {
                next += interval;
                // A manager that hears nothing restarts a process that is stuck.
                if source.is_live() {
                    notifier.alive();
                }
                notifier.status(&status::summary(&source.snapshot()));
            }
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Failure::told("the thread that waits for signals ended"));
            }
        }
    }
}
