//! Bodies on their way: limited, watched, and copied for additional destinations.
//!
//! With one destination the body goes through as it comes. With several, one task reads it and
//! feeds a short queue of the first, which sets the pace, and a long one of each other. What waits
//! in long queues is bounded for each copy by the body's limit and for all together by a budget; a
//! copy that would go beyond is cut off, and the client notices nothing.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use server::ExchangeBody;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use crate::progress::Progress;

/// The body of a request to an intake.
#[derive(Debug)]
pub(crate) enum RequestBody {
    /// As it comes from the client.
    Direct(Watched),
    /// From the task that feeds several.
    Fed(Fed),
    /// All of it, held in memory.
    Whole(Option<Bytes>),
}

/// A body that is watched and limited.
#[derive(Debug)]
pub(crate) struct Watched {
    body: ExchangeBody,
    progress: Arc<Progress>,
    bytes_max: Option<u64>,
}

/// The end of a queue that a request reads.
#[derive(Debug)]
pub(crate) struct Fed {
    pieces: mpsc::Receiver<Item>,
    /// Bytes to come, where that is known.
    left: Option<u64>,
    /// Of the copy alone; the pace of the first is that of the client.
    progress: Option<Arc<Progress>>,
}

/// Why a body ends early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The client's body has no end.
    Broken,
    /// It is longer than the limit.
    TooLarge,
    /// Nobody feeds it any more.
    Abandoned,
}

/// One thing in a queue.
#[derive(Debug)]
enum Item {
    Piece(Held),
    End,
    Cut(Cut),
}

/// Bytes that count against the budget of copies while they wait.
#[derive(Debug)]
struct Held {
    bytes: Bytes,
    budget: Option<Arc<CopyBudget>>,
}

/// Bytes that copies may wait with, all together.
#[derive(Debug)]
pub(crate) struct CopyBudget {
    used: AtomicUsize,
    max: usize,
}

/// Feeds several requests from one body.
pub(crate) struct Feeder {
    body: Watched,
    first: Option<mpsc::Sender<Item>>,
    copies: Vec<Copy>,
}

struct Copy {
    pieces: Option<mpsc::Sender<Item>>,
    on_behind: Box<dyn Fn() + Send + Sync>,
}

/// Pieces that wait for the first destination.
const FIRST_PIECES: usize = 4;
/// Pieces that wait for another one: a body of 50 MB in pieces of 32 KiB, and some.
const COPY_PIECES: usize = 4096;

impl Watched {
    pub(crate) const fn new(
        body: ExchangeBody,
        progress: Arc<Progress>,
        bytes_max: Option<u64>,
    ) -> Self {
        Self { body, progress, bytes_max }
    }

    fn left(&self) -> Option<u64> {
        self.body.left()
    }

