//! The library under test, and programs that are linked with it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use intake::Intake;

/// The directory with the development build of the library, brought up to date first.
pub(crate) fn directory() -> &'static Path {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    DIRECTORY.get_or_init(|| {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let target = bed::target_dir();
        let built = Command::new(cargo)
            .args(["build", "--quiet", "--package", "corelane-ffi", "--lib", "--target-dir"])
            .arg(&target)
            .current_dir(bed::workspace_root())
            .status();
        assert!(built.is_ok_and(|status| status.success()), "the library can be built");
        let directory = target.join("debug");
        number(&directory);
        directory
    })
}

/// Makes the name that a program which is linked with the library asks for.
pub(crate) fn number(directory: &Path) {
    let name = directory.join("libdatadog_agent_native.so.0");
    // Two areas of tests may do this at once.
    drop(std::os::unix::fs::symlink("libdatadog_agent_native.so", &name));
    assert!(name.is_symlink(), "{} can be made", name.display());
}

/// Directory of the header.
pub(crate) fn include() -> PathBuf {
    bed::workspace_root().join("control/ffi/include")
}

/// Sources of the tests.
pub(crate) fn sources() -> PathBuf {
    bed::workspace_root().join("tests/ffi")
}

/// The directory with a library of metrics alone.
pub(crate) fn metrics_alone() -> PathBuf {
    let directory = bed::metrics_library().join("lib");
    assert!(directory.is_dir(), "`cargo x test` makes {}", directory.display());
    directory
}

/// Builds a program in C with the library; all warnings are errors.
pub(crate) fn build_c(name: &str, flags: &[&str]) -> PathBuf {
    build_c_with(directory(), name, flags)
}

/// The same with the library of a directory.
pub(crate) fn build_c_with(library: &Path, name: &str, flags: &[&str]) -> PathBuf {
    let out = library.join(format!("ffi-{name}{}", flags.concat().replace(['-', '=', ','], "")));
    let mut compiler = Command::new("cc");
    compiler
        .args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-g", "-pthread"])
        .args(flags)
        .arg("-I")
        .arg(include())
        .arg(sources().join("c").join(format!("{name}.c")))
        .arg("-o")
        .arg(&out)
        .arg("-L")
        .arg(library)
        .arg(format!("-Wl,-rpath,{}", library.display()))
        .arg("-ldatadog_agent_native");
    let built = compiler.status().expect("a C compiler: `cargo x test` installs one");
    assert!(built.success(), "{name}.c compiles");
    out
}

/// A program in an environment of its own, whose agents deliver to `intake`.
pub(crate) fn program(path: &Path, intake: &Intake) -> Command {
    let mut command = Command::new(path);
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("DD_API_KEY", "0123456789abcdef0123456789abcdef")
        .env("DD_DD_URL", intake.url())
        .env("DD_APM_DD_URL", intake.url())
        .env("DD_HOSTNAME", "ffi-host")
        .env("ASAN_OPTIONS", "detect_leaks=1:abort_on_error=0:exitcode=66")
        .env("UBSAN_OPTIONS", "halt_on_error=1:print_stacktrace=1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}
