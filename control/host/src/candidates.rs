//! Looks for host names where this crate can: the configured file, the kernel, `hostname -f`.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::thread::Builder;
use std::time::Duration;

use crate::roots::read_bytes;
use crate::{Candidates, HostNameFile, NameSettings, Roots};

/// How long `hostname -f` may ask name servers. spec: cloud §2.1.
pub const FQDN_TIMEOUT: Duration = Duration::from_secs(1);

/// Finds the candidates that need no cloud and no orchestrator. Blocks up to [`FQDN_TIMEOUT`], and
/// only when the fully qualified name is wanted.
#[must_use]
pub fn candidates(settings: &NameSettings, roots: &Roots) -> Candidates {
    let is_uts_of_host = is_uts_of_host(&roots.proc);
    let is_fqdn_of_use = settings.is_fqdn_wanted && (settings.is_uts_trusted || is_uts_of_host);
    Candidates {
        file: read_file(&settings.hostname_file),
        fqdn: if is_fqdn_of_use { output_of("/bin/hostname", &["-f"], FQDN_TIMEOUT) } else { None },
        os: kernel_name(&roots.proc),
        is_uts_of_host,
        is_fargate: settings.is_fargate,
        ..Candidates::default()
    }
}

fn read_file(path: &str) -> HostNameFile {
    if path.is_empty() {
        return HostNameFile::NotConfigured;
    }
    match read_bytes(Path::new(path)) {
        Err(failure) => HostNameFile::Unreadable(failure.to_string()),
        Ok(bytes) => {
            let text = String::from_utf8_lossy(&bytes);
            HostNameFile::Line(text.trim().lines().next().unwrap_or_default().trim().to_owned())
        }
    }
}

/// What `gethostname` answers: the name in our own UTS namespace, whatever proc is mounted.
fn kernel_name(proc: &Path) -> Option<String> {
    let bytes = read_bytes(&proc.join("sys/kernel/hostname")).ok()?;
    let name = String::from_utf8_lossy(&bytes).trim().to_owned();
    (!name.is_empty()).then_some(name)
}

/// The initial UTS namespace has a fixed inode. A link that cannot be read counts as the host's.
/// spec: cloud §2.3.
fn is_uts_of_host(proc: &Path) -> bool {
    const HOST_UTS: u64 = 0xEFFF_FFFE;
    let Ok(link) = fs::read_link(proc.join("self/ns/uts")) else { return true };
    let inode = link
        .to_str()
        .and_then(|text| text.strip_prefix("uts:[")?.strip_suffix(']'))
        .and_then(|inode| inode.parse::<u64>().ok());
    inode.is_none_or(|inode| inode == HOST_UTS)
}

/// First kilobyte of what a command prints, trimmed; `None` when it fails or takes too long.
fn output_of(program: &str, arguments: &[&str], timeout: Duration) -> Option<String> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let bytes = child.stdout.take().and_then(|stdout| read_within(stdout, timeout));
    let is_success = end(&mut child, bytes.is_some());
    let text = String::from_utf8(bytes.filter(|_| is_success)?).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Reads on a thread, which ends with the child at the latest.
fn read_within(stdout: ChildStdout, timeout: Duration) -> Option<Vec<u8>> {
    const OUTPUT_BYTES_MAX: u64 = 1024;
    let (sender, receiver) = mpsc::sync_channel(1);
    Builder::new()
        .name("hostname-fqdn".to_owned())
        .spawn(move || {
            let mut bytes = Vec::new();
            if stdout.take(OUTPUT_BYTES_MAX).read_to_end(&mut bytes).is_ok() {
                // Nobody listens any more after the timeout.
                drop(sender.send(bytes));
            }
        })
        .ok()?;
    receiver.recv_timeout(timeout).ok()
}

/// Reaps the child, by force unless it is done; true when it succeeded.
fn end(child: &mut Child, is_done: bool) -> bool {
    if !is_done {
        // It may have ended meanwhile, which is as good.
        drop(child.kill());
    }
    child.wait().is_ok_and(|status| status.success()) && is_done
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn host(name: &str, uts: &str) -> (tempfile::TempDir, Roots) {
        let dir = tempfile::tempdir().expect("directory");
        let roots = Roots::under(dir.path());
        fs::create_dir_all(roots.proc.join("sys/kernel")).expect("directory");
        fs::create_dir_all(roots.proc.join("self/ns")).expect("directory");
        fs::write(roots.proc.join("sys/kernel/hostname"), format!("{name}\n")).expect("file");
        symlink(uts, roots.proc.join("self/ns/uts")).expect("link");
        (dir, roots)
    }

    #[test]
    fn the_kernel_name_is_the_hosts_in_the_initial_namespace() {
        let (_dir, roots) = host("web01", "uts:[4026531838]");
        let found = candidates(&NameSettings::default(), &roots);
        assert_eq!(found.os.as_deref(), Some("web01"));
        assert!(found.is_uts_of_host);
        let (_dir, roots) = host("3f2a", "uts:[4026532177]");
        assert!(!candidates(&NameSettings::default(), &roots).is_uts_of_host);
    }

    #[test]
    fn the_first_line_of_the_file_counts() {
        let (dir, roots) = host("web01", "uts:[4026531838]");
        let path = dir.path().join("name");
        let settings = NameSettings {
            hostname_file: path.to_string_lossy().into_owned(),
            ..NameSettings::default()
        };
        let missing = candidates(&settings, &roots);
        assert!(matches!(missing.file, HostNameFile::Unreadable(_)));
        fs::write(&path, "\n  filed \nsecond\n").expect("file");
        assert_eq!(candidates(&settings, &roots).file, HostNameFile::Line("filed".into()));
    }

    #[test]
    fn commands_answer_in_time_or_not_at_all() {
        let echo = output_of("/bin/sh", &["-c", "echo ' a.b '"], Duration::from_secs(60));
        assert_eq!(echo.as_deref(), Some("a.b"));
        let failing = output_of("/bin/sh", &["-c", "echo x; exit 1"], Duration::from_secs(60));
        assert_eq!(failing, None);
        let slow = output_of("/bin/sleep", &["3600"], Duration::ZERO);
        assert_eq!(slow, None);
        assert_eq!(output_of("/nonexistent", &[], Duration::ZERO), None);
    }
}
