//! Sketches as protobuf. spec: apm §9.5.

use super::mapping::Mapping;
use super::{GAMMA, Sketch};

/// Bins that a message may have.
const BINS_MAX: usize = 1 << 16;

const FIXED64: u8 = 1;
const BYTES: u8 = 2;

/// Why bytes are no sketch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SketchError {
    /// The bytes end within a field.
    #[error("sketch is cut off: send the whole message")]
    Truncated,
    /// A field has a form that protobuf does not know.
    #[error("sketch is not protobuf: send a DDSketch message")]
    Malformed,
    /// There is no mapping, or one whose base or interpolation is not known.
    #[error("sketch has no known mapping: send a base above 1 and interpolation 0, 1 or 3")]
    Mapping,
    /// There are more bins than a sketch has.
    #[error("sketch has more than 65536 bins: send fewer")]
    Bins,
}

impl Sketch {
    /// Appends the message: mapping, both stores, and the count of zeros if there are any.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let (first, counts) = self.bins();
        out.extend_from_slice(&[0x0a, 9, 0x09]);
        out.extend_from_slice(&GAMMA.to_le_bytes());

        let packed_bytes = size_of_val(counts);
        // Twice the magnitude, odd for negative numbers.
        let offset = u64::from(((first << 1) ^ (first >> 31)).cast_unsigned());
        let mut store_bytes = 0;
        if packed_bytes > 0 {
            store_bytes += 1 + varint_bytes(packed_bytes as u64) + packed_bytes;
        }
        if offset != 0 {
            store_bytes += 1 + varint_bytes(offset);
        }
        out.push(0x12);
        write_varint(out, store_bytes as u64);
        if packed_bytes > 0 {
            out.push(0x12);
            write_varint(out, packed_bytes as u64);
            for count in counts {
                out.extend_from_slice(&count.to_le_bytes());
            }
        }
        if offset != 0 {
            out.push(0x18);
            write_varint(out, offset);
        }

        out.extend_from_slice(&[0x1a, 0]);
        if self.zero_count > 0.0 {
            out.push(0x21);
            out.extend_from_slice(&self.zero_count.to_le_bytes());
        }
    }

    /// Reads a message of any mapping; bins of others than ours are spread over ours. Negative
    /// values count as zeros, since durations have no sign. No bytes are an empty sketch.
    ///
    /// # Errors
    /// The bytes are no such message, or one with more bins than values can have.
    pub fn decode(bytes: &[u8]) -> Result<Self, SketchError> {
        let mut sketch = Self::default();
        if bytes.is_empty() {
            return Ok(sketch);
        }
        let mut mapping = None;
        let mut positive = Bins::default();
        let mut negative = Bins::default();
        let mut fields = Fields { rest: bytes };
        while let Some((number, field)) = fields.next()? {
            match (number, field) {
                (1, Field::Bytes(message)) => mapping = Some(read_mapping(message)?),
                (2, Field::Bytes(message)) => positive.read(message)?,
                (3, Field::Bytes(message)) => negative.read(message)?,
                (4, Field::Fixed64(bits)) => sketch.insert(0.0, f64::from_bits(bits)),
                _ => {}
            }
        }
        let mapping = mapping.ok_or(SketchError::Mapping)?;
        for (_, count) in negative.counts {
            sketch.insert(0.0, count);
        }
        // The highest first, so that the window of the store moves as little as possible.
        positive.counts.sort_unstable_by_key(|(index, _)| std::cmp::Reverse(*index));
        positive.counts.dedup_by(|next, held| {
            let is_same = next.0 == held.0;
            held.1 += if is_same { next.1 } else { 0.0 };
            is_same
        });
        for (index, count) in positive.counts {
            if mapping.is_ours() {
                sketch.insert_at(index, count);
            } else {
                mapping.spread(&mut sketch, index, count);
            }
        }
        Ok(sketch)
    }
}

/// Bins of a store: indices and counts above 0.
#[derive(Debug, Default)]
struct Bins {
    counts: Vec<(i32, f64)>,
}

