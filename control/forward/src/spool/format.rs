//! The spool file format, version 2. All integers are little-endian.
//!
//! ```text
//! header, 40 bytes          record, repeated
//!   0  magic "CLSPOOL\n"      0  u32 length of the record after this field
//!   8  u16 version = 2        4  u64 submitted at, Unix milliseconds
//!  10  u16 zero              12  u64 points
//!  12  u32 records           20  u8 priority: 0 normal, 1 high
//!  16  u64 points            21  u8 kind: 0 metrics, 1 other
//!  24  u64 bytes to follow   22  u8 has content encoding: 0, 1
//!  32  u32 crc32 of those    23  u8 zero
//!  36  u32 crc32 of 0..36    24  u16 x 5 lengths: path, name, content type, encoding, headers
//!                            34  these texts in this order, then the body
//! ```
//!
//! Headers are lines of `name: value`. API keys, URLs and the headers that every request has are
//! not in it.

use std::borrow::Cow;

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use thiserror::Error;

use super::FileSummary;
use crate::payload::{Kind, Payload, Priority};

const MAGIC: &[u8; 8] = b"CLSPOOL\n";
const VERSION: u16 = 2;

/// Length of the file header.
pub(crate) const HEADER_BYTES: usize = 40;

/// Length of a record's fixed part after its length field.
const RECORD_FIXED_BYTES: usize = 30;

/// Texts of a record.
const TEXTS: usize = 5;

/// A payload with its time of submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// Unix milliseconds.
    pub(crate) created_ms: u64,
    pub(crate) payload: Payload,
}

/// Why bytes are no spool file.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(crate) enum FormatError {
    #[error("it is too short")]
    Short,
    #[error("it does not start like a spool file of this version")]
    Magic,
    #[error("its length is wrong")]
    Length,
    #[error("a checksum is wrong")]
    Checksum,
    #[error("a record is malformed")]
    Record,
}

/// The decoded file header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) records: u32,
    pub(crate) points: u64,
    rest_bytes: u64,
    rest_crc: u32,
}

impl Header {
    /// Decodes and checks the first [`HEADER_BYTES`] bytes.
    pub(crate) fn decode(head: &[u8; HEADER_BYTES]) -> Result<Self, FormatError> {
        let (covered, crc) = head.split_at(HEADER_BYTES - 4);
        if !covered.starts_with(MAGIC) {
            return Err(FormatError::Magic);
        }
        let mut fields = covered.get(MAGIC.len()..).ok_or(FormatError::Short)?;
        let (version, zero) = (fields.get_u16_le(), fields.get_u16_le());
        if version != VERSION || zero != 0 {
            return Err(FormatError::Magic);
        }
        let mut stored_crc = crc;
        if crc32fast::hash(covered) != stored_crc.get_u32_le() {
            return Err(FormatError::Checksum);
        }
        Ok(Self {
            records: fields.get_u32_le(),
            points: fields.get_u64_le(),
            rest_bytes: fields.get_u64_le(),
            rest_crc: fields.get_u32_le(),
        })
    }

    /// Length of the whole file; `None` if it overflows.
    pub(crate) fn file_bytes(&self) -> Option<u64> {
        self.rest_bytes.checked_add(HEADER_BYTES as u64)
    }

    fn encode(&self) -> Bytes {
        let mut out = BytesMut::with_capacity(HEADER_BYTES);
        out.put_slice(MAGIC);
        out.put_u16_le(VERSION);
        out.put_u16_le(0);
        out.put_u32_le(self.records);
        out.put_u64_le(self.points);
        out.put_u64_le(self.rest_bytes);
        out.put_u32_le(self.rest_crc);
        out.put_u32_le(crc32fast::hash(&out));
        out.freeze()
    }
}

