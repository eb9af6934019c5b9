//! `cargo x check`: what every change passes.

use anyhow::Result;

use crate::shell::{cargo, run};
use crate::{features, test, tidy};

/// Quick gates first; the documentation's examples are among the tests.
pub(crate) fn run_gates() -> Result<()> {
    tidy::run_rules()?;
    run(&mut cargo(&["fmt", "--all", "--check"]))?;
    run(&mut cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    features::run_checks()?;
    run(cargo(&["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"))?;
    test::run_all()
}
