//! Rust files that no module declaration reaches, and modules in files named `mod`.

use std::collections::BTreeSet;

use super::{Finding, Tree};

pub(super) fn findings(tree: &Tree) -> Vec<Finding> {
    let mut reached = BTreeSet::new();
    let mut waiting: Vec<(String, bool)> = tree
        .rust_files()
        .filter(|(path, _)| is_root(tree, path))
        .map(|(path, _)| (path.to_owned(), true))
        .collect();
    while let Some((path, is_root)) = waiting.pop() {
        let Some(text) = tree.text(&path) else { continue };
        waiting.extend(children(&path, is_root, text).into_iter().map(|child| (child, false)));
        reached.insert(path);
    }
    tree.rust_files()
        .filter_map(|(path, _)| {
            if path.ends_with("/mod.rs") {
                Some(Finding::new(path, 0, "give the file its module's name instead of `mod`"))
            } else if reached.contains(path) {
                None
            } else {
                Some(Finding::new(path, 0, "no `mod` leads here: declare it or delete it"))
            }
        })
        .collect()
}

/// Files that cargo compiles without a module declaration.
fn is_root(tree: &Tree, path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    let is_target = matches!(
        parts.as_slice(),
        [.., "src", "lib.rs" | "main.rs"]
            | [.., "build.rs"]
            | [.., "src", "bin", _]
            | [.., "src", "bin", _, "main.rs"]
            | [.., "tests" | "benches" | "examples", _]
            | [.., "tests" | "benches" | "examples", _, "main.rs"]
    );
    is_target || is_named_in_manifest(tree, path)
}

/// Whether a manifest above the file gives it as the `path` of a target.
fn is_named_in_manifest(tree: &Tree, path: &str) -> bool {
    path.match_indices('/').any(|(slash, _)| {
        let Some((directory, rest)) = path.split_at_checked(slash) else { return false };
        let name = rest.trim_start_matches('/');
        let manifest = tree.text(&format!("{directory}/Cargo.toml"));
        manifest.is_some_and(|text| text.contains(&format!("path = \"{name}\"")))
    })
}

/// Files that a file's module declarations may mean.
fn children(path: &str, is_root: bool, text: &str) -> Vec<String> {
    let (directory, file) = path.rsplit_once('/').unwrap_or(("", path));
    let stem = file.strip_suffix(".rs").unwrap_or(file);
    let below = if is_root { directory.to_owned() } else { format!("{directory}/{stem}") };
    let mut found = Vec::new();
    let mut named_path = None;
    for line in text.lines().map(str::trim) {
        if let Some(name) = between(line, "#[path = \"", "\"]") {
            named_path = Some(name);
        } else if let Some(name) = conditional_path(line) {
            // Of two files with one face, the other has the module's name.
            found.push(joined(directory, name));
        } else if let Some(name) = module_name(line) {
            match named_path.take() {
                Some(name) => found.push(joined(directory, name)),
                None => found.push(format!("{below}/{name}.rs")),
            }
        } else if let Some(name) = between(line, "include!(\"", "\")") {
            found.push(joined(directory, name));
        } else if !line.starts_with("#[") && !line.starts_with("//") {
            named_path = None;
        }
    }
    found
}

/// `name` of `pub(crate) mod name;`.
fn module_name(line: &str) -> Option<&str> {
    let line = if line.starts_with("pub") { line.split_once(' ')?.1 } else { line };
    let name = line.strip_prefix("mod ")?.strip_suffix(';')?;
    Some(name.trim_start_matches("r#"))
}

/// `name` of `#[cfg_attr(.., path = "name")]`.
fn conditional_path(line: &str) -> Option<&str> {
    line.strip_prefix("#[cfg_attr(").and_then(|rest| between(rest, ", path = \"", "\")]"))
}

fn between<'a>(line: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let (_, rest) = line.split_once(start)?;
    rest.split_once(end).map(|(name, _)| name)
}

/// A path from a directory, with `..` resolved.
fn joined(directory: &str, name: &str) -> String {
    let mut parts: Vec<&str> = directory.split('/').collect();
    for part in name.split('/') {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::super::tests::shown;
    use super::*;

    #[test]
    fn a_file_without_a_declaration_is_found() {
        let files = [
            (
                "a/src/lib.rs",
                "mod one;\n#[cfg_attr(not(unix), path = \"without/two.rs\")]\npub(crate) mod two;\n",
            ),
            ("a/src/without/two.rs", ""),
            ("a/src/without/three.rs", ""),
            ("a/src/one.rs", "mod deep;\n"),
            ("a/src/one/deep.rs", ""),
            ("a/src/two.rs", ""),
            ("a/src/three.rs", ""),
            ("a/src/one/two.rs", ""),
        ];
        assert_eq!(
            shown(findings, &files),
            [
                "a/src/one/two.rs: no `mod` leads here: declare it or delete it",
                "a/src/three.rs: no `mod` leads here: declare it or delete it",
                "a/src/without/three.rs: no `mod` leads here: declare it or delete it",
            ]
        );
    }

    #[test]
    fn tests_binaries_and_named_paths_are_roots() {
        let files = [
            ("a/Cargo.toml", "[[bin]]\npath = \"fuzz_targets/x.rs\"\n"),
            ("a/fuzz_targets/x.rs", ""),
            ("a/tests/model/main.rs", "mod slow;"),
            ("a/tests/model/slow.rs", ""),
            ("a/tests/vectors.rs", ""),
            ("a/src/bin/tool.rs", "#[path = \"../other.rs\"]\nmod other;"),
            ("a/src/other.rs", ""),
            ("a/build.rs", ""),
        ];
        assert!(shown(findings, &files).is_empty());
    }

    #[test]
    fn files_named_mod_are_found() {
        let files = [("a/src/lib.rs", "mod one;"), ("a/src/one/mod.rs", "")];
        assert_eq!(shown(findings, &files).len(), 1);
    }
}
