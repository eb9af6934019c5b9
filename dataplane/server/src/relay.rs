//! The lane's half of an exchange: pieces of a body to control, pieces of an answer to the client.

use std::cell::RefCell;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use http::HeaderMap;
use hyper::body::{Body, Frame, Incoming, SizeHint};

use crate::exchange::{self, PIECE_BYTES_MAX, Piece, ReplyPart};
use crate::incoming::{Stop, poll_chunk};
use crate::link::{Link, Phase};
use crate::pipe::{Charged, PipeBudget, Receiver, Sender};
use crate::{BodyError, Exchange, ExchangeHead, ExchangeOutlet, Head, Origin, Proxy, Server};

/// Says where a request comes from.
pub(crate) type ResolveOrigin = Box<dyn Fn(&Head) -> Origin>;

/// What a lane needs to hand requests over.
pub(crate) struct Handover {
    outlet: RefCell<ExchangeOutlet>,
    /// Wakes the lane's driver.
    alarm: Waker,
    resolve: ResolveOrigin,
}

/// The lane's ends of one exchange.
pub(crate) struct Exchanging {
    pump: Pump,
    answered: Receiver<ReplyPart>,
}

/// Another host's answer, to be passed on.
pub(crate) struct Relayed {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: RelayedBody,
}

/// Reads a body as far as control takes it.
struct Pump {
    incoming: Incoming,
    /// What was read and is not yet on its way.
    rest: Bytes,
    pieces: Option<Sender<Piece>>,
    budget: Arc<PipeBudget>,
}

/// The body of another host's answer, on its way to the client.
pub(crate) struct RelayedBody {
    pieces: Receiver<Piece>,
    /// The rest of the request's body, while control still takes it.
    pump: Pump,
    is_done: bool,
    link: Rc<Link>,
    server: Rc<Server>,
}

/// The other host's answer has no end.
#[derive(Debug)]
pub(crate) struct Cut;

/// A shorter piece is copied: it would keep the whole buffer it was read into.
const COPIED_BYTES_MAX: usize = 16 << 10;

impl Handover {
    pub(crate) fn new(outlet: ExchangeOutlet, alarm: Waker, resolve: ResolveOrigin) -> Self {
        Self { outlet: RefCell::new(outlet), alarm, resolve }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.outlet.borrow().budget.used()
    }

    pub(crate) fn into_outlet(self) -> ExchangeOutlet {
        self.outlet.into_inner()
    }

    /// Hands a request over; none when control does not take it.
    pub(crate) fn begin(
        &self,
        proxy: Proxy,
        head: &Head,
        request: http::Request<Incoming>,
    ) -> Option<Exchanging> {
        let origin = (self.resolve)(head);
        let mut outlet = self.outlet.borrow_mut();
        let (parts, incoming) = request.into_parts();
        let announced = incoming.size_hint().exact();
        let (body, reply, pieces, answered) =
            exchange::open(announced, &self.alarm, &outlet.budget);
        let head = ExchangeHead {
            proxy,
            lane: outlet.lane,
            method: parts.method,
            uri: parts.uri,
            headers: parts.headers,
            peer: head.peer,
            origin,
        };
        let budget = Arc::clone(&outlet.budget);
        outlet.exchanges.push(Exchange { head, body, reply }).ok()?;
        let pump = Pump { incoming, rest: Bytes::new(), pieces: Some(pieces), budget };
        Some(Exchanging { pump, answered })
    }
}

impl fmt::Debug for Handover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handover").field("outlet", &self.outlet).finish_non_exhaustive()
    }
}

impl Exchanging {
    /// Passes the body on until there is an answer. None when there will be none.
    pub(crate) async fn answer(&mut self, server: &Server, link: &Link) -> Option<ReplyPart> {
        poll_fn(|cx| {
            if let Poll::Ready(part) = self.answered.poll_next(cx) {
                return Poll::Ready(part);
            }
            match self.pump.poll(cx, server, link) {
                // The connection is gone.
                Poll::Ready(Err(())) => Poll::Ready(None),
                Poll::Ready(Ok(())) | Poll::Pending => Poll::Pending,
            }
        })
        .await
    }

