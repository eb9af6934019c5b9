//! `cargo x bindings`: the packages of other languages, each with the library inside.
//!
//! | source in `control/ffi` | package in `target/bindings` | by | for the tests |
//! |---|---|---|---|
//! | | `c/lib`, `c/include` | zig | |
//! | | `metrics/lib`, of metrics alone | | for the tests alone |
//! | | `musl/lib`, `musl/include` | musl-gcc | of metrics alone |
//! | `python` | `python/dist/*.whl` | pip wheel | installed in `python/venv` |
//! | `node` | `node/dist/*.tgz` | cc, npm pack | installed in `node/installed` |
//! | `go` | `go/module` | | |
//! | `csharp` | `csharp/dist/*.nupkg` if there is dotnet | mcs, dotnet pack | `csharp/built` |
//!
//! A source is copied first and built there: nothing is written into the tree. What was made from
//! the same files and the same library stays as it is.

mod languages;

use std::fs;
use std::hash::{DefaultHasher, Hasher as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::embedded::Library;
use crate::paths::{target_dir, workspace_root};
use crate::{musl, packages};
use languages::{LANGUAGES, Language};

/// Environment variable with the directory of the packages, for the tests.
pub(crate) const BINDINGS_VARIABLE: &str = "CORELANE_TEST_BINDINGS";

/// Directories that tools leave in a source.
const LEFT_BEHIND: &[&str] = &["node_modules", "__pycache__", "build", "bin", "obj", "prebuilds"];

/// Where the packages are.
pub(crate) fn bindings_dir() -> PathBuf {
    target_dir().join("bindings")
}

/// Which build of the library a package holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Build {
    /// Small, as packages for users are, and for old systems.
    Release,
    /// The same by the system's compiler, for systems as new as this one.
    ForThisSystem,
    /// As the tests are built, so that they need no second build of everything. Metrics alone are
    /// built small all the same.
    Development,
}

impl Build {
    /// The library of it, with these arguments for its features.
    fn library(self, features: &[&str]) -> Result<Library> {
        match self {
            // Only glibc has to be chosen: the oldest musl will do for all.
            Self::Release if cfg!(target_env = "gnu") => {
                Library::make_for_old_glibc("embedded", features)
            }
            Self::Release | Self::ForThisSystem => Library::make("embedded", features),
            Self::Development => Library::make("dev", features),
        }
    }
}

/// Travels with every package.
pub(crate) const LICENCE: &str = "LICENSE";

/// What C programs need, which is part of every package.
const C: &str = "c";
/// The library for programs of musl.
const MUSL: &str = "musl";
/// Beside it where it cannot be built: why.
const MISSING: &str = "missing.txt";

/// Makes the packages of all languages.
///
/// # Errors
/// A language's tool is missing or fails; the message says what to install.
pub(crate) fn make_all(build: Build) -> Result<()> {
    if build == Build::Development {
        // As users get it: its size is one of the things that are tested.
        let metrics = Build::ForThisSystem.library(&["--no-default-features"])?;
        metrics.install(&bindings_dir().join("metrics"))?;
        make_for_musl_or_say_why_not()?;
    }
    make(LANGUAGES, build)
}

/// Makes the library for programs of musl, laid out as that for others.
///
/// # Errors
/// The Rust target or the compiler is missing; the message says how to install it.
pub(crate) fn make_for_musl(build: Build) -> Result<()> {
    if let Some(why) = musl::what_is_missing() {
        bail!("{why}");
    }
    let library = match build {
        Build::Release | Build::ForThisSystem => Library::make_for_musl("embedded", &[])?,
        // Alone in a second world of crates: as little of them as will do.
        Build::Development => Library::make_for_musl("dev", &["--no-default-features"])?,
    };
    let directory = bindings_dir().join(MUSL);
    library.install(&directory)?;
    copy(&musl::unwinder()?, &directory.join("lib/libunwind.a"))?;
    println!("the library for musl is in {}", directory.display());
    Ok(())
}

