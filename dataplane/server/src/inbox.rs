//! Requests between connections and the worker.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::{Answer, Body, Head, Refusal, Server};

/// A request for the worker.
#[derive(Debug)]
pub struct Request {
    /// What its headers say.
    pub head: Head,
    /// Its body; empty when the endpoint ignores it or the request is to be refused.
    pub body: Body,
    /// When it was complete.
    pub received: Instant,
    /// Why it is to be refused: for [`Refusal::Busy`] with [`Answer::busy`], for
    /// [`Refusal::Timeout`] with [`Answer::timeout`]. None is a request to be processed.
    pub refusal: Option<Refusal>,
    /// Where the answer goes.
    pub reply: Reply,
}

/// Takes the answer to one request. Dropped without one, it closes the connection.
#[derive(Debug)]
pub struct Reply {
    cell: Rc<ReplyCell>,
    local: Option<Local>,
}

/// Counts the answer to a request that came without a connection.
#[derive(Debug)]
struct Local {
    server: Rc<Server>,
    head: Head,
}

#[derive(Debug, Default)]
struct ReplyCell {
    answer: RefCell<Option<Answer>>,
    waker: RefCell<Option<Waker>>,
    is_abandoned: Cell<bool>,
    is_dropped: Cell<bool>,
}

/// The connection's end of a [`Reply`].
#[derive(Debug)]
pub(crate) struct AnswerFuture {
    cell: Rc<ReplyCell>,
}

/// Requests that wait for the worker.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    /// Requests that cost next to nothing: refusals, `/info`, services.
    prompt: VecDeque<Request>,
    /// Requests with a body, in order of arrival.
    waiting: VecDeque<Request>,
    worker: Option<Waker>,
}

/// How long a request may wait for the worker.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    pub(crate) traces: Duration,
    pub(crate) stats: Duration,
}

impl Request {
    /// Answers it. Its body goes away.
    pub fn answer(self, answer: Answer) {
        self.reply.send(answer);
    }
}

impl Reply {
    /// A reply and the future of its answer.
    pub(crate) fn new() -> (Self, AnswerFuture) {
        let cell = Rc::<ReplyCell>::default();
        (Self { cell: Rc::clone(&cell), local: None }, AnswerFuture { cell })
    }

    /// A reply to nobody, that is counted as others are.
    pub(crate) fn to_nobody(server: Rc<Server>, head: Head) -> Self {
        Self { cell: Rc::default(), local: Some(Local { server, head }) }
    }

    /// Sends the answer. What came of it is counted by the connection.
    pub fn send(self, answer: Answer) {
        *self.cell.answer.borrow_mut() = Some(answer);
    }

    /// Whether nobody waits for the answer any more.
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        self.cell.is_abandoned.get()
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        self.cell.is_dropped.set(true);
        if let Some(Local { server, head }) = self.local.take() {
            let answer = self.cell.answer.borrow_mut().take();
            match answer.as_ref().map(|answer| (answer.status, answer.refusal)) {
                Some((status, refusal)) => {
                    server.count(|counts| counts.answers.add(status));
                    if let Some(refusal) = refusal {
                        server.count_refusal(&head, refusal, None, &[]);
                    }
                }
                None => server.count(|counts| counts.requests_lost += 1),
            }
        }
        if let Some(waker) = self.cell.waker.borrow_mut().take() {
            waker.wake();
        }
    }
}

impl AnswerFuture {
    /// The answer; `None` when the worker dropped the request.
    pub(crate) fn poll_answer(&self, cx: &Context<'_>) -> Poll<Option<Answer>> {
        let answer = self.cell.answer.borrow_mut().take();
        if answer.is_some() || self.cell.is_dropped.get() {
            return Poll::Ready(answer);
        }
        *self.cell.waker.borrow_mut() = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for AnswerFuture {
    fn drop(&mut self) {
        self.cell.is_abandoned.set(true);
    }
}

impl Inbox {
    pub(crate) fn push(&mut self, request: Request, waiting_max: usize) {
        if request.refusal.is_some() || !request.head.route.has_body() {
            self.prompt.push_back(request);
        } else if self.waiting.len() >= waiting_max {
            self.prompt.push_back(refuse(request, Refusal::Busy));
        } else {
            self.waiting.push_back(request);
        }
        self.wake_worker();
    }

    pub(crate) fn wake_worker(&mut self) {
        if let Some(worker) = self.worker.take() {
            worker.wake();
        }
    }

    pub(crate) fn has_prompt(&self) -> bool {
        !self.prompt.is_empty()
    }

    pub(crate) fn pop(&mut self, now: Instant, patience: Patience) -> Option<Request> {
        self.expire(now, patience);
        self.prompt.pop_front().or_else(|| self.waiting.pop_front())
    }

    /// Refuses what has waited too long, and frees its bodies.
    pub(crate) fn expire(&mut self, now: Instant, patience: Patience) {
        while let Some(first) = self.waiting.front() {
            let (limit, refusal) = if first.head.route.is_traces() {
                (patience.traces, Refusal::Busy)
            } else {
                (patience.stats, Refusal::Timeout)
            };
            if now.saturating_duration_since(first.received) <= limit {
                return;
            }
            if let Some(request) = self.waiting.pop_front() {
                self.prompt.push_back(refuse(request, refusal));
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.prompt.len() + self.waiting.len()
    }

    /// Whether there is a request, once there is one or `is_over`.
    pub(crate) fn poll_filled(&mut self, cx: &Context<'_>, is_over: bool) -> Poll<bool> {
        if self.len() > 0 || is_over {
            return Poll::Ready(self.len() > 0);
        }
        self.worker = Some(cx.waker().clone());
        Poll::Pending
    }
}

fn refuse(mut request: Request, refusal: Refusal) -> Request {
    request.refusal = Some(refusal);
    request.body = Body::default();
    request
}
