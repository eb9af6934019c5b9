//! Sends requests to an agent, one after the other on one connection.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use http::header::{HOST, HeaderName};
use http::{HeaderValue, Method, Request};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::runtime::{Builder, Runtime};
use tokio::task::yield_now;
use tokio::time::timeout;

use super::RequestRecord;

/// Where requests are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestTarget {
    /// TCP address.
    Tcp(SocketAddr),
    /// Path of a Unix stream socket.
    Unix(PathBuf),
}

/// How long an answer may take.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(60);
/// Bytes of an answer that are read; the sampling rates of some thousand services.
const ANSWER_BYTES_MAX: usize = 16 << 20;

/// One connection to an agent, made again when the agent has closed it.
pub(super) struct RequestSender {
    target: RequestTarget,
    runtime: Runtime,
    connection: Option<SendRequest<Full<Bytes>>>,
}

impl RequestSender {
    /// Connects.
    pub(super) fn connect(target: &RequestTarget) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let connection = Some(runtime.block_on(connected(target))?);
        Ok(Self { target: target.clone(), runtime, connection })
    }

    /// Sends a request and waits for its answer; its status. A connection that was used before may
    /// be closed by the agent while the request is under way: it is sent once more then.
    pub(super) fn send(&mut self, record: &RequestRecord) -> io::Result<u16> {
        let Self { target, runtime, connection } = self;
        runtime.block_on(async {
            // Lets the end of a connection that was idle be seen.
            yield_now().await;
            if let Some(mut used) = connection.take()
                && used.ready().await.is_ok()
                && let Ok(status) = ask(&mut used, record).await
            {
                *connection = Some(used);
                return Ok(status);
            }
            let mut fresh = connected(target).await?;
            let status = ask(&mut fresh, record).await?;
            *connection = Some(fresh);
            Ok(status)
        })
    }
}

/// Sends a request and reads its answer to the end.
async fn ask(sender: &mut SendRequest<Full<Bytes>>, record: &RequestRecord) -> io::Result<u16> {
    let asking = async {
        let answer = sender.send_request(request_of(record)?).await.map_err(io::Error::other)?;
        let status = answer.status().as_u16();
        let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX);
        body.collect().await.map_err(io::Error::other)?;
        Ok(status)
    };
    timeout(ANSWER_TIME_MAX, asking).await.map_err(|_| io::ErrorKind::TimedOut)?
}

async fn connected(target: &RequestTarget) -> io::Result<SendRequest<Full<Bytes>>> {
    match target {
        RequestTarget::Tcp(address) => {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            handshaken(stream).await
        }
        RequestTarget::Unix(path) => handshaken(UnixStream::connect(path).await?).await,
    }
}

async fn handshaken<S>(stream: S) -> io::Result<SendRequest<Full<Bytes>>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let handshake = http1::handshake(TokioIo::new(stream)).await;
    let (sender, connection) = handshake.map_err(io::Error::other)?;
    // Its errors come out of the requests.
    drop(tokio::spawn(connection));
    Ok(sender)
}

const CONTAINER_ID: HeaderName = HeaderName::from_static("datadog-container-id");
const ENTITY_ID: HeaderName = HeaderName::from_static("datadog-entity-id");

fn request_of(record: &RequestRecord) -> io::Result<Request<Full<Bytes>>> {
    let body = Full::new(Bytes::copy_from_slice(&record.body));
    let mut request = Request::new(body);
    *request.method_mut() = Method::PUT;
    *request.uri_mut() = record.path.clone().into();
    let headers = request.headers_mut();
    headers.insert(HOST, HeaderValue::from_static("localhost"));
    headers.extend(record.headers.iter().cloned());
    let is_named = headers.contains_key(CONTAINER_ID) || headers.contains_key(ENTITY_ID);
    if !is_named && !record.container.is_empty() {
        let container = HeaderValue::from_str(&record.container).map_err(io::Error::other)?;
        headers.insert(CONTAINER_ID, container);
    }
    Ok(request)
}
