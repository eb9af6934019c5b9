//! `cargo x header`: the C header, made from the code of `control/ffi`.

use anyhow::Result;

use crate::shell::{cargo, run};

/// Tells the test that compares the header to write it.
const WRITE_VARIABLE: &str = "CORELANE_WRITE_HEADER";

/// Writes the header.
pub(crate) fn write() -> Result<()> {
    let mut test = cargo(&["test", "--package", "corelane-ffi", "--test", "header"]);
    run(test.env(WRITE_VARIABLE, "1"))
}
