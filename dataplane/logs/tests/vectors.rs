//! The spec's vectors, all lines of the kinds that are about records. spec: logs §23.

use corelane_logs::{RuleConfig, Rules};
use serde_json::Value;

macro_rules! vectors {
    ($name:literal) => {
        lines(include_str!(concat!("../../../tests/vectors/", $name, ".jsonl")))
    };
}

fn lines(text: &str) -> Vec<Value> {
    let lines: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    assert!(!lines.is_empty());
    lines
}

fn text<'a>(line: &'a Value, field: &str) -> &'a str {
    line[field].as_str().expect("the field is text")
}

fn rules(line: &Value, field: &str) -> Vec<RuleConfig> {
    serde_json::from_value(line[field].clone()).expect("a list of rules")
}

#[test]
fn processing_rules() {
    for line in vectors!("logs_rules") {
        match text(&line, "kind") {
            "rules" => check_rules(&line),
            "validate" => {
                let error = Rules::new(&rules(&line, "rules")).err().map(|e| e.to_string());
                assert_eq!(error.as_deref(), line["error"].as_str(), "{line}");
            }
            kind => panic!("unknown kind {kind}"),
        }
    }
}

fn check_rules(line: &Value) {
    let (global, source) = (rules(line, "global_rules"), rules(line, "source_rules"));
    let rules = Rules::new(global.iter().chain(&source)).expect("valid rules");
    let mut message = text(line, "input").to_owned();
    let is_truncated = line["input_is_truncated_flag"].as_bool().unwrap_or_default();
    let result = rules.apply(&mut message, is_truncated, 1_000_000);
    assert_eq!(result.is_err(), line["dropped"], "{line}");
    assert_eq!(result.ok().map(|()| &*message), line["output"].as_str(), "{line}");
}
