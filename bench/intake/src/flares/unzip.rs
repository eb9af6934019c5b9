//! Zip archives, read by their directory and strictly: APPNOTE 6.3, sections 4.3.7 to 4.3.16.

use std::io::Read as _;

use flate2::Crc;
use flate2::read::DeflateDecoder;

/// Why bytes are no archive that we read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no good zip archive: {0}")]
pub struct UnzipError(String);

impl UnzipError {
    fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

/// `end of central directory` without its comment.
const END_BYTES: usize = 22;
const END_MAGIC: u32 = 0x0605_4b50;
const ENTRY_MAGIC: u32 = 0x0201_4b50;
const LOCAL_MAGIC: u32 = 0x0403_4b50;

/// Names and contents of all members, in the order of the directory.
///
/// # Errors
/// When anything is not as the format wants it, or the contents exceed `bytes_max`.
pub fn unzip(archive: &[u8], bytes_max: usize) -> Result<Vec<(String, Vec<u8>)>, UnzipError> {
    let end = archive.len().checked_sub(END_BYTES).ok_or_else(|| UnzipError::new("too short"))?;
    if number(archive, end, 4)? != END_MAGIC as usize {
        return Err(UnzipError::new("there is no directory at the end"));
    }
    let count = number(archive, end + 10, 2)?;
    let mut at = number(archive, end + 16, 4)?;
    let mut left = bytes_max;
    let mut members: Vec<(String, Vec<u8>)> = Vec::new();
    for _ in 0..count {
        if number(archive, at, 4)? != ENTRY_MAGIC as usize {
            return Err(UnzipError::new("an entry of the directory is none"));
        }
        let lengths = [28, 30, 32].map(|offset| number(archive, at + offset, 2));
        let [name_bytes, extra_bytes, comment_bytes] = lengths;
        let name_bytes = name_bytes?;
        let name = text(archive, at + 46, name_bytes)?;
        if name.starts_with('/') || name.split('/').any(|part| part == "..") {
            return Err(UnzipError::new(format!("{name:?} leads out of the archive")));
        }
        if members.iter().any(|(known, _)| *known == name) {
            return Err(UnzipError::new(format!("{name:?} is there twice")));
        }
        let content = member(archive, at, &name, left)?;
        left -= content.len();
        members.push((name, content));
        at += 46 + name_bytes + extra_bytes? + comment_bytes?;
    }
    if at == end { Ok(members) } else { Err(UnzipError::new("the directory has another length")) }
}

/// The content that an entry of the directory leads to.
fn member(archive: &[u8], entry: usize, name: &str, left: usize) -> Result<Vec<u8>, UnzipError> {
    let method = number(archive, entry + 10, 2)?;
    let checksum = number(archive, entry + 16, 4)?;
    let packed_bytes = number(archive, entry + 20, 4)?;
    let bytes = number(archive, entry + 24, 4)?;
    let local = number(archive, entry + 42, 4)?;
    let bad = |what: &str| UnzipError::new(format!("{name}: {what}"));
    if number(archive, local, 4)? != LOCAL_MAGIC as usize {
        return Err(bad("its header is none"));
    }
    let name_bytes = number(archive, local + 26, 2)?;
    if text(archive, local + 30, name_bytes)? != name {
        return Err(bad("its header has another name"));
    }
    if bytes > left {
        return Err(bad("it is too large"));
    }
    let start = local + 30 + name_bytes + number(archive, local + 28, 2)?;
    let packed = archive.get(start..start + packed_bytes).ok_or_else(|| bad("it is cut"))?;
    let mut content = Vec::new();
    match method {
        0 => content.extend_from_slice(packed),
        8 => {
            let limit = u64::try_from(bytes).unwrap_or(u64::MAX) + 1;
            let read = DeflateDecoder::new(packed).take(limit).read_to_end(&mut content);
            read.map_err(|error| bad(&error.to_string()))?;
        }
        other => return Err(bad(&format!("method {other} is not known"))),
    }
    let mut crc = Crc::new();
    crc.update(&content);
    if content.len() != bytes || crc.sum() as usize != checksum {
        return Err(bad("its content is not what the directory says"));
    }
    Ok(content)
}

/// A little-endian number of `width` bytes.
fn number(bytes: &[u8], at: usize, width: usize) -> Result<usize, UnzipError> {
    let found =
        bytes.get(at..at.saturating_add(width)).ok_or_else(|| UnzipError::new("it is cut"))?;
    Ok(found.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte)))
}

fn text(bytes: &[u8], at: usize, length: usize) -> Result<String, UnzipError> {
    let found =
        bytes.get(at..at.saturating_add(length)).ok_or_else(|| UnzipError::new("it is cut"))?;
    String::from_utf8(found.to_vec()).map_err(|error| UnzipError::new(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::unzip;

    /// `a/b.txt` with "hello\n", stored.
    fn stored() -> Vec<u8> {
        let checksum = 0x363a_3020_u32.to_le_bytes();
        let sizes = [6_u32.to_le_bytes(), 6_u32.to_le_bytes()].concat();
        let common = [&[0, 0, 0, 0][..], &[0; 4], &checksum, &sizes, &7_u16.to_le_bytes()].concat();
        let local =
            [&b"PK\x03\x04"[..], &[10, 0], &common, &[0, 0], b"a/b.txt", b"hello\n"].concat();
        let entry = [&b"PK\x01\x02"[..], &[10, 0, 10, 0], &common, &[0; 16], b"a/b.txt"].concat();
        let (at, bytes) = (local.len(), entry.len());
        let at = u32::try_from(at).expect("small").to_le_bytes();
        let bytes = u32::try_from(bytes).expect("small").to_le_bytes();
        let end = [&b"PK\x05\x06"[..], &[0; 4], &[1, 0, 1, 0], &bytes, &at, &[0, 0]].concat();
        [local, entry, end].concat()
    }

    #[test]
    fn a_member_is_read_and_any_change_is_noticed_or_harmless() {
        let archive = stored();
        let expected = vec![("a/b.txt".to_owned(), b"hello\n".to_vec())];
        assert_eq!(unzip(&archive, 6), Ok(expected));
        assert!(unzip(&archive, 5).is_err());
        for length in 0..archive.len() {
            assert!(unzip(&archive[..length], 100).is_err(), "{length} bytes");
        }
        for at in 0..archive.len() {
            let mut changed = archive.clone();
            changed[at] ^= 0x55;
            // Times and versions are nobody's concern; the content is.
            if let Ok(members) = unzip(&changed, 100) {
                assert!(members.iter().all(|(_, content)| content == b"hello\n"), "byte {at}");
            }
        }
    }
}