    /// Whether all of the request's body was read.
    pub(crate) fn is_read(&self) -> bool {
        self.pump.incoming.is_end_stream() && self.pump.rest.is_empty()
    }

    /// What is left of a body that nobody wants any more; none while control takes it.
    pub(crate) fn unwanted(&mut self) -> Option<&mut Incoming> {
        (!self.pump.is_wanted()).then_some(&mut self.pump.incoming)
    }

    /// Turns it into the answer's body.
    pub(crate) fn into_body(
        self,
        pieces: Receiver<Piece>,
        server: &Rc<Server>,
        link: &Rc<Link>,
    ) -> RelayedBody {
        link.is_relaying.set(true);
        let (server, link) = (Rc::clone(server), Rc::clone(link));
        RelayedBody { pieces, pump: self.pump, is_done: false, link, server }
    }
}

impl Pump {
    fn is_wanted(&self) -> bool {
        self.pieces.as_ref().is_some_and(|pieces| !pieces.is_unwanted())
    }

    /// Passes on what comes. Ready when all has passed or nobody wants more; an error means that
    /// the connection is gone.
    fn poll(&mut self, cx: &mut Context<'_>, server: &Server, link: &Link) -> Poll<Result<(), ()>> {
        loop {
            let Some(pieces) = &mut self.pieces else { return Poll::Ready(Ok(())) };
            let has_room = |inside| self.budget.has_room(inside);
            if ready!(pieces.poll_room(cx, has_room)).is_err() {
                self.pieces = None;
                return Poll::Ready(Ok(()));
            }
            let last = if self.rest.is_empty() {
                match ready!(poll_chunk(&mut self.incoming, link, cx)) {
                    Ok(Some(chunk)) => {
                        server.count(|counts| counts.exchange_body_bytes += chunk.len() as u64);
                        self.rest = chunk;
                        continue;
                    }
                    Ok(None) => {
                        link.is_uploaded.set(true);
                        Piece::End
                    }
                    Err(stop) => {
                        // After any of these the rest of the stream means nothing.
                        link.has_unread.set(true);
                        match stop {
                            Stop::Malformed(_) => Piece::Broken(BodyError::Malformed),
                            Stop::Reset => {
                                server.count(|counts| counts.bodies_reset += 1);
                                self.pieces = None;
                                return Poll::Ready(Err(()));
                            }
                            Stop::Full(_) | Stop::Late | Stop::Eof => {
                                Piece::Broken(BodyError::Gone)
                            }
                        }
                    }
                }
            } else {
                let piece = self.rest.split_to(self.rest.len().min(PIECE_BYTES_MAX));
                let is_copied = piece.len() <= COPIED_BYTES_MAX;
                let piece = if is_copied { Bytes::copy_from_slice(&piece) } else { piece };
                // There was room; who is gone is noticed in the next round.
                drop(pieces.push(Piece::Bytes(Charged::new(piece, &self.budget))));
                continue;
            };
            drop(pieces.push(last));
            self.pieces = None;
            return Poll::Ready(Ok(()));
        }
    }
}

impl Body for RelayedBody {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        let this = self.get_mut();
        if this.is_done {
            return Poll::Ready(None);
        }
        if let Poll::Ready(Err(())) = this.pump.poll(cx, &this.server, &this.link) {
            return Poll::Ready(Some(Err(Cut)));
        }
        let piece = ready!(this.pieces.poll_next(cx));
        this.link.enter(Phase::Writing, this.server.now());
        Poll::Ready(match piece {
            Some(Piece::Bytes(charged)) => Some(Ok(Frame::data(charged.take()))),
            Some(Piece::End) => {
                this.is_done = true;
                this.link.is_relaying.set(false);
                None
            }
            Some(Piece::Broken(_)) | None => Some(Err(Cut)),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.is_done
    }

    fn size_hint(&self) -> SizeHint {
        // The header of the other host says it, where it is known.
        SizeHint::default()
    }
}

impl Drop for RelayedBody {
    fn drop(&mut self) {
        self.link.is_relaying.set(false);
    }
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the answer has no end")
    }
}

impl std::error::Error for Cut {}
