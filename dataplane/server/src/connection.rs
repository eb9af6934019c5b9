//! One connection: hyper between a socket and the worker.

use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use http::header::EXPECT;
use hyper::body::Incoming;
use hyper::rt::{Read, Write};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use receive::Peer;

use crate::body::Full;
use crate::exchange::ReplyPart;
use crate::hang_up::HangUp;
use crate::head::is_cross_site;
use crate::inbox::Reply;
use crate::incoming::{Stop, collect, is_discarded};
use crate::link::{Link, Phase};
use crate::media::Media;
use crate::relay::Relayed;
use crate::response::{relay, respond};
use crate::watched::{Own, Watched};
use crate::{Answer, Body, Head, Permit, Proxy, Refusal, Request, Route, Server, TraceVersion};

/// Longest head in bytes.
const HEAD_BYTES_MAX: usize = 16 << 10;
/// Most that is read at once, and most that a connection buffers.
const BUFFER_BYTES_MAX: usize = 64 << 10;
/// Bytes of an unwanted body that are read so that the connection can be used again.
const UNWANTED_BYTES_MAX: u64 = 256 << 10;

/// Serves one connection to its end. `io` may be of any executor; the future is for the thread of
/// the server. `hang_up` ends a request that waits for control: nobody is there for its answer.
pub async fn serve_connection<I>(
    io: I,
    peer: Peer,
    hang_up: HangUp,
    permit: Permit,
    server: Rc<Server>,
) where
    I: Read + Write + Unpin,
{
    let seat = Seat { link: server.link(permit), server };
    let (server, link) = (&seat.server, &seat.link);
    let service = service_fn(|request| async move {
        let head = begin(server, link, peer, &request);
        match answer(server, link, &head, request).await {
            Some(Outcome::Answer(answer)) => Ok(respond(server, link, &head, answer)),
            Some(Outcome::Relayed(relayed)) => Ok(relay(server, link, *relayed)),
            None => Err(Lost),
        }
    });
    let watched = Watched { io, link, server, own: Own::default() };
    let connection = http1::Builder::new()
        .half_close(true)
        .max_buf_size(BUFFER_BYTES_MAX)
        .max_header_size(HEAD_BYTES_MAX)
        .title_case_headers(true)
        .serve_connection(watched, service);
    let mut connection = pin!(connection);
    let end = poll_fn(|cx| {
        if link.is_closing(cx) {
            return Poll::Ready(Ok(()));
        }
        let polled = connection.as_mut().poll(cx);
        let gone = hang_up.look(cx);
        if polled.is_pending() && link.is_in_vain(gone) {
            server.count(|counts| counts.hang_ups += 1);
            return Poll::Ready(Ok(()));
        }
        polled
    });
    if end.await.is_err_and(|error: hyper::Error| error.is_parse()) {
        server.count(|counts| counts.heads_malformed += 1);
    }
}

/// How a request ends.
enum Outcome {
    /// With our own answer.
    Answer(Answer),
    /// With the answer of another host.
    Relayed(Box<Relayed>),
}

/// A request without an answer: hyper closes the connection.
#[derive(Debug)]
struct Lost;

impl std::fmt::Display for Lost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the request was given up")
    }
}

impl std::error::Error for Lost {}

/// The place of a connection in the server, given up however the connection ends.
struct Seat {
    link: Rc<Link>,
    server: Rc<Server>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.server.unlink(&self.link);
    }
}

/// Takes note of a request whose head was read.
fn begin(server: &Server, link: &Link, peer: Peer, request: &http::Request<Incoming>) -> Head {
    let asked = Route::of(request.uri().path());
    let is_v1 = asked == Route::Traces(TraceVersion::V10);
    let route = if is_v1 && !server.settings.is_v1_enabled { Route::Unknown } else { asked };
    link.enter(Phase::Body, server.now());
    server.begin_request(link, route);
    Head::new(route, peer, request.headers())
}

