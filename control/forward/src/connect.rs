//! Opens connections to one target: DNS, TCP, proxy, TLS.
//!
//! Spec: config-and-embedding §6 and §7.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::Uri;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use socket2::{SockRef, TcpKeepalive};
use thiserror::Error;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;
use tower_service::Service;

use crate::base_url::BaseUrl;
use crate::conn::{BoxedStream, Conn};
use crate::dial::dial;
use crate::proxy::Proxy;
use crate::settings::ConnectSettings;

/// A proxy that answers CONNECT with more than this is refused.
const PROXY_HEAD_BYTES_MAX: usize = 8 * 1024;

/// Why no connection came about.
#[derive(Debug, Error)]
pub(crate) enum ConnectError {
    #[error("{reason}")]
    Url { reason: String },
    #[error("name {host} does not resolve ({source})")]
    Resolve { host: String, source: io::Error },
    #[error("cannot connect to {host}:{port} ({source})")]
    Dial { host: String, port: u16, source: io::Error },
    #[error("connecting to {host}:{port} took too long")]
    DialTimeout { host: String, port: u16 },
    #[error("tls handshake with {host} failed ({source})")]
    Tls { host: String, source: io::Error },
    #[error("tls handshake with {host} took too long")]
    TlsTimeout { host: String },
    #[error("proxy {host} refused the tunnel with status {status}")]
    ProxyRefused { host: String, status: u16 },
    #[error("proxy {host} broke off the tunnel ({reason})")]
    ProxyBroken { host: String, reason: String },
}

/// Connector for exactly one base URL.
#[derive(Clone, Debug)]
pub(crate) struct Connector {
    plan: Arc<Plan>,
}

/// What a connection goes to and through.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) target: BaseUrl,
    pub(crate) proxy: Option<Proxy>,
    pub(crate) tls: Arc<ClientConfig>,
    pub(crate) settings: ConnectSettings,
    pub(crate) user_agent: String,
    /// Name lookups hold a blocking thread each; a resolver that hangs must not take them all.
    pub(crate) lookups: Arc<Semaphore>,
}

/// Name lookups of one plan at a time.
pub(crate) const LOOKUPS_MAX: usize = 2;

impl Connector {
    pub(crate) fn new(plan: Arc<Plan>) -> Self {
        Self { plan }
    }
}

impl Service<Uri> for Connector {
    type Response = Conn;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Conn, ConnectError>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _uri: Uri) -> Self::Future {
        let plan = Arc::clone(&self.plan);
        Box::pin(async move { plan.connect().await })
    }
}

impl Plan {
    /// Whether requests are handed to a proxy in absolute form instead of through a tunnel.
    pub(crate) fn forwards_plain_http(&self) -> bool {
        self.proxy.is_some() && !self.target.is_https()
    }

    /// Opens a connection.
    pub(crate) async fn connect(&self) -> Result<Conn, ConnectError> {
        let stream: BoxedStream = match &self.proxy {
            None => {
                let host = &self.target.host;
                let absolute = self.target.is_absolute;
                Box::new(self.dial(host, self.target.port, absolute).await?)
            }
            Some(proxy) => self.connect_to_proxy(proxy).await?,
        };
        if !self.target.is_https() {
            let is_forwarded = self.forwards_plain_http();
            return Ok(Conn::over(stream, false, is_forwarded));
        }
        let tls = self.handshake(&self.target.host, Arc::clone(&self.tls), stream).await?;
        let is_h2 = tls.get_ref().1.alpn_protocol() == Some(b"h2");
        Ok(Conn::over(Box::new(tls), is_h2, false))
    }

    async fn connect_to_proxy(&self, proxy: &Proxy) -> Result<BoxedStream, ConnectError> {
        let tcp = self.dial(&proxy.host, proxy.port, false).await?;
        let mut stream: BoxedStream = Box::new(tcp);
        if proxy.is_https {
            // The tunnel is opened with HTTP/1.1, whatever the target speaks.
            let mut config = ClientConfig::clone(&self.tls);
            config.alpn_protocols = vec![b"http/1.1".to_vec()];
            stream = Box::new(self.handshake(&proxy.host, Arc::new(config), stream).await?);
        }
        if self.target.is_https() {
            let opened = self.open_tunnel(proxy, &mut stream);
            timeout(self.settings.dial_timeout, opened).await.map_err(|_elapsed| {
                ConnectError::DialTimeout { host: proxy.host.clone(), port: proxy.port }
            })??;
        }
        Ok(stream)
    }

