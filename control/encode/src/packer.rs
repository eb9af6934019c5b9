//! Packs encoded items into compressed bodies that stay within limits. spec: metrics-intake §2.3.
//!
//! Items go into a small input buffer, from there in chunks into the codec. Whether another item
//! fits is decided with the worst case of what the codec has not given back yet; when that says no,
//! the codec is flushed, which makes the size exact, and asked again.

use bytes::Bytes;

use crate::Limits;
use crate::compress::{Compressor, Overflow};

/// Bytes after which the input buffer moves into the codec.
const CHUNK_BYTES: usize = 64 * 1024;
/// Flushes per body: each costs some ratio, and the room they win shrinks every time.
const FLUSH_COUNT_MAX: u32 = 40;

/// Why an item was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It fits no body, not even alone: drop it.
    TooBig,
    /// Finish this body and add the item again.
    Full,
}

/// A finished body.
#[derive(Debug)]
pub(crate) struct Packed {
    pub(crate) body: Bytes,
    pub(crate) uncompressed_bytes: usize,
    pub(crate) items: u64,
    pub(crate) points: u64,
}

/// Why a body could not be finished, with what is lost. Cannot happen while [`Compressor::bound`]
/// tells the truth and memory lasts.
#[derive(Debug)]
pub(crate) struct Lost {
    pub(crate) items: u64,
    pub(crate) points: u64,
}

/// One body in the making. Memory: one chunk, one compressed body, one codec.
#[derive(Debug)]
pub(crate) struct Packer {
    compressor: Compressor,
    limits: Limits,
    header: &'static [u8],
    footer: Vec<u8>,
    input: Vec<u8>,
    /// Bytes given to the codec since this body began.
    written_bytes: usize,
    /// Of them, bytes since the codec was flushed last.
    unflushed_bytes: usize,
    /// Output when the codec was flushed last.
    flushed_out_bytes: usize,
    flush_count: u32,
    items: u64,
    points: u64,
    is_broken: bool,
}

impl Packer {
    pub(crate) const fn new(
        compressor: Compressor,
        limits: Limits,
        header: &'static [u8],
        footer: Vec<u8>,
    ) -> Self {
        Self {
            compressor,
            limits,
            header,
            footer,
            input: Vec::new(),
            written_bytes: 0,
            unflushed_bytes: 0,
            flushed_out_bytes: 0,
            flush_count: 0,
            items: 0,
            points: 0,
            is_broken: false,
        }
    }

    /// Items in the body so far.
    pub(crate) const fn items(&self) -> u64 {
        self.items
    }

    /// Points in the body so far.
    pub(crate) const fn points(&self) -> u64 {
        self.points
    }

    /// Compression of the bodies.
    pub(crate) const fn encoding(&self) -> crate::Encoding {
        self.compressor.encoding()
    }

    /// Adds `prefix` and `item` as one item with `points` points.
    ///
    /// The prefix is what separates or frames the item; it may differ when the item is added again
    /// after [`Refused::Full`].
    pub(crate) fn add(&mut self, prefix: &[u8], item: &[u8], points: u64) -> Result<(), Refused> {
        let len = prefix.len().saturating_add(item.len());
        let alone = len.saturating_add(self.header.len() + self.footer.len());
        if alone > self.limits.uncompressed_bytes_max
            || self.compressor.bound(alone) > self.limits.compressed_bytes_max
        {
            return Err(Refused::TooBig);
        }
        if self.items == 0 {
            self.input.extend_from_slice(self.header);
        } else if !self.has_room(len) {
            self.flush()?;
            if !self.has_room(len) {
                return Err(Refused::Full);
            }
        }
        self.input.extend_from_slice(prefix);
        self.input.extend_from_slice(item);
        self.items += 1;
        self.points += points;
        if self.input.len() >= CHUNK_BYTES {
            self.write_input();
        }
        Ok(())
    }

    /// Ends the body and begins the next; `None` when it has no items.
    pub(crate) fn finish(&mut self) -> Option<Result<Packed, Lost>> {
        if self.items == 0 {
            return None;
        }
        self.input.extend_from_slice(&self.footer);
        self.write_input();
        let uncompressed_bytes = self.written_bytes;
        let body = self.compressor.finish();
        let (items, points) = (self.items, self.points);
        let result = match body {
            Ok(body) if !self.is_broken => Ok(Packed { body, uncompressed_bytes, items, points }),
            Ok(_) | Err(Overflow) => Err(Lost { items, points }),
        };
        self.written_bytes = 0;
        self.unflushed_bytes = 0;
        self.flushed_out_bytes = 0;
        self.flush_count = 0;
        self.items = 0;
        self.points = 0;
        self.is_broken = false;
        Some(result)
    }

    fn has_room(&self, len: usize) -> bool {
        let pending = self.unflushed_bytes + self.input.len() + len + self.footer.len();
        let total = self.written_bytes + self.input.len() + len + self.footer.len();
        total <= self.limits.uncompressed_bytes_max
            && self.flushed_out_bytes.saturating_add(self.compressor.bound(pending))
                <= self.limits.compressed_bytes_max
    }

    /// Makes the size of the output exact.
    fn flush(&mut self) -> Result<(), Refused> {
        if self.flush_count >= FLUSH_COUNT_MAX || self.unflushed_bytes + self.input.len() == 0 {
            return Err(Refused::Full);
        }
        self.flush_count += 1;
        self.write_input();
        self.is_broken |= self.compressor.flush().is_err();
        self.unflushed_bytes = 0;
        self.flushed_out_bytes = self.compressor.out_bytes();
        Ok(())
    }

    fn write_input(&mut self) {
        self.is_broken |= self.compressor.write(&self.input).is_err();
        self.written_bytes += self.input.len();
        self.unflushed_bytes += self.input.len();
        self.input.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Encoding, Settings};

    fn packer(encoding: Encoding, compressed: usize, uncompressed: usize) -> Packer {
        let limits =
            Limits { compressed_bytes_max: compressed, uncompressed_bytes_max: uncompressed };
        let settings = Settings { compression: encoding, ..Settings::default() };
        Packer::new(Compressor::new(&settings, compressed), limits, b"[", b"]".to_vec())
    }

    #[test]
    fn a_body_is_filled_to_the_last_byte_of_the_limit() {
        let mut packer = packer(Encoding::Identity, 7, 7);
        assert_eq!(packer.add(b"", b"abcdef", 1), Err(Refused::TooBig));
        assert_eq!(packer.add(b"", b"ab", 1), Ok(()));
        assert_eq!(packer.add(b",", b"cd", 1), Ok(()));
        assert_eq!(packer.add(b",", b"", 1), Err(Refused::Full));
        let packed = packer.finish().unwrap().unwrap();
        assert_eq!(&packed.body[..], b"[ab,cd]");
        assert_eq!((packed.items, packed.points, packed.uncompressed_bytes), (2, 2, 7));
        assert!(packer.finish().is_none());
    }

    #[test]
    fn flushes_let_a_body_grow_far_beyond_its_worst_case() {
        for encoding in [Encoding::Zstd, Encoding::Deflate, Encoding::Gzip] {
            let mut packer = packer(encoding, 20_000, 1_000_000);
            let item = [b'a'; 1000];
            while packer.add(b",", &item, 1) == Ok(()) {}
            let packed = packer.finish().unwrap().unwrap();
            assert!(packed.uncompressed_bytes > 200_000, "{encoding:?} {packed:?}");
            assert!(packed.body.len() <= 20_000 && packed.uncompressed_bytes <= 1_000_000);
        }
    }
}
