//! Signals as messages.

use std::io;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use tokio::signal::unix::{SignalKind, signal};

/// What somebody asks of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// SIGTERM, SIGINT: end.
    Stop,
    /// SIGHUP: read the configuration again.
    Reload,
    /// SIGUSR1: write the status to the log.
    Status,
}

/// Takes over the signals of the process, from a thread of its own until the receiver is gone.
pub(crate) fn watch() -> io::Result<Receiver<Signal>> {
    let (sender, receiver) = channel();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Registered here, so that no signal finds its default action once this returns.
    let registered = {
        let _entered = runtime.enter();
        [
            (SignalKind::terminate(), Signal::Stop),
            (SignalKind::interrupt(), Signal::Stop),
            (SignalKind::hangup(), Signal::Reload),
            (SignalKind::user_defined1(), Signal::Status),
        ]
        .map(|(kind, meaning)| signal(kind).map(|stream| (stream, meaning)))
    };
    let [a, b, c, d] = registered;
    let (mut terminate, mut interrupt, mut hangup, mut user) = (a?, b?, c?, d?);
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        runtime.block_on(async move {
            loop {
                let meaning = tokio::select! {
                    _ = terminate.0.recv() => terminate.1,
                    _ = interrupt.0.recv() => interrupt.1,
                    _ = hangup.0.recv() => hangup.1,
                    _ = user.0.recv() => user.1,
                };
                if sender.send(meaning).is_err() {
                    return;
                }
            }
        });
    })?;
    Ok(receiver)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rustix::process::{Signal as Raw, getpid, kill_process};

    use super::*;

    #[test]
    fn signals_arrive_as_messages() {
        let signals = watch().expect("can be watched");
        for (raw, expected) in [(Raw::HUP, Signal::Reload), (Raw::USR1, Signal::Status)] {
            kill_process(getpid(), raw).expect("our own process");
            assert_eq!(signals.recv_timeout(Duration::from_secs(10)), Ok(expected));
        }
    }
}
