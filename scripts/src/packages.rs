//! System programs that the tests need, installed by the system's own package manager.

use anyhow::{Result, bail};

use crate::shell::{command, run, succeeds};

/// A program and the Debian or Ubuntu package that holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Package {
    /// A command that succeeds when the program is there.
    probe: &'static [&'static str],
    name: &'static str,
}

/// Compilers for the C parts of compression and cryptography.
pub(crate) const C_COMPILER: &[Package] = &[
    Package { probe: &["cc", "--version"], name: "build-essential" },
    Package { probe: &["c++", "--version"], name: "build-essential" },
];

pub(crate) const PYTHON: &[Package] =
    &[Package { probe: &["python3", "-c", "import venv, ensurepip"], name: "python3-venv" }];

pub(crate) const NODE: &[Package] = &[
    Package { probe: &["node", "--version"], name: "nodejs" },
    Package { probe: &["npm", "--version"], name: "npm" },
];

pub(crate) const GO: &[Package] = &[Package { probe: &["go", "version"], name: "golang-go" }];

pub(crate) const JAVA: &[Package] = &[
    Package { probe: &["javac", "-version"], name: "default-jdk-headless" },
    Package { probe: &["mvn", "--version"], name: "maven" },
];

pub(crate) const MONO: &[Package] = &[
    Package { probe: &["mcs", "--version"], name: "mono-mcs" },
    Package { probe: &["mono", "--version"], name: "mono-runtime" },
];

pub(crate) const MUSL: &[Package] =
    &[Package { probe: &["musl-gcc", "--version"], name: "musl-tools" }];

/// Installs those of `needed` that are missing.
///
/// # Errors
/// Something is missing and this user may not install it, or installing failed.
pub(crate) fn install_missing(needed: &[&[Package]]) -> Result<()> {
    let names = missing(needed, |probe| {
        probe.split_first().is_some_and(|(program, arguments)| succeeds(program, arguments))
    });
    if names.is_empty() {
        return Ok(());
    }
    let list = names.join(" ");
    if !succeeds("apt-get", &["--version"]) {
        bail!("the tests need these programs, by their Debian package names: {list}");
    }
    if !is_root() {
        bail!(
            "the tests need programs that are missing; install them with: sudo apt-get install {list}"
        );
    }
    run(&mut command("apt-get", &["update", "-q"]))?;
    let arguments = ["install", "-q", "-y", "--no-install-recommends"];
    run(command("apt-get", &arguments).args(names).env("DEBIAN_FRONTEND", "noninteractive"))
}

fn missing(needed: &[&[Package]], is_there: impl Fn(&[&str]) -> bool) -> Vec<&'static str> {
    let mut names: Vec<&str> = needed
        .iter()
        .flat_map(|packages| packages.iter())
        .filter(|package| !is_there(package.probe))
        .map(|package| package.name)
        .collect();
    names.dedup();
    names
}

fn is_root() -> bool {
    let id = command("id", &["-u"]).output();
    id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_missing_packages_are_named_and_once() {
        let nothing = |_: &[&str]| false;
        assert_eq!(missing(&[C_COMPILER, GO], nothing), ["build-essential", "golang-go"]);
        let has_node = |probe: &[&str]| probe.first() == Some(&"node");
        assert_eq!(missing(&[NODE], has_node), ["npm"]);
        assert_eq!(missing(&[C_COMPILER, PYTHON], |_| true), [""; 0]);
    }
}
