//! Requests that leave the lane: what control gets of them, and how it answers.
//!
//! ```text
//! lane                                             control (any executor)
//! connection --head------> ExchangeOutlet -------> ExchangeInlet::next -> Exchange
//!            --pieces----> pipe, bounded --------> ExchangeBody
//!            <--answer---- pipe of one <---------- ExchangeReply::send, ::begin
//!            <--pieces---- pipe, bounded <-------- AnswerBody
//! ```
//!
//! The connection stays on the lane. Its task alone waits when control is slow: it reads no more
//! from the socket than the pipe has room for. A pipe holds at most [`PIECES_MAX`] pieces of
//! [`PIECE_BYTES_MAX`]; when the pipes of a lane together hold what they may, each gets one piece
//! at a time. Dropping any end ends the exchange: an [`Exchange`] dropped without an answer closes
//! the client's connection, and a client that goes away ends the body with [`BodyError::Gone`],
//! makes [`ExchangeReply::closed`] ready and [`AnswerBody::send`] fail. Time is control's business:
//! the lane enforces no timeout on an exchange but that the client reads what it is sent.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, Uri};
use hyper::body::{Body, Frame, SizeHint};
use receive::Peer;

use crate::pipe::{Alarms, Charged, PipeBudget, Receiver, Sender, pipe};
use crate::{Answer, Proxy};

/// A request for control.
#[derive(Debug)]
pub struct Exchange {
    /// What was asked.
    pub head: ExchangeHead,
    /// The body, as it comes.
    pub body: ExchangeBody,
    /// Where the answer goes.
    pub reply: ExchangeReply,
}

/// The head of a request as it came.
#[derive(Debug)]
pub struct ExchangeHead {
    /// Which of the proxies it is for.
    pub proxy: Proxy,
    /// Lane that holds the connection.
    pub lane: u16,
    /// Method.
    pub method: Method,
    /// Path and query, undecoded.
    pub uri: Uri,
    /// Headers, those of one name in their order.
    pub headers: HeaderMap,
    /// Who is at the other end.
    pub peer: Peer,
    /// The container that sent it.
    pub origin: Origin,
}

/// Where a request comes from, resolved by the lane.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Id of the container; empty when unknown.
    pub container_id: String,
    /// Its tags, with commas between; empty when there are none.
    pub container_tags: String,
}

/// The body of an exchange. As a [`Body`] it can be sent on as it comes.
#[derive(Debug)]
pub struct ExchangeBody {
    pieces: Receiver<Piece>,
    /// Bytes to come, when the client announced them.
    left: Option<u64>,
    is_done: bool,
}

/// Why a body has no end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// The client went away.
    Gone,
    /// The client sent something that is no HTTP.
    Malformed,
}

/// Why a body was not collected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CollectError {
    /// It is longer than the limit.
    TooLarge,
    /// It has no end.
    Broken(BodyError),
}

/// Takes the answer to one exchange. Dropped without one, it closes the client's connection.
#[derive(Debug)]
pub struct ExchangeReply {
    sender: Sender<ReplyPart>,
    alarm: Waker,
    budget: Arc<PipeBudget>,
}

/// The body of an answer, as it goes. Dropped before [`AnswerBody::finish`], it breaks the client's
/// connection, so that no half answer passes for a whole one.
#[derive(Debug)]
pub struct AnswerBody {
    pieces: Sender<Piece>,
    budget: Arc<PipeBudget>,
}

/// The client is gone: nobody reads the rest of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientGone;

/// The lane's end of the way to control.
#[derive(Debug)]
pub struct ExchangeOutlet {
    pub(crate) exchanges: Sender<Exchange>,
    pub(crate) budget: Arc<PipeBudget>,
    pub(crate) lane: u16,
}

/// Control's end.
#[derive(Debug)]
pub struct ExchangeInlet {
    exchanges: Receiver<Exchange>,
}

/// What travels through the pipes.
#[derive(Debug)]
pub(crate) enum Piece {
    Bytes(Charged),
    End,
    Broken(BodyError),
}

/// What travels to the client's connection.
#[derive(Debug)]
pub(crate) enum ReplyPart {
    /// An answer of our own.
    Answer(Answer),
    /// The head of another host's answer, and where its body comes from.
    Relayed { status: u16, headers: HeaderMap, pieces: Receiver<Piece> },
}

/// Pieces of a body between lane and control, each way.
pub const PIECES_MAX: usize = 8;
/// Longest piece in bytes.
pub const PIECE_BYTES_MAX: usize = 32 << 10;
/// Heads that wait for control, a task that only starts others.
const HEADS_MAX: usize = 1024;

/// The way from one lane to control. The bodies under way, each way, hold at most `bytes_max`
/// beside one piece each.
#[must_use]
pub fn exchanges(lane: u16, bytes_max: usize) -> (ExchangeOutlet, ExchangeInlet) {
    // Nobody on the lane waits for room for a head: it is refused at once.
    let (sender, receiver) = pipe(HEADS_MAX, Alarms::default());
    let outlet = ExchangeOutlet { exchanges: sender, budget: PipeBudget::new(bytes_max), lane };
    (outlet, ExchangeInlet { exchanges: receiver })
}

impl ExchangeInlet {
    /// The next request; none when the lane has ended.
    pub async fn next(&mut self) -> Option<Exchange> {
        poll_fn(|cx| self.exchanges.poll_next(cx)).await
    }
}

