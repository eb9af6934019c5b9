//! Readiness of sockets for tasks: an edge-triggered epoll that wakes them.

use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use hyper::rt::{Read, ReadBufCursor, Write};
use receive::{HttpListener, HttpStream, Peer, Poller, Ready};

use crate::hang_up::{Gone, HangUp};

/// Wakes the tasks of one thread when their sockets are ready. A driver may watch its own sockets
/// beside them, with tokens below [`Reactor::TOKENS`].
#[derive(Debug)]
pub struct Reactor {
    poller: RefCell<Poller>,
    slots: RefCell<Slots>,
    /// What is read passes through here, so that the buffers of idle connections stay untouched.
    scratch: RefCell<Box<[u8]>>,
}

/// A stream as hyper reads and writes it. One task uses it.
#[derive(Debug)]
pub struct StreamIo {
    stream: HttpStream,
    slot: Slot,
}

/// A listener that can be awaited. One task uses it.
#[derive(Debug)]
pub struct ListenerIo {
    listener: HttpListener,
    slot: Slot,
}

#[derive(Debug, Default)]
struct Slots {
    states: Vec<State>,
    vacant: Vec<usize>,
}

/// What is known of a socket. Nothing is forgotten until a call says that it is over, as the
/// kernel reports changes alone.
#[derive(Debug, Default)]
struct State {
    is_readable: bool,
    is_writable: bool,
    /// Whether the last change was reported. An end that came together with bytes is not reported
    /// again after they were read.
    has_ended: bool,
    hang_up: HangUp,
    waker: Option<Waker>,
}

#[derive(Debug)]
struct Slot {
    reactor: Rc<Reactor>,
    index: usize,
}

/// Most that is read at once.
const READ_BYTES_MAX: usize = 64 << 10;

impl Reactor {
    /// Tokens from here on are the reactor's own.
    pub const TOKENS: u64 = 1 << 63;

    /// A reactor that watches nothing.
    ///
    /// # Errors
    /// When no file descriptor is left.
    pub fn new() -> io::Result<Rc<Self>> {
        Ok(Rc::new(Self {
            poller: RefCell::new(Poller::new()?),
            slots: RefCell::default(),
            scratch: RefCell::new(vec![0; READ_BYTES_MAX].into_boxed_slice()),
        }))
    }

    /// Watches a socket of the driver for something to read, level-triggered.
    ///
    /// # Errors
    /// What the kernel reports.
    pub fn watch(&self, socket: BorrowedFd<'_>, token: u64) -> io::Result<()> {
        debug_assert!(token < Self::TOKENS, "the token belongs to the driver");
        self.poller.borrow().add(socket, token)
    }

    /// Takes over a stream.
    ///
    /// # Errors
    /// What the kernel reports.
    pub fn add_stream(self: &Rc<Self>, stream: HttpStream) -> io::Result<StreamIo> {
        let slot = self.new_slot();
        self.poller.borrow().add_stream(stream.as_fd(), slot.token())?;
        Ok(StreamIo { stream, slot })
    }

    /// Takes over a listener, which other reactors may share.
    ///
    /// # Errors
    /// What the kernel reports.
    pub fn add_listener(self: &Rc<Self>, listener: HttpListener) -> io::Result<ListenerIo> {
        let slot = self.new_slot();
        self.poller.borrow().add_listener(listener.as_fd(), slot.token())?;
        Ok(ListenerIo { listener, slot })
    }

    /// Wakes the tasks whose sockets are ready, waiting at most `timeout` for the first, and hands
    /// the tokens of the driver's own sockets to `other`. Returns how many sockets were ready.
    ///
    /// # Errors
    /// What the kernel reports.
    pub fn turn(&self, timeout: Duration, mut other: impl FnMut(u64)) -> io::Result<usize> {
        let mut poller = self.poller.borrow_mut();
        let all = poller.wait(timeout)?;
        for ready in all {
            if ready.token >= Self::TOKENS {
                self.wake(*ready);
            } else {
                other(ready.token);
            }
        }
        Ok(all.len())
    }

    /// Another handle on the descriptor that becomes readable when a watched socket is ready, for
    /// another poller to watch.
    ///
    /// # Errors
    /// When no file descriptor is left.
    pub fn try_clone_fd(&self) -> io::Result<OwnedFd> {
        self.poller.borrow().as_fd().try_clone_to_owned()
    }