    fn poll_bytes(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Cut>>> {
        if self.bytes_max.is_some_and(|max| self.left().is_some_and(|left| left > max)) {
            self.progress.set_too_large();
            return Poll::Ready(Some(Err(Cut::TooLarge)));
        }
        let Some(frame) = ready!(Pin::new(&mut self.body).poll_frame(cx)) else {
            self.progress.set_read();
            return Poll::Ready(None);
        };
        let Ok(bytes) = frame.map(|frame| frame.into_data().unwrap_or_default()) else {
            self.progress.set_broken();
            return Poll::Ready(Some(Err(Cut::Broken)));
        };
        let sum = self.progress.add(bytes.len());
        if self.bytes_max.is_some_and(|max| sum > max) {
            self.progress.set_too_large();
            return Poll::Ready(Some(Err(Cut::TooLarge)));
        }
        // A client that announced the length sends no end that would be asked for.
        if self.left() == Some(0) {
            self.progress.set_read();
        }
        Poll::Ready(Some(Ok(bytes)))
    }

    async fn next(&mut self) -> Option<Result<Bytes, Cut>> {
        std::future::poll_fn(|cx| self.poll_bytes(cx)).await
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        match self.get_mut() {
            Self::Direct(body) => body.poll_bytes(cx).map_ok(Frame::data),
            Self::Fed(fed) => fed.poll_bytes(cx).map_ok(Frame::data),
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Direct(body) => body.body.is_end_stream(),
            Self::Fed(fed) => fed.left == Some(0),
            Self::Whole(bytes) => bytes.as_ref().is_none_or(Bytes::is_empty),
        }
    }

    fn size_hint(&self) -> SizeHint {
        let left = match self {
            Self::Direct(body) => body.left(),
            Self::Fed(fed) => fed.left,
            Self::Whole(bytes) => Some(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
        };
        left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

impl Fed {
    fn poll_bytes(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Cut>>> {
        Poll::Ready(match ready!(self.pieces.poll_recv(cx)) {
            Some(Item::Piece(held)) => {
                let bytes = held.bytes.clone();
                self.left = self.left.map(|left| left.saturating_sub(bytes.len() as u64));
                if let Some(progress) = &self.progress {
                    progress.add(bytes.len());
                    if self.left == Some(0) {
                        progress.set_read();
                    }
                }
                Some(Ok(bytes))
            }
            Some(Item::End) => {
                if let Some(progress) = &self.progress {
                    progress.set_read();
                }
                None
            }
            Some(Item::Cut(cut)) => {
                if let Some(progress) = &self.progress {
                    progress.set_broken();
                }
                Some(Err(cut))
            }
            None => Some(Err(Cut::Abandoned)),
        })
    }
}

impl CopyBudget {
    pub(crate) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self { used: AtomicUsize::new(0), max })
    }

    fn hold(self: &Arc<Self>, bytes: &Bytes) -> Option<Held> {
        let used = self.used.fetch_add(bytes.len(), Ordering::Relaxed) + bytes.len();
        // Given back at drop, whether it fits or not.
        let held = Held { bytes: bytes.clone(), budget: Some(Arc::clone(self)) };
        (used <= self.max).then_some(held)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(budget) = &self.budget {
            budget.used.fetch_sub(self.bytes.len(), Ordering::Relaxed);
        }
    }
}

impl Feeder {
    /// Feeds the body of a first request.
    pub(crate) fn new(body: Watched) -> (Self, RequestBody) {
        let (sender, pieces) = mpsc::channel(FIRST_PIECES);
        let fed = Fed { pieces, left: body.left(), progress: None };
        (Self { body, first: Some(sender), copies: Vec::new() }, RequestBody::Fed(fed))
    }

    /// Adds a copy, which is told when it is cut off for being behind.
    pub(crate) fn add_copy(
        &mut self,
        progress: &Arc<Progress>,
        on_behind: impl Fn() + Send + Sync + 'static,
    ) -> RequestBody {
        let (sender, pieces) = mpsc::channel(COPY_PIECES);
        self.copies.push(Copy { pieces: Some(sender), on_behind: Box::new(on_behind) });
        let progress = Some(Arc::clone(progress));
        RequestBody::Fed(Fed { pieces, left: self.body.left(), progress })
    }

    /// Feeds until the body ends or nobody takes it.
    pub(crate) async fn run(mut self, budget: Arc<CopyBudget>) {
        loop {
            let next = self.body.next().await;
            match next {
                Some(Ok(bytes)) => {
                    for copy in &mut self.copies {
                        copy.push(&bytes, &budget);
                    }
                    let piece = Item::Piece(Held { bytes, budget: None });
                    if let Some(first) = &self.first
                        && first.send(piece).await.is_err()
                    {
                        self.first = None;
                    }
                    self.copies.retain(|copy| copy.pieces.is_some());
                    if self.first.is_none() && self.copies.is_empty() {
                        return;
                    }
                }
                None => return self.end(|| Item::End).await,
                Some(Err(cut)) => return self.end(|| Item::Cut(cut)).await,
            }
        }
    }

    async fn end(self, last: impl Fn() -> Item) {
        for copy in &self.copies {
            if let Some(pieces) = &copy.pieces
                && let Err(TrySendError::Full(_)) = pieces.try_send(last())
            {
                (copy.on_behind)();
            }
        }
        if let Some(first) = &self.first {
            // Nobody to send it to is an end too.
            drop(first.send(last()).await);
        }
    }
}

impl Copy {
    fn push(&mut self, bytes: &Bytes, budget: &Arc<CopyBudget>) {
        let Some(pieces) = &self.pieces else { return };
        let sent = match budget.hold(bytes) {
            Some(held) => pieces.try_send(Item::Piece(held)),
            None => Err(TrySendError::Full(Item::End)),
        };
        if let Err(error) = sent {
            if matches!(error, TrySendError::Full(_)) {
                (self.on_behind)();
            }
            self.pieces = None;
        }
    }
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Broken => "the body of the client has no end",
            Self::TooLarge => "the body is longer than the limit",
            Self::Abandoned => "the body was cut off",
        })
    }
}

impl std::error::Error for Cut {}
