//! Bodies of requests: streamed in pieces, or whole.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use thiserror::Error;
use tokio::sync::mpsc;

use crate::track::DebuggerType;

/// Pieces that wait for the connection before the caller has to.
const PIECES_MAX: usize = 16;

/// The body of a request.
#[derive(Debug)]
pub(crate) enum RequestBody {
    /// Pieces as they come, chunked. It fails unless [`Piece::End`] comes last.
    Streamed(mpsc::Receiver<Piece>),
    /// Pieces that are all there, chunked.
    Ready(VecDeque<Bytes>),
    /// One piece with its length.
    Whole(Option<Bytes>),
}

/// Part of a streamed body.
#[derive(Debug)]
pub(crate) enum Piece {
    Data(Bytes),
    End,
}

/// The request was given up before its body was complete. It must not look complete to the server.
#[derive(Clone, Copy, Debug, Error)]
#[error("the payload was not finished")]
pub(crate) struct Unfinished;

/// A streamed body and where its pieces are put.
pub(crate) fn streamed() -> (mpsc::Sender<Piece>, RequestBody) {
    let (sender, receiver) = mpsc::channel(PIECES_MAX);
    (sender, RequestBody::Streamed(receiver))
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Unfinished;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Unfinished>>> {
        let data = match self.get_mut() {
            Self::Streamed(pieces) => match std::task::ready!(pieces.poll_recv(cx)) {
                Some(Piece::Data(data)) => Some(data),
                Some(Piece::End) => None,
                None => return Poll::Ready(Some(Err(Unfinished))),
            },
            Self::Ready(pieces) => pieces.pop_front(),
            Self::Whole(data) => data.take(),
        };
        Poll::Ready(data.map(|data| Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Streamed(_) => false,
            Self::Ready(pieces) => pieces.is_empty(),
            Self::Whole(data) => data.as_ref().is_none_or(Bytes::is_empty),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Streamed(_) | Self::Ready(_) => SizeHint::new(),
            Self::Whole(data) => SizeHint::with_exact(data.as_ref().map_or(0, Bytes::len) as u64),
        }
    }
}

/// What stands around the elements of a payload. spec: proxies §5.3.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Framing {
    pub(crate) content_type: &'static str,
    pub(crate) opening: &'static [u8],
    pub(crate) closing: &'static [u8],
}

impl Framing {
    pub(crate) const fn of(kind: DebuggerType) -> Self {
        match kind {
            DebuggerType::Diagnostics => Self {
                content_type: "multipart/form-data; \
                               boundary=------------------------44617461646f67",
                opening: b"--------------------------44617461646f67\r\n\
                    Content-Disposition: form-data; name=\"event\"; filename=\"event.json\"\r\n\
                    Content-Type: application/json\r\n\
                    \r\n\
                    [",
                closing: b"]\r\n--------------------------44617461646f67--\r\n",
            },
            DebuggerType::Snapshots | DebuggerType::Logs => {
                Self { content_type: "application/json", opening: b"[", closing: b"]" }
            }
        }
    }
}

/// The elements of a JSON array without its brackets, or a lone object as one element. `None` if
/// it is neither. Empty if there is nothing to send.
pub(crate) fn elements(payload: &Bytes) -> Option<Bytes> {
    let trimmed = payload.trim_ascii();
    match (trimmed.first()?, trimmed.last()?) {
        (b'[', b']') if trimmed.len() > 1 => {
            let inner = trimmed.get(1..trimmed.len() - 1)?.trim_ascii();
            Some(payload.slice_ref(inner))
        }
        (b'{', b'}') if trimmed.len() > 1 => Some(payload.slice_ref(trimmed)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(payload: &'static str) -> Option<String> {
        let found = elements(&Bytes::from_static(payload.as_bytes()))?;
        Some(String::from_utf8(found.to_vec()).expect("UTF-8"))
    }

    #[test]
    fn elements_are_what_stands_between_the_brackets() {
        assert_eq!(text("[{\"a\":[1]},{}]").as_deref(), Some("{\"a\":[1]},{}"));
        assert_eq!(text(" [ 1 ]\n").as_deref(), Some("1"));
        assert_eq!(text("[]").as_deref(), Some(""));
        assert_eq!(text("[ ]").as_deref(), Some(""));
    }

    #[test]
    fn a_lone_object_is_one_element() {
        assert_eq!(text("{\"a\":1}\n").as_deref(), Some("{\"a\":1}"));
    }

    #[test]
    fn anything_else_is_refused() {
        for payload in ["", "[", "]", "{", "null", "[}", "\"[]", "[1],"] {
            assert_eq!(text(payload), None, "{payload}");
        }
    }

    #[test]
    fn the_boundary_is_the_one_announced() {
        let framing = Framing::of(DebuggerType::Diagnostics);
        let (_, boundary) = framing.content_type.split_once("boundary=").expect("a boundary");
        let opening = std::str::from_utf8(framing.opening).expect("text");
        let closing = std::str::from_utf8(framing.closing).expect("text");
        assert!(opening.starts_with(&format!("--{boundary}\r\n")));
        assert_eq!(closing, format!("]\r\n--{boundary}--\r\n"));
    }
}