impl Bins {
    fn read(&mut self, message: &[u8]) -> Result<(), SketchError> {
        let mut fields = Fields { rest: message };
        let mut first = 0;
        let mut dense: Vec<&[u8]> = Vec::new();
        while let Some((number, field)) = fields.next()? {
            match (number, field) {
                (1, Field::Bytes(entry)) => self.read_entry(entry)?,
                (2, Field::Bytes(packed)) => dense.push(packed),
                (3, Field::Varint(offset)) => first = zigzag(offset),
                _ => {}
            }
        }
        let mut index = first;
        for packed in dense {
            let (counts, rest) = packed.as_chunks();
            if !rest.is_empty() {
                return Err(SketchError::Malformed);
            }
            for count in counts {
                self.push(index, f64::from_le_bytes(*count))?;
                index = index.saturating_add(1);
            }
        }
        Ok(())
    }

    fn read_entry(&mut self, entry: &[u8]) -> Result<(), SketchError> {
        let mut fields = Fields { rest: entry };
        let (mut index, mut count) = (0, 0.0);
        while let Some((number, field)) = fields.next()? {
            match (number, field) {
                (1, Field::Varint(raw)) => index = zigzag(raw),
                (2, Field::Fixed64(bits)) => count = f64::from_bits(bits),
                _ => {}
            }
        }
        self.push(index, count)
    }

    fn push(&mut self, index: i32, count: f64) -> Result<(), SketchError> {
        if super::is_count(count) {
            if self.counts.len() >= BINS_MAX {
                return Err(SketchError::Bins);
            }
            self.counts.push((index, count));
        }
        Ok(())
    }
}

fn read_mapping(message: &[u8]) -> Result<Mapping, SketchError> {
    let mut fields = Fields { rest: message };
    let (mut gamma, mut offset, mut interpolation) = (0.0, 0.0, 0);
    while let Some((number, field)) = fields.next()? {
        match (number, field) {
            (1, Field::Fixed64(bits)) => gamma = f64::from_bits(bits),
            (2, Field::Fixed64(bits)) => offset = f64::from_bits(bits),
            (3, Field::Varint(number)) => interpolation = number,
            _ => {}
        }
    }
    Mapping::new(gamma, offset, interpolation).ok_or(SketchError::Mapping)
}

/// Walks over the fields of a message.
struct Fields<'a> {
    rest: &'a [u8],
}

enum Field<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    /// Four bytes, which no field of a sketch has.
    Fixed32,
}

impl<'a> Fields<'a> {
    /// The next field and its number; `None` at the end.
    fn next(&mut self) -> Result<Option<(u64, Field<'a>)>, SketchError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let field = match (tag & 7) as u8 {
            0 => Field::Varint(self.varint()?),
            FIXED64 => Field::Fixed64(u64::from_le_bytes(self.array()?)),
            BYTES => {
                let len = usize::try_from(self.varint()?).map_err(|_| SketchError::Truncated)?;
                let split = self.rest.split_at_checked(len).ok_or(SketchError::Truncated)?;
                self.rest = split.1;
                Field::Bytes(split.0)
            }
            5 => {
                let _: [u8; 4] = self.array()?;
                Field::Fixed32
            }
            _ => return Err(SketchError::Malformed),
        };
        Ok(Some((tag >> 3, field)))
    }

    fn varint(&mut self) -> Result<u64, SketchError> {
        let mut number = 0;
        for shift in (0..70).step_by(7) {
            let [byte] = self.array()?;
            number |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(SketchError::Malformed)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], SketchError> {
        let (array, rest) = self.rest.split_first_chunk().ok_or(SketchError::Truncated)?;
        self.rest = rest;
        Ok(*array)
    }
}

/// A signed number from twice its magnitude. Only the lower 32 bits count, as in protobuf.
#[expect(clippy::cast_possible_truncation, reason = "protobuf drops the upper half")]
fn zigzag(raw: u64) -> i32 {
    let raw = raw as u32;
    (raw >> 1).cast_signed() ^ -(raw & 1).cast_signed()
}

fn varint_bytes(number: u64) -> usize {
    (64 - (number | 1).leading_zeros() as usize).div_ceil(7)
}

#[expect(clippy::cast_possible_truncation, reason = "masked to 7 bits")]
fn write_varint(out: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

#[cfg(test)]
mod tests;
