//! Builds that run with every glibc since 2.17: `cargo x bindings`.
//!
//! What is linked on a machine asks for the functions of its glibc, and loads with no older one.
//! zig has the headers and the symbols of all versions, so it compiles C and links in place of the
//! system's compiler. Rust's own library asks for no more than 2.17; what crates call besides is
//! in `control/ffi/glibc.c`. zig links no `libgcc_s`: what unwinds stacks is part of the library.
//!
//! ```text
//! target/zig/venv         zig, from PyPI          target/zig/cc      called as a compiler
//! target/zig/cache        what zig has compiled   target/zig/*.a     of control/ffi/glibc.c
//! ```

use std::env::consts::ARCH;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::packages::{self, PYTHON};
use crate::paths::{target_dir, workspace_root};
use crate::shell::{command, output_of, run};

/// The minor version of the oldest glibc: that of CentOS 7, and of Rust itself.
const OLDEST: u32 = 17;

/// As pip knows it.
const ZIG: &str = "ziglang==0.17.1";

/// What it is for and how to do without, where it cannot be had.
const WITHOUT_ZIG: &str = "packages for every glibc since 2.17 are linked by zig, which pip cannot \
    install here; `--system-compiler` makes packages for systems as new as this one";

/// The library of `control/ffi/glibc.c`, without `lib` and `.a`.
const NEWER_FUNCTIONS: &str = "corelane_glibc";

/// What compiles C and links.
#[derive(Debug)]
pub(crate) enum Compiler {
    /// The system's: what it makes runs on systems as new as this one.
    System,
    /// zig, by this program: what it makes runs with every glibc since 2.17.
    Zig(PathBuf),
}

impl Compiler {
    /// zig, installed first if it is not yet there.
    ///
    /// # Errors
    /// It cannot be installed.
    pub(crate) fn zig() -> Result<Self> {
        let directory = zig_dir();
        let stamp = directory.join("installed");
        if !fs::read_to_string(&stamp).is_ok_and(|installed| installed == ZIG) {
            packages::install_missing(&[PYTHON])?;
            install(&directory).context(WITHOUT_ZIG)?;
            fs::write(&stamp, ZIG).context("cannot write a stamp")?;
        }
        let program = directory.join("cc");
        fs::write(&program, wrapper(&directory)).context("a script for the compiler")?;
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
        Ok(Self::Zig(program))
    }

    /// Compiles and links as its arguments say.
    pub(crate) fn command(&self) -> Command {
        match self {
            Self::System => command("cc", &[]),
            Self::Zig(program) => command(&program.to_string_lossy(), &[]),
        }
    }

    /// Checks that what was linked asks for nothing newer than it may. Functions whose names begin
    /// with one of `hosts` are those of the program that loads it.
    ///
    /// # Errors
    /// It does, or it cannot be read.
    pub(crate) fn check(&self, linked: &Path, hosts: &[&str]) -> Result<()> {
        if matches!(self, Self::System) {
            return Ok(());
        }
        let listed = output_of(command("nm", &["-D", "--undefined-only"]).arg(linked))?;
        let listed = String::from_utf8_lossy(&listed);
        let missing = missing_from_oldest(&listed, hosts);
        if !missing.is_empty() {
            bail!(
                "{} does not run with glibc 2.{OLDEST}, which has no {}",
                linked.display(),
                missing.join(", ")
            );
        }
        Ok(())
    }
}

/// The target as rustup names it.
pub(crate) fn target() -> String {
    format!("{ARCH}-unknown-linux-gnu")
}