    fn wake(&self, ready: Ready) {
        let index = usize::try_from(ready.token - Self::TOKENS).unwrap_or(usize::MAX);
        if let Some(state) = self.slots.borrow_mut().states.get_mut(index) {
            state.is_readable |= ready.is_readable;
            state.is_writable |= ready.is_writable;
            state.has_ended |= ready.has_ended;
            if ready.is_reset {
                state.hang_up.note(Gone::Reset);
            } else if ready.is_hung_up {
                state.hang_up.note(Gone::Closed);
            }
            if let Some(waker) = &state.waker {
                waker.wake_by_ref();
            }
        }
    }

    fn new_slot(self: &Rc<Self>) -> Slot {
        let mut slots = self.slots.borrow_mut();
        let index = slots.vacant.pop().unwrap_or_else(|| {
            slots.states.push(State::default());
            slots.states.len() - 1
        });
        // The first attempt finds out.
        slots.states[index] = State { is_readable: true, is_writable: true, ..State::default() };
        Slot { reactor: Rc::clone(self), index }
    }
}

impl Slot {
    fn token(&self) -> u64 {
        Reactor::TOKENS + self.index as u64
    }

    fn with<T>(&self, f: impl FnOnce(&mut State) -> T) -> T {
        f(&mut self.reactor.slots.borrow_mut().states[self.index])
    }

    /// Remembers the task, to be woken when something changes.
    fn wait<T>(&self, cx: &Context<'_>) -> Poll<T> {
        self.with(|state| match &mut state.waker {
            Some(known) => known.clone_from(cx.waker()),
            None => state.waker = Some(cx.waker().clone()),
        });
        Poll::Pending
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut slots = self.reactor.slots.borrow_mut();
        slots.states[self.index] = State::default();
        slots.vacant.push(self.index);
    }
}

impl StreamIo {
    /// Who is at the other end.
    #[must_use]
    pub const fn peer(&self) -> Peer {
        self.stream.peer()
    }

    /// Says when the other end is gone.
    #[must_use]
    pub fn hang_up(&self) -> HangUp {
        self.slot.with(|state| state.hang_up.clone())
    }

    fn poll_send(
        &self,
        cx: &Context<'_>,
        send: impl FnOnce(&HttpStream) -> io::Result<Option<usize>>,
    ) -> Poll<io::Result<usize>> {
        if !self.slot.with(|state| state.is_writable) {
            return self.slot.wait(cx);
        }
        match send(&self.stream) {
            Ok(Some(sent)) => Poll::Ready(Ok(sent)),
            Ok(None) => {
                self.slot.with(|state| state.is_writable = false);
                self.slot.wait(cx)
            }
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

impl Read for StreamIo {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.slot.with(|state| state.is_readable) {
            return self.slot.wait(cx);
        }
        let mut scratch = self.slot.reactor.scratch.borrow_mut();
        let room = buf.remaining().min(scratch.len());
        match self.stream.receive(&mut scratch[..room]) {
            Ok(Some(received)) => {
                // A read that leaves room has met the end of what was there; more is a change, and
                // so is an end of the stream, unless that was reported already.
                if 0 < received && received < room {
                    self.slot.with(|state| state.is_readable = state.has_ended);
                }
                buf.put_slice(&scratch[..received]);
                Poll::Ready(Ok(()))
            }
            Ok(None) => {
                self.slot.with(|state| state.is_readable = false);
                self.slot.wait(cx)
            }
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

impl Write for StreamIo {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_send(cx, |stream| stream.send(bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.stream.finish())
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_send(cx, |stream| stream.send_vectored(pieces))
    }
}

impl ListenerIo {
    /// The next connection.
    ///
    /// # Errors
    /// What the kernel reports, as when no file descriptor is left.
    pub fn poll_accept(&self, cx: &Context<'_>) -> Poll<io::Result<StreamIo>> {
        if !self.slot.with(|state| state.is_readable) {
            return self.slot.wait(cx);
        }
        match self.listener.accept() {
            Ok(Some(stream)) => Poll::Ready(self.slot.reactor.add_stream(stream)),
            Ok(None) => {
                self.slot.with(|state| state.is_readable = false);
                self.slot.wait(cx)
            }
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

impl Drop for ListenerIo {
    fn drop(&mut self) {
        // Another lane's handle on the listener would keep it in our list.
        drop(self.slot.reactor.poller.borrow().remove(self.listener.as_fd()));
    }
}
