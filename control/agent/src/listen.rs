//! Opening the DogStatsD listeners. spec: dogstatsd §2.1.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::path::Path;

use config::{Config, keys};
use receive::{
    BindError, DatagramSocket, SocketFile, StreamListener, bind_udp, bind_unixgram_with_mode,
    bind_unixstream,
};

use crate::settings;

/// Listeners that could be opened, and what became of each.
#[derive(Debug, Default)]
pub(crate) struct Listeners {
    /// UDP: for each address one socket per lane.
    pub(crate) udp: Vec<Vec<DatagramSocket>>,
    /// Unix datagram.
    pub(crate) unixgram: Option<DatagramSocket>,
    /// Unix stream.
    pub(crate) unixstream: Option<StreamListener>,
    /// Removed at drop.
    pub(crate) files: Vec<SocketFile>,
    /// For `status`.
    pub(crate) reports: Vec<ListenerReport>,
}

/// What became of one listener.
#[derive(Clone, Debug)]
pub(crate) struct ListenerReport {
    pub(crate) transport: &'static str,
    pub(crate) address: String,
    /// Receive buffer that the kernel granted; 0 where it does not apply.
    pub(crate) buffer_bytes: usize,
    /// Packets that the kernel queues, where these are its bound; else 0.
    pub(crate) queue_packets: usize,
    pub(crate) error: Option<String>,
}

impl Listeners {
    /// Opens what the configuration asks for; a listener that fails is reported and skipped.
    pub(crate) fn open(config: &Config, lanes: usize) -> Self {
        let mut listeners = Self::default();
        if !config.bool(keys::USE_DOGSTATSD) {
            return listeners;
        }
        let options = settings::sockets(config, lanes);
        let mode = config.mode(keys::SOCKET_MODE);
        if let Some(port) = config.listen_port(keys::DOGSTATSD_PORT) {
            let spread = settings::udp_spread(config);
            let bind = |address| bind_udp(address, lanes, spread, &options);
            let addresses = udp_addresses(config, port);
            let (address, bound) = first_that_binds(&addresses, bind);
            listeners.add_udp(address, bound);
            // Clients that are told `localhost` may ask for either.
            if is_localhost(config) && listeners.udp.len() == 1 {
                let port = listeners.port();
                for &address in addresses.iter().filter(|other| **other != address) {
                    let address = SocketAddr::new(address.ip(), port);
                    match bind(address) {
                        Ok(sockets) => listeners.add_udp(address, Ok(sockets)),
                        Err(error) => log::info!("{error}; {port} of IPv4 is listened on"),
                    }
                }
            }
        }
        if let Some(path) = config.text(keys::DOGSTATSD_SOCKET) {
            let bound = bind_unixgram_with_mode(Path::new(path), &options, mode);
            listeners.report("uds", path.to_owned(), &bound, |(socket, _)| socket.buffer_bytes());
            if let Ok((socket, file)) = bound {
                if let Some(report) = listeners.reports.last_mut() {
                    report.queue_packets = socket.queue_packets().unwrap_or_default();
                }
                listeners.unixgram = Some(socket);
                listeners.files.push(file);
            }
        }
        if let Some(path) = config.text(keys::DOGSTATSD_STREAM_SOCKET) {
            let bound = bind_unixstream(Path::new(path), &options);
            listeners.report("uds-stream", path.to_owned(), &bound, |_| 0);
            if let Ok((listener, file)) = bound {
                listeners.unixstream = Some(listener);
                listeners.files.push(file);
            }
        }
        listeners
    }

    fn add_udp(&mut self, address: SocketAddr, bound: Result<Vec<DatagramSocket>, BindError>) {
        let buffer_bytes =
            |sockets: &Vec<DatagramSocket>| sockets.iter().map(DatagramSocket::buffer_bytes).sum();
        let sockets = bound.as_ref().ok();
        let bound_to = sockets.and_then(|all| all.iter().find_map(DatagramSocket::address));
        let address = bound_to.unwrap_or(address);
        self.report("udp", address.to_string(), &bound, buffer_bytes);
        self.udp.extend(bound);
    }

    fn report<T>(
        &mut self,
        transport: &'static str,
        address: String,
        bound: &Result<T, BindError>,
        buffer_bytes: impl Fn(&T) -> usize,
    ) {
        self.reports.push(ListenerReport {
            transport,
            address,
            buffer_bytes: bound.as_ref().map_or(0, buffer_bytes),
            queue_packets: 0,
            error: bound.as_ref().err().map(ToString::to_string),
        });
    }

    /// UDP port that was bound, 0 if none.
    pub(crate) fn port(&self) -> u16 {
        let bound = self.udp.iter().flatten().find_map(DatagramSocket::address);
        bound.map_or(0, |address| address.port())
    }

    /// Whether nothing is listening although something should.
    pub(crate) fn is_deaf(&self) -> bool {
        !self.reports.is_empty() && self.reports.iter().all(|report| report.error.is_some())
    }
}

/// Whether UDP is received from this host, by whatever address.
fn is_localhost(config: &Config) -> bool {
    let is_default = config.text(keys::BIND_HOST).is_none_or(|host| host == "localhost");
    is_default && !config.bool(keys::DOGSTATSD_NON_LOCAL_TRAFFIC)
}

/// Addresses to try in turn.
fn udp_addresses(config: &Config, port: u16) -> Vec<SocketAddr> {
    if config.bool(keys::DOGSTATSD_NON_LOCAL_TRAFFIC) {
        // Both families where the host has IPv6.
        return vec![
            (IpAddr::V6(Ipv6Addr::UNSPECIFIED), port).into(),
            (IpAddr::V4(Ipv4Addr::UNSPECIFIED), port).into(),
        ];
    }
    let host = config.text(keys::BIND_HOST).unwrap_or("localhost");
    let mut addresses: Vec<SocketAddr> =
        (host, port).to_socket_addrs().map(Iterator::collect).unwrap_or_default();
    // `localhost` means 127.0.0.1 to every client and to the reference.
    addresses.sort_by_key(SocketAddr::is_ipv6);
    addresses.dedup();
    if is_localhost(config) && !addresses.iter().any(SocketAddr::is_ipv6) {
        addresses.push((IpAddr::V6(Ipv6Addr::LOCALHOST), port).into());
    }
    if !addresses.iter().any(SocketAddr::is_ipv4) && is_localhost(config) || addresses.is_empty() {
        addresses.insert(0, (IpAddr::V4(Ipv4Addr::LOCALHOST), port).into());
    }
    addresses
}

fn first_that_binds<T>(
    addresses: &[SocketAddr],
    bind: impl Fn(SocketAddr) -> Result<T, BindError>,
) -> (SocketAddr, Result<T, BindError>) {
    let fallback = (IpAddr::V4(Ipv4Addr::LOCALHOST), 0).into();
    let mut tried = None;
    for &address in addresses {
        let bound = bind(address);
        let is_in_use = matches!(bound, Err(BindError::AddressInUse(_)));
        if bound.is_ok() || is_in_use {
            return (address, bound);
        }
        tried = Some((address, bound));
    }
    tried.unwrap_or_else(|| (fallback, bind(fallback)))
}
