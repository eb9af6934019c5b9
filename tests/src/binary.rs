//! Where the binary under test is.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Environment variable with the path of the binary; `cargo x test` sets it.
const BINARY_VARIABLE: &str = "CORELANE_BINARY";

/// The binary under test. Without `CORELANE_BINARY` it is the development build of this workspace,
/// brought up to date first.
///
/// # Panics
/// When there is none and it cannot be built.
#[must_use]
pub fn corelane() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        if let Some(path) = std::env::var_os(BINARY_VARIABLE) {
            let path = PathBuf::from(path);
            assert!(path.is_file(), "{BINARY_VARIABLE} names {}: no such file", path.display());
            return path;
        }
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = Command::new(cargo)
            .args(["build", "--quiet", "--package", "corelane", "--bin", "corelane"])
            .arg("--target-dir")
            .arg(target_dir())
            .current_dir(workspace_root())
            .status();
        let is_built = built.is_ok_and(|status| status.success());
        assert!(is_built, "cannot build the binary: run `cargo x test`, or set {BINARY_VARIABLE}");
        target_dir().join("debug").join("corelane")
    })
}

/// The directory that builds go to: this test was built there.
#[must_use]
pub fn target_dir() -> PathBuf {
    let chosen = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let chosen = chosen.unwrap_or_else(|| PathBuf::from("target"));
    workspace_root().join(chosen)
}

/// The directory of the workspace.
#[must_use]
pub fn workspace_root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests).to_path_buf()
}
