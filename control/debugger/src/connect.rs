//! Opens connections: TCP, TLS over it, or a Unix socket.
//!
//! Without the proxies, retries and address policy of [`forward`]'s connector, which belongs to
//! one configured intake; a tracer talks to whatever its user names, mostly to a Unix socket.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use forward::{Conn, TlsError, TlsSettings, ready_client_config};
use http::Uri;
use http::uri::Scheme;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use thiserror::Error;
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
use tower_service::Service;

use crate::url::{UNIX, socket_of_authority};

/// Why no connection came about.
#[derive(Debug, Error)]
pub(crate) enum ConnectError {
    #[error("no host in the url")]
    NoHost,
    #[error("cannot connect ({0})")]
    Dial(io::Error),
    #[error("tls handshake failed ({0})")]
    Handshake(io::Error),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("the runtime is shutting down")]
    Stopping,
}

/// Connects to whatever a URI names. How long that takes is the caller's limit.
#[derive(Clone, Debug)]
pub(crate) struct Connector {
    tls: Arc<Tls>,
}

/// TLS settings, and what was made of them when the first `https` endpoint needed it.
#[derive(Debug)]
struct Tls {
    settings: TlsSettings,
    made: OnceCell<Arc<ClientConfig>>,
}

impl Connector {
    pub(crate) fn new(settings: TlsSettings) -> Self {
        Self { tls: Arc::new(Tls { settings, made: OnceCell::new() }) }
    }
}

impl Service<Uri> for Connector {
    type Response = Conn;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Conn, ConnectError>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let tls = Arc::clone(&self.tls);
        Box::pin(async move { connect(&uri, &tls).await })
    }
}

async fn connect(uri: &Uri, tls: &Tls) -> Result<Conn, ConnectError> {
    let host = uri.host().ok_or(ConnectError::NoHost)?;
    if uri.scheme_str() == Some(UNIX) {
        let socket = socket_of_authority(host).ok_or(ConnectError::NoHost)?;
        let stream = UnixStream::connect(socket).await.map_err(ConnectError::Dial)?;
        return Ok(Conn::new(stream));
    }
    let is_https = uri.scheme() == Some(&Scheme::HTTPS);
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let port = uri.port_u16().unwrap_or(if is_https { 443 } else { 80 });
    let tcp = TcpStream::connect((host, port)).await.map_err(ConnectError::Dial)?;
    tcp.set_nodelay(true).map_err(ConnectError::Dial)?;
    if !is_https {
        return Ok(Conn::new(tcp));
    }
    let name = ServerName::try_from(host.to_owned());
    let name = name.map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error));
    let name = name.map_err(ConnectError::Handshake)?;
    let connector = TlsConnector::from(tls.client_config().await?);
    let secure = connector.connect(name, tcp).await.map_err(ConnectError::Handshake)?;
    Ok(Conn::new(secure))
}

impl Tls {
    /// Certificates are read from disk, which must not hold the host's runtime.
    async fn client_config(&self) -> Result<Arc<ClientConfig>, ConnectError> {
        let make = || async {
            let settings = self.settings.clone();
            let made = move || ready_client_config(&settings, false);
            let made = tokio::task::spawn_blocking(made).await;
            let made = made.map_err(|_join| ConnectError::Stopping)?;
            Ok::<_, ConnectError>(Arc::new(made?))
        };
        self.made.get_or_try_init(make).await.map(Arc::clone)
    }
}
