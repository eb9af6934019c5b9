//! Raw bytes into a server connection, without a socket.

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::rt::{Read, ReadBufCursor, Write};
use server::{
    Answer, HangUp, Identity, Peer, Rates, Seats, Server, ServerSettings, serve_connection,
};

/// Any bytes of a client, in pieces of any length, end with its connection: each request is
/// answered or lost, and what bodies took is given back. The first byte chooses the length of the
/// pieces.
///
/// # Panics
/// One of these is not so.
pub(crate) fn check_connection(bytes: &[u8]) {
    let (&first, rest) = bytes.split_first().unwrap_or((&0, &[]));
    let whole = served(rest, usize::MAX);
    let pieces = served(rest, usize::from(first).max(1));
    assert_eq!(whole.0, pieces.0, "pieces change the requests");
    // How the last head is wrong, and whether it is answered, depends on what of it is there.
    let is_same = whole.1.starts_with(&pieces.1) || pieces.1.starts_with(&whole.1);
    assert!(is_same, "pieces change the answers");
}

/// Longest body that the server takes.
const BODY_BYTES_MAX: usize = 256;
/// Polls after which a connection should have ended: each takes a piece or answers.
const POLLS_MAX: usize = 100_000;

/// Bodies of requests that reached the worker, and what was written back.
type Exchange = (Vec<Vec<u8>>, Vec<u8>);

fn served(bytes: &[u8], piece: usize) -> Exchange {
    // The time of day appears nowhere in answers but in their date, which is cut out.
    let start = Instant::now();
    let settings = ServerSettings {
        request_bytes_max: BODY_BYTES_MAX,
        in_flight_bytes_max: 4 * BODY_BYTES_MAX,
        ..ServerSettings::default()
    };
    let server = Server::new(settings, start);
    server.set_identity(Identity::new("7", "state", Bytes::from_static(b"{}")));
    let permit = server.new_gate(Arc::new(Seats::new(1, None, start))).enter();
    let (mut wire, mut bodies) = (Wire { unread: bytes, piece, written: Vec::new() }, Vec::new());
    {
        let mut connection = pin!(serve_connection(
            &mut wire,
            Peer::Unix(None),
            HangUp::default(),
            permit,
            std::rc::Rc::clone(&server)
        ));
        let mut context = Context::from_waker(Waker::noop());
        let mut is_ended = false;
        for _ in 0..POLLS_MAX {
            if connection.as_mut().poll(&mut context).is_ready() {
                is_ended = true;
                break;
            }
            while let Some(request) = server.next_request() {
                bodies.push(request.body.bytes().to_vec());
                assert!(request.body.bytes().len() <= BODY_BYTES_MAX, "a body above the limit");
                let answer = match request.body.bytes().first() {
                    Some(b'!') => Answer::malformed("it says so"),
                    _ => Answer::rates(&request.head, &Rates::default()),
                };
                request.answer(answer);
            }
            server.tick(start + Duration::from_millis(1));
        }
        assert!(is_ended, "the connection does not end");
    }
    let counts = server.counts();
    let requests: u64 = counts.requests.iter().sum();
    assert_eq!(requests, counts.answers.total() + counts.requests_lost, "a request is missing");
    assert_eq!(counts.connections, counts.connections_closed);
    assert_eq!((server.in_flight_bytes(), server.is_busy()), (0, false));
    drop(counts);
    (bodies, without_dates(&wire.written))
}

fn without_dates(written: &[u8]) -> Vec<u8> {
    let lines = written.split_inclusive(|byte| *byte == b'\n');
    lines
        .filter(|line| !line.to_ascii_lowercase().starts_with(b"date:"))
        .flatten()
        .copied()
        .collect()
}

/// A client that has said everything already.
struct Wire<'a> {
    unread: &'a [u8],
    piece: usize,
    written: Vec<u8>,
}

impl Read for &mut Wire<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        mut buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let length = self.unread.len().min(self.piece).min(buf.remaining());
        let (piece, unread) = self.unread.split_at(length);
        buf.put_slice(piece);
        self.unread = unread;
        Poll::Ready(Ok(()))
    }
}

impl Write for &mut Wire<'_> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.written.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
