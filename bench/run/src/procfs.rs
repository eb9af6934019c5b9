//! What the kernel knows about the agent.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

/// Processor time in nanoseconds by thread, at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ThreadTimes(BTreeMap<u32, (String, u64)>);

impl ThreadTimes {
    /// Of all threads of a process that live now.
    pub(crate) fn read(pid: u32) -> Result<Self> {
        let mut times = BTreeMap::new();
        for entry in fs::read_dir(format!("/proc/{pid}/task"))? {
            let path = entry?.path();
            let thread = path.file_name().and_then(|name| name.to_str()?.parse().ok());
            let thread: u32 = thread.context("a thread is a number")?;
            // A thread that ended meanwhile has no files any more.
            let Ok(schedstat) = fs::read_to_string(path.join("schedstat")) else { continue };
            let name = fs::read_to_string(path.join("comm")).unwrap_or_default();
            let ran = schedstat.split_whitespace().next().and_then(|field| field.parse().ok());
            times.insert(thread, (name.trim().to_owned(), ran.context("a time in schedstat")?));
        }
        Ok(Self(times))
    }

    /// Time of all threads since `earlier`.
    pub(crate) fn total_since(&self, earlier: &Self) -> u64 {
        self.since(earlier, |_| true)
    }

    /// Time of the lanes since `earlier`; `None` when no thread is named as one.
    pub(crate) fn lanes_since(&self, earlier: &Self) -> Option<u64> {
        self.0.values().any(|(name, _)| is_lane(name)).then(|| self.since(earlier, is_lane))
    }

    fn since(&self, earlier: &Self, is_wanted: impl Fn(&str) -> bool) -> u64 {
        self.0
            .iter()
            .filter(|(_, (name, _))| is_wanted(name))
            .map(|(thread, (_, ran))| {
                ran.saturating_sub(earlier.0.get(thread).map_or(0, |(_, before)| *before))
            })
            .sum()
    }
}

/// Resident bytes of a process.
pub(crate) fn resident_bytes(pid: u32) -> Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status"))?;
    resident_of(&text).context("/proc/<pid>/status has no VmRSS")
}

fn resident_of(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024)
}

/// Whether a UDP socket of this host is bound to the port.
pub(crate) fn is_udp_bound(port: u16) -> bool {
    ["/proc/net/udp", "/proc/net/udp6"]
        .map(PathBuf::from)
        .iter()
        .filter_map(|path| fs::read_to_string(path).ok())
        .any(|table| has_port(&table, port))
}

fn has_port(table: &str, port: u16) -> bool {
    table.lines().skip(1).any(|line| {
        let local = line.split_whitespace().nth(1).and_then(|address| address.rsplit_once(':'));
        local.and_then(|(_, port)| u16::from_str_radix(port, 16).ok()) == Some(port)
    })
}

/// Processor and kernel, for the report.
pub(crate) fn machine() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let count = cpus.lines().filter(|line| line.starts_with("processor")).count();
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let model = model.map_or("unknown processor", |(_, model)| model.trim());
    format!("{count} x {model}, Linux {}", kernel.trim())
}

/// Lanes name their threads `corelane/<index>`.
fn is_lane(name: &str) -> bool {
    let index = name.strip_prefix("corelane/").unwrap_or_default();
    !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_threads_have_times_and_memory() {
        let pid = std::process::id();
        let before = ThreadTimes::read(pid).unwrap();
        assert!(ThreadTimes::read(pid).unwrap().total_since(&ThreadTimes::default()) > 0);
        assert!(before.lanes_since(&before).is_none());
        assert!(resident_bytes(pid).unwrap() > 0);
    }

    #[test]
    fn lanes_are_told_from_other_threads() {
        assert!(is_lane("corelane/0") && is_lane("corelane/12"));
        assert!(!is_lane("corelane") && !is_lane("corelane/accept") && !is_lane("corelane/"));
    }

    #[test]
    fn a_bound_port_is_seen() {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        assert!(is_udp_bound(socket.local_addr().unwrap().port()));
        assert!(!has_port("sl local_address\n 0: 0100007F:1F90 00000000:0000 07", 8_081));
        assert!(has_port("sl local_address\n 0: 0100007F:1F90 00000000:0000 07", 8_080));
    }
}
