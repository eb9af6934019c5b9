//! How the package of each language is made.

use std::env::consts::ARCH;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::{copy, copy_tree};
use crate::embedded::{Library, SHARED_LIBRARY};
use crate::packages::{C_COMPILER, GO, MONO, NODE, PYTHON, Package};
use crate::shell::{command, run, succeeds};

/// A language with bindings.
pub(super) struct Language {
    /// Of its directories.
    pub(super) name: &'static str,
    /// Where its source is copied to, below its directory.
    pub(super) staged: &'static str,
    pub(super) programs: &'static [&'static [Package]],
    /// Makes the package: from the copied source, into the language's directory.
    pub(super) make: fn(&Path, &Path, &Library) -> Result<()>,
}

pub(super) const LANGUAGES: &[Language] = &[
    Language { name: "python", staged: "source", programs: &[PYTHON], make: make_python },
    Language { name: "node", staged: "package", programs: &[C_COMPILER, NODE], make: make_node },
    Language { name: "go", staged: "module", programs: &[C_COMPILER, GO], make: make_go },
    Language { name: "csharp", staged: "package", programs: &[MONO], make: make_csharp },
];

/// The pip of the environment that the tests use builds the wheel too.
fn make_python(staged: &Path, directory: &Path, library: &Library) -> Result<()> {
    let binaries = staged.join("src/datadog_agent_native/bin");
    copy(&library.shared, &binaries.join(format!("linux-{ARCH}")).join(SHARED_LIBRARY))?;
    let environment = directory.join("venv");
    run(command("python3", &["-m", "venv"]).arg(&environment))?;
    let pip = |arguments: &[&str]| {
        let mut pip = Command::new(environment.join("bin/python"));
        pip.args(["-m", "pip", "--quiet", "--disable-pip-version-check"]).args(arguments);
        pip.current_dir(directory);
        run(&mut pip)
    };
    pip(&["wheel", "--no-deps", "--wheel-dir", "dist", "./source"])?;
    let wheel = only_file(&directory.join("dist"))?;
    pip(&["install", "--no-deps", &wheel.to_string_lossy()])
}

fn make_node(staged: &Path, directory: &Path, library: &Library) -> Result<()> {
    let npm = |words: &[&str], inside: &Path| {
        let mut npm = command("npm", words);
        npm.args(["--no-audit", "--no-fund", "--loglevel=error"]).current_dir(inside);
        run(&mut npm)
    };
    npm(&["ci", "--ignore-scripts"], staged)?;
    let prebuilt = staged.join("prebuilds").join(format!("linux-{}{}", short_arch(), musl("-")));
    copy(&library.shared, &prebuilt.join(SHARED_LIBRARY))?;
    let headers = library.header.parent().context("the header's directory")?;
    for name in ["agent", "live_debugger"] {
        let mut compile = library.compiler.command();
        compile.args(["-std=gnu11", "-O2", "-s", "-Wall", "-Wextra", "-Werror"]);
        compile.args(["-shared", "-fPIC", "-fvisibility=hidden", "-pthread"]).current_dir(staged);
        compile.args(["-I", "node_modules/node-api-headers/include", "-I"]).arg(headers);
        compile.arg(format!("addon/{name}.c"));
        let addon = prebuilt.join(format!("{name}.node"));
        run(compile.arg("-o").arg(&addon).arg("-ldl"))?;
        library.compiler.check(&addon, &["napi_"])?;
    }

    let dist = directory.join("dist");
    fs::create_dir_all(&dist)?;
    npm(&["pack", "--pack-destination", &dist.to_string_lossy()], staged)?;
    let installed = directory.join("installed");
    fs::create_dir_all(&installed)?;
    fs::write(installed.join("package.json"), "{\"private\": true}\n")?;
    npm(&["install", &only_file(&dist)?.to_string_lossy()], &installed)?;
    // Inside the package's own directory its name would mean the source.
    for name in ["test", "examples"] {
        copy_tree(&staged.join(name), &installed.join(name))?;
    }
    Ok(())
}

/// The module itself is the package.
fn make_go(staged: &Path, _: &Path, library: &Library) -> Result<()> {
    let libraries = staged.join("libs").join(format!("linux_{}", go_arch()));
    copy(&library.archive, &libraries.join("libdatadog_agent_native.a"))?;
    copy(&library.header, &staged.join("include").join("datadog_agent_native.h"))
}

/// Compiles for mono, which is what Debian has. The package for .NET needs its own tool.
fn make_csharp(staged: &Path, directory: &Path, library: &Library) -> Result<()> {
    let identifier = format!("linux{}-{}", musl("-"), short_arch());
    let native = staged.join("runtimes").join(identifier).join("native");
    copy(&library.shared, &native.join(SHARED_LIBRARY))?;
    let built = directory.join("built");
    copy(&library.shared, &built.join(SHARED_LIBRARY))?;
    let assembly = built.join("Datadog.AgentNative.dll");
    let compile = |kind: &str, output: &Path, source: &str, reference: Option<&Path>| {
        let mut mcs = command("mcs", &["-nologo", "-langversion:7.2", "-warnaserror", kind]);
        mcs.arg(format!("-out:{}", output.display())).arg(source).current_dir(staged);
        if let Some(reference) = reference {
            mcs.arg(format!("-reference:{}", reference.display()));
        } else {
            mcs.arg(format!("-doc:{}", output.with_extension("xml").display()));
        }
        run(&mut mcs)
    };
    compile("-target:library", &assembly, "src/*.cs", None)?;
    compile("-target:exe", &built.join("Tests.exe"), "tests/*.cs", Some(&assembly))?;
    compile("-target:exe", &built.join("Basic.exe"), "examples/Basic.cs", Some(&assembly))?;
    if succeeds("dotnet", &["--version"]) {
        let dist = directory.join("dist");
        run(command("dotnet", &["pack", "--output"]).arg(dist).current_dir(staged))?;
    }
    Ok(())
}

/// The one file of a directory.
fn only_file(directory: &Path) -> Result<PathBuf> {
    let mut entries = fs::read_dir(directory).with_context(|| directory.display().to_string())?;
    let first = entries.next().with_context(|| format!("{} is empty", directory.display()))?;
    Ok(first?.path())
}

/// The architecture as Node.js and .NET name it.
fn short_arch() -> &'static str {
    match ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// The architecture as Go names it.
fn go_arch() -> &'static str {
    match ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// `musl` behind a separator, where that is the C library.
fn musl(separator: &str) -> String {
    if cfg!(target_env = "musl") { format!("{separator}musl") } else { String::new() }
}
