//! Protobuf as it is written.

/// Content of eight bytes.
pub(crate) const FIXED64: u8 = 1;
/// Content with a length.
pub(crate) const BYTES: u8 = 2;
/// Content of four bytes.
pub(crate) const FIXED32: u8 = 5;
/// A number of variable length.
pub(crate) const VARINT: u8 = 0;

/// Bytes of the length of a message, which is known at its end only: a varint may be longer than it
/// needs to be, and so nothing has to be moved.
const LENGTH_BYTES: usize = 4;
/// Longest message that such a length can tell.
const MESSAGE_BYTES_MAX: usize = (1 << (7 * LENGTH_BYTES)) - 1;

/// A message that is too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message is longer than {MESSAGE_BYTES_MAX} bytes")]
pub(crate) struct TooLong;

/// A message that is being written.
#[derive(Debug, Default)]
pub(crate) struct Output(Vec<u8>);

impl Output {
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    pub(crate) fn tag(&mut self, number: u32, wire: u8) {
        self.varint(u64::from(number) << 3 | u64::from(wire));
    }

    pub(crate) fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(low(number) | 0x80);
            number >>= 7;
        }
        self.0.push(low(number));
    }

    pub(crate) fn fixed(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        if bytes.len() > MESSAGE_BYTES_MAX {
            return Err(TooLong);
        }
        self.varint(bytes.len() as u64);
        self.fixed(bytes);
        Ok(())
    }

    /// Begins a message; the result is for [`Self::end`].
    pub(crate) fn begin(&mut self) -> usize {
        self.0.extend_from_slice(&[0; LENGTH_BYTES]);
        self.0.len()
    }

    pub(crate) fn end(&mut self, start: usize) -> Result<(), TooLong> {
        let mut length = self.0.len() - start;
        if length > MESSAGE_BYTES_MAX {
            return Err(TooLong);
        }
        let place = self.0.get_mut(start - LENGTH_BYTES..start).unwrap_or_default();
        let last = place.len().saturating_sub(1);
        for (at, byte) in place.iter_mut().enumerate() {
            *byte = low(length as u64) | if at < last { 0x80 } else { 0 };
            length >>= 7;
        }
        Ok(())
    }
}

#[expect(clippy::cast_possible_truncation, reason = "seven bits")]
const fn low(number: u64) -> u8 {
    number as u8 & 0x7f
}
