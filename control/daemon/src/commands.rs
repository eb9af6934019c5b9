//! One command a file.

pub(crate) mod apm_replay;
pub(crate) mod capture;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod flare;
pub(crate) mod health;
pub(crate) mod intake;
mod remote;
pub(crate) mod remote_config;
pub(crate) mod replay;
pub(crate) mod run;
pub(crate) mod stats;
pub(crate) mod status;
pub(crate) mod top;
pub(crate) mod version;

use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use crate::exit::Failure;
use crate::signals::{self, Signal};

/// Reads a span of time in the form of configuration values: `20s`, `1m30s`; a bare number is
/// seconds.
pub(crate) fn span(text: &str) -> Result<Duration, String> {
    let refused = || format!("{text:?} is no span of time; write 20s or 1m30s");
    if let Ok(secs) = text.parse::<u32>() {
        return Ok(Duration::from_secs(secs.into()));
    }
    let nanos = ::config::parse::duration_nanos(text).ok_or_else(refused)?;
    u64::try_from(nanos).map(Duration::from_nanos).map_err(|_| refused())
}

/// Reads a number of bytes in the form of configuration values: `64MB`, `1GiB`, or without a unit.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    let bytes = ::config::parse::size_bytes(text).filter(|bytes| *bytes > 0);
    bytes.ok_or_else(|| format!("{text:?} is no size; write 64MB or 1GiB"))
}

/// A channel that gets a message when the process is asked to stop.
pub(crate) fn stop_on_signal() -> Result<Receiver<()>, Failure> {
    let signals = signals::watch()?;
    let (sender, receiver) = channel();
    thread::Builder::new().name("interrupt".to_owned()).spawn(move || {
        while let Ok(signal) = signals.recv() {
            if signal == Signal::Stop && sender.send(()).is_err() {
                return;
            }
        }
    })?;
    Ok(receiver)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_units_or_are_seconds() {
        assert_eq!(span("20"), Ok(Duration::from_secs(20)));
        assert_eq!(span("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(span("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(size("64MB"), ::config::parse::size_bytes("64MB").ok_or(String::new()));
        assert!(size("0").is_err() && size("much").is_err());
        assert!(span("-1s").is_err() && span("soon").is_err() && span("").is_err());
    }
}
