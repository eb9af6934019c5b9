//! `cargo x miri`: the small unsafe wrappers under Miri.

use anyhow::Result;

use crate::shell::{cargo, run};

/// Crate and tests: what needs neither a socket nor a kernel that fills a buffer.
const WRAPPERS: [(&str, &str); 5] = [
    ("corelane-receive", "batch::tests"),
    ("corelane-context", "prefetch::tests"),
    ("corelane-ffi", "text::tests"),
    ("corelane-ffi", "error::tests"),
    ("corelane-ffi", "config::tests"),
];

/// Runs the tests of the wrappers. Needs a nightly toolchain with the component `miri`.
pub(crate) fn run_wrappers() -> Result<()> {
    for (package, tests) in WRAPPERS {
        run(&mut cargo(&["+nightly", "miri", "test", "-p", package, "--lib", tests]))?;
    }
    Ok(())
}