/// Encodes records as chunks to be written one after the other; bodies are not copied.
pub(crate) fn encode(records: &[Record]) -> (Vec<Bytes>, FileSummary) {
    let mut chunks = vec![Bytes::new()];
    let mut crc = crc32fast::Hasher::new();
    let (mut count, mut points, mut rest_bytes) = (0, 0, 0);
    for record in records {
        let Some(head) = encode_record_head(record) else { continue };
        for chunk in [head, record.payload.body.clone()] {
            crc.update(&chunk);
            rest_bytes += chunk.len() as u64;
            chunks.push(chunk);
        }
        count += 1;
        points += record.payload.points;
    }
    let header = Header { records: count, points, rest_bytes, rest_crc: crc.finalize() };
    if let Some(first) = chunks.first_mut() {
        *first = header.encode();
    }
    let bytes = rest_bytes + HEADER_BYTES as u64;
    (chunks, FileSummary { bytes, records: u64::from(count), points })
}

/// Whether a payload fits the format: texts under 64 KiB, body under 4 GiB.
pub(crate) fn is_encodable(payload: &Payload) -> bool {
    let headers = headers_text(payload);
    let texts = texts_of(payload, &headers);
    texts.iter().all(|text| u16::try_from(text.len()).is_ok())
        && u32::try_from(payload.body.len() + RECORD_FIXED_BYTES + TEXTS * usize::from(u16::MAX))
            .is_ok()
}

fn texts_of<'a>(payload: &'a Payload, headers: &'a str) -> [&'a str; TEXTS] {
    let encoding = payload.encoding.as_deref().unwrap_or_default();
    [&payload.path, &payload.endpoint_name, &payload.content_type, encoding, headers]
}

fn headers_text(payload: &Payload) -> String {
    payload.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect()
}

fn headers_of(text: &str) -> Option<Vec<(Cow<'static, str>, Cow<'static, str>)>> {
    let header = |line: &str| {
        let (name, value) = line.split_once(": ")?;
        Some((Cow::Owned(name.to_owned()), Cow::Owned(value.to_owned())))
    };
    text.lines().map(header).collect()
}

fn encode_record_head(record: &Record) -> Option<Bytes> {
    let payload = &record.payload;
    if !is_encodable(payload) {
        return None;
    }
    let headers = headers_text(payload);
    let texts = texts_of(payload, &headers);
    let text_bytes: usize = texts.iter().map(|text| text.len()).sum();
    let mut out = BytesMut::with_capacity(4 + RECORD_FIXED_BYTES + text_bytes);
    out.put_u32_le(u32::try_from(RECORD_FIXED_BYTES + text_bytes + payload.body.len()).ok()?);
    out.put_u64_le(record.created_ms);
    out.put_u64_le(payload.points);
    out.put_u8(u8::from(payload.priority == Priority::High));
    out.put_u8(u8::from(payload.kind == Kind::Other));
    out.put_u8(u8::from(payload.encoding.is_some()));
    out.put_u8(0);
    for text in texts {
        out.put_u16_le(u16::try_from(text.len()).ok()?);
    }
    for text in texts {
        out.put_slice(text.as_bytes());
    }
    Some(out.freeze())
}

/// Decodes a whole file; the bodies share its memory.
pub(crate) fn decode(file: Vec<u8>) -> Result<Vec<Record>, FormatError> {
    let header = Header::decode(file.first_chunk().ok_or(FormatError::Short)?)?;
    let mut rest = Bytes::from(file);
    if header.file_bytes() != Some(rest.len() as u64) {
        return Err(FormatError::Length);
    }
    rest.advance(HEADER_BYTES);
    if crc32fast::hash(&rest) != header.rest_crc {
        return Err(FormatError::Checksum);
    }
    let mut records = Vec::new();
    while !rest.is_empty() {
        let record_bytes = rest.try_get_u32_le().map_err(|_| FormatError::Record)? as usize;
        if record_bytes > rest.len() {
            return Err(FormatError::Record);
        }
        records.push(decode_record(rest.split_to(record_bytes)).ok_or(FormatError::Record)?);
    }
    match records.len() == header.records as usize {
        true => Ok(records),
        false => Err(FormatError::Record),
    }
}