/// The same for the tests, which skip what cannot be built here and say why.
fn make_for_musl_or_say_why_not() -> Result<()> {
    let note = bindings_dir().join(MUSL).join(MISSING);
    let Some(why) = musl::what_is_missing() else {
        if note.exists() {
            fs::remove_file(&note)?;
        }
        return make_for_musl(Build::Development);
    };
    println!("no tests with musl: {why}");
    fs::create_dir_all(bindings_dir().join(MUSL))?;
    fs::write(&note, why).context("cannot write why there is no library for musl")
}

/// Makes the package of one language.
///
/// # Errors
/// There is no such language, or as above.
pub(crate) fn make_one(name: &str, build: Build) -> Result<()> {
    if name == C {
        return make(&[], build);
    }
    let Some(at) = LANGUAGES.iter().position(|language| language.name == name) else {
        let names: Vec<&str> = LANGUAGES.iter().map(|language| language.name).collect();
        bail!("no bindings for `{name}`: {C}, {}", names.join(", "));
    };
    make(&LANGUAGES[at..=at], build)
}

fn make(languages: &[Language], build: Build) -> Result<()> {
    let library = build.library(&[])?;
    library.install(&bindings_dir().join(C))?;
    for language in languages {
        packages::install_missing(language.programs)?;
        let source = workspace_root().join("control").join("ffi").join(language.name);
        let directory = bindings_dir().join(language.name);
        let stamp = bindings_dir().join(format!("{}.stamp", language.name));
        let fingerprint = fingerprint_of(&source, &library)?;
        if fs::read_to_string(&stamp).is_ok_and(|known| known == fingerprint) {
            continue;
        }
        if directory.exists() {
            fs::remove_dir_all(&directory).context("an old package")?;
        }
        let staged = directory.join(language.staged);
        copy_tree(&source, &staged)?;
        copy(&workspace_root().join(LICENCE), &staged.join(LICENCE))?;
        (language.make)(&staged, &directory, &library)
            .with_context(|| format!("cannot make the {} package", language.name))?;
        fs::write(&stamp, fingerprint).context("cannot write a stamp")?;
    }
    println!("the packages are in {}", bindings_dir().display());
    Ok(())
}

/// Copies the files of a directory and of those below.
fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    for file in files_of(from)? {
        let name = file.strip_prefix(from)?;
        copy(&file, &to.join(name))?;
    }
    Ok(())
}

/// Copies a file to a path whose directory need not be there.
fn copy(from: &Path, to: &Path) -> Result<()> {
    if let Some(directory) = to.parent() {
        fs::create_dir_all(directory)?;
    }
    fs::copy(from, to).with_context(|| from.display().to_string())?;
    Ok(())
}

/// The files of a directory and of those below, in order.
fn files_of(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut waiting = vec![directory.to_path_buf()];
    while let Some(directory) = waiting.pop() {
        let entries = fs::read_dir(&directory).with_context(|| directory.display().to_string())?;
        for entry in entries {
            let entry = entry?;
            let is_ours = !LEFT_BEHIND.iter().any(|name| entry.file_name() == *name);
            if entry.file_type()?.is_dir() && is_ours {
                waiting.push(entry.path());
            } else if is_ours {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Names and contents of all that a package is made from.
fn fingerprint_of(source: &Path, library: &Library) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    let licence = workspace_root().join(LICENCE);
    let others = [&library.shared, &library.archive, &library.header, &licence];
    for path in files_of(source)?.iter().chain(others) {
        let content = fs::read(path).with_context(|| path.display().to_string())?;
        hasher.write(path.to_string_lossy().as_bytes());
        hasher.write_usize(content.len());
        hasher.write(&content);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_language_is_refused_before_anything_is_built() {
        let error = make_one("cobol", Build::Development).expect_err("no bindings").to_string();
        assert_eq!(error, "no bindings for `cobol`: c, python, node, go, csharp");
    }

    #[test]
    fn every_language_has_a_source_that_the_copy_keeps() {
        for language in LANGUAGES {
            let source = workspace_root().join("control").join("ffi").join(language.name);
            let files = files_of(&source).expect("a directory");
            assert!(files.contains(&source.join("README.md")), "{}", language.name);
        }
    }
}
