//! The library as users get it: built small, laid out as C programs find it.
//!
//! ```text
//! lib/libdatadog_agent_native.so -> .so.0 -> .so.0.1.0    lib/libdatadog_agent_native.a
//! lib/pkgconfig/datadog-agent-native.pc                   include/datadog_agent_native.h
//! share/licenses/datadog-agent-native/LICENSE
//! ```
//!
//! The number behind `.so` is that of the interface: it changes when a program that was linked
//! before can no longer be. `control/ffi/build.rs` writes it into the library.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::bindings::LICENCE;
use crate::glibc::{self, Compiler};
use crate::musl;
use crate::paths::{cargo_home, target_dir, workspace_root};
use crate::shell::{cargo, command, run};

/// The library without its numbers.
pub(crate) const SHARED_LIBRARY: &str = "libdatadog_agent_native.so";
/// Number of the interface, as in `control/ffi/build.rs`.
const INTERFACE: &str = "0";
const NEEDED_FOR_GLIBC: &str = "-lgcc_s -lutil -lrt -lpthread -lm -ldl";

/// The built library.
#[derive(Debug)]
pub(crate) struct Library {
    pub(crate) shared: PathBuf,
    pub(crate) archive: PathBuf,
    pub(crate) header: PathBuf,
    /// What a program that is linked with the archive needs besides.
    needed: &'static str,
    /// What linked it, and is to compile what is loaded beside it.
    pub(crate) compiler: Compiler,
}

impl Library {
    /// Builds it with a profile, and with these arguments for its features, for systems like this.
    ///
    /// # Errors
    /// The build fails.
    pub(crate) fn make(profile: &str, features: &[&str]) -> Result<Self> {
        run(&mut build_command("build", profile, features))?;
        let directory = target_dir().join(directory_of(profile));
        Ok(Self::of(&directory, NEEDED_FOR_GLIBC, Compiler::System))
    }

    /// The same for every glibc since 2.17.
    ///
    /// # Errors
    /// zig cannot be installed, or the build fails.
    pub(crate) fn make_for_old_glibc(profile: &str, features: &[&str]) -> Result<Self> {
        let zig = Compiler::zig()?;
        let mut build = build_command("rustc", profile, features);
        let flags = glibc::prepare(&mut build, &zig)?;
        run(set_flags(&mut build, flags))?;
        let directory = target_dir().join(glibc::target()).join(directory_of(profile));
        let library = Self::of(&directory, NEEDED_FOR_GLIBC, zig);
        library.compiler.check(&library.shared, &[])?;
        Ok(library)
    }

    /// The same for musl, whatever the C library of this machine is.
    ///
    /// # Errors
    /// The build fails.
    pub(crate) fn make_for_musl(profile: &str, features: &[&str]) -> Result<Self> {
        let mut build = build_command("build", profile, features);
        let flags = musl::prepare(&mut build)?;
        run(set_flags(&mut build, flags))?;
        let directory = target_dir().join(musl::target()).join(directory_of(profile));
        Ok(Self::of(&directory, musl::NEEDED, Compiler::System))
    }

    fn of(directory: &Path, needed: &'static str, compiler: Compiler) -> Self {
        Self {
            shared: directory.join(SHARED_LIBRARY),
            archive: directory.join("libdatadog_agent_native.a"),
            header: workspace_root().join("control/ffi/include/datadog_agent_native.h"),
            needed,
            compiler,
        }
    }

    /// Lays it out below a directory.
    ///
    /// # Errors
    /// A file cannot be written.
    pub(crate) fn install(&self, directory: &Path) -> Result<()> {
        let library = directory.join("lib");
        fs::create_dir_all(library.join("pkgconfig"))?;
        fs::create_dir_all(directory.join("include"))?;
        self.install_shared(&library)?;
        fs::copy(&self.archive, library.join("libdatadog_agent_native.a"))?;
        fs::copy(&self.header, directory.join("include/datadog_agent_native.h"))?;
        let licences = directory.join("share/licenses/datadog-agent-native");
        fs::create_dir_all(&licences)?;
        fs::copy(workspace_root().join(LICENCE), licences.join(LICENCE))?;
        let pkgconfig = library.join("pkgconfig/datadog-agent-native.pc");
        fs::write(pkgconfig, self.pkgconfig_text()).context("a file for pkg-config")
    }

    /// Copies the shared library under its whole name, and makes the names that lead to it.
    ///
    /// # Errors
    /// A file cannot be written.
    pub(crate) fn install_shared(&self, directory: &Path) -> Result<()> {
        let whole = format!("{SHARED_LIBRARY}.{}", env!("CARGO_PKG_VERSION"));
        let numbered = format!("{SHARED_LIBRARY}.{INTERFACE}");
        fs::copy(&self.shared, directory.join(&whole)).context("the built library")?;
        for (name, target) in [(&*numbered, &*whole), (SHARED_LIBRARY, &*numbered)] {
            let name = directory.join(name);
            if name.is_symlink() {
                fs::remove_file(&name)?;
            }
            symlink(target, &name).with_context(|| name.display().to_string())?;
        }
        Ok(())
    }

    /// Where this file lies says where everything else does.
    fn pkgconfig_text(&self) -> String {
        format!(
            "prefix=${{pcfiledir}}/../..\n\n\
             Name: datadog-agent-native\n\
             Description: A Datadog-compatible agent inside another program\n\
             Version: {}\n\
             Cflags: -I${{prefix}}/include\n\
             Libs: -L${{prefix}}/lib -ldatadog_agent_native\n\
             Libs.private: {}\n",
            env!("CARGO_PKG_VERSION"),
            self.needed
        )
    }
}

fn build_command(verb: &str, profile: &str, features: &[&str]) -> Command {
    let mut build = cargo(&[verb, "--package", "corelane-ffi", "--lib"]);
    build.args(["--profile", profile]).args(features);
    build
}

/// Builds all crates of a named target with these flags, and keeps the paths of this machine out of
/// what panics say.
fn set_flags(build: &mut Command, mut flags: Vec<String>) -> &mut Command {
    for (path, name) in [(workspace_root(), "corelane"), (cargo_home(), "cargo")] {
        flags.push(format!("--remap-path-prefix={}={name}", path.display()));
    }
    build.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"))
}

/// Where cargo puts what it builds with a profile.
fn directory_of(profile: &str) -> &str {
    if profile == "dev" { "debug" } else { profile }
}

/// Builds the library and the program that measures it, side by side. Returns the program.
///
/// # Errors
/// Either cannot be built.
pub(crate) fn make_host(name: &str, features: &[&str]) -> Result<PathBuf> {
    let library = Library::make("embedded", features)?;
    let directory = target_dir().join("hosts").join(name);
    fs::create_dir_all(&directory)?;
    library.install_shared(&directory)?;
    let host = directory.join("cost");
    let mut compile = command("cc", &["-O2", "-Wall", "-Werror", "tests/ffi/c/cost.c"]);
    compile.args(["-I", "control/ffi/include", "-Wl,-rpath,$ORIGIN", "-o"]).arg(&host);
    run(compile.arg("-L").arg(&directory).arg("-ldatadog_agent_native"))?;
    Ok(host)
}
