//! What the decoders of msgpack and JSON have in common.

use super::DecodeError;
use crate::{Key, Str};

/// What is left of an array or map that is being read; its meaning belongs to the reader.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Items(pub(super) u32);

/// A cursor over a body. Nil stands for the empty value of every type.
pub(super) trait Reader {
    /// Position in the body.
    fn at(&self) -> usize;

    /// Reads a nil, if there is one.
    fn nil(&mut self) -> bool;

    /// Enters the outermost array, for which msgpack does not accept nil.
    fn top(&mut self) -> Result<Items, DecodeError>;

    /// Enters an array.
    fn array(&mut self) -> Result<Items, DecodeError>;

    /// Enters a map.
    fn map(&mut self) -> Result<Items, DecodeError>;

    /// Whether another element of an array, or another key of a map, follows.
    fn has_next(&mut self, items: &mut Items) -> Result<bool, DecodeError>;

    /// The key of a map with known keys.
    fn field<F>(&mut self, of: impl FnOnce(&[u8]) -> F) -> Result<F, DecodeError>;

    /// The key of a map with any keys.
    fn name(&mut self) -> Result<(Str, Key), DecodeError>;

    /// A text.
    fn text(&mut self) -> Result<Str, DecodeError>;

    /// Binary data.
    fn bytes(&mut self) -> Result<Str, DecodeError>;

    /// An integer; what is negative is reinterpreted.
    fn unsigned(&mut self) -> Result<u64, DecodeError>;

    /// An integer.
    fn signed(&mut self) -> Result<i64, DecodeError>;

    /// A number.
    fn double(&mut self) -> Result<f64, DecodeError>;

    /// A boolean.
    fn boolean(&mut self) -> Result<bool, DecodeError>;

    /// Passes over any value.
    fn skip(&mut self) -> Result<(), DecodeError>;

    /// A small integer.
    fn small(&mut self) -> Result<i32, DecodeError> {
        i32::try_from(self.signed()?).map_err(|_| DecodeError::OutOfRange)
    }

    /// A small integer that is not negative.
    fn small_unsigned(&mut self) -> Result<u32, DecodeError> {
        u32::try_from(self.signed()?).map_err(|_| DecodeError::OutOfRange)
    }
}

/// Appends text in which each byte that is not part of a character is replaced by U+FFFD.
/// spec: apm §5.1.
pub(super) fn repair(bytes: &[u8], text: &mut Vec<u8>) {
    for part in bytes.utf8_chunks() {
        text.extend_from_slice(part.valid().as_bytes());
        for _ in part.invalid() {
            text.extend_from_slice("\u{fffd}".as_bytes());
        }
    }
}
