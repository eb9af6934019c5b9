//! `cargo x docs`: pages that are generated from the code.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use crate::paths::workspace_root;
use crate::shell::{cargo, output_of};

/// Writes the configuration reference.
pub(crate) fn write() -> Result<()> {
    let path = reference_path();
    fs::create_dir_all(path.parent().context("a file below the workspace")?)?;
    fs::write(&path, reference()?).with_context(|| path.display().to_string())?;
    println!("wrote {}", path.display());
    Ok(())
}

/// Compares the committed configuration reference with the table of keys.
pub(crate) fn check() -> Result<()> {
    let path = reference_path();
    let committed = fs::read(&path).with_context(|| path.display().to_string())?;
    if committed != reference()? {
        bail!("docs/configuration.md is out of date: run `cargo x docs` and commit it");
    }
    Ok(())
}

fn reference() -> Result<Vec<u8>> {
    let arguments = ["run", "--quiet", "--bin", "corelane", "--", "config", "reference"];
    output_of(&mut cargo(&arguments))
}

fn reference_path() -> PathBuf {
    workspace_root().join("docs").join("configuration.md")
}
