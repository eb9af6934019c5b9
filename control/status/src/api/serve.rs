//! Accepting connections and reading requests, within bounds.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HOST, HeaderValue, ORIGIN};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::answer::{Answer, Asked, answer};
use super::listen::{Access, Listening};
use crate::Source;

/// Connections at a time over all listeners; more wait in the kernel.
const CONNECTIONS_MAX: usize = 64;
/// Time for the head of a request, and for its body.
const READ_TIME_MAX: Duration = Duration::from_secs(5);
/// Time for a request that the agent works on.
const WORK_TIME_MAX: Duration = Duration::from_secs(20);
/// Life of a connection, however little it asks.
const CONNECTION_TIME_MAX: Duration = Duration::from_secs(60);
/// Largest body; the tagger state of a capture is the largest thing sent.
const BODY_BYTES_MAX: usize = 16 << 20;
/// Largest head of a request.
const HEAD_BYTES_MAX: usize = 16 << 10;
/// Pause after a failed accept: the process may be out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves until the other end of `stopped` is dropped.
pub(super) async fn serve(
    listeners: Vec<(Listening, Access)>,
    source: &Arc<dyn Source>,
    stopped: oneshot::Receiver<()>,
) {
    let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut accepting = JoinSet::new();
    for (listening, access) in listeners {
        accepting.spawn(accept(listening, access, Arc::clone(source), Arc::clone(&permits)));
    }
    // Sending never happens; only the drop of the other end does.
    let _is_dropped = stopped.await.is_err();
    accepting.shutdown().await;
}

async fn accept(
    listening: Listening,
    access: Access,
    source: Arc<dyn Source>,
    permits: Arc<Semaphore>,
) {
    let mut connections = JoinSet::new();
    loop {
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
        while connections.try_join_next().is_some() {}
        let source = Arc::clone(&source);
        let outcome = match &listening {
            Listening::Unix(listener) => listener.accept().await.map(|(stream, _)| {
                connections.spawn(async move {
                    serve_connection(stream, access, source).await;
                    drop(permit);
                });
            }),
            Listening::Tls(listener, acceptor) => listener.accept().await.map(|(stream, peer)| {
                if !peer.ip().to_canonical().is_loopback() {
                    return;
                }
                let handshake = acceptor.accept(stream);
                connections.spawn(async move {
                    if let Ok(Ok(stream)) = timeout(READ_TIME_MAX, handshake).await {
                        serve_connection(stream, access, source).await;
                    }
                    drop(permit);
                });
            }),
            Listening::Tcp(listener) => listener.accept().await.map(|(stream, peer)| {
                if !access.is_remote_allowed && !peer.ip().to_canonical().is_loopback() {
                    return;
                }
                connections.spawn(async move {
                    serve_connection(stream, access, source).await;
                    drop(permit);
                });
            }),
        };
        if let Err(error) = outcome {
            log::debug!("the API could not accept a connection: {error}");
            tokio::time::sleep(ACCEPT_PAUSE).await;
        }
    }
}

async fn serve_connection<S>(stream: S, access: Access, source: Arc<dyn Source>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| {
        let source = Arc::clone(&source);
        async move { Ok::<_, Infallible>(respond(request, access, source).await) }
    });
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(READ_TIME_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .half_close(true);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    // A client that goes away or sends nonsense has its answer already, or wants none.
    let _is_clean = matches!(timeout(CONNECTION_TIME_MAX, connection).await, Ok(Ok(())));
}

async fn respond(
    request: Request<Incoming>,
    access: Access,
    source: Arc<dyn Source>,
) -> Response<Full<Bytes>> {
    let is_head = request.method() == Method::HEAD;
    let answer = match read(request, access).await {
        Ok(asked) => {
            let working = answer(asked, access, source);
            timeout(WORK_TIME_MAX, working).await.unwrap_or_else(|_| {
                Answer::error(StatusCode::GATEWAY_TIMEOUT, "the agent did not answer in time")
            })
        }
        Err(refusal) => refusal,
    };
    let body = if is_head { Bytes::new() } else { answer.body };
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = answer.status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
    response
}

/// Checks who asks and reads the body.
async fn read(request: Request<Incoming>, access: Access) -> Result<Asked, Answer> {
    let (head, body) = request.into_parts();
    if !access.is_remote_allowed && is_from_browser(&head.headers) {
        let message = "requests of web pages are not answered";
        return Err(Answer::error(StatusCode::FORBIDDEN, message));
    }
    let reading = timeout(READ_TIME_MAX, Limited::new(body, BODY_BYTES_MAX).collect());
    let body = match reading.await {
        Ok(Ok(collected)) => collected.to_bytes(),
        Ok(Err(error)) => {
            let is_large = error.downcast_ref::<http_body_util::LengthLimitError>().is_some();
            return Err(match is_large {
                true => Answer::error(StatusCode::PAYLOAD_TOO_LARGE, "at most 16 MiB are read"),
                false => Answer::error(StatusCode::BAD_REQUEST, "the body did not arrive whole"),
            });
        }
        Err(_) => {
            let message = "the body did not arrive in time";
            return Err(Answer::error(StatusCode::REQUEST_TIMEOUT, message));
        }
    };
    let query = head.uri.query().unwrap_or_default().to_owned();
    Ok(Asked { method: head.method, path: head.uri.path().to_owned(), query, body })
}

/// Whether a web page may be behind a request: it names an origin, or a host name that is not ours
/// (a page whose name was pointed at loopback).
fn is_from_browser(headers: &hyper::HeaderMap) -> bool {
    if headers.contains_key(ORIGIN) {
        return true;
    }
    let Some(host) = headers.get(HOST) else { return false };
    let Ok(host) = host.to_str() else { return true };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    let is_ours = name.is_empty() || name.eq_ignore_ascii_case("localhost");
    !is_ours && name.parse::<std::net::IpAddr>().is_err()
}
