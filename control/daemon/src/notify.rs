//! Messages to the service manager, by its protocol: datagrams of `KEY=VALUE` lines.
//! spec: config §12.4; `sd_notify(3)`.

use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// The way to the service manager, if there is one.
#[derive(Debug, Default)]
pub(crate) struct Notifier {
    to: Option<(UnixDatagram, SocketAddr)>,
    watchdog: Option<Duration>,
}

impl Notifier {
    /// Reads `NOTIFY_SOCKET` and `WATCHDOG_USEC`.
    pub(crate) fn from_environment() -> Self {
        let socket = std::env::var_os("NOTIFY_SOCKET").filter(|path| !path.is_empty());
        let watchdog = std::env::var("WATCHDOG_USEC").ok().and_then(|text| text.parse().ok());
        match socket.map(|path| Self::to(&path, watchdog)) {
            None => Self::default(),
            Some(Ok(notifier)) => notifier,
            Some(Err(error)) => {
                log::warn!("the service manager cannot be told anything: {error}");
                Self::default()
            }
        }
    }

    /// Sends to `socket`, a path, or a name in the abstract space behind `@`.
    fn to(socket: &OsStr, watchdog_us: Option<u64>) -> io::Result<Self> {
        let address = match socket.as_bytes().strip_prefix(b"@") {
            Some(name) => SocketAddr::from_abstract_name(name)?,
            None => SocketAddr::from_pathname(socket)?,
        };
        let sender = UnixDatagram::unbound()?;
        // A manager that does not read must not hold the agent.
        sender.set_nonblocking(true)?;
        let watchdog = watchdog_us.filter(|us| *us > 0).map(Duration::from_micros);
        Ok(Self { to: Some((sender, address)), watchdog })
    }

    /// How often the manager wants a sign of life: half of its patience.
    pub(crate) fn watchdog_interval(&self) -> Option<Duration> {
        self.watchdog.map(|patience| patience / 2)
    }

    /// The agent works.
    pub(crate) fn ready(&self, summary: &str) {
        self.send(&format!("READY=1\nSTATUS={}", one_line(summary)));
    }

    /// The configuration is being read again; [`ready`](Self::ready) ends it.
    pub(crate) fn reloading(&self) {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        let micros = now.tv_sec.saturating_mul(1_000_000).saturating_add(now.tv_nsec / 1000);
        self.send(&format!("RELOADING=1\nMONOTONIC_USEC={micros}"));
    }

    /// The agent is ending.
    pub(crate) fn stopping(&self) {
        self.send("STOPPING=1\nSTATUS=flushing and delivering");
    }

    /// One line about what the agent does.
    pub(crate) fn status(&self, summary: &str) {
        self.send(&format!("STATUS={}", one_line(summary)));
    }

    /// A sign of life.
    pub(crate) fn alive(&self) {
        self.send("WATCHDOG=1");
    }

    fn send(&self, message: &str) {
        let Some((sender, address)) = &self.to else { return };
        if let Err(error) = sender.send_to_addr(message.as_bytes(), address) {
            log::debug!("the service manager did not take a message: {error}");
        }
    }
}

fn one_line(text: &str) -> String {
    text.replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(receiver: &UnixDatagram) -> String {
        let mut buffer = [0; 512];
        let length = receiver.recv(&mut buffer).expect("was sent before");
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    }

    #[test]
    fn the_manager_hears_every_state() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("notify");
        let receiver = UnixDatagram::bind(&path).expect("binds");
        let notifier = Notifier::to(path.as_os_str(), Some(30_000_000)).expect("connects");
        assert_eq!(notifier.watchdog_interval(), Some(Duration::from_secs(15)));
        notifier.ready("all\nwell");
        assert_eq!(received(&receiver), "READY=1\nSTATUS=all well");
        notifier.reloading();
        assert!(received(&receiver).starts_with("RELOADING=1\nMONOTONIC_USEC="));
        notifier.alive();
        assert_eq!(received(&receiver), "WATCHDOG=1");
        notifier.stopping();
        assert!(received(&receiver).starts_with("STOPPING=1\n"));
    }

    #[test]
    fn abstract_names_work_and_silence_is_fine() {
        let name = format!("corelane-notify-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(name.as_bytes()).expect("a name");
        let receiver = UnixDatagram::bind_addr(&address).expect("binds");
        let notifier = Notifier::to(OsStr::new(&format!("@{name}")), None).expect("connects");
        notifier.status("x");
        assert_eq!(received(&receiver), "STATUS=x");
        drop(receiver);
        notifier.status("nobody listens");
        Notifier::default().ready("nobody asked");
    }
}