/// Both ends of the pipes of one exchange, but for its head. `alarm` wakes the lane.
pub(crate) fn open(
    announced: Option<u64>,
    alarm: &Waker,
    budget: &Arc<PipeBudget>,
) -> (ExchangeBody, ExchangeReply, Sender<Piece>, Receiver<ReplyPart>) {
    let body_alarms = Alarms { sender: Some(alarm.clone()), receiver: None };
    let (sender, pieces) = pipe(PIECES_MAX, body_alarms);
    let reply_alarms = Alarms { sender: None, receiver: Some(alarm.clone()) };
    let (reply, answered) = pipe(1, reply_alarms);
    let body = ExchangeBody { pieces, left: announced, is_done: announced == Some(0) };
    let reply = ExchangeReply { sender: reply, alarm: alarm.clone(), budget: Arc::clone(budget) };
    (body, reply, sender, answered)
}

impl ExchangeBody {
    /// The next bytes; none at the end.
    ///
    /// # Errors
    /// When there is no end.
    pub async fn next(&mut self) -> Option<Result<Bytes, BodyError>> {
        poll_fn(|cx| self.poll_bytes(cx)).await
    }

    /// Bytes still to come, when the client announced how many.
    #[must_use]
    pub const fn left(&self) -> Option<u64> {
        self.left
    }

    /// The whole body, when it has no more than `bytes_max`.
    ///
    /// # Errors
    /// When it is longer or has no end.
    pub async fn collect(&mut self, bytes_max: usize) -> Result<Bytes, CollectError> {
        if self.left.is_some_and(|left| left > bytes_max as u64) {
            return Err(CollectError::TooLarge);
        }
        let mut all = BytesMut::new();
        while let Some(bytes) = self.next().await {
            let bytes = bytes.map_err(CollectError::Broken)?;
            if all.len() + bytes.len() > bytes_max {
                return Err(CollectError::TooLarge);
            }
            all.extend_from_slice(&bytes);
        }
        Ok(all.freeze())
    }

    fn poll_bytes(&mut self, cx: &Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        if self.is_done {
            return Poll::Ready(None);
        }
        match ready!(self.pieces.poll_next(cx)) {
            Some(Piece::Bytes(charged)) => {
                let bytes = charged.take();
                self.left = self.left.map(|left| left.saturating_sub(bytes.len() as u64));
                Poll::Ready(Some(Ok(bytes)))
            }
            Some(Piece::End) => {
                self.is_done = true;
                Poll::Ready(None)
            }
            Some(Piece::Broken(error)) => self.poll_broken(error),
            None => self.poll_broken(BodyError::Gone),
        }
    }

    const fn poll_broken(&mut self, error: BodyError) -> Poll<Option<Result<Bytes, BodyError>>> {
        self.is_done = true;
        Poll::Ready(Some(Err(error)))
    }
}

impl Body for ExchangeBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.poll_bytes(cx).map_ok(Frame::data)
    }

    fn is_end_stream(&self) -> bool {
        self.is_done
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

impl ExchangeReply {
    /// Answers for this process.
    pub fn send(mut self, answer: Answer) {
        // A client that is gone needs no answer.
        drop(self.sender.push(ReplyPart::Answer(answer)));
    }

    /// Begins to pass on another host's answer. `headers` are sent as they are, without those that
    /// concern one connection alone.
    #[must_use]
    pub fn begin(mut self, status: u16, headers: HeaderMap) -> AnswerBody {
        let alarms = Alarms { sender: None, receiver: Some(self.alarm.clone()) };
        let (sender, pieces) = pipe(PIECES_MAX, alarms);
        drop(self.sender.push(ReplyPart::Relayed { status, headers, pieces }));
        AnswerBody { pieces: sender, budget: self.budget }
    }

    /// Waits until the client is gone.
    pub async fn closed(&mut self) {
        poll_fn(|cx| self.sender.poll_gone(cx)).await;
    }
}

impl AnswerBody {
    /// Sends the next bytes; waits while the client reads slowly.
    ///
    /// # Errors
    /// When the client is gone.
    pub async fn send(&mut self, mut bytes: Bytes) -> Result<(), ClientGone> {
        while !bytes.is_empty() {
            self.room().await?;
            let piece = bytes.split_to(bytes.len().min(PIECE_BYTES_MAX));
            let piece = Piece::Bytes(Charged::new(piece, &self.budget));
            self.pieces.push(piece).map_err(|_| ClientGone)?;
        }
        Ok(())
    }

    /// Waits until the client is gone.
    pub async fn closed(&mut self) {
        poll_fn(|cx| self.pieces.poll_gone(cx)).await;
    }

    /// Ends the answer, once there is room. A client that knows the length may be done already.
    pub async fn finish(mut self) {
        if poll_fn(|cx| self.pieces.poll_room(cx, |_| true)).await.is_ok() {
            drop(self.pieces.push(Piece::End));
        }
    }

    async fn room(&mut self) -> Result<(), ClientGone> {
        let Self { pieces, budget } = self;
        poll_fn(|cx| pieces.poll_room(cx, |inside| budget.has_room(inside)))
            .await
            .map_err(|_| ClientGone)
    }
}

impl std::fmt::Display for BodyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Gone => "the client went away before the end of its body",
            Self::Malformed => "the client sent a body that is no HTTP",
        })
    }
}

impl std::error::Error for BodyError {}
