//! Every file of vectors is read by some test.

use super::{Finding, Tree};

const VECTORS: &str = "tests/vectors/";

pub(super) fn findings(tree: &Tree) -> Vec<Finding> {
    tree.below(VECTORS)
        .filter(|(path, _)| readers_of(tree, path).is_empty())
        .map(|(path, _)| Finding::new(path, 0, "no test reads these vectors"))
        .collect()
}

/// Rust files that name a file of vectors, with or without its extension.
pub(crate) fn readers_of<'a>(tree: &'a Tree, vectors: &str) -> Vec<&'a str> {
    let file = vectors.rsplit('/').next().unwrap_or(vectors);
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let quoted_stem = format!("\"{stem}\"");
    tree.rust_files()
        .filter(|(_, text)| text.contains(file) || text.contains(&quoted_stem))
        .map(|(path, _)| path)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::shown;
    use super::*;

    #[test]
    fn vectors_that_nothing_reads_are_found() {
        let files = [
            ("tests/vectors/a.jsonl", ""),
            ("tests/vectors/b.jsonl", ""),
            ("tests/vectors/c.jsonl", ""),
            ("x/src/a.rs", "include_str!(\"../../tests/vectors/a.jsonl\")"),
            ("x/src/b.rs", "rows(\"b\")"),
        ];
        assert_eq!(shown(findings, &files), ["tests/vectors/c.jsonl: no test reads these vectors"]);
    }
}
