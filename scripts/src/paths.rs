//! Where things are.

use std::path::{Path, PathBuf};

/// The directory of the workspace.
pub(crate) fn workspace_root() -> PathBuf {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR"));
    scripts.parent().unwrap_or(scripts).to_path_buf()
}

/// The directory that builds go to, as cargo sees it.
pub(crate) fn target_dir() -> PathBuf {
    let chosen =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    workspace_root().join(chosen)
}

/// The directory of cargo itself, which holds the sources of crates.
pub(crate) fn cargo_home() -> PathBuf {
    let home = || std::env::home_dir().unwrap_or_default().join(".cargo");
    std::env::var_os("CARGO_HOME").map_or_else(home, PathBuf::from)
}

/// The release build of the agent.
pub(crate) fn release_binary() -> PathBuf {
    target_dir().join("release").join("corelane")
}
