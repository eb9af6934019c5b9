//! One captured packet.

use crate::proto::{Fields, Malformed, put_bytes, put_int};

/// One packet as it was received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Record<'a> {
    /// When it was received: Unix nanoseconds. Files before version 3 have whole seconds.
    pub unix_ns: i64,
    /// Process that sent it; 0 when unknown.
    pub pid: i32,
    /// The packet: one or more lines.
    pub payload: &'a [u8],
    /// Control messages that came with it, as the kernel wrote them; may be empty.
    pub ancillary: &'a [u8],
}

impl<'a> Record<'a> {
    /// Appends the record as a protobuf message.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let size = |bytes: &[u8]| i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        put_int(out, 1, self.unix_ns);
        put_int(out, 2, size(self.payload));
        put_bytes(out, 3, self.payload);
        put_int(out, 4, i64::from(self.pid));
        put_int(out, 5, size(self.ancillary));
        put_bytes(out, 6, self.ancillary);
    }

    /// Reads a protobuf message; `ns_per_unit` is the unit of its time.
    ///
    /// Some recorders store whole buffers: what counts is the length beside them.
    pub(crate) fn decode(message: &'a [u8], ns_per_unit: i64) -> Result<Self, Malformed> {
        let mut record = Self::default();
        let (mut payload_len, mut ancillary_len) = (None, None);
        for field in Fields::new(message) {
            let (number, value) = field?;
            match number {
                1 => record.unix_ns = value.int64().saturating_mul(ns_per_unit),
                2 => payload_len = usize::try_from(value.int32()).ok(),
                3 => record.payload = value.bytes(),
                4 => record.pid = value.int32(),
                5 => ancillary_len = usize::try_from(value.int32()).ok(),
                6 => record.ancillary = value.bytes(),
                _ => {}
            }
        }
        record.payload = prefix(record.payload, payload_len);
        record.ancillary = prefix(record.ancillary, ancillary_len);
        Ok(record)
    }
}

fn prefix(bytes: &[u8], len: Option<usize>) -> &[u8] {
    len.and_then(|len| bytes.get(..len)).unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_shorter_than_the_buffer_counts() {
        let mut message = Vec::new();
        put_int(&mut message, 2, 5);
        put_bytes(&mut message, 3, b"a:1|c\0\0\0");
        let record = Record::decode(&message, 1).expect("well-formed");
        assert_eq!(record.payload, b"a:1|c");
    }

    #[test]
    fn a_length_beyond_the_buffer_is_ignored() {
        let mut message = Vec::new();
        put_int(&mut message, 2, 500);
        put_bytes(&mut message, 3, b"a:1|c");
        let record = Record::decode(&message, 1).expect("well-formed");
        assert_eq!(record.payload, b"a:1|c");
    }
}
