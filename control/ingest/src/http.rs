//! Listeners: connections, and which service a request is for.
//!
//! ```text
//! accept (places for all listeners) -> hyper -> body (bounded, decompressed) -> inlet -> answer
//! ```

mod answers;
mod body;
#[cfg(feature = "otlp")]
mod code;
#[cfg(feature = "grpc")]
mod grpc;
mod logs;
#[cfg(feature = "otlp")]
mod otlp;

use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
#[cfg(feature = "grpc")]
use hyper_util::rt::TokioExecutor;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, oneshot, watch};
use tokio::task::JoinSet;

pub(crate) use self::answers::Answers;
use self::body::Collected;
use crate::inlet::{Inlet, Kind, Outcome};
use crate::{Refused, TraceOutlet};

/// A bound socket and what is served on it.
#[derive(Debug)]
pub enum Listener {
    /// Logs over HTTP. spec: logs §7.1.
    Logs(TcpListener),
    /// OTLP over HTTP. spec: otlp §1.3.
    OtlpHttp(TcpListener),
    /// OTLP over gRPC. spec: otlp §1.2.
    OtlpGrpc(TcpListener),
}

/// What is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Service {
    Logs,
    OtlpHttp,
    OtlpGrpc,
}

/// A listener that belongs to a runtime.
#[derive(Debug)]
pub(crate) struct Open {
    service: Service,
    socket: tokio::net::TcpListener,
}

/// What answers requests.
pub(crate) struct Server {
    pub(crate) inlet: Arc<Inlet>,
    pub(crate) traces: Option<TraceOutlet>,
    pub(crate) otlp_bytes_max: usize,
    pub(crate) grpc_bytes_max: usize,
    pub(crate) answers: Arc<Answers>,
}

/// The body of an answer.
type Answer = Response<UnsyncBoxBody<Bytes, Infallible>>;

/// Connections at a time over all listeners; more wait in the kernel.
const CONNECTIONS_MAX: usize = 256;
/// Time for the head of a request, and between two requests of a connection.
const HEAD_TIME_MAX: Duration = Duration::from_secs(75);
/// Largest head of a request.
const HEAD_BYTES_MAX: usize = 32 << 10;
/// Requests under way on one connection of HTTP/2.
#[cfg(feature = "grpc")]
const STREAMS_MAX: u32 = 64;
/// How often a silent connection of HTTP/2 is asked whether it is there.
#[cfg(feature = "grpc")]
const PING_INTERVAL: Duration = Duration::from_secs(60);
/// Pause after a failed accept: the process may be out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

impl Open {
    /// Takes a listener into the runtime of the calling thread.
    pub(crate) fn new(listener: Listener) -> io::Result<Self> {
        let (service, socket) = match listener {
            Listener::Logs(socket) => (Service::Logs, socket),
            Listener::OtlpHttp(socket) => (Service::OtlpHttp, socket),
            Listener::OtlpGrpc(socket) => (Service::OtlpGrpc, socket),
        };
        socket.set_nonblocking(true)?;
        Ok(Self { service, socket: tokio::net::TcpListener::from_std(socket)? })
    }
}

/// Serves until it is told to stop, and then what was begun.
pub(crate) async fn serve(listeners: Vec<Open>, server: Server, stopped: watch::Receiver<bool>) {
    let server = Arc::new(server);
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut accepting = JoinSet::new();
    for open in listeners {
        let (server, places) = (Arc::clone(&server), Arc::clone(&places));
        accepting.spawn(accept(open, server, places, stopped.clone()));
    }
    while accepting.join_next().await.is_some() {}
}

async fn accept(
    open: Open,
    server: Arc<Server>,
    places: Arc<Semaphore>,
    mut stopped: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let accepted = tokio::select! {
            () = ended(&mut stopped) => break,
            accepted = async {
                let place = Arc::clone(&places).acquire_owned().await;
                (open.socket.accept().await, place)
            } => accepted,
        };
        match accepted {
            (Ok((stream, _)), place) => {
                server.answers.connection();
                let (server, stopped) = (Arc::clone(&server), stopped.clone());
                connections.spawn(async move {
                    serve_connection(stream, open.service, server, stopped).await;
                    drop(place);
                });
            }
            (Err(error), _) => {
                log::debug!("a connection of logs or OTLP could not be accepted: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    while connections.join_next().await.is_some() {}
}

/// Waits for the stop, which is also when nobody is left to tell it.
async fn ended(stopped: &mut watch::Receiver<bool>) {
    stopped.wait_for(|is_stopped| *is_stopped).await.ok();
}

async fn serve_connection(
    stream: TcpStream,
    service: Service,
    server: Arc<Server>,
    stopped: watch::Receiver<bool>,
) {
    // An answer is one small packet.
    stream.set_nodelay(true).ok();
    let io = TokioIo::new(stream);
    let respond = service_fn(move |request| {
        let server = Arc::clone(&server);
        async move { Ok::<_, Infallible>(respond(service, &server, request).await) }
    });
    let outcome = match service {
        #[cfg(feature = "grpc")]
        Service::OtlpGrpc => {
            let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .max_concurrent_streams(STREAMS_MAX)
                .max_header_list_size(u32::try_from(HEAD_BYTES_MAX).unwrap_or(u32::MAX))
                .keep_alive_interval(PING_INTERVAL)
                .serve_connection(io, respond);
            until_stopped(connection, stopped).await
        }
        _ => {
            let connection = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_TIME_MAX)
                .max_buf_size(HEAD_BYTES_MAX)
                .serve_connection(io, respond);
            until_stopped(connection, stopped).await
        }
    };
    if let Err(error) = outcome {
        log::debug!("a connection of logs or OTLP ended early: {error}");
    }
}

/// Serves a connection to its end; from the stop on, only what was begun.
async fn until_stopped<C: GracefulConnection>(
    connection: C,
    mut stopped: watch::Receiver<bool>,
) -> Result<(), C::Error> {
    let mut connection = pin!(connection);
    tokio::select! {
        outcome = connection.as_mut() => outcome,
        () = ended(&mut stopped) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    }
}

async fn respond(service: Service, server: &Server, request: Request<Incoming>) -> Answer {
    let answer = match service {
        Service::Logs => logs::answer(server, request).await,
        #[cfg(feature = "otlp")]
        Service::OtlpHttp => otlp::answer(server, request).await,
        #[cfg(feature = "grpc")]
        Service::OtlpGrpc => return grpc::answer(server, request).await,
        #[cfg(not(all(feature = "otlp", feature = "grpc")))]
        _ => text(404, "not found"),
    };
    server.answers.add(answer.status().as_u16());
    answer
}

impl Server {
    /// Hands a body to the worker and waits for what comes of it.
    async fn work(&self, kind: Kind, collected: Collected) -> Result<Outcome, Refused> {
        let (reply, answer) = oneshot::channel();
        self.inlet.submit_charged(kind, collected.body, collected.charge, reply)?;
        answer.await.map_err(|_| Refused::Stopped)
    }
}

/// An answer of plain text.
fn text(status: u16, text: &str) -> Answer {
    whole(status, "text/plain; charset=utf-8", Bytes::copy_from_slice(text.as_bytes()))
}

/// An answer with a body.
fn whole(status: u16, content_type: &'static str, body: Bytes) -> Answer {
    let mut answer = Response::new(Full::new(body).boxed_unsync());
    // All statuses here are valid.
    *answer.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
    let value = hyper::header::HeaderValue::from_static(content_type);
    answer.headers_mut().insert(hyper::header::CONTENT_TYPE, value);
    answer
}
