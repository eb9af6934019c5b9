//! `DDSketch` in protobuf. spec: apm §9.5.

use std::collections::BTreeMap;

use crate::LatencySketch;
use crate::decode::message::{Message, Notes, Part, entry};
use crate::decode::{DecodeError, invalid};

/// Decodes a sketch; no bytes are no sketch.
pub(super) fn sketch(
    bytes: &[u8],
    notes: &mut Notes,
) -> Result<Option<LatencySketch>, DecodeError> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let mut sketch = LatencySketch::default();
    let (mut has_positive, mut has_negative) = (false, false);
    let mut message = Message::new("DDSketch", bytes);
    while let Some(part) = message.next()? {
        match part.number {
            1 => mapping(part, &mut sketch, notes)?,
            2 => {
                has_positive = true;
                sketch.bins = store(part, notes)?;
            }
            3 => {
                has_negative = true;
                sketch.negative_bins = store(part, notes)?;
            }
            4 => sketch.zero_count = part.double()?,
            _ => part.unknown(notes),
        }
    }
    sketch.has_stores = has_positive && has_negative;
    Ok(Some(sketch))
}

fn mapping(
    part: Part<'_>,
    sketch: &mut LatencySketch,
    notes: &mut Notes,
) -> Result<(), DecodeError> {
    let mut message = part.message("IndexMapping", notes)?;
    while let Some(part) = message.next()? {
        match part.number {
            1 => sketch.gamma = part.double()?,
            2 => sketch.index_offset = part.double()?,
            3 => sketch.interpolation = part.unsigned32()?,
            _ => part.unknown(notes),
        }
    }
    Ok(())
}

/// Both forms of a store may occur together: their counts add up.
fn store(part: Part<'_>, notes: &mut Notes) -> Result<Vec<(i32, f64)>, DecodeError> {
    let mut bins: BTreeMap<i32, f64> = BTreeMap::new();
    let mut contiguous = Vec::new();
    let mut offset = 0;
    let mut message = part.message("Store", notes)?;
    while let Some(part) = message.next()? {
        match part.number {
            1 => {
                let read = |value: Part<'_>, _: &mut Notes| value.double();
                let (index, count) = entry(part, notes, 0.0, Part::zigzag32, read)?;
                *bins.entry(index).or_default() += count;
            }
            2 => {
                let (counts, rest) = part.bytes()?.as_chunks::<8>();
                if !rest.is_empty() {
                    return part.wrong("a list of eight bytes each");
                }
                contiguous.extend(counts.iter().map(|count| f64::from_le_bytes(*count)));
            }
            3 => offset = part.zigzag32()?,
            _ => part.unknown(notes),
        }
    }
    for (step, count) in contiguous.into_iter().enumerate() {
        notes.count_element()?;
        let index = i32::try_from(step).ok().and_then(|step| offset.checked_add(step));
        let Some(index) = index else {
            return invalid("Store: an index is over 32 bits");
        };
        *bins.entry(index).or_default() += count;
    }
    Ok(bins.into_iter().collect())
}
