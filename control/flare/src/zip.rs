//! Zip files as far as a flare needs them: deflated members, less than 4 GiB.
//!
//! APPNOTE 6.3, sections 4.3.7, 4.3.12 and 4.3.16. The crate `zip` brings encryption, a second
//! `nix` and clocks along; what is needed of it is this file over `flate2`, and the fake intake
//! reads it back with a reader of its own.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::DeflateEncoder;

/// The format has no room for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the archive cannot be written: it has too many members, or too large ones")]
pub struct ArchiveError;

impl From<std::num::TryFromIntError> for ArchiveError {
    fn from(_: std::num::TryFromIntError) -> Self {
        Self
    }
}

/// A zip file that is being written.
#[derive(Debug, Default)]
pub(crate) struct Zip {
    out: Vec<u8>,
    directory: Vec<u8>,
    members: u16,
}

/// Version of the format that knows deflate.
const VERSION: [u8; 2] = [20, 0];
/// Made by that version, on a system with Unix rights.
const MADE_BY: [u8; 2] = [20, 3];
/// Names are UTF-8; deflated; midnight of 1980-01-01, since the name of the archive has its time.
const COMMON: [u8; 8] = [0, 8, 8, 0, 0, 0, 0x21, 0];
/// A regular file that its owner reads and writes.
const RIGHTS: u32 = 0o100_600 << 16;

impl Zip {
    /// Adds a member.
    pub(crate) fn add(&mut self, name: &str, content: &[u8]) -> Result<(), ArchiveError> {
        let at = u32::try_from(self.out.len())?;
        let mut deflate = DeflateEncoder::new(Vec::new(), Compression::default());
        let packed = deflate.write_all(content).and_then(|()| deflate.finish());
        let packed = packed.map_err(|_| ArchiveError)?;
        let mut head = COMMON.to_vec();
        head.extend(crc32fast::hash(content).to_le_bytes());
        head.extend(u32::try_from(packed.len())?.to_le_bytes());
        head.extend(u32::try_from(content.len())?.to_le_bytes());
        head.extend(u16::try_from(name.len())?.to_le_bytes());
        self.members = self.members.checked_add(1).ok_or(ArchiveError)?;
        for part in [&b"PK\x03\x04"[..], &VERSION, &head, &[0; 2], name.as_bytes(), &packed] {
            self.out.extend_from_slice(part);
        }
        let rights = RIGHTS.to_le_bytes();
        let at = at.to_le_bytes();
        // Neither extra fields nor comments, one disk, no attributes of a text.
        for part in [&b"PK\x01\x02"[..], &MADE_BY, &VERSION, &head, &[0; 8], &rights, &at] {
            self.directory.extend_from_slice(part);
        }
        self.directory.extend_from_slice(name.as_bytes());
        Ok(())
    }

    /// The finished file.
    pub(crate) fn finish(mut self) -> Result<Vec<u8>, ArchiveError> {
        let at = u32::try_from(self.out.len())?.to_le_bytes();
        let bytes = u32::try_from(self.directory.len())?.to_le_bytes();
        let members = self.members.to_le_bytes();
        self.out.append(&mut self.directory);
        for part in [&b"PK\x05\x06"[..], &[0; 4], &members, &members, &bytes, &at, &[0; 2]] {
            self.out.extend_from_slice(part);
        }
        Ok(self.out)
    }
}

#[cfg(test)]
mod tests {
    use intake::flares::unzip;
    use proptest::prelude::*;

    use super::Zip;

    proptest! {
        #[test]
        fn what_is_written_is_read_by_another_reader(
            contents in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..3000), 0..9)
        ) {
            let mut zip = Zip::default();
            let mut expected = Vec::new();
            for (number, content) in contents.into_iter().enumerate() {
                let name = format!("h\u{f6}st/m{number}.log");
                zip.add(&name, &content).expect("written");
                expected.push((name, content));
            }
            let bytes = zip.finish().expect("written");
            prop_assert_eq!(unzip(&bytes, 1 << 20).expect("a good archive"), expected);
        }
    }
}
