//! A file that is put aside when it is full: `agent.log`, `agent.log.1`, and so on.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// The open file and the bounds it keeps.
#[derive(Debug)]
pub(super) struct RotatingFile {
    path: PathBuf,
    file: File,
    bytes: u64,
    bytes_max: u64,
    rolls_max: usize,
}

impl RotatingFile {
    pub(super) fn open(path: &Path, bytes_max: u64, rolls_max: usize) -> io::Result<Self> {
        let file = append(path)?;
        let bytes = file.metadata()?.len();
        Ok(Self { path: path.to_owned(), file, bytes, bytes_max, rolls_max })
    }

    /// Appends a line. A disk that is full costs lines, not the agent.
    pub(super) fn write(&mut self, line: &str) {
        let length = line.len() as u64;
        if self.bytes > 0 && self.bytes + length > self.bytes_max {
            // If it cannot be put aside it grows on, which loses nothing.
            let _is_rolled = self.roll().is_ok();
        }
        if self.file.write_all(line.as_bytes()).is_ok() {
            self.bytes += length;
        }
    }

    fn roll(&mut self) -> io::Result<()> {
        if self.rolls_max == 0 {
            fs::remove_file(&self.path)?;
        }
        for number in (1..=self.rolls_max).rev() {
            let from = if number == 1 { self.path.clone() } else { self.numbered(number - 1) };
            if from.exists() {
                fs::rename(from, self.numbered(number))?;
            }
        }
        self.file = append(&self.path)?;
        self.bytes = 0;
        Ok(())
    }

    fn numbered(&self, number: usize) -> PathBuf {
        let mut path = self.path.clone().into_os_string();
        path.push(format!(".{number}"));
        path.into()
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logged(rolls_max: usize) -> Vec<(String, String)> {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("agent.log");
        fs::write(&path, "old\n").expect("is written");
        let mut file = RotatingFile::open(&path, 8, rolls_max).expect("opens");
        for line in ["one\n", "two\n", "six\n", "ten\n", "far too long\n", "end\n"] {
            file.write(line);
        }
        let mut found: Vec<(String, String)> = fs::read_dir(directory.path())
            .expect("is read")
            .map(|entry| entry.expect("an entry").path())
            .map(|path| {
                let name = path.file_name().expect("a name").to_string_lossy().into_owned();
                (name, fs::read_to_string(path).expect("is text"))
            })
            .collect();
        found.sort();
        found
    }

    #[test]
    fn full_files_are_put_aside_up_to_the_bound() {
        let expected =
            [("agent.log", "end\n"), ("agent.log.1", "far too long\n"), ("agent.log.2", "ten\n")];
        let expected = expected.map(|(name, text)| (name.to_owned(), text.to_owned()));
        assert_eq!(logged(2), expected);
        assert_eq!(logged(0), [("agent.log".to_owned(), "end\n".to_owned())]);
    }
}
