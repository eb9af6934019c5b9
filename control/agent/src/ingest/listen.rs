//! Opening the listeners of logs and OTLP. spec: logs §7.1, otlp §1.1

use std::net::{SocketAddr, TcpListener};

use config::{Config, StrKey, keys};
use ingest::Listener;
use receive::listen_addresses;

use crate::listen::ListenerReport;
use crate::products::Product;

/// Listeners that could be opened, and what became of each.
#[derive(Debug, Default)]
pub(crate) struct IngestListeners {
    pub(super) open: Vec<Listener>,
    /// For `status`.
    pub(crate) reports: Vec<ListenerReport>,
}

impl IngestListeners {
    /// Opens what the configuration asks for; a listener that fails is reported and skipped.
    pub(crate) fn open(config: &Config) -> Self {
        let mut listeners = Self::default();
        if Product::Logs.is_on(config)
            && let Some(address) = config.text(keys::LOGS_LISTEN)
        {
            listeners.open_at("logs-http", address, Listener::Logs);
        }
        if Product::Otlp.is_built() {
            let wanted = |key: StrKey| config.is_set(key).then(|| config.text(key)).flatten();
            if let Some(address) = wanted(keys::OTLP_HTTP_ENDPOINT) {
                listeners.open_at("otlp-http", address, Listener::OtlpHttp);
            }
            if let Some(address) = wanted(keys::OTLP_GRPC_ENDPOINT) {
                if Product::Grpc.is_built() {
                    listeners.open_at("otlp-grpc", address, Listener::OtlpGrpc);
                } else {
                    let error = Product::Grpc.missing();
                    listeners.report("otlp-grpc", address.to_owned(), Some(error));
                }
            }
        }
        listeners
    }

    /// Whether OTLP is listened for.
    pub(super) fn has_otlp(&self) -> bool {
        self.open.iter().any(|listener| !matches!(listener, Listener::Logs(_)))
    }

    /// Opens `host:port` on every address of the host.
    fn open_at(
        &mut self,
        transport: &'static str,
        address: &str,
        listener: impl Fn(TcpListener) -> Listener,
    ) {
        let split = address.rsplit_once(':');
        let split = split.and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?)));
        let Some((host, port)) = split else {
            let error = format!("`{address}` is no host and port");
            return self.report(transport, address.to_owned(), Some(error));
        };
        let addresses = match listen_addresses(host.trim_matches(['[', ']']), port) {
            Ok(addresses) => addresses,
            Err(error) => {
                return self.report(transport, address.to_owned(), Some(error.to_string()));
            }
        };
        let mut bound_port = None;
        for address in addresses {
            // A port that the system chose is the same on all addresses.
            let port = bound_port.unwrap_or_else(|| address.port());
            let wanted = SocketAddr::new(address.ip(), port);
            match TcpListener::bind(wanted) {
                Ok(socket) => {
                    let address = socket.local_addr().unwrap_or(wanted);
                    bound_port.get_or_insert_with(|| address.port());
                    self.open.push(listener(socket));
                    self.report(transport, address.to_string(), None);
                }
                // A host without IPv6 has no `[::1]`: the other address is enough.
                Err(_) if wanted.is_ipv6() && bound_port.is_some() && host == "localhost" => {}
                Err(error) => {
                    let error = format!("cannot listen on {wanted} for {transport}: {error}");
                    self.report(transport, wanted.to_string(), Some(error));
                }
            }
        }
    }

    fn report(&mut self, transport: &'static str, address: String, error: Option<String>) {
        let report =
            ListenerReport { transport, address, buffer_bytes: 0, queue_packets: 0, error };
        self.reports.push(report);
    }
}
