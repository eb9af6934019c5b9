//! The frame around recorded requests, see [`requests`](super).

/// Version of the files that are written, and the newest that is read.
pub const REQUESTS_VERSION: u8 = 1;

/// Bytes of the header of a file.
pub(super) const HEADER_BYTES: usize = 8;
/// Bytes before the message of a frame: its length and its checksum.
pub(super) const FRAME_HEAD_BYTES: usize = 8;
/// Longest message. The receiver takes bodies of far less.
pub(super) const MESSAGE_BYTES_MAX: u32 = 256 << 20;

const MAGIC: [u8; 7] = *b"cltrace";

pub(super) const UNIX_NS: u64 = 1;
pub(super) const PATH: u64 = 2;
pub(super) const HEADER: u64 = 3;
pub(super) const CONTAINER: u64 = 4;
pub(super) const BODY: u64 = 5;
pub(super) const END: u64 = 15;

pub(super) fn header(version: u8) -> [u8; HEADER_BYTES] {
    let mut header = [version; HEADER_BYTES];
    header[..MAGIC.len()].copy_from_slice(&MAGIC);
    header
}

/// The version that a header names; none when it is of something else.
pub(super) fn version(header: [u8; HEADER_BYTES]) -> Option<u8> {
    let [magic @ .., version] = header;
    (magic == MAGIC).then_some(version)
}

/// What stands before a message.
pub(super) fn frame_head(length: u32, checksum: u32) -> [u8; FRAME_HEAD_BYTES] {
    let ([a, b, c, d], [e, f, g, h]) = (length.to_le_bytes(), checksum.to_le_bytes());
    [a, b, c, d, e, f, g, h]
}

/// Length and checksum of the message that follows.
pub(super) const fn frame(head: [u8; FRAME_HEAD_BYTES]) -> (u32, u32) {
    let [a, b, c, d, e, f, g, h] = head;
    (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]))
}
