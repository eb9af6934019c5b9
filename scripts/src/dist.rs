//! `cargo x dist`: one archive with the binary and what must travel with it.

use std::fs;

use anyhow::{Context as _, Result};

use crate::paths::{release_binary, target_dir, workspace_root};
use crate::shell::{cargo, command, output_of, run};

/// Documents that travel with the binary.
const DOCUMENTS: &[&str] = &["LICENSE", "README.md", "CHANGELOG.md"];

/// Builds the release binary and archives it.
pub(crate) fn run_dist() -> Result<()> {
    run(&mut cargo(&["build", "--release", "--locked", "--bin", "corelane"]))?;
    let name = format!(
        "corelane-{}-{}-{}",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH
    );
    let dist = target_dir().join("dist");
    let staged = dist.join(&name);
    fs::create_dir_all(&staged)?;
    fs::copy(release_binary(), staged.join("corelane")).context("the built binary")?;
    for document in DOCUMENTS {
        fs::copy(workspace_root().join(document), staged.join(document)).context(*document)?;
    }
    let archive = format!("{name}.tar.gz");
    // Sorted names, one owner and one time: the same tree gives the same bytes.
    let stable = ["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mtime=@0"];
    let mut tar = command("tar", &["-czf", &archive]);
    run(tar.args(stable).arg(&name).current_dir(&dist))?;
    let sum = output_of(command("sha256sum", &[&archive]).current_dir(&dist))?;
    fs::write(dist.join(format!("{archive}.sha256")), sum)?;
    println!("wrote {}", dist.join(archive).display());
    Ok(())
}
