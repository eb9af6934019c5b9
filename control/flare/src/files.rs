//! Reading files of unknown size.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// The end of a text file, from the beginning of a line on; bytes that are not UTF-8 are replaced.
///
/// # Errors
/// When it is no regular file or cannot be read.
pub fn tail(path: &Path, bytes_max: u64) -> Result<String, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    // Looked at first: opening a pipe would wait for its other end.
    let metadata = std::fs::metadata(path).map_err(failed)?;
    if !metadata.is_file() {
        return Err(format!("{} is no regular file", path.display()));
    }
    let mut file = File::open(path).map_err(failed)?;
    let skipped = metadata.len().saturating_sub(bytes_max);
    file.seek(SeekFrom::Start(skipped)).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(bytes_max).read_to_end(&mut bytes).map_err(failed)?;
    let text = String::from_utf8_lossy(&bytes);
    if skipped == 0 {
        return Ok(text.into_owned());
    }
    // The first line is cut, and what is left of a line may hold the rest of a secret.
    Ok(text.split_once('\n').map_or_else(String::new, |(_, rest)| rest.to_owned()))
}

/// A whole small file.
pub(crate) fn whole(path: &Path, bytes_max: u64) -> Result<String, String> {
    let is_larger = std::fs::metadata(path).is_ok_and(|found| found.len() > bytes_max);
    if is_larger {
        return Err(format!("{} has more than {bytes_max} bytes", path.display()));
    }
    tail(path, bytes_max)
}

/// Mode, owner and size of a path and of the directory it is in, a line each.
pub(crate) fn rights(path: &Path) -> String {
    let of = |path: &Path| match std::fs::symlink_metadata(path) {
        Ok(found) => format!(
            "{:06o} {:>6} {:>6} {:>12} {}\n",
            found.mode(),
            found.uid(),
            found.gid(),
            found.size(),
            path.display()
        ),
        Err(error) => format!("{}: {error}\n", path.display()),
    };
    path.parent().map(of).unwrap_or_default() + &of(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tail_begins_with_a_line() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("a.log");
        std::fs::write(&path, "first\nsecond\nthird\n").expect("written");
        assert_eq!(tail(&path, 100).as_deref(), Ok("first\nsecond\nthird\n"));
        assert_eq!(tail(&path, 9).as_deref(), Ok("third\n"));
        assert_eq!(tail(&path, 3).as_deref(), Ok(""));
        assert!(tail(directory.path(), 9).is_err() && tail(Path::new("/none"), 9).is_err());
        assert!(whole(&path, 18).is_err() && whole(&path, 19).is_ok());
        assert!(rights(&path).contains("a.log"), "{}", rights(&path));
    }
}
