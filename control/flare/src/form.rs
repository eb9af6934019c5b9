//! The form that carries an archive: multipart/form-data, in pieces. spec: config §12.2

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame};

/// Bytes of one piece of the archive, so that slow connections see progress.
const PIECE_BYTES: usize = 64 << 10;

/// Fields in their order, and the archive among them.
#[derive(Debug)]
pub(crate) struct Form {
    boundary: String,
    pieces: VecDeque<Bytes>,
}

impl Form {
    /// An empty form. The boundary must not occur in what it is given; a random one does not.
    pub(crate) fn new(boundary: String) -> Self {
        Self { boundary, pieces: VecDeque::new() }
    }

    /// Adds a text of one line.
    pub(crate) fn field(mut self, name: &str, text: &str) -> Self {
        // A line break could begin another field.
        let text: String = text.chars().filter(|c| !c.is_control()).collect();
        let piece = format!(
            "--{}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n",
            self.boundary
        );
        self.pieces.push_back(piece.into());
        self
    }

    /// Adds a file.
    pub(crate) fn file(mut self, name: &str, file_name: &str, content: &Bytes) -> Self {
        let head = format!(
            "--{}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n",
            self.boundary,
            quoted(file_name),
        );
        self.pieces.push_back(head.into());
        for start in (0..content.len()).step_by(PIECE_BYTES) {
            self.pieces.push_back(content.slice(start..content.len().min(start + PIECE_BYTES)));
        }
        self.pieces.push_back(Bytes::from_static(b"\r\n"));
        self
    }

    /// The `Content-Type`, and the body.
    pub(crate) fn finish(mut self) -> (String, Pieces) {
        self.pieces.push_back(format!("--{}--\r\n", self.boundary).into());
        let content_type = format!("multipart/form-data; boundary={}", self.boundary);
        (content_type, Pieces(self.pieces))
    }
}

/// A name inside quotes.
fn quoted(name: &str) -> String {
    name.replace(['"', '\\', '\r', '\n'], "_")
}

/// A body that is sent in chunks, as its length is not told.
#[derive(Debug, Default)]
pub(crate) struct Pieces(pub(crate) VecDeque<Bytes>);

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_its_fields_in_order() {
        let archive = Bytes::from(vec![b'z'; PIECE_BYTES + 1]);
        let form = Form::new("B".to_owned()).field("source", "lo\r\n--B--cal");
        let (content_type, pieces) = form.file("flare_file", "a\".zip", &archive).finish();
        assert_eq!(content_type, "multipart/form-data; boundary=B");
        let whole: Vec<u8> = pieces.0.iter().flatten().copied().collect();
        let expected = format!(
            "--B\r\nContent-Disposition: form-data; name=\"source\"\r\n\r\nlo--B--cal\r\n\
             --B\r\nContent-Disposition: form-data; name=\"flare_file\"; filename=\"a_.zip\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n{}\r\n--B--\r\n",
            "z".repeat(PIECE_BYTES + 1)
        );
        assert_eq!(String::from_utf8(whole).expect("text"), expected);
    }
}
