//! The real clients of the whole-product tests, installed by their languages' own tools.
//!
//! | source | installed to | by |
//! |---|---|---|
//! | `tests/clients/python/requirements.txt` | `python/bin/python` | venv, pip |
//! | `tests/clients/node/package-lock.json` | `node/node_modules` | npm ci |
//! | `tests/clients/go/go.mod` | `go/client` | go build |
//! | `tests/clients/go-tracer/go.mod` | `go-tracer/client` | go build |
//! | `tests/clients/java/pom.xml` | `java/{agent,lib,classes}` | mvn dependency:copy, javac |
//!
//! All below `target/test-clients`, whose path the tests get in [`CLIENTS_VARIABLE`]. What is
//! already installed from the same lock file stays.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::packages::{self, GO, JAVA, NODE, PYTHON};
use crate::paths::{target_dir, workspace_root};
use crate::shell::{command, run};

/// Environment variable with the directory that the clients are installed to.
pub(crate) const CLIENTS_VARIABLE: &str = "CORELANE_TEST_CLIENTS";

/// The plugin that copies what a `pom.xml` names, of a fixed version.
const MAVEN_DEPENDENCY: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1";
/// Name of the tracer for Java.
const JAVA_AGENT: &str = "dd-java-agent";

/// Where the clients are installed to.
pub(crate) fn clients_dir() -> PathBuf {
    target_dir().join("test-clients")
}

/// Installs every client of the tree that is not yet there.
///
/// # Errors
/// A language's tool is missing or fails; the message says what to install.
pub(crate) fn install() -> Result<()> {
    install_one("python", "requirements.txt", &[PYTHON], install_python)?;
    install_one("node", "package-lock.json", &[NODE], install_node)?;
    install_one("go", "go.mod", &[GO], install_go)?;
    install_one("go-tracer", "go.mod", &[GO], install_go)?;
    install_one("java", "pom.xml", &[JAVA], install_java)
}

/// Calls `install_into` with the source and an installation directory, unless what is there came
/// from the same files.
fn install_one(
    language: &str,
    lock_file: &str,
    programs: &[&[packages::Package]],
    install_into: fn(&Path, &Path) -> Result<()>,
) -> Result<()> {
    let source = workspace_root().join("tests").join("clients").join(language);
    if !source.join(lock_file).is_file() {
        return Ok(());
    }
    packages::install_missing(programs)?;
    let installed = clients_dir().join(language);
    let stamp = clients_dir().join(format!("{language}.stamp"));
    let fingerprint = contents_of(&source)?;
    if fs::read(&stamp).is_ok_and(|known| known == fingerprint) {
        return Ok(());
    }
    fs::create_dir_all(&installed)?;
    install_into(&source, &installed)
        .with_context(|| format!("cannot install the {language} clients of the tests"))?;
    fs::write(&stamp, fingerprint).context("cannot write a stamp")
}

fn install_python(source: &Path, installed: &Path) -> Result<()> {
    run(command("python3", &["-m", "venv", "--clear"]).arg(installed))?;
    let python = installed.join("bin").join("python");
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"];
    run(Command::new(python).args(pip).arg(source.join("requirements.txt")))
}

/// Copies what npm reads, because npm installs beside it.
fn install_node(source: &Path, installed: &Path) -> Result<()> {
    for name in ["package.json", "package-lock.json"] {
        fs::copy(source.join(name), installed.join(name))
            .with_context(|| format!("tests/clients/node/{name}"))?;
    }
    let arguments = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
    run(command("npm", &arguments).current_dir(installed))
}

/// Go keeps its module cache read-only unless told otherwise, which would survive `cargo clean`.
fn install_go(source: &Path, installed: &Path) -> Result<()> {
    let mut build = command("go", &["build", "-mod=readonly", "-modcacherw", "-o"]);
    build.arg(installed.join("client")).arg(".").current_dir(source);
    build.env("GOMODCACHE", clients_dir().join("go-modules"));
    build.env("GOCACHE", clients_dir().join("go-cache"));
    run(&mut build)
}

/// The agent lies apart from the libraries, because it must not be on the class path.
fn install_java(source: &Path, installed: &Path) -> Result<()> {
    let copy = |scope: &str, directory: &Path| {
        let goal = format!("{MAVEN_DEPENDENCY}:copy-dependencies");
        let mut copy = command("mvn", &["--quiet", "--batch-mode", &goal, "--file"]);
        copy.arg(source.join("pom.xml")).arg("-Dmdep.stripVersion=true").arg(scope);
        copy.arg(format!("-DoutputDirectory={}", directory.display()));
        copy.arg(format!("-Dmaven.repo.local={}", clients_dir().join("java-repository").display()));
        run(&mut copy)
    };
    let libraries = installed.join("lib");
    copy(&format!("-DincludeArtifactIds={JAVA_AGENT}"), &installed.join("agent"))?;
    copy(&format!("-DexcludeArtifactIds={JAVA_AGENT}"), &libraries)?;
    let mut compile = command("javac", &["-classpath"]);
    compile.arg(libraries.join("*")).arg("-d").arg(installed.join("classes"));
    run(compile.arg(source.join("Tracing.java")))
}

/// Names and contents of the files directly in a directory: what decides an installation.
fn contents_of(directory: &Path) -> Result<Vec<u8>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory).with_context(|| directory.display().to_string())? {
        paths.push(entry?.path());
    }
    paths.sort();
    let mut contents = Vec::new();
    for path in paths.iter().filter(|path| path.is_file()) {
        contents.extend(path.to_string_lossy().bytes());
        contents.push(b'\n');
        contents.extend(fs::read(path)?);
    }
    Ok(contents)
}
