//! Frames of a Unix stream: a 32-bit little-endian length, then that many bytes.
//! spec: dogstatsd §2.4.

/// A frame is longer than the limit: the connection is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameTooLong {
    /// Bytes announced.
    pub bytes: u32,
}

/// Turns the bytes of one connection into frames, however they were cut by the reads.
///
/// Holds a buffer of four frames, so that a sender of small frames costs one read for many of them.
#[derive(Debug)]
pub struct Framer {
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    frame_bytes_max: usize,
}

const LENGTH_BYTES: usize = 4;

impl Framer {
    /// A framer for frames of at most `frame_bytes_max` bytes.
    #[must_use]
    pub fn new(frame_bytes_max: usize) -> Self {
        let buffer_bytes = (frame_bytes_max + LENGTH_BYTES) * 4;
        let buffer = vec![0; buffer_bytes].into_boxed_slice();
        Self { buffer, start: 0, end: 0, frame_bytes_max }
    }

    /// Where the next read goes; never empty after [`Self::next_frame`] returned `None`.
    pub fn spare(&mut self) -> &mut [u8] {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        &mut self.buffer[self.end..]
    }

    /// Tells that `bytes` were written to [`Self::spare`].
    pub fn advance(&mut self, bytes: usize) {
        self.end = self.buffer.len().min(self.end + bytes);
    }

    /// The next whole frame.
    ///
    /// # Errors
    /// [`FrameTooLong`]; nothing can be read from the connection after it.
    pub fn next_frame(&mut self) -> Result<Option<&[u8]>, FrameTooLong> {
        let held = &self.buffer[self.start..self.end];
        let Some((length, rest)) = held.split_first_chunk::<LENGTH_BYTES>() else {
            return Ok(None);
        };
        let bytes = u32::from_le_bytes(*length);
        let frame_bytes = bytes as usize;
        if frame_bytes > self.frame_bytes_max {
            return Err(FrameTooLong { bytes });
        }
        if rest.len() < frame_bytes {
            return Ok(None);
        }
        let frame_start = self.start + LENGTH_BYTES;
        self.start = frame_start + frame_bytes;
        Ok(Some(&self.buffer[frame_start..self.start]))
    }

    /// Whether the connection ended inside a frame.
    #[must_use]
    pub const fn is_inside_frame(&self) -> bool {
        self.start != self.end
    }
}

/// Feeds bytes through a framer in reads of every small size, for fuzzing: the frames do not depend
/// on how the bytes were cut, and nothing panics.
pub fn check_stream_bytes(bytes: &[u8]) {
    const FRAME_BYTES_MAX: usize = 64;
    let frames_of = |read_bytes: usize| {
        let mut framer = Framer::new(FRAME_BYTES_MAX);
        let mut frames = Vec::new();
        let mut rest = bytes;
        loop {
            match framer.next_frame() {
                Ok(Some(frame)) => {
                    frames.push(frame.to_vec());
                    continue;
                }
                Ok(None) => {}
                Err(_) => return (frames, true),
            }
            if rest.is_empty() {
                return (frames, false);
            }
            let spare = framer.spare();
            assert!(!spare.is_empty(), "a framer without a whole frame has room");
            let n = spare.len().min(read_bytes).min(rest.len());
            spare[..n].copy_from_slice(&rest[..n]);
            framer.advance(n);
            rest = &rest[n..];
        }
    };
    let expected = frames_of(usize::MAX);
    for read_bytes in [1, 3, 7, 68] {
        assert_eq!(frames_of(read_bytes), expected, "reads of {read_bytes} bytes");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn frames_are_cut_by_their_length() {
        let mut framer = Framer::new(16);
        let bytes = b"\x0e\x00\x00\x00page.views:1|c\x00\x00\x00\x00\x02\x00";
        framer.spare()[..bytes.len()].copy_from_slice(bytes);
        framer.advance(bytes.len());
        assert_eq!(framer.next_frame(), Ok(Some(b"page.views:1|c".as_slice())));
        assert_eq!(framer.next_frame(), Ok(Some(b"".as_slice())), "an empty frame is legal");
        assert_eq!(framer.next_frame(), Ok(None));
        assert!(framer.is_inside_frame());
    }

    #[test]
    fn a_long_frame_is_an_error() {
        let mut framer = Framer::new(16);
        framer.spare()[..4].copy_from_slice(&17u32.to_le_bytes());
        framer.advance(4);
        assert_eq!(framer.next_frame(), Err(FrameTooLong { bytes: 17 }));
    }

    proptest! {
        #[test]
        fn cuts_do_not_matter(frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 0..20)) {
            let mut stream = Vec::new();
            for frame in &frames {
                stream.extend_from_slice(&u32::try_from(frame.len()).unwrap().to_le_bytes());
                stream.extend_from_slice(frame);
            }
            check_stream_bytes(&stream);
        }

        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            check_stream_bytes(&bytes);
        }
    }
}