/// The answer to a request; none when there will be none.
async fn answer(
    server: &Rc<Server>,
    link: &Rc<Link>,
    head: &Head,
    request: http::Request<Incoming>,
) -> Option<Outcome> {
    let is_waiting_for_us = request.headers().contains_key(EXPECT);
    let is_cross_site = is_cross_site(request.headers());
    if let Some(refused) = refuse(server, head, is_cross_site) {
        let mut incoming = request.into_body();
        // A client that asks first is told at once.
        if is_waiting_for_us || !is_discarded(&mut incoming, link, UNWANTED_BYTES_MAX).await {
            link.has_unread.set(true);
        }
        return Some(Outcome::Answer(refused));
    }
    match head.route {
        Route::Proxy(proxy) => exchange(server, link, head, proxy, request).await,
        Route::Traces(_) | Route::Services(_) | Route::Stats | Route::Info | Route::Unknown => {
            worked(server, link, head, request.into_body()).await.map(Outcome::Answer)
        }
    }
}

/// The worker's answer.
async fn worked(
    server: &Server,
    link: &Link,
    head: &Head,
    mut incoming: Incoming,
) -> Option<Answer> {
    let (body, refusal) = if head.route.has_body() {
        match collect(server, link, head, &mut incoming).await {
            Ok(body) => (body, None),
            Err(Stop::Full(Full::Budget)) => {
                let bytes_max = server.settings.request_bytes_max as u64;
                if !is_discarded(&mut incoming, link, bytes_max).await {
                    link.has_unread.set(true);
                }
                (Body::default(), Some(Refusal::Busy))
            }
            Err(stop) => return stop.answer(server, link),
        }
    } else {
        if !is_discarded(&mut incoming, link, UNWANTED_BYTES_MAX).await {
            link.has_unread.set(true);
        }
        (Body::default(), None)
    };
    drop(incoming);
    let (reply, answered) = Reply::new();
    let received = server.now();
    link.enter(Phase::Worker, received);
    server.submit(Request { head: head.clone(), body, received, refusal, reply });
    poll_fn(|cx| answered.poll_answer(cx)).await
}

/// Control's answer.
async fn exchange(
    server: &Rc<Server>,
    link: &Rc<Link>,
    head: &Head,
    proxy: Proxy,
    request: http::Request<Incoming>,
) -> Option<Outcome> {
    let Some(mut exchanging) = server.begin_exchange(link, proxy, head, request) else {
        link.has_unread.set(true);
        return Some(Outcome::Answer(Answer::refused(429, Refusal::Busy, "too many requests")));
    };
    let part = exchanging.answer(server, link).await?;
    if let Some(unwanted) = exchanging.unwanted() {
        // The time for what nobody wants begins now.
        link.enter(Phase::Worker, server.now());
        link.enter(Phase::Body, server.now());
        if !is_discarded(unwanted, link, UNWANTED_BYTES_MAX).await {
            link.has_unread.set(true);
        }
    } else if !exchanging.is_read() {
        link.has_unread.set(true);
    }
    Some(match part {
        ReplyPart::Answer(answer) => Outcome::Answer(answer),
        ReplyPart::Relayed { status, headers, pieces } => {
            let body = exchanging.into_body(pieces, server, link);
            Outcome::Relayed(Box::new(Relayed { status, headers, body }))
        }
    })
}

/// What is refused before its body is read.
fn refuse(server: &Server, head: &Head, is_cross_site: bool) -> Option<Answer> {
    let is_json_only = matches!(head.route.version(), Some(TraceVersion::V01 | TraceVersion::V02));
    if is_json_only && head.media == Media::Msgpack {
        let text = "unsupported media type: \"application/msgpack\"";
        Some(Answer::refused(415, Refusal::MediaType, text))
    } else if is_cross_site && head.route.is_guarded() {
        Some(Answer::refused(403, Refusal::CrossSite, "cross-site request rejected"))
    } else if head.route == Route::Unknown || head.route.is_proxy() && !server.is_handing_over() {
        Some(Answer::not_found())
    } else {
        None
    }
}
