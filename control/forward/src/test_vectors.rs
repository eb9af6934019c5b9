//! Reads the shared test vectors.

use std::path::Path;

use serde_json::Value;

/// The lines of `config_values.jsonl` of one kind.
pub(crate) fn config_vectors(kind: &str) -> Vec<Value> {
    vectors("config_values.jsonl", kind)
}

/// The lines of `logs_intake.jsonl` of one kind; others are run by the crate `logs`.
pub(crate) fn logs_vectors(kind: &str) -> Vec<Value> {
    vectors("logs_intake.jsonl", kind)
}

fn vectors(file: &str, kind: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors").join(file);
    let text = std::fs::read_to_string(&path).expect("vectors are part of the tree");
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let values = lines.map(|line| serde_json::from_str::<Value>(line).expect("vector is JSON"));
    values.filter(|value| value["kind"] == kind).collect()
}
