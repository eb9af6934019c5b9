//! The log: lines as the Agent writes them, to standard output and a file. spec: config §12.5.

mod file;
mod line;
mod recent;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use anyhow::{Context as _, Result};
use config::{Config, keys};
use log::{LevelFilter, Log, Metadata, Record};

use file::RotatingFile;
use line::Format;
use recent::Recent;

/// Directory of the log file when `log_file` names none. Used only if it exists and is ours.
const DIRECTORY: &str = "/var/log/corelane";
const FILE_NAME: &str = "agent.log";
/// Lines that [`keep`] keeps.
const KEPT_MAX: usize = 100;

/// What a flare shows of the log.
static RECENT: Recent = Recent::new();

/// The latest lines.
pub(crate) fn recent() -> String {
    RECENT.text()
}

/// Starts logging as configured.
///
/// # Errors
/// When the file that `log_file` names cannot be opened.
pub(crate) fn start(config: &Config) -> Result<()> {
    let file = match log_path(config) {
        None => None,
        Some((path, is_asked_for)) => match open(config, &path) {
            Ok(file) => Some(Mutex::new(file)),
            Err(error) if is_asked_for => return Err(error),
            // Nobody asked for it, and the console has it all.
            Err(_) => None,
        },
    };
    let has_console = config.bool(keys::LOG_TO_CONSOLE) || file.is_none();
    let format = Format {
        is_json: config.bool(keys::LOG_FORMAT_JSON),
        is_rfc3339: config.bool(keys::LOG_FORMAT_RFC3339),
    };
    let bytes_max = config.bytes(keys::FLARE_LOG_BYTES_MAX);
    RECENT.set_bytes_max(usize::try_from(bytes_max).unwrap_or(usize::MAX));
    install(Sink::Streams { has_console, file, format }, level(config));
    Ok(())
}

/// Keeps warnings and errors in memory, for a command that draws on the terminal.
pub(crate) fn keep() -> Arc<Kept> {
    let kept = Arc::<Kept>::default();
    install(Sink::Memory(Arc::clone(&kept)), LevelFilter::Warn);
    kept
}

/// Applies a changed level.
pub(crate) fn apply_level(config: &Config) {
    log::set_max_level(level(config));
}

fn install(sink: Sink, level: LevelFilter) {
    // The first logger of a process stays; only tests come here twice.
    let _is_first = log::set_boxed_logger(Box::new(Logger { sink })).is_ok();
    log::set_max_level(level);
}

fn level(config: &Config) -> LevelFilter {
    match config.str(keys::LOG_LEVEL) {
        "trace" => LevelFilter::Trace,
        "debug" => LevelFilter::Debug,
        "warn" | "warning" => LevelFilter::Warn,
        "error" | "critical" => LevelFilter::Error,
        "off" => LevelFilter::Off,
        _ => LevelFilter::Info,
    }
}

/// The file, and whether somebody asked for it.
fn log_path(config: &Config) -> Option<(PathBuf, bool)> {
    if config.bool(keys::DISABLE_FILE_LOGGING) {
        return None;
    }
    match config.text(keys::LOG_FILE) {
        Some(path) => Some((path.into(), true)),
        None => Some((Path::new(DIRECTORY).join(FILE_NAME), false)),
    }
}

fn open(config: &Config, path: &Path) -> Result<RotatingFile> {
    let bytes_max = config.bytes(keys::LOG_FILE_MAX_SIZE);
    let rolls_max = config.count(keys::LOG_FILE_MAX_ROLLS);
    RotatingFile::open(path, bytes_max, rolls_max).with_context(|| {
        let path = path.display();
        format!(
            "cannot write the log file {path}; choose another log_file, or set \
                 disable_file_logging"
        )
    })
}

/// Lines kept in memory.
#[derive(Debug, Default)]
pub(crate) struct Kept(Mutex<Vec<String>>);

impl Kept {
    /// The lines so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn add(&self, line: String) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() < KEPT_MAX {
            lines.push(line);
        }
    }
}

enum Sink {
    Streams { has_console: bool, file: Option<Mutex<RotatingFile>>, format: Format },
    Memory(Arc<Kept>),
}

struct Logger {
    sink: Sink,
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // Libraries explain every step of a connection at info and below.
        let is_ours = metadata.target().starts_with("corelane");
        is_ours || metadata.level() <= log::Level::Warn || log::max_level() == LevelFilter::Trace
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        match &self.sink {
            Sink::Memory(kept) => kept.add(line::message(record)),
            Sink::Streams { has_console, file, format } => {
                let line = format.line(record, SystemTime::now());
                RECENT.add(&line);
                if *has_console {
                    // A console that is gone must not stop the agent.
                    let _is_written = io::stdout().lock().write_all(line.as_bytes()).is_ok();
                }
                if let Some(file) = file {
                    file.lock().unwrap_or_else(PoisonError::into_inner).write(&line);
                }
            }
        }
    }

    fn flush(&self) {}
}
