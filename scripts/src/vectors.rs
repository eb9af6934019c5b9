//! `cargo x vectors`: which crate runs which of the spec's vectors, then those crates' tests.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use crate::paths::workspace_root;
use crate::shell::{cargo, run};
use crate::tidy::Tree;
use crate::tidy::vectors::readers_of;

/// Prints the readers of every file of vectors and runs their tests.
pub(crate) fn run_vectors() -> Result<()> {
    let tree = Tree::read(&workspace_root())?;
    let mut packages = BTreeSet::new();
    for (path, text) in tree.below("tests/vectors/") {
        let readers = readers_of(&tree, path);
        let crates: BTreeSet<&str> =
            readers.iter().filter_map(|reader| tree.package_of(reader)).collect();
        let names = Vec::from_iter(crates.iter().copied()).join(", ");
        println!("{:>6} lines  {path}: {names}", text.lines().count());
        packages.extend(crates.into_iter().map(str::to_owned));
    }
    if packages.is_empty() {
        bail!("no crate reads a file of tests/vectors");
    }
    let mut test = cargo(&["test"]);
    for package in &packages {
        test.args(["-p", package]);
    }
    run(&mut test)
}
