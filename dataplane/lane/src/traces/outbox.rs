//! Encoded spans on their way to control.

/// Encoded payloads of tracers, one after the other.
#[derive(Clone, Debug, Default)]
pub struct Outbox {
    bytes: Vec<u8>,
    ends: Vec<(usize, Described)>,
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
    /// The encoded message.
    pub bytes: &'a [u8],
    /// Chunks in it.
    pub chunks: u64,
    /// Spans in it.
    pub spans: u64,
    /// Size by which payloads are cut.
    pub estimated_bytes: usize,
    /// Language of the tracer.
    pub language: &'a str,
}

impl Outbox {
    /// Adds what `encode` appends.
    pub(super) fn push(&mut self, piece: EncodedPayload<'_>, encode: impl FnOnce(&mut Vec<u8>)) {
        encode(&mut self.bytes);
        let described = Described {
            is_v1: piece.is_v1,
            chunks: piece.chunks,
            spans: piece.spans,
            estimated_bytes: piece.estimated_bytes,
            language: piece.language.into(),
        };
        self.ends.push((self.bytes.len(), described));
    }

    /// Everything, leaving nothing.
    pub(super) fn take(&mut self) -> Self {
        std::mem::take(self)
    }

    /// Encoded bytes.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The payloads in their order.
    pub fn payloads(&self) -> impl Iterator<Item = EncodedPayload<'_>> {
        let starts = std::iter::once(0).chain(self.ends.iter().map(|(end, _)| *end));
        starts.zip(&self.ends).map(|(start, (end, described))| EncodedPayload {
            is_v1: described.is_v1,
            bytes: self.bytes.get(start..*end).unwrap_or_default(),
            chunks: described.chunks,
            spans: described.spans,
            estimated_bytes: described.estimated_bytes,
            language: &described.language,
        })
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
            bytes: &[],
            chunks: 1,
            spans,
            estimated_bytes: 10,
            language,
        };
        outbox.push(piece("go", 1), |out| out.extend(b"abc"));
        outbox.push(piece("ruby", 2), |out| out.extend(b"de"));
        let taken = outbox.take();
        assert!(outbox.is_empty());
        let read: Vec<_> =
            taken.payloads().map(|p| (p.language, p.bytes, p.spans, p.is_v1)).collect();
        assert_eq!(read, [("go", &b"abc"[..], 1, false), ("ruby", &b"de"[..], 2, true)]);
    }
}