    async fn dial(&self, host: &str, port: u16, absolute: bool) -> Result<TcpStream, ConnectError> {
        let timed_out = || ConnectError::DialTimeout { host: host.to_owned(), port };
        let deadline = Instant::now() + self.settings.dial_timeout;
        let is_name = host.parse::<std::net::IpAddr>().is_err();
        let name = if absolute && is_name { format!("{host}.") } else { host.to_owned() };
        let lookup = async {
            // Never closed, so a permit always comes.
            let _permit = self.lookups.acquire().await;
            tokio::net::lookup_host((name.as_str(), port)).await
        };
        let resolved = timeout_at(deadline, lookup).await.map_err(|_elapsed| timed_out())?;
        let addresses = resolved
            .map_err(|source| ConnectError::Resolve { host: host.to_owned(), source })?
            .collect();
        match dial(addresses, self.settings.fallback_delay, deadline).await {
            Ok(stream) => {
                self.tune(&stream);
                Ok(stream)
            }
            Err(err) if err.kind() == io::ErrorKind::TimedOut => Err(timed_out()),
            Err(source) => Err(ConnectError::Dial { host: host.to_owned(), port, source }),
        }
    }

    /// Socket options are wishes: a connection without them still works.
    fn tune(&self, stream: &TcpStream) {
        let keep_alive = self.settings.keep_alive;
        let probes = TcpKeepalive::new().with_time(keep_alive).with_interval(keep_alive);
        let tuned = stream
            .set_nodelay(true)
            .and_then(|()| SockRef::from(stream).set_tcp_keepalive(&probes));
        if let Err(err) = tuned {
            log::debug!("socket options not set: {err}");
        }
    }

    async fn handshake(
        &self,
        host: &str,
        config: Arc<ClientConfig>,
        stream: BoxedStream,
    ) -> Result<tokio_rustls::client::TlsStream<BoxedStream>, ConnectError> {
        let failed = |source: io::Error| ConnectError::Tls { host: host.to_owned(), source };
        let name = ServerName::try_from(host.to_owned())
            .map_err(|err| failed(io::Error::new(io::ErrorKind::InvalidInput, err)))?;
        let connecting = TlsConnector::from(config).connect(name, stream);
        match timeout(self.settings.handshake_timeout, connecting).await {
            Ok(result) => result.map_err(failed),
            Err(_elapsed) => Err(ConnectError::TlsTimeout { host: host.to_owned() }),
        }
    }

    /// Sends `CONNECT` and reads the answer's head; the stream then belongs to the target.
    async fn open_tunnel(
        &self,
        proxy: &Proxy,
        stream: &mut BoxedStream,
    ) -> Result<(), ConnectError> {
        let broken =
            |reason: String| ConnectError::ProxyBroken { host: proxy.host.clone(), reason };
        let request = self.connect_request(proxy);
        let sent = async {
            stream.write_all(&request).await?;
            stream.flush().await
        };
        sent.await.map_err(|err| broken(err.to_string()))?;
        let mut head = Vec::with_capacity(512);
        while !head.ends_with(b"\r\n\r\n") {
            // Byte by byte, so that nothing of the target's stream is swallowed. The head is
            // short and comes once per connection.
            let byte = stream.read_u8().await.map_err(|err| broken(err.to_string()))?;
            head.push(byte);
            if head.len() > PROXY_HEAD_BYTES_MAX {
                return Err(broken("its answer has no end".to_owned()));
            }
        }
        match tunnel_status(&head) {
            Some(200..=299) => Ok(()),
            Some(status) => Err(ConnectError::ProxyRefused { host: proxy.host.clone(), status }),
            None => Err(broken("its answer is no http".to_owned())),
        }
    }

    fn connect_request(&self, proxy: &Proxy) -> Vec<u8> {
        let host = &self.target.host;
        let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        let to = format!("{host}:{}", self.target.port);
        let mut request =
            format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\nUser-Agent: {}\r\n", self.user_agent)
                .into_bytes();
        if let Some(credentials) = &proxy.authorization {
            request.extend_from_slice(b"Proxy-Authorization: ");
            request.extend_from_slice(credentials.as_bytes());
            request.extend_from_slice(b"\r\n");
        }
        request.extend_from_slice(b"\r\n");
        request
    }
}

/// The status code of `HTTP/1.x NNN ...`.
fn tunnel_status(head: &[u8]) -> Option<u16> {
    let text = std::str::from_utf8(head.get(..12)?).ok()?;
    let (version, code) = text.split_once(' ')?;
    (version == "HTTP/1.1" || version == "HTTP/1.0").then(|| code.parse().ok())?
}
