//! Opening the listeners of traces. spec: apm §1.

use std::net::SocketAddr;
use std::os::fd::RawFd;
use std::path::Path;

use config::{Config, keys};
use receive::{BindError, HttpListener, SocketFile, listen_addresses};

use crate::listen::ListenerReport;

/// Listeners that could be opened, for each lane, and what became of each.
#[derive(Debug, Default)]
pub(crate) struct TraceListeners {
    /// Of each lane.
    pub(crate) lanes: Vec<LaneListeners>,
    /// Removed at drop.
    pub(crate) files: Vec<SocketFile>,
    /// For `status`.
    pub(crate) reports: Vec<ListenerReport>,
    /// TCP port that was bound.
    pub(crate) port: Option<u16>,
    /// UDP port of DogStatsD that was bound, 0 if none.
    pub(crate) statsd_port: u16,
}

/// Listeners of one lane.
pub(crate) type LaneListeners = Vec<HttpListener>;

impl TraceListeners {
    /// Opens what the configuration and, unless this process is not ours, the environment ask for.
    /// A listener that fails is reported and skipped.
    pub(crate) fn open(config: &Config, lanes: usize, is_guest: bool) -> Self {
        let mut listeners = Self::default();
        listeners.lanes.resize_with(lanes, Vec::new);
        if !config.bool(keys::APM_ENABLED) || !config.bool(keys::APM_RECEIVER_ENABLED) {
            return listeners;
        }
        if is_guest || !listeners.adopt("tcp", "DD_APM_NET_RECEIVER_FD") {
            listeners.open_tcp(config);
        }
        if is_guest || !listeners.adopt("unix", "DD_APM_UNIX_RECEIVER_FD") {
            listeners.open_unix(config);
        }
        listeners
    }

    fn open_tcp(&mut self, config: &Config) {
        let Some(port) = config.listen_port(keys::APM_RECEIVER_PORT) else { return };
        let host = match config.bool(keys::APM_NON_LOCAL_TRAFFIC) {
            true => "0.0.0.0",
            false => config.text(keys::BIND_HOST).unwrap_or("localhost"),
        };
        let addresses = match listen_addresses(host, port) {
            Ok(addresses) => addresses,
            Err(error) => return self.report("tcp", format!("{host}:{port}"), Some(&error)),
        };
        for address in addresses {
            // A port that the system chose is the same on all addresses.
            let port = self.port.unwrap_or_else(|| address.port());
            let address = SocketAddr::new(address.ip(), port);
            let bound = HttpListener::bind_tcp(address, self.lanes.len());
            // A host without IPv6 has no `[::1]`: the other address is enough.
            if bound.is_err() && address.is_ipv6() && self.port.is_some() && host == "localhost" {
                continue;
            }
            self.take_tcp(address, bound);
        }
    }

    fn take_tcp(&mut self, address: SocketAddr, bound: Result<Vec<HttpListener>, BindError>) {
        let bound_to = bound.iter().flatten().find_map(HttpListener::address);
        let address = bound_to.unwrap_or(address);
        self.report("tcp", address.to_string(), bound.as_ref().err());
        if let Ok(bound) = bound {
            let port = address.port();
            self.port.get_or_insert(port);
            for (lane, listener) in self.lanes.iter_mut().zip(bound) {
                lane.push(listener);
            }
        }
    }

    fn open_unix(&mut self, config: &Config) {
        let Some(path) = config.text(keys::APM_RECEIVER_SOCKET) else { return };
        let mode = config.mode(keys::SOCKET_MODE);
        let bound = HttpListener::bind_unix_with_mode(Path::new(path), mode);
        self.report("unix-http", path.to_owned(), bound.as_ref().err());
        if let Ok((listener, file)) = bound {
            self.files.push(file);
            self.share(listener);
        }
    }

    /// Takes over a listening socket that this process was started with. False when there is none
    /// that works, so that one is opened.
    fn adopt(&mut self, transport: &'static str, variable: &str) -> bool {
        let Ok(text) = std::env::var(variable) else { return false };
        let adopted = text.trim().parse::<RawFd>().map(HttpListener::adopt);
        match adopted {
            Ok(Ok(listener)) => {
                self.report(transport, format!("descriptor {text}"), None);
                self.share(listener);
                true
            }
            Ok(Err(error)) => {
                log::error!("{variable}: {error}");
                false
            }
            Err(_) => {
                log::error!("{variable} is no number: `{text}`");
                false
            }
        }
    }

    /// Gives every lane a handle on one listener.
    fn share(&mut self, listener: HttpListener) {
        for lane in self.lanes.iter_mut().skip(1) {
            match listener.try_clone() {
                Ok(handle) => lane.push(handle),
                Err(error) => log::warn!("a lane goes without a trace listener: {error}"),
            }
        }
        if let Some(lane) = self.lanes.first_mut() {
            lane.push(listener);
        }
    }

    fn report(&mut self, transport: &'static str, address: String, error: Option<&BindError>) {
        let error = error.map(ToString::to_string);
        let report =
            ListenerReport { transport, address, buffer_bytes: 0, queue_packets: 0, error };
        self.reports.push(report);
    }
}
