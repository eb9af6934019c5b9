//! What the host is made of, read once from `/proc`, `/sys` and `/etc`.

use std::collections::HashSet;

use crate::mounts::{self, FileSystem};
use crate::network::NetworkFacts;
use crate::roots::{read_bytes, read_text};
use crate::{Roots, zone};

/// All facts. A field that could not be found is empty or zero.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HostFacts {
    /// Processor.
    pub cpu: CpuFacts,
    /// Memory.
    pub memory: MemoryFacts,
    /// Kernel.
    pub kernel: KernelFacts,
    /// Distribution.
    pub os: OsFacts,
    /// Network interfaces.
    pub network: NetworkFacts,
    /// File systems on disks.
    pub file_systems: Vec<FileSystem>,
    /// Id of the machine as a UUID.
    pub uuid: String,
    /// Abbreviation of the time zone.
    pub time_zone: String,
}

/// The processor, from `cpuinfo`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CpuFacts {
    /// `vendor_id`.
    pub vendor_id: String,
    /// `model name`.
    pub model_name: String,
    /// Cores of the first package.
    pub cores: u32,
    /// Packages, at least 1.
    pub packages: u32,
    /// Logical processors.
    pub logical: u32,
    /// `cpu MHz` of the first processor.
    pub mhz: f64,
    /// `cache size` with its unit: `25344 KB`.
    pub cache_size: String,
    /// `cpu family`.
    pub family: String,
    /// `model`.
    pub model: String,
    /// `stepping`.
    pub stepping: String,
}

/// Memory, from `meminfo`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryFacts {
    /// `MemTotal` in KiB.
    pub total_kib: u64,
    /// `SwapTotal` in KiB.
    pub swap_total_kib: u64,
}

/// The running kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KernelFacts {
    /// `Linux`.
    pub name: String,
    /// Release, as `uname -r`.
    pub release: String,
    /// Version, as `uname -v`.
    pub version: String,
    /// Host name, as `uname -n`.
    pub hostname: String,
    /// Hardware, as `uname -m`: `x86_64`, `aarch64`.
    pub machine: String,
}

/// The distribution.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OsFacts {
    /// Identifier: `debian`.
    pub id: String,
    /// Version: `12.9`.
    pub version: String,
}

impl HostFacts {
    /// Reads everything. Blocks on the disk only; remote file systems are not touched.
    #[must_use]
    pub fn read(roots: &Roots) -> Self {
        Self {
            cpu: CpuFacts::parse(&read_text(&roots.proc.join("cpuinfo"))),
            memory: MemoryFacts::parse(&read_text(&roots.proc.join("meminfo"))),
            kernel: KernelFacts::read(roots),
            os: OsFacts::parse(
                &read_text(&roots.etc.join("os-release")),
                &read_text(&roots.etc.join("debian_version")),
            ),
            network: NetworkFacts::read(roots),
            file_systems: mounts::local(
                &read_text(&roots.proc.join("self/mountinfo")),
                mounts::size_kib,
            ),
            uuid: machine_uuid(roots),
            time_zone: zone::abbreviation(
                &read_bytes(&roots.etc.join("localtime")).unwrap_or_default(),
            ),
        }
    }
}

impl CpuFacts {
    /// Reads the content of `cpuinfo`. The first processor describes them all; ARM kernels name
    /// fields differently and leave some out.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut cpu = Self::default();
        let mut packages = HashSet::new();
        for (key, value) in text.lines().filter_map(|line| line.split_once(':')) {
            let value = value.trim();
            let first = match key.trim() {
                "processor" => {
                    cpu.logical += 1;
                    continue;
                }
                "physical id" => {
                    packages.insert(value);
                    continue;
                }
                "cpu cores" if cpu.cores == 0 => {
                    cpu.cores = value.parse().unwrap_or(0);
                    continue;
                }
                "cpu MHz" if cpu.mhz == 0.0 => {
                    cpu.mhz = value.parse().unwrap_or(0.0);
                    continue;
                }
                "vendor_id" | "CPU implementer" => &mut cpu.vendor_id,
                "model name" => &mut cpu.model_name,
                "cache size" => &mut cpu.cache_size,
                "cpu family" | "CPU architecture" => &mut cpu.family,
                "model" | "CPU part" => &mut cpu.model,
                "stepping" | "CPU revision" => &mut cpu.stepping,
                _ => continue,
            };
            if first.is_empty() {
                value.clone_into(first);
            }
        }
        cpu.packages = u32::try_from(packages.len()).unwrap_or(u32::MAX).max(1);
        if cpu.cores == 0 {
            cpu.cores = cpu.logical / cpu.packages;
        }
        cpu
    }
}

impl MemoryFacts {
    /// Reads the content of `meminfo`.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let kib = |key: &str| {
            text.lines()
                .filter_map(|line| line.split_once(':'))
                .find(|(name, _)| *name == key)
                .and_then(|(_, value)| value.trim().strip_suffix("kB")?.trim().parse().ok())
                .unwrap_or(0)
        };
        Self { total_kib: kib("MemTotal"), swap_total_kib: kib("SwapTotal") }
    }
}

