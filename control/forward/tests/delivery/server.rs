//! A small intake: answers as told, remembers every request.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{HeaderMap, Method, Request, Response, Uri, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

use crate::support::PATIENCE;

/// One request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) version: Version,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// What the intake does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Status(u16),
    With(u16, &'static str, &'static str),
    Hang,
}

type Decide = dyn Fn(&Seen) -> Act + Send + Sync;

/// A running intake.
pub(crate) struct Intake {
    pub(crate) port: u16,
    requests: mpsc::Receiver<Seen>,
}

impl Intake {
    /// Plain HTTP on a free loopback port.
    pub(crate) async fn start(decide: impl Fn(&Seen) -> Act + Send + Sync + 'static) -> Self {
        Self::start_with(None, decide).await
    }

    /// With TLS if an acceptor is given.
    pub(crate) async fn start_with(
        tls: Option<TlsAcceptor>,
        decide: impl Fn(&Seen) -> Act + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, requests) = mpsc::channel(10_000);
        tokio::spawn(accept(listener, tls, Arc::new(decide), sender));
        Self { port, requests }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The next request, in order of arrival.
    pub(crate) async fn next(&mut self) -> Seen {
        tokio::time::timeout(PATIENCE, self.requests.recv()).await.unwrap().unwrap()
    }
}

async fn accept(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    decide: Arc<Decide>,
    sender: mpsc::Sender<Seen>,
) {
    while let Ok((stream, _peer)) = listener.accept().await {
        let (decide, sender, tls) = (Arc::clone(&decide), sender.clone(), tls.clone());
        tokio::spawn(async move {
            match tls {
                None => serve(stream, false, decide, sender).await,
                Some(tls) => {
                    let Ok(stream) = tls.accept(stream).await else { return };
                    let is_h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                    serve(stream, is_h2, decide, sender).await;
                }
            }
        });
    }
}

/// Serves one connection.
async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    is_h2: bool,
    decide: Arc<Decide>,
    sender: mpsc::Sender<Seen>,
) {
    let service = service_fn(move |request| answer(request, Arc::clone(&decide), sender.clone()));
    let io = TokioIo::new(stream);
    // A client that hangs up is not the server's concern.
    let _ended = if is_h2 {
        http2::Builder::new(TokioExecutor::new()).serve_connection(io, service).await.is_ok()
    } else {
        http1::Builder::new().serve_connection(io, service).await.is_ok()
    };
}

async fn answer(
    request: Request<Incoming>,
    decide: Arc<Decide>,
    sender: mpsc::Sender<Seen>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let seen = Seen {
        method: head.method,
        uri: head.uri,
        version: head.version,
        headers: head.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    };
    let act = decide(&seen);
    sender.send(seen).await.unwrap_or_default();
    let response = match act {
        Act::Status(status) => Response::builder().status(status),
        Act::With(status, name, value) => Response::builder().status(status).header(name, value),
        Act::Hang => std::future::pending().await,
    };
    Ok(response.body(Full::from("{\"status\":\"ok\"}")).unwrap())
}
