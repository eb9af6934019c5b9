//! The null receiver for HTTP: reads requests as the agent would and throws their bodies away.
//!
//! One thread, hyper, HTTP/1.1 with keep-alive; every request is answered with empty sampling
//! rates. No receiver of traces that uses the same library can cost less.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::os::unix::net::UnixListener as StdUnixListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::runtime::{self, Runtime};
use tokio::task::JoinSet;

use crate::{CpuTime, pin_to_cpu};

/// How often a receiver looks whether it should stop.
const STOP_EVERY: Duration = Duration::from_millis(20);

/// The body of every answer.
const RATES: &[u8] = b"{\"rate_by_service\":{}}\n";

/// Where to receive and how.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpNullSpec {
    /// `address:port` for TCP (port 0 takes a free one), a path with a slash for a Unix socket.
    pub listen: String,
    /// Processor to pin the thread to.
    pub cpu: Option<usize>,
}

/// Counts while a receiver runs, for anyone to read.
#[derive(Debug, Default)]
pub struct HttpNullProgress {
    /// Requests read to their end.
    pub requests: AtomicU64,
    /// Bytes of their bodies.
    pub body_bytes: AtomicU64,
    /// Connections accepted.
    pub connections: AtomicU64,
}

/// What was received and what it cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpReceived {
    /// Requests read to their end.
    pub requests: u64,
    /// Bytes of their bodies.
    pub body_bytes: u64,
    /// Connections accepted.
    pub connections: u64,
    /// Processor time of the thread.
    pub cpu_ns: u64,
    /// Of it in user space (coarse).
    pub user_ns: u64,
    /// Times the thread waited.
    pub waits: u64,
}

/// A bound socket that nobody accepts from yet.
#[derive(Debug)]
pub struct HttpNull {
    spec: HttpNullSpec,
    runtime: Runtime,
    listener: Listener,
}

#[derive(Debug)]
enum Listener {
    Tcp(TcpListener, SocketAddr),
    Uds(UnixListener, PathBuf),
}

#[derive(Debug)]
enum Stream {
    Tcp(TcpStream),
    Uds(UnixStream),
}

impl Listener {
    async fn accept(&self) -> io::Result<Stream> {
        match self {
            Self::Tcp(listener, _) => {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok(Stream::Tcp(stream))
            }
            Self::Uds(listener, _) => Ok(Stream::Uds(listener.accept().await?.0)),
        }
    }
}

impl HttpNull {
    /// Binds the socket; clients can connect from now on.
    ///
    /// # Errors
    /// When the address is taken or the path exists.
    pub fn bind(spec: HttpNullSpec) -> io::Result<Self> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = {
            let _context = runtime.enter();
            if spec.listen.contains('/') {
                let listener = StdUnixListener::bind(&spec.listen)?;
                listener.set_nonblocking(true)?;
                Listener::Uds(UnixListener::from_std(listener)?, PathBuf::from(&spec.listen))
            } else {
                let listener = std::net::TcpListener::bind(&*spec.listen)?;
                listener.set_nonblocking(true)?;
                let addr = listener.local_addr()?;
                Listener::Tcp(TcpListener::from_std(listener)?, addr)
            }
        };
        Ok(Self { spec, runtime, listener })
    }

    /// Where clients connect to, as [`TraceSpec::destination`](crate::traces::TraceSpec) wants it.
    #[must_use]
    pub fn destination(&self) -> String {
        match &self.listener {
            Listener::Tcp(_, addr) => addr.to_string(),
            Listener::Uds(_, path) => path.display().to_string(),
        }
    }

    /// Receives on the calling thread until `stop` is set, then closes every connection.
    ///
    /// # Errors
    /// When the thread cannot be pinned.
    pub fn run(
        self,
        stop: &AtomicBool,
        progress: &Arc<HttpNullProgress>,
    ) -> io::Result<HttpReceived> {
        if let Some(cpu) = self.spec.cpu {
            pin_to_cpu(cpu)?;
        }
        let before = CpuTime::of_thread();
        self.runtime.block_on(serve(&self.listener, stop, progress));
        let used = CpuTime::of_thread().since(before);
        Ok(HttpReceived {
            requests: progress.requests.load(Ordering::Relaxed),
            body_bytes: progress.body_bytes.load(Ordering::Relaxed),
            connections: progress.connections.load(Ordering::Relaxed),
            cpu_ns: used.total_ns,
            user_ns: used.user_ns,
            waits: used.waits,
        })
    }
}

async fn serve(listener: &Listener, stop: &AtomicBool, progress: &Arc<HttpNullProgress>) {
    let mut connections = JoinSet::new();
    let mut clock = tokio::time::interval(STOP_EVERY);
    while !stop.load(Ordering::Relaxed) {
        tokio::select! {
            _ = clock.tick() => {}
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            // A failed accept is tried again.
            accepted = listener.accept() => if let Ok(stream) = accepted {
                progress.connections.fetch_add(1, Ordering::Relaxed);
                let progress = Arc::clone(progress);
                match stream {
                    Stream::Tcp(stream) => connections.spawn(receive(stream, progress)),
                    Stream::Uds(stream) => connections.spawn(receive(stream, progress)),
                };
            },
        }
    }
    connections.shutdown().await;
}

async fn receive<S>(stream: S, progress: Arc<HttpNullProgress>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| answer(request, Arc::clone(&progress)));
    // A client that goes away in the middle is counted by nobody.
    let _is_clean = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(
    request: Request<Incoming>,
    progress: Arc<HttpNullProgress>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut body = request.into_body();
    let mut body_bytes = 0;
    let mut is_whole = true;
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => body_bytes += frame.data_ref().map_or(0, Bytes::len) as u64,
            Err(_) => {
                is_whole = false;
                break;
            }
        }
    }
    if is_whole {
        progress.requests.fetch_add(1, Ordering::Relaxed);
        progress.body_bytes.fetch_add(body_bytes, Ordering::Relaxed);
    }
    let mut response = Response::new(Full::new(Bytes::from_static(RATES)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}
