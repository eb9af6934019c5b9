//! `cargo x features`: that the library compiles with each set of its cargo features.

use anyhow::Result;

use crate::shell::{cargo, run};

/// Each product alone, as far as it can be, and none. All together is what everything else builds.
const SETS: [&str; 11] = [
    "",
    "traces",
    "logs",
    "otlp",
    "grpc",
    "proxies",
    "remote-config",
    "local-api",
    "http2",
    "io-uring",
    "debugger",
];

/// Lints the library, and what it is made of, with each set.
pub(crate) fn run_checks() -> Result<()> {
    for set in SETS {
        let mut clippy = cargo(&["clippy", "--package", "corelane-ffi", "--lib"]);
        clippy.args(["--no-default-features", "--features", set]);
        // One directory of metadata for all sets: a switch of features builds little again.
        run(clippy.args(["--", "-D", "warnings"]))?;
    }
    Ok(())
}
