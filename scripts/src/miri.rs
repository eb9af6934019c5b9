//! `cargo x miri`: the small unsafe wrappers under Miri.

use anyhow::Result;

use crate::shell::{cargo, run};

/// Crate and tests: what needs neither a socket nor a kernel that fills a buffer.
const WRAPPERS: [(&str, &str); 3] = [
    ("corelane-receive", "batch::tests"),
    ("corelane-context", "prefetch::tests"),
    // All of them: programs in C test what starts an agent.
    ("corelane-ffi", ""),
];

/// No file can be opened, which is an error to the program and not the end of the test: tags are
/// made without what `/proc` says.
const ISOLATION: &str = "-Zmiri-isolation-error=hide";

/// Runs the tests of the wrappers. Needs a nightly toolchain with the component `miri`.
pub(crate) fn run_wrappers() -> Result<()> {
    for (package, tests) in WRAPPERS {
        let mut miri = cargo(&["+nightly", "miri", "test", "-p", package, "--lib", tests]);
        run(miri.env("MIRIFLAGS", ISOLATION))?;
    }
    Ok(())
}
