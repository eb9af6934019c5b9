//! The file that holds the process id while the agent runs.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

/// A written pid file; removed when dropped, unless another process wrote it since.
#[derive(Debug)]
pub(crate) struct PidFile {
    path: PathBuf,
    text: String,
}

impl PidFile {
    /// Writes the file, and its directory if that is missing.
    ///
    /// # Errors
    /// When the process of an existing file is alive, or the file cannot be written.
    pub(crate) fn write(path: &Path) -> Result<Self> {
        if let Some(pid) = read(path).filter(|pid| is_other_alive(*pid)) {
            bail!(
                "process {pid} of {} is alive; stop it, or name another --pidfile",
                path.display()
            );
        }
        if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty())
        {
            fs::create_dir_all(directory)
                .with_context(|| format!("cannot make {}", directory.display()))?;
        }
        let text = format!("{}\n", std::process::id());
        fs::write(path, &text)
            .with_context(|| format!("cannot write the pid file {}", path.display()))?;
        Ok(Self { path: path.to_owned(), text })
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        let is_ours = fs::read_to_string(&self.path).is_ok_and(|text| text == self.text);
        if is_ours && let Err(error) = fs::remove_file(&self.path) {
            log::warn!("the pid file {} stays behind: {error}", self.path.display());
        }
    }
}

fn read(path: &Path) -> Option<u32> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

fn is_other_alive(pid: u32) -> bool {
    pid != std::process::id() && Path::new(&format!("/proc/{pid}")).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_file_is_replaced_and_a_living_one_is_not() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("run/corelane.pid");
        let written = PidFile::write(&path).expect("is written");
        assert_eq!(read(&path), Some(std::process::id()));
        drop(written);
        assert!(!path.exists());

        fs::write(&path, "1\n").expect("is written");
        let error = PidFile::write(&path).expect_err("process 1 is alive").to_string();
        assert!(error.contains("--pidfile"), "{error}");
        fs::write(&path, "4294967295\n").expect("is written");
        assert!(PidFile::write(&path).is_ok());
    }
}
