//! A socket that tells what its connection is doing.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use hyper::rt::{Read, ReadBuf, ReadBufCursor, Write};

use crate::Server;
use crate::link::{Link, Phase};

/// A socket that tells the link what it is doing.
///
/// It also completes the answers that hyper gives by itself, to heads that are malformed or too
/// long: they carry what every answer carries, behind the status line. An answer of ours is written
/// in phase [`Phase::Writing`], a request to go on in [`Phase::Body`]; what is written while a head
/// is awaited is hyper's own.
pub(crate) struct Watched<'a, I> {
    pub(crate) io: I,
    pub(crate) link: &'a Link,
    pub(crate) server: &'a Server,
    pub(crate) own: Own,
}

/// How far an answer of hyper's own is.
#[derive(Debug, Default)]
pub(crate) enum Own {
    /// The status line is to come.
    #[default]
    Status,
    /// What we add, as far as it is not written.
    Added(Vec<u8>),
    /// The rest is hyper's.
    Rest,
}

impl<I> Watched<'_, I> {
    fn now(&self) -> Instant {
        self.server.now()
    }
}

impl<I: Write + Unpin> Watched<'_, I> {
    /// Whether hyper answers without having asked us.
    fn is_own(&self) -> bool {
        matches!(self.link.phase(), Phase::Idle | Phase::Head)
    }

    /// Writes the status line, then what we add, then the rest.
    fn poll_write_own(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if matches!(self.own, Own::Status) {
            let line =
                bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1);
            let line = bytes.get(..line).unwrap_or(bytes);
            let written = ready!(Pin::new(&mut self.io).poll_write(cx, line))?;
            if written == line.len() && line.ends_with(b"\n") {
                self.own = Own::Added(self.server.identity().head_lines());
            }
            return Poll::Ready(Ok(written));
        }
        while let Own::Added(added) = &mut self.own {
            if added.is_empty() {
                self.own = Own::Rest;
                break;
            }
            let written = ready!(Pin::new(&mut self.io).poll_write(cx, added))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            added.drain(..written);
        }
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }
}

impl<I: Read + Unpin> Read for Watched<'_, I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.io).poll_read(cx, buf))?;
        if self.link.phase() == Phase::Idle {
            self.link.enter(Phase::Head, self.now());
        }
        Poll::Ready(Ok(()))
    }
}

impl<I: Read + Write + Unpin> Write for Watched<'_, I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if matches!(self.own, Own::Rest) || !self.is_own() {
            return Pin::new(&mut self.io).poll_write(cx, bytes);
        }
        self.poll_write_own(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.io).poll_flush(cx))?;
        if self.link.phase() == Phase::Writing {
            let is_relaying = self.link.is_relaying.get();
            let next = if is_relaying { Phase::Exchange } else { Phase::Idle };
            self.link.enter(next, self.now());
        }
        Poll::Ready(Ok(()))
    }

    /// Closes our direction, and reads on for a while what the client is still sending: closing at
    /// once would reset the connection and take the answer away from a client that is not there
    /// yet.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.link.phase() != Phase::Lingering {
            ready!(Pin::new(&mut self.io).poll_shutdown(cx))?;
            if !self.link.has_unread.get() {
                return Poll::Ready(Ok(()));
            }
            self.link.enter(Phase::Lingering, self.now());
        }
        let mut scratch = [0; 4096];
        for _ in 0..LINGERING_READS {
            let mut buf = ReadBuf::new(&mut scratch);
            ready!(Pin::new(&mut self.io).poll_read(cx, buf.unfilled()))?;
            if buf.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if matches!(self.own, Own::Rest) || !self.is_own() {
            return Pin::new(&mut self.io).poll_write_vectored(cx, pieces);
        }
        let first = pieces.iter().find(|piece| !piece.is_empty());
        self.poll_write_own(cx, first.map_or(&[], |piece| &**piece))
    }
}

/// Reads of unwanted bytes before other connections have their turn.
const LINGERING_READS: usize = 16;