fn decode_record(mut bytes: Bytes) -> Option<Record> {
    if bytes.len() < RECORD_FIXED_BYTES {
        return None;
    }
    let created_ms = bytes.get_u64_le();
    let points = bytes.get_u64_le();
    let priority = if flag(bytes.get_u8())? { Priority::High } else { Priority::Normal };
    let kind = if flag(bytes.get_u8())? { Kind::Other } else { Kind::Metrics };
    let has_encoding = flag(bytes.get_u8())?;
    let _zero = bytes.get_u8();
    let lengths: [u16; TEXTS] = std::array::from_fn(|_| bytes.get_u16_le());
    let mut texts: [String; TEXTS] = Default::default();
    for (text, length) in texts.iter_mut().zip(lengths) {
        if usize::from(length) > bytes.len() {
            return None;
        }
        *text = String::from_utf8(bytes.split_to(length.into()).into()).ok()?;
    }
    let [path, endpoint_name, content_type, encoding, headers] = texts.map(Cow::Owned);
    let encoding = has_encoding.then_some(encoding);
    let payload = Payload {
        path,
        endpoint_name,
        content_type,
        encoding,
        headers: headers_of(&headers)?,
        body: bytes,
        points,
        is_storable: true,
        priority,
        kind,
    };
    Some(Record { created_ms, payload })
}

fn flag(byte: u8) -> Option<bool> {
    match byte {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn file_of(records: &[Record]) -> Vec<u8> {
        let (chunks, summary) = encode(records);
        let file = chunks.concat();
        assert_eq!(summary.bytes, file.len() as u64);
        file
    }

    fn record_strategy() -> impl Strategy<Value = Record> {
        let texts = ("/[a-z0-9/]{0,20}", "[a-z_]{0,8}", "[a-z/]{0,8}", any::<Option<bool>>());
        let rest = (any::<u64>(), 0..u64::from(u32::MAX), any::<bool>(), any::<bool>());
        (texts, rest, prop::collection::vec(any::<u8>(), 0..64)).prop_map(|(texts, rest, body)| {
            Record {
                created_ms: rest.0,
                payload: Payload {
                    path: texts.0.into(),
                    endpoint_name: texts.1.into(),
                    content_type: texts.2.into(),
                    encoding: texts.3.map(|full| if full { "zstd".into() } else { "".into() }),
                    headers: match rest.1 % 3 {
                        0 => Vec::new(),
                        n => vec![
                            ("x-kind".into(), format!("a: {n}").into());
                            usize::from(n == 2) + 1
                        ],
                    },
                    body: body.into(),
                    points: rest.1,
                    is_storable: true,
                    priority: if rest.2 { Priority::High } else { Priority::Normal },
                    kind: if rest.3 { Kind::Other } else { Kind::Metrics },
                },
            }
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(records in prop::collection::vec(record_strategy(), 0..6)) {
            prop_assert_eq!(decode(file_of(&records)), Ok(records));
        }

        #[test]
        fn damage_is_noticed(
            records in prop::collection::vec(record_strategy(), 1..4),
            at: prop::sample::Index,
            bit in 0u8..8,
            cut: prop::sample::Index,
        ) {
            let file = file_of(&records);
            let mut flipped = file.clone();
            flipped[at.index(file.len())] ^= 1 << bit;
            prop_assert!(decode(flipped).is_err());
            let cut = cut.index(file.len());
            prop_assert!(decode(file[..cut].to_vec()).is_err());
            let mut longer = file;
            longer.push(0);
            prop_assert!(decode(longer).is_err());
        }

        #[test]
        fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(decode(bytes).is_err());
        }

        #[test]
        fn garbage_records_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let header = Header {
                records: 1,
                points: 0,
                rest_bytes: bytes.len() as u64,
                rest_crc: crc32fast::hash(&bytes),
            };
            let _decoded = decode([header.encode().to_vec(), bytes].concat());
        }
    }
}
