//! Where clients reach an agent.

use std::net::SocketAddr;
use std::path::PathBuf;

use status::Listener;

/// What an agent listens on. Nothing changes while it runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// Traces over TCP.
    pub trace_tcp: Option<SocketAddr>,
    /// Traces over a Unix socket.
    pub trace_uds: Option<PathBuf>,
    /// DogStatsD over UDP.
    pub dogstatsd_udp: Option<SocketAddr>,
    /// DogStatsD over a Unix datagram socket.
    pub dogstatsd_uds: Option<PathBuf>,
    /// Logs over HTTP.
    pub logs: Option<SocketAddr>,
    /// OTLP over HTTP.
    pub otlp_http: Option<SocketAddr>,
    /// OTLP over gRPC.
    pub otlp_grpc: Option<SocketAddr>,
}

/// The listener of traces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TraceListener {
    /// TCP.
    Tcp(SocketAddr),
    /// A Unix socket.
    Uds(PathBuf),
}

impl Endpoints {
    pub(crate) fn of(listeners: &[Listener]) -> Self {
        let mut endpoints = Self::default();
        for listener in listeners.iter().filter(|listener| listener.is_bound) {
            let address = || listener.address.parse().ok();
            let path = || Some(PathBuf::from(&listener.address));
            match listener.transport.as_str() {
                "tcp" => endpoints.trace_tcp = endpoints.trace_tcp.or_else(address),
                "unix-http" => endpoints.trace_uds = endpoints.trace_uds.or_else(path),
                "udp" => endpoints.dogstatsd_udp = endpoints.dogstatsd_udp.or_else(address),
                "uds" => endpoints.dogstatsd_uds = endpoints.dogstatsd_uds.or_else(path),
                "logs-http" => endpoints.logs = endpoints.logs.or_else(address),
                "otlp-http" => endpoints.otlp_http = endpoints.otlp_http.or_else(address),
                "otlp-grpc" => endpoints.otlp_grpc = endpoints.otlp_grpc.or_else(address),
                _ => {}
            }
        }
        endpoints
    }

    /// The listener of traces, TCP first.
    #[must_use]
    pub fn trace(&self) -> Option<TraceListener> {
        let tcp = self.trace_tcp.map(TraceListener::Tcp);
        tcp.or_else(|| self.trace_uds.clone().map(TraceListener::Uds))
    }

    /// What `DD_TRACE_AGENT_URL` has to be for clients of this agent.
    #[must_use]
    pub fn trace_url(&self) -> Option<String> {
        self.trace().map(|listener| match listener {
            TraceListener::Tcp(address) => format!("http://{address}"),
            TraceListener::Uds(path) => format!("unix://{}", path.display()),
        })
    }

    /// What `DD_DOGSTATSD_URL` has to be for clients of this agent: the Unix socket where there is
    /// one.
    #[must_use]
    pub fn dogstatsd_url(&self) -> Option<String> {
        let uds = self.dogstatsd_uds.as_ref().map(|path| format!("unix://{}", path.display()));
        uds.or_else(|| self.dogstatsd_udp.map(|address| format!("udp://{address}")))
    }

    /// Where logs are sent over HTTP: `/v1/input` below it.
    #[must_use]
    pub fn logs_url(&self) -> Option<String> {
        http_url(self.logs)
    }

    /// What `OTEL_EXPORTER_OTLP_ENDPOINT` has to be for the protocol `http/protobuf`.
    #[must_use]
    pub fn otlp_http_url(&self) -> Option<String> {
        http_url(self.otlp_http)
    }

    /// What `OTEL_EXPORTER_OTLP_ENDPOINT` has to be for the protocol `grpc`.
    #[must_use]
    pub fn otlp_grpc_url(&self) -> Option<String> {
        http_url(self.otlp_grpc)
    }
}

fn http_url(address: Option<SocketAddr>) -> Option<String> {
    address.map(|address| format!("http://{address}"))
}