/// Tells `cargo rustc` how to build with zig; returns flags for all crates.
///
/// # Errors
/// What the library brings itself does not compile.
pub(crate) fn prepare(build: &mut Command, compiler: &Compiler) -> Result<Vec<String>> {
    let program = compiler.command().get_program().to_owned();
    let program = program.to_string_lossy();
    let directory = zig_dir();
    let object = directory.join("glibc.o");
    let mut compile = compiler.command();
    compile.args(["-std=c11", "-Os", "-fPIC", "-Wall", "-Wextra", "-Werror", "-c"]);
    run(compile.arg("control/ffi/glibc.c").arg("-o").arg(&object))?;
    let library = directory.join(format!("lib{NEWER_FUNCTIONS}.a"));
    run(zig(&directory).args(["ar", "rcs"]).arg(library).arg(object))?;

    let target = target();
    build.args(["--target", &target]).env(format!("CC_{}", target.replace('-', "_")), &*program);
    build.args(["--", "-L"]).arg(format!("native={}", directory.display()));
    build.args(["-l", &format!("static={NEWER_FUNCTIONS}")]);
    // Not by the target's own setting, which build scripts would be linked by as well.
    Ok(vec![format!("-Clinker={program}")])
}

fn zig_dir() -> PathBuf {
    target_dir().join("zig")
}

fn install(directory: &Path) -> Result<()> {
    let environment = directory.join("venv");
    run(command("python3", &["-m", "venv", "--clear"]).arg(&environment))?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ZIG];
    run(Command::new(environment.join("bin/python")).args(pip))
}

fn zig(directory: &Path) -> Command {
    let mut zig = Command::new(directory.join("venv/bin/python"));
    zig.args(["-m", "ziglang"]).env("ZIG_GLOBAL_CACHE_DIR", directory.join("cache"));
    zig.env("ZIG_LOCAL_CACHE_DIR", directory.join("cache")).current_dir(workspace_root());
    zig
}

/// zig in the place of a compiler. It refuses the target's name in another spelling, and a wish
/// that the version script fulfils already: that nothing of an archive is visible.
fn wrapper(directory: &Path) -> String {
    let directory = directory.display();
    format!(
        "#!/bin/sh
for argument do
    shift
    case $argument in
    --target=* | -fuse-ld=* | -Wl,--exclude-libs,*) ;;
    *) set -- \"$@\" \"$argument\" ;;
    esac
done
export ZIG_GLOBAL_CACHE_DIR='{directory}/cache' ZIG_LOCAL_CACHE_DIR='{directory}/cache'
exec '{directory}/venv/bin/python' -m ziglang cc -target {ARCH}-linux-gnu.2.{OLDEST} \\
    -fno-sanitize=undefined \"$@\"
"
    )
}

/// Of what `nm` lists as undefined: what the oldest glibc has not. A weak name without a version
/// may be missing, because whoever uses it looks first.
fn missing_from_oldest<'a>(listed: &'a str, hosts: &[&str]) -> Vec<&'a str> {
    let is_missing = |kind: &str, symbol: &str| match symbol.split_once("@GLIBC_") {
        Some((_, version)) => !is_old(version),
        None => kind == "U" && !hosts.iter().any(|beginning| symbol.starts_with(beginning)),
    };
    listed
        .lines()
        .filter_map(|line| line.trim().split_once(' '))
        .filter(|(kind, symbol)| is_missing(kind, symbol))
        .map(|(_, symbol)| symbol)
        .collect()
}

/// Whether a version like `2.3.4` is not newer than the oldest glibc.
fn is_old(version: &str) -> bool {
    let minor = version.strip_prefix("2.").and_then(|rest| rest.split('.').next()?.parse().ok());
    minor.is_some_and(|minor: u32| minor <= OLDEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_glibc_2_17_has_not_is_found() {
        let listed = "                 U malloc@GLIBC_2.2.5
                 w statx@GLIBC_2.28
                 U clock_gettime@GLIBC_2.17
                 U pthread_create@GLIBC_2.34
                 U copy_file_range
                 U napi_create_error
                 w gettid
                 U __rseq_offset@GLIBC_PRIVATE
";
        let expected = [
            "statx@GLIBC_2.28",
            "pthread_create@GLIBC_2.34",
            "copy_file_range",
            "__rseq_offset@GLIBC_PRIVATE",
        ];
        assert_eq!(missing_from_oldest(listed, &["napi_"]), expected);
    }
}
