//! `cargo x tidy`: rules over the tree's own text that the compiler does not know.
//!
//! A rule is a function from the tree to findings and has its own module. Rules read text line by
//! line and do not parse Rust: good enough for a code base that `cargo fmt` keeps in one shape.

mod documents;
mod imports;
mod modules;
mod names;
mod text;
pub(crate) mod vectors;

use std::collections::BTreeMap;
use std::path::Path;
use std::{fmt, fs, io};

use anyhow::{Context as _, Result, bail};

use crate::paths::workspace_root;

/// Directories that hold nothing of ours.
const FOREIGN_DIRECTORIES: &[&str] = &[".git", "target", "node_modules", "__pycache__", ".venv"];

/// The text files of the workspace by their path from its root, with `/`.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    files: BTreeMap<String, String>,
}

/// A place that breaks a rule.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    path: String,
    /// From 1; 0 for the file as a whole.
    line: usize,
    message: String,
}

/// Prints what breaks a rule.
pub(crate) fn run_rules() -> Result<()> {
    let findings = findings_of(&Tree::read(&workspace_root())?);
    for finding in &findings {
        println!("{finding}");
    }
    if !findings.is_empty() {
        bail!("{} findings by tidy", findings.len());
    }
    println!("tidy: nothing found");
    Ok(())
}

fn findings_of(tree: &Tree) -> Vec<Finding> {
    let rules: [fn(&Tree) -> Vec<Finding>; 6] = [
        imports::findings,
        text::findings,
        names::findings,
        modules::findings,
        documents::findings,
        vectors::findings,
    ];
    rules.iter().flat_map(|rule| rule(tree)).collect()
}

impl Tree {
    /// Reads the tree below `root`.
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let mut tree = Self::default();
        tree.read_directory(root, "").context("cannot read the tree")?;
        Ok(tree)
    }

    fn read_directory(&mut self, directory: &Path, prefix: &str) -> io::Result<()> {
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{prefix}{name}");
            if entry.file_type()?.is_dir() {
                if !FOREIGN_DIRECTORIES.contains(&name.as_str()) && !name.starts_with("target-") {
                    self.read_directory(&entry.path(), &format!("{path}/"))?;
                }
            } else {
                let bytes = fs::read(entry.path())?;
                self.files.insert(path, String::from_utf8_lossy(&bytes).into_owned());
            }
        }
        Ok(())
    }

    /// The text of a file.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// Every file.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Every Rust file.
    pub(crate) fn rust_files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files().filter(|(path, _)| path.ends_with(".rs"))
    }

    /// Every file whose path starts so.
    pub(crate) fn below(&self, prefix: &str) -> impl Iterator<Item = (&str, &str)> {
        self.files().filter(move |(path, _)| path.starts_with(prefix))
    }

    /// The package that a file belongs to.
    pub(crate) fn package_of(&self, path: &str) -> Option<&str> {
        let mut directory = path;
        while let Some((parent, _)) = directory.rsplit_once('/') {
            directory = parent;
            if let Some(manifest) = self.text(&format!("{directory}/Cargo.toml")) {
                let name = manifest.lines().find_map(|line| line.strip_prefix("name = \""))?;
                return name.strip_suffix('"');
            }
        }
        None
    }
}

impl Finding {
    fn new(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.message),
            line => write!(f, "{}:{line}: {}", self.path, self.message),
        }
    }
}

/// Lines with their numbers, from 1.
fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(index, line)| (index + 1, line))
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Tree {
        /// A tree of a few files, for the rules' own tests.
        pub(super) fn of(files: &[(&str, &str)]) -> Self {
            let own = |&(path, text): &(&str, &str)| (path.to_owned(), text.to_owned());
            Self { files: files.iter().map(own).collect() }
        }
    }

    /// What a rule says about a tree of a few files.
    pub(super) fn shown(rule: fn(&Tree) -> Vec<Finding>, files: &[(&str, &str)]) -> Vec<String> {
        rule(&Tree::of(files)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn this_tree_is_tidy() {
        let tree = Tree::read(&workspace_root()).expect("a readable tree");
        let findings: Vec<String> = findings_of(&tree).iter().map(ToString::to_string).collect();
        assert!(findings.is_empty(), "\n{}", findings.join("\n"));
    }

    #[test]
    fn a_file_belongs_to_the_nearest_package() {
        let manifest = "[package]\nname = \"corelane-parse\"\n";
        let tree = Tree::of(&[
            ("Cargo.toml", "[workspace]\n"),
            ("dataplane/parse/Cargo.toml", manifest),
            ("dataplane/parse/src/a/b.rs", ""),
        ]);
        assert_eq!(tree.package_of("dataplane/parse/src/a/b.rs"), Some("corelane-parse"));
        assert_eq!(tree.package_of("README.md"), None);
    }
}