impl KernelFacts {
    /// What `uname` says, from the files that it is made of. They follow the UTS namespace of the
    /// reader, not of the proc mount.
    fn read(roots: &Roots) -> Self {
        let value =
            |name: &str| read_text(&roots.proc.join("sys/kernel").join(name)).trim().to_owned();
        Self {
            name: value("ostype"),
            release: value("osrelease"),
            version: value("version"),
            hostname: value("hostname"),
            machine: std::env::consts::ARCH.to_owned(),
        }
    }
}

impl OsFacts {
    /// Reads the contents of `os-release` and `debian_version`. The first names Debian's major
    /// version only, the second the whole.
    #[must_use]
    pub fn parse(os_release: &str, debian_version: &str) -> Self {
        let value = |key: &str| {
            os_release
                .lines()
                .filter_map(|line| line.split_once('='))
                .find(|(name, _)| name.trim() == key)
                .map(|(_, value)| value.trim().trim_matches(['"', '\'']).to_owned())
                .unwrap_or_default()
        };
        let id = value("ID");
        let point_release = debian_version.trim();
        let is_point_release = id == "debian" && point_release.starts_with(char::is_numeric);
        let version = if is_point_release { point_release.to_owned() } else { value("VERSION_ID") };
        Self { id, version }
    }
}

/// Id of the board if we may read it, else of the installation, else of this boot.
fn machine_uuid(roots: &Roots) -> String {
    let product = read_text(&roots.sys.join("class/dmi/id/product_uuid"));
    let machine = read_text(&roots.etc.join("machine-id"));
    let boot = read_text(&roots.proc.join("sys/kernel/random/boot_id"));
    [product, dashed(machine.trim()), boot]
        .into_iter()
        .map(|id| id.trim().to_ascii_lowercase())
        .find(|id| !id.is_empty())
        .unwrap_or_default()
}

/// 32 hexadecimal digits as a UUID; empty for anything else.
fn dashed(id: &str) -> String {
    if id.len() != 32 || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return String::new();
    }
    let part = |from: usize, to: usize| id.get(from..to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn processors_of_two_packages_are_counted() {
        let one = |package: u32| {
            format!(
                "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 85\n\
                 model name\t: Intel(R) Xeon(R)\nstepping\t: 7\ncpu MHz\t\t: 2199.998\n\
                 cache size\t: 25344 KB\nphysical id\t: {package}\ncpu cores\t: 2\n\n"
            )
        };
        let cpu = CpuFacts::parse(&[one(0), one(0), one(1), one(1)].concat());
        assert_eq!((cpu.cores, cpu.packages, cpu.logical), (2, 2, 4));
        assert_eq!(cpu.model_name, "Intel(R) Xeon(R)");
        assert_eq!((&*cpu.cache_size, &*cpu.family, &*cpu.stepping), ("25344 KB", "6", "7"));
    }

    #[test]
    fn arm_processors_count_as_one_package() {
        let text = "processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n\nprocessor\t: 1\n";
        let cpu = CpuFacts::parse(text);
        assert_eq!((cpu.cores, cpu.packages, cpu.logical), (2, 1, 2));
        assert_eq!((&*cpu.vendor_id, &*cpu.model), ("0x41", "0xd0c"));
    }

    #[test]
    fn an_empty_cpuinfo_is_no_division_by_zero() {
        assert_eq!(CpuFacts::parse("").cores, 0);
    }

    #[test]
    fn memory_is_in_kib() {
        let memory = MemoryFacts::parse("MemTotal:  16303428 kB\nMemFree: x kB\nSwapTotal: 5 kB\n");
        assert_eq!(memory, MemoryFacts { total_kib: 16_303_428, swap_total_kib: 5 });
        assert_eq!(MemoryFacts::parse("MemTotal: lots"), MemoryFacts::default());
    }

    #[test]
    fn debian_has_its_point_release_elsewhere() {
        let release = "NAME=\"Debian\"\nID=debian\nVERSION_ID=\"12\"\n";
        assert_eq!(OsFacts::parse(release, "12.9\n").version, "12.9");
        assert_eq!(OsFacts::parse(release, "trixie/sid").version, "12");
        let ubuntu = OsFacts::parse("ID=ubuntu\nVERSION_ID='24.04'", "trixie/sid");
        assert_eq!((&*ubuntu.id, &*ubuntu.version), ("ubuntu", "24.04"));
    }

    #[test]
    fn the_machine_id_becomes_a_uuid() {
        let dir = tempfile::tempdir().expect("directory");
        let roots = Roots::under(dir.path());
        fs::create_dir_all(&roots.etc).expect("directory");
        assert_eq!(machine_uuid(&roots), "");
        let id = "3D1219C7C4C5404AAA1F6D2A48ADFDA4\n";
        fs::write(roots.etc.join("machine-id"), id).expect("file");
        assert_eq!(machine_uuid(&roots), "3d1219c7-c4c5-404a-aa1f-6d2a48adfda4");
        fs::write(roots.etc.join("machine-id"), "short").expect("file");
        assert_eq!(machine_uuid(&roots), "");
    }

    #[test]
    fn a_host_without_any_file_has_no_facts() {
        let dir = tempfile::tempdir().expect("directory");
        let facts = HostFacts::read(&Roots::under(dir.path()));
        assert_eq!(facts.memory, MemoryFacts::default());
        assert!(facts.file_systems.is_empty() && facts.network.interfaces.is_empty());
        assert_eq!(facts.time_zone, "UTC");
    }
}
