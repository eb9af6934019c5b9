//! Bindings of other languages, as `cargo x bindings` packages them.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::binary::{target_dir, workspace_root};
use crate::clients::command;

/// Environment variable with the directory of the packages; `cargo x test` sets it.
const BINDINGS_VARIABLE: &str = "CORELANE_TEST_BINDINGS";

/// A language that can hold the agent. Sources are in `control/ffi`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// Python: the wheel, installed in an environment of its own.
    Python,
    /// Node.js: the package, installed in a directory of its own.
    Node,
    /// Go: the module.
    Go,
    /// C#: compiled for mono.
    CSharp,
}

impl Binding {
    /// The source of the binding, with its tests.
    #[must_use]
    pub fn source(self) -> PathBuf {
        workspace_root().join("control").join("ffi").join(self.name())
    }

    /// What was made of it.
    #[must_use]
    pub fn package(self) -> PathBuf {
        packages().join(self.name()).join(match self {
            Self::Python => "venv",
            Self::Node => "installed",
            Self::Go => "module",
            Self::CSharp => "built",
        })
    }

    /// The language's own program, which finds the package. Nothing is in its environment but what
    /// it needs.
    ///
    /// # Panics
    /// When the package was not made.
    #[must_use]
    pub fn command(self) -> Command {
        let package = self.package();
        match self {
            Self::Python => command(&package.join("bin/python"), &package),
            Self::Node => {
                let mut node = command(Path::new("node"), &package);
                node.current_dir(&package);
                node
            }
            Self::Go => {
                let mut go = command(Path::new("go"), &package);
                let clients = target_dir().join("test-clients");
                // Without one, Go takes any directory for a module that never changes, and keeps
                // what it once read there.
                go.env("GOMODCACHE", clients.join("go-modules"));
                go.env("GOCACHE", clients.join("go-cache")).env("GOFLAGS", "-mod=readonly");
                go.current_dir(&package);
                go
            }
            Self::CSharp => {
                let mut mono = command(Path::new("mono"), &package);
                mono.env("LD_LIBRARY_PATH", &package);
                mono
            }
        }
    }

    /// Of its directories.
    const fn name(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::Node => "node",
            Self::Go => "go",
            Self::CSharp => "csharp",
        }
    }
}

/// The library for programs in C that was built with metrics alone.
#[must_use]
pub fn metrics_library() -> PathBuf {
    packages().join("metrics")
}

/// The library for programs of musl.
///
/// # Errors
/// Why there is none on this machine.
///
/// # Panics
/// When `cargo x bindings` was not asked.
pub fn musl_library() -> Result<PathBuf, String> {
    let directory = packages().join("musl");
    if let Ok(why) = std::fs::read_to_string(directory.join("missing.txt")) {
        return Err(why);
    }
    assert!(directory.join("lib").is_dir(), "`cargo x test` makes {}", directory.display());
    Ok(directory)
}

/// Directory of all packages.
fn packages() -> PathBuf {
    let chosen = std::env::var_os(BINDINGS_VARIABLE).map(PathBuf::from);
    chosen.unwrap_or_else(|| target_dir().join("bindings"))
}
