//! The frame around the records of a capture file. spec: dogstatsd §12.

/// Version that is written.
pub const VERSION: u8 = 3;
/// First version that ends with a separator, the tagger state and its size.
pub const VERSION_WITH_STATE: u8 = 2;
/// First version whose times are in nanoseconds, earlier ones have seconds.
pub const VERSION_WITH_NANOSECONDS: u8 = 3;

/// Bytes of the header.
pub(crate) const HEADER_BYTES: usize = 8;
/// Bytes of a record's size, of the separator and of the state's size.
pub(crate) const SIZE_BYTES: usize = 4;
/// A record size of zero separates the records from the state.
pub(crate) const SEPARATOR: [u8; SIZE_BYTES] = [0; SIZE_BYTES];
/// How a zstd frame starts.
pub(crate) const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

const MAGIC: [u8; 4] = [0xd4, 0x74, 0xd0, 0x60];
const VERSION_MARK: u8 = 0xf0;

/// The header of a file of `version`.
pub(crate) const fn header(version: u8) -> [u8; HEADER_BYTES] {
    [MAGIC[0], MAGIC[1], MAGIC[2], MAGIC[3], VERSION_MARK | version, 0xff, 0, 0]
}

/// The version of a file that starts with `bytes`; `None` when it is no capture.
pub(crate) fn version(bytes: &[u8]) -> Option<u8> {
    let header = bytes.first_chunk::<HEADER_BYTES>()?;
    let is_capture = header.starts_with(&MAGIC) && header[4] & VERSION_MARK == VERSION_MARK;
    is_capture.then_some(header[4] & !VERSION_MARK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_round_trips_through_the_header() {
        for number in 0..16 {
            assert_eq!(version(&header(number)), Some(number));
        }
        assert_eq!(header(3), [0xd4, 0x74, 0xd0, 0x60, 0xf3, 0xff, 0, 0]);
        assert_eq!(version(b"d4"), None);
        assert_eq!(version(&[0; 8]), None);
    }
}
