//! Listening, accepting, and refusing to: the connections of one intake on its own thread.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::Full;
use hyper::service::service_fn;
use hyper::upgrade::{self, OnUpgrade};
use hyper::{Method, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::answer::answer;
use crate::shared::{Gate, Shared, Wanted};

/// Connections at a time; more wait in the kernel.
const CONNECTIONS_MAX: usize = 1024;
/// Connections waiting in the kernel.
const BACKLOG: u32 = 1024;
/// Time for a TLS handshake.
const HANDSHAKE_TIME_MAX: Duration = Duration::from_secs(10);
/// Pause after a failed accept: the process may be out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// Binds a socket without listening: the port is ours, and connecting to it is refused.
pub(crate) fn reserve(addr: SocketAddr) -> io::Result<TcpSocket> {
    let socket = unbound(addr)?;
    socket.bind(addr)?;
    Ok(socket)
}

fn unbound(addr: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    Ok(socket)
}

/// Reserves the port of a listener that is still open: at no time may anyone else take it.
fn reserve_from(listener: &TcpListener) -> io::Result<TcpSocket> {
    let addr = listener.local_addr()?;
    let socket = unbound(addr)?;
    // Two sockets share a port when both say so; afterwards it is that of one again.
    SockRef::from(listener).set_reuse_port(true)?;
    socket.set_reuseport(true)?;
    socket.bind(addr)?;
    socket.set_reuseport(false)?;
    Ok(socket)
}

/// Serves until the gate is [`Gate::Stopped`]. `socket` is bound to `addr`.
pub(crate) async fn serve(
    shared: Arc<Shared>,
    socket: TcpSocket,
    addr: SocketAddr,
    tls: Option<TlsAcceptor>,
) {
    let mut gate = shared.subscribe();
    let mut reserved = Some(socket);
    loop {
        let wanted = *gate.borrow_and_update();
        match wanted.gate {
            Gate::Stopped => return,
            Gate::Refusing => {
                // The accept loop has ended: its listener and all connections are closed.
                let outcome = match reserved.take().map_or_else(|| reserve(addr), Ok) {
                    Ok(socket) => {
                        reserved = Some(socket);
                        Ok(())
                    }
                    Err(error) => Err(error.to_string()),
                };
                shared.publish(wanted.version, outcome);
                if gate.changed().await.is_err() {
                    return;
                }
            }
            Gate::Open => {
                let socket = reserved.take().map_or_else(|| reserve(addr), Ok);
                match socket.and_then(|socket| socket.listen(BACKLOG)) {
                    Ok(listener) => {
                        shared.publish(wanted.version, Ok(()));
                        let accepting =
                            accept_until_changed(&shared, listener, tls.as_ref(), &mut gate);
                        reserved = accepting.await.ok();
                    }
                    Err(error) => {
                        shared.publish(wanted.version, Err(error.to_string()));
                        if gate.changed().await.is_err() {
                            return;
                        }
                    }
                }
            }
        }
    }
}

/// Accepts connections until the gate changes, then closes all of them. Returns a socket that keeps
/// the port.
async fn accept_until_changed(
    shared: &Arc<Shared>,
    listener: TcpListener,
    tls: Option<&TlsAcceptor>,
    gate: &mut watch::Receiver<Wanted>,
) -> io::Result<TcpSocket> {
    let mut connections = JoinSet::new();
    loop {
        let has_room = connections.len() < CONNECTIONS_MAX;
        tokio::select! {
            _ = gate.changed() => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept(), if has_room => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve_stream(Arc::clone(shared), stream, tls.cloned()));
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
        }
    }
    let reserved = reserve_from(&listener);
    drop(listener);
    connections.shutdown().await;
    reserved
}

async fn serve_stream(shared: Arc<Shared>, stream: TcpStream, tls: Option<TlsAcceptor>) {
    // Without the option answers are only slower.
    let _is_set = stream.set_nodelay(true).is_ok();
    let Some(tls) = tls else {
        serve_connection(shared, stream).await;
        return;
    };
    serve_secure(shared, stream, &tls, false).await;
}

async fn serve_secure<S>(shared: Arc<Shared>, stream: S, tls: &TlsAcceptor, is_tunnelled: bool)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    match tokio::time::timeout(HANDSHAKE_TIME_MAX, tls.accept(stream)).await {
        Ok(Ok(stream)) => {
            let service = service_fn(|request| answer(Arc::clone(&shared), is_tunnelled, request));
            // As below.
            let _is_clean = builder().serve_connection(TokioIo::new(stream), service).await.is_ok();
        }
        Ok(Err(_)) | Err(_) => shared.count_failed_handshake(),
    }
}

async fn serve_connection<S>(shared: Arc<Shared>, stream: S)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    // Whoever takes us for a proxy gets a tunnel that leads back here.
    let tunnel = Arc::<Mutex<Option<OnUpgrade>>>::default();
    let service = service_fn(|request| {
        let (shared, tunnel) = (Arc::clone(&shared), Arc::clone(&tunnel));
        async move {
            if request.method() != Method::CONNECT {
                return answer(shared, false, request).await;
            }
            *tunnel.lock().unwrap_or_else(PoisonError::into_inner) = Some(upgrade::on(request));
            Ok(Response::new(Full::default()))
        }
    });
    // An error here is a client that went away or a connection that the script closed; both are in
    // the log of requests already.
    let io = TokioIo::new(stream);
    let _is_clean = builder().serve_connection_with_upgrades(io, service).await.is_ok();
    let tunnel = tunnel.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(tunnel) = tunnel else { return };
    if let (Ok(stream), Some(tls)) = (tunnel.await, shared.tunnel_tls()) {
        serve_secure(shared, TokioIo::new(stream), &tls, true).await;
    }
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new());
    builder.http2().timer(TokioTimer::new());
    builder
}
