//! Builds for musl on a machine with glibc: `cargo x bindings c --musl`.
//!
//! Rust's target for musl makes static programs. A library is part of programs that choose
//! themselves, so it is built without `crt-static`; what unwinds stacks is then to come from
//! `libgcc_s`. That of this machine needs glibc, and small systems have none: the one that comes
//! with the target takes its place, inside the shared library and beside the archive.

use std::env::consts::ARCH;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::packages::{self, MUSL};
use crate::paths::target_dir;
use crate::shell::command;

/// What a program that is linked with the archive needs besides: it lies beside the archive.
pub(crate) const NEEDED: &str = "-lunwind";

/// The compiler's wrapper that finds the headers and the library of musl.
const COMPILER: &str = "musl-gcc";

/// What unwinds stacks, below the directory of the target's libraries.
const UNWINDER: &str = "self-contained/libunwind.a";

/// The target as rustup names it.
pub(crate) fn target() -> String {
    format!("{ARCH}-unknown-linux-musl")
}

/// Why nothing can be built for musl on this machine; nothing if it can.
pub(crate) fn what_is_missing() -> Option<String> {
    let is_there = unwinder().is_ok_and(|path| path.is_file());
    let target = target();
    (!is_there).then(|| format!("the Rust target is not installed: rustup target add {target}"))
}

/// What unwinds stacks, as the target has it.
pub(crate) fn unwinder() -> Result<PathBuf> {
    let mut rustc = command("rustc", &["--print", "target-libdir", "--target", &target()]);
    let output = rustc.output().context("cannot start rustc")?;
    let libraries = String::from_utf8(output.stdout)?;
    Ok(Path::new(libraries.trim()).join(UNWINDER))
}

/// Tells cargo how to build for it; returns flags for all crates.
///
/// # Errors
/// The compiler is missing and cannot be installed, or a file cannot be written.
pub(crate) fn prepare(build: &mut Command) -> Result<Vec<String>> {
    packages::install_missing(&[MUSL])?;
    let directory = target_dir().join("musl");
    fs::create_dir_all(&directory)?;
    // The linker reads a text where it looks for a library.
    let script = format!("INPUT ( {} )\n", unwinder()?.display());
    fs::write(directory.join("libgcc_s.so"), script).context("a script for the linker")?;
    let target = target();
    let name = target.replace('-', "_");
    build.args(["--target", &target]).env(format!("CC_{name}"), COMPILER);
    let name = name.to_uppercase();
    build.env(format!("CARGO_TARGET_{name}_LINKER"), COMPILER);
    let unwinder = format!("-Lnative={}", directory.display());
    Ok(vec!["-Ctarget-feature=-crt-static".to_owned(), unwinder])
}
