//! Encoded spans on their way to control.

/// Encoded payloads of tracers, one after the other.
#[derive(Clone, Debug, Default)]
pub struct Outbox {
    /// The small ones.
    shared: Vec<u8>,
    payloads: Vec<(Bytes, Described)>,
    bytes: usize,
}

/// Where a payload is, and its strings within it.
#[derive(Clone, Debug)]
enum Bytes {
    Shared { start: usize, strings_at: usize, end: usize },
    Own { bytes: Vec<u8>, strings_at: usize },
}

#[derive(Clone, Debug)]
struct Described {
    is_v1: bool,
    chunks: u64,
    spans: u64,
    estimated_bytes: usize,
    language: Box<str>,
}

/// The kept chunks of one payload, as the intake takes them. spec: apm §10.1.
#[derive(Clone, Copy, Debug)]
pub struct EncodedPayload<'a> {
    /// Whether it has the form of v1.0.
    pub is_v1: bool,
    /// The encoded message: its strings, which readers expect first, and all else.
    pub parts: [&'a [u8]; 2],
    /// Chunks in it.
    pub chunks: u64,
    /// Spans in it.
    pub spans: u64,
    /// Size by which payloads are cut.
    pub estimated_bytes: usize,
    /// Language of the tracer.
    pub language: &'a str,
}

/// A larger payload is not copied.
const COPIED_BYTES_MAX: usize = 256 << 10;

impl Outbox {
    /// Adds what was encoded, whose strings begin at `strings_at`. Its memory may stay.
    pub(super) fn push(
        &mut self,
        piece: EncodedPayload<'_>,
        encoded: &mut Vec<u8>,
        strings_at: usize,
    ) {
        let described = Described {
            is_v1: piece.is_v1,
            chunks: piece.chunks,
            spans: piece.spans,
            estimated_bytes: piece.estimated_bytes,
            language: piece.language.into(),
        };
        self.bytes += encoded.len();
        let bytes = if encoded.len() > COPIED_BYTES_MAX {
            Bytes::Own { bytes: std::mem::take(encoded), strings_at }
        } else {
            let start = self.shared.len();
            self.shared.extend_from_slice(encoded);
            Bytes::Shared { start, strings_at: start + strings_at, end: self.shared.len() }
        };
        self.payloads.push((bytes, described));
    }

    /// Everything, leaving nothing.
    pub(super) fn take(&mut self) -> Self {
        std::mem::take(self)
    }

    /// Encoded bytes.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.payloads.is_empty()
    }

    /// The payloads in their order.
    pub fn payloads(&self) -> impl Iterator<Item = EncodedPayload<'_>> {
        self.payloads.iter().map(|(bytes, described)| EncodedPayload {
            is_v1: described.is_v1,
            parts: self.parts(bytes),
            chunks: described.chunks,
            spans: described.spans,
            estimated_bytes: described.estimated_bytes,
            language: &described.language,
        })
    }

    fn parts<'a>(&'a self, bytes: &'a Bytes) -> [&'a [u8]; 2] {
        let (bytes, strings_at) = match bytes {
            Bytes::Shared { start, strings_at, end } => {
                (self.shared.get(*start..*end).unwrap_or_default(), *strings_at - *start)
            }
            Bytes::Own { bytes, strings_at } => (&**bytes, *strings_at),
        };
        let (messages, strings) = bytes.split_at_checked(strings_at).unwrap_or((bytes, &[]));
        [strings, messages]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_come_out_as_they_went_in() {
        let mut outbox = Outbox::default();
        let piece = |language, spans| EncodedPayload {
            is_v1: spans > 1,
            parts: [&[]; 2],
            chunks: 1,
            spans,
            estimated_bytes: 10,
            language,
        };
        let large = vec![7; COPIED_BYTES_MAX + 1];
        outbox.push(piece("go", 1), &mut b"abc".to_vec(), 3);
        outbox.push(piece("java", 3), &mut large.clone(), COPIED_BYTES_MAX);
        outbox.push(piece("ruby", 2), &mut b"messagesstrings".to_vec(), 8);
        assert_eq!(outbox.bytes(), 3 + large.len() + 15);
        let taken = outbox.take();
        assert!(outbox.is_empty() && outbox.bytes() == 0);
        let read: Vec<_> =
            taken.payloads().map(|p| (p.language, p.parts, p.spans, p.is_v1)).collect();
        let expected = [
            ("go", [&b""[..], &b"abc"[..]], 1, false),
            ("java", [&b"\x07"[..], &large[1..]], 3, true),
            ("ruby", [&b"strings"[..], &b"messages"[..]], 2, true),
        ];
        assert_eq!(read, expected);
    }
}
