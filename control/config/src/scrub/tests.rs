use proptest::prelude::*;
use serde_json::json;

use super::*;

#[test]
fn vectors() {
    let lines = include_str!("../../../../tests/vectors/scrubber.jsonl");
    let mut count = 0;
    for line in lines.lines() {
        let vector: serde_json::Value = serde_json::from_str(line).unwrap();
        let input = vector["in"].as_str().unwrap();
        assert_eq!(text(input).trim(), vector["out"].as_str().unwrap().trim(), "{input}");
        count += 1;
    }
    assert_eq!(count, 93);
}

#[test]
fn rules_are_those_of_the_spec() {
    let spec: Vec<serde_json::Value> =
        serde_json::from_str(include_str!("../../../../tests/vectors/scrubber_rules.json"))
            .unwrap();
    let ours = rules::SINGLE_LINE.iter().chain(rules::MULTI_LINE);
    assert_eq!(spec.len(), ours.clone().count());
    for (spec, rule) in spec.iter().zip(ours) {
        // Our dialect wants a bracket inside a class escaped.
        assert_eq!(spec["regex"], rule.pattern.replace(r"@\[", "@["));
        assert_eq!(spec["hints"], json!(rule.hints));
        assert_eq!(spec["replace"], rule.replacement);
    }
}

#[test]
fn structures_lose_their_secrets() {
    let mut value = json!({
        "api_key": "0123456789abcdef0123456789abcdef",
        "my_api_key": "short",
        "app_key": "0123456789abcdef0123456789abcdef01234567",
        "db": {"password": "x", "pass_through": ["a"], "auth_token": "t", "token_path": "/t"},
        "community_strings": ["a", "b"],
        "url": "https://user:pw@host/",
        "list": [{"authKey": "k"}, "api_key=abcdefghijklm"],
        "special": 7
    });
    super::json(&mut value, &["special".to_owned()]);
    assert_eq!(
        value,
        json!({
            "api_key": "***************************bcdef",
            "my_api_key": "********",
            "app_key": "***********************************34567",
            "db": {"password": "********", "pass_through": "********", "auth_token": "********",
                "token_path": "/t"},
            "community_strings": "********",
            "url": "https://user:********@host/",
            "list": [{"authKey": "********"}, "api_key=***************************ijklm"],
            "special": "********"
        })
    );
}

#[test]
fn yaml_is_scrubbed_by_key_and_by_shape() {
    let source = "# note\nnested:\n  secret_password:\n    - a\n  site: datadoghq.com\nraw: DDRCM_ABCDEFGHIJ\n";
    assert_eq!(
        yaml(source, &[]),
        "nested:\n  secret_password: \"********\"\n  site: datadoghq.com\nraw: ***********************************FGHIJ"
    );
    assert_eq!(yaml("password: x: [\n", &[]), "password: \"********\"\n");
}

#[test]
fn secrets_show_five_characters_at_most() {
    assert_eq!(secret("0123456789abcdef"), "***bcdef");
    assert_eq!(secret("short"), "***");
    assert_eq!(secret(""), "");
    assert_eq!(secret("ENC[handle]"), "ENC[handle]");
}

#[test]
fn clean_lines_are_not_copied() {
    assert!(matches!(log_line("lane 3 received 12 packets"), Cow::Borrowed(_)));
}

proptest! {
    #[test]
    fn no_input_panics(input in "\\PC{0,60}") {
        let _ = (text(&input), yaml(&input, &[]), secret(&input));
    }

    #[test]
    fn api_keys_never_survive(key in "[0-9a-f]{32}", before in "[ -~]{0,10}[ :=,/\"]", after in "[ ,\"/]?") {
        let line = format!("{before}{key}{after}");
        prop_assert!(!text(&line).contains(&key));
    }
}
