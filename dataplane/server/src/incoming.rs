//! Reads bodies from hyper: wanted ones within limits, others to nowhere.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body as _, Incoming};

use crate::body::{Collected, Full};
use crate::link::Link;
use crate::{Answer, Body, Head, Refusal, Server};

/// Why a body was not read to its end.
pub(crate) enum Stop {
    Full(Full),
    Late,
    Eof,
    Malformed(String),
    /// The connection is gone.
    Reset,
}

impl Stop {
    pub(crate) fn answer(self, server: &Server, link: &Link) -> Option<Answer> {
        // After any of these the rest of the stream means nothing.
        link.has_unread.set(true);
        match self {
            Self::Full(_) => Some(Answer::refused(413, Refusal::TooLarge, "payload-too-large")),
            Self::Late => Some(Answer::timeout()),
            Self::Eof => Some(Answer::refused(400, Refusal::UnexpectedEof, "unexpected-eof")),
            Self::Malformed(text) => Some(Answer::malformed(&text)),
            Self::Reset => {
                server.count(|counts| counts.bodies_reset += 1);
                None
            }
        }
    }
}

/// Reads a body whole.
pub(crate) async fn collect(
    server: &Server,
    link: &Link,
    head: &Head,
    incoming: &mut Incoming,
) -> Result<Body, Stop> {
    // A body of known length needs no header to tell it, and hyper has checked the header.
    let announced = incoming.size_hint().exact().or(head.content_length);
    let bytes_max = server.settings.request_bytes_max;
    link.begin_body();
    let mut body = match Collected::new(&server.budget, announced, bytes_max) {
        Ok(body) => body,
        Err(full) => {
            // What came with the head may tell who is refused. A client that asks first would be
            // told to go on.
            if !head.is_asking {
                note_what_is_there(incoming, link).await;
            }
            return Err(Stop::Full(full));
        }
    };
    while let Some(chunk) = next_chunk(incoming, link).await? {
        link.note_body(&chunk);
        body.push(&chunk).map_err(Stop::Full)?;
    }
    let body = body.finish();
    server.count(|counts| counts.body_bytes += body.bytes().len() as u64);
    Ok(body)
}

/// Reads a body that nobody wants. False when more is to come after `bytes_max`.
pub(crate) async fn is_discarded(incoming: &mut Incoming, link: &Link, bytes_max: u64) -> bool {
    if incoming.size_hint().lower() > bytes_max {
        return false;
    }
    let mut discarded = 0;
    loop {
        match next_chunk(incoming, link).await {
            Ok(None) => return true,
            Ok(Some(chunk)) => discarded += chunk.len() as u64,
            Err(_) => return false,
        }
        if discarded > bytes_max {
            return false;
        }
    }
}

/// Takes note of the bytes of a body that are there already.
async fn note_what_is_there(incoming: &mut Incoming, link: &Link) {
    poll_fn(|cx| {
        if let Poll::Ready(Some(Ok(frame))) = Pin::new(&mut *incoming).poll_frame(cx)
            && let Some(chunk) = frame.data_ref()
        {
            link.note_body(chunk);
        }
        Poll::Ready(())
    })
    .await;
}

/// The next bytes of a body; `None` at its end.
async fn next_chunk(incoming: &mut Incoming, link: &Link) -> Result<Option<Bytes>, Stop> {
    poll_fn(|cx| poll_chunk(incoming, link, cx)).await
}

/// The next bytes of a body; `None` at its end.
pub(crate) fn poll_chunk(
    incoming: &mut Incoming,
    link: &Link,
    cx: &mut Context<'_>,
) -> Poll<Result<Option<Bytes>, Stop>> {
    loop {
        if link.is_late() {
            return Poll::Ready(Err(Stop::Late));
        }
        return Poll::Ready(match ready!(Pin::new(&mut *incoming).poll_frame(cx)) {
            None => Ok(None),
            Some(Err(error)) => Err(explain(&error)),
            Some(Ok(frame)) => match frame.into_data() {
                Ok(chunk) => Ok(Some(chunk)),
                // Trailers.
                Err(_) => continue,
            },
        });
    }
}

fn explain(error: &hyper::Error) -> Stop {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            #[expect(clippy::wildcard_enum_match_arm, reason = "an open list of causes")]
            return match io.kind() {
                io::ErrorKind::UnexpectedEof => Stop::Eof,
                io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
                    Stop::Malformed(io.to_string())
                }
                _ => Stop::Reset,
            };
        }
        source = cause.source();
    }
    if error.is_incomplete_message() { Stop::Eof } else { Stop::Malformed(error.to_string()) }
}
