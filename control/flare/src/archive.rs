//! A zip archive of bounded size that says what is not in it.

use bytes::Bytes;

use crate::zip::{ArchiveError, Zip};

/// An archive that is being filled. What it is given was scrubbed before.
#[derive(Debug)]
pub struct Archive {
    zip: Zip,
    root: String,
    left: usize,
    members: usize,
    missing: usize,
    notes: Vec<String>,
}

/// A finished archive.
#[derive(Clone, Debug)]
pub struct Collected {
    /// The zip file.
    pub bytes: Bytes,
    /// Members in it, without the one about the making.
    pub members: usize,
    /// Members that should be in it and are not.
    pub missing: usize,
}

/// Member that tells what is in the archive and what is not.
const CREATION_LOG: &str = "flare_creation.log";
/// Kept free for that member.
const NOTES_BYTES_MAX: usize = 64 << 10;

impl Archive {
    /// An archive whose members stand below the name of a host, with so many bytes of contents at
    /// most.
    #[must_use]
    pub fn new(host: &str, contents_bytes_max: usize) -> Self {
        Self {
            zip: Zip::default(),
            root: directory_name(host),
            left: contents_bytes_max.saturating_sub(NOTES_BYTES_MAX),
            members: 0,
            missing: 0,
            notes: Vec::new(),
        }
    }

    /// Adds a member; one that does not fit is left out and noted.
    ///
    /// # Errors
    /// When the archive cannot be written.
    pub fn add(&mut self, name: &str, content: &str) -> Result<(), ArchiveError> {
        let Some(left) = self.left.checked_sub(content.len()) else {
            self.leave_out(name, &format!("its {} bytes exceed the limit", content.len()));
            return Ok(());
        };
        self.write(name, content)?;
        self.left = left;
        self.members += 1;
        self.note(&format!("{name}: {} bytes", content.len()));
        Ok(())
    }

    /// Notes that a member is not there.
    pub fn leave_out(&mut self, name: &str, reason: &str) {
        self.missing += 1;
        self.note(&format!("{name}: left out: {reason}"));
    }

    /// Notes something about the archive.
    pub fn note(&mut self, line: &str) {
        let bytes: usize = self.notes.iter().map(|note| note.len() + 1).sum();
        if bytes + line.len() < NOTES_BYTES_MAX {
            self.notes.push(line.to_owned());
        }
    }

    /// Ends the archive.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self) -> Result<Collected, ArchiveError> {
        let notes = std::mem::take(&mut self.notes).join("\n") + "\n";
        self.write(CREATION_LOG, &notes)?;
        let bytes = self.zip.finish()?.into();
        Ok(Collected { bytes, members: self.members, missing: self.missing })
    }

    fn write(&mut self, name: &str, content: &str) -> Result<(), ArchiveError> {
        self.zip.add(&format!("{}/{name}", self.root), content.as_bytes())
    }
}

/// A host name as one directory that no tool mistakes for something else.
fn directory_name(host: &str) -> String {
    /// Longest name of most file systems.
    const CHARS_MAX: usize = 255;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let name: String =
        host.chars().take(CHARS_MAX).map(|c| if is_plain(c) { c } else { '_' }).collect();
    let name = name.trim_start_matches('.');
    if name.is_empty() { "unknown".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use intake::flares::unzip;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_does_not_fit_is_left_out_and_named() {
        let mut archive = Archive::new("web-1.example", NOTES_BYTES_MAX + 10);
        archive.add("a.log", "12345678").expect("written");
        archive.add("b.log", "123").expect("written");
        archive.add("c.log", "12").expect("written");
        archive.leave_out("d.log", "it took too long");
        let collected = archive.finish().expect("written");
        assert_eq!((collected.members, collected.missing), (2, 2));
        let members = unzip(&collected.bytes, 1 << 20).expect("a good archive");
        let names: Vec<_> = members.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            ["web-1.example/a.log", "web-1.example/c.log", "web-1.example/flare_creation.log"]
        );
        assert_eq!(members[0].1, b"12345678");
        let notes = String::from_utf8_lossy(&members[2].1);
        assert!(notes.contains("b.log: left out: its 3 bytes exceed the limit"), "{notes}");
        assert!(notes.contains("d.log: left out: it took too long"), "{notes}");
    }

    proptest! {
        /// Whatever the host is called, its members stay inside one directory.
        #[test]
        fn a_host_is_one_directory(host in "\\PC{0,300}") {
            let name = directory_name(&host);
            prop_assert!(!name.is_empty() && name.len() <= 255);
            prop_assert!(!name.starts_with('.') && !name.contains(['/', '\\', '\0']));
        }
    }
}
