//! Bodies beside the vectors, and that no scalar gets out.

use proptest::prelude::*;

use super::*;

fn obfuscated(body: &str, kept: &[&str], sql: &[&str]) -> String {
    let mut out = String::new();
    let mut statement = |text: &str, out: &mut String| {
        out.push_str("sql:");
        out.push_str(text);
        text != "fails"
    };
    let mut settings = JsonBody::new(kept, sql);
    settings.obfuscate(body, &mut statement, &mut out).select(body, &out).to_owned()
}

#[test]
fn documents_may_touch() {
    assert_eq!(
        obfuscated(r#" {"a":1}{"b":2}[3]4 "x" "#, &[], &[]),
        r#"{"a":"?"}{"b":"?"}["?"]"?" "?" "#
    );
    assert_eq!(obfuscated(r#"{"a":1} "secret""#, &["a"], &[]), r#"{"a":1} "?""#);
}

#[test]
fn broken_bodies_end_in_a_mark() {
    assert_eq!(obfuscated("  ", &[], &[]), "...");
    assert_eq!(obfuscated(r#"{"a":"se"#, &[], &[]), r#"{"a":"?"..."#);
    assert_eq!(obfuscated(r#"{"a":"se"#, &["a"], &[]), r#"{"a":"se..."#);
    assert_eq!(obfuscated(r#"{"a":"se"#, &[], &["a"]), r#"{"a":..."#);
    assert_eq!(obfuscated("[1]]", &[], &[]), r#"["?"]..."#);
    assert_eq!(obfuscated("[1}", &[], &[]), r#"["?"..."#);
    assert_eq!(obfuscated("[1é", &[], &[]), r#"["?"..."#);
    assert_eq!(obfuscated("[,", &[], &[]), "[...");
}

#[test]
fn statements_are_read_without_escapes() {
    assert_eq!(
        obfuscated(r#"{"q":"a\"b\u00e9","r":1}"#, &[], &["q", "r"]),
        r#"{"q":"sql:a"bé","r":"sql:1"}"#
    );
    assert_eq!(obfuscated(r#"{"q":"fails"}"#, &[], &["q"]), format!(r#"{{"q":"{FAILED_SQL}"}}"#));
    assert_eq!(obfuscated(r#"{"q":{"a":1},"q":[2]}"#, &[], &["q"]), r#"{"q":{"a":"?"},"q":["?"]}"#);
}

#[test]
fn kept_values_are_not_obfuscated_as_sql() {
    assert_eq!(
        obfuscated(r#"{"k":{"q":"x"},"q":"y"}"#, &["k"], &["q"]),
        r#"{"k":{"q":"x"},"q":"sql:y"}"#
    );
}

/// JSON whose scalars all hold a mark that no key has.
fn marked_body() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        Just("\"a 31415 b\"".to_owned()),
        Just("-31415.5e3".to_owned()),
        Just("\"\\\"31415\\\\\"".to_owned()),
    ];
    scalar.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|v| format!("[ {} ]", v.join(","))),
            prop::collection::vec(inner, 0..4).prop_map(|v| {
                let fields: Vec<_> = v.iter().map(|v| format!("\"k\\\"\" : {v}")).collect();
                format!("{{{}}}", fields.join(" , "))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn no_scalar_gets_out(body in marked_body(), cut in any::<prop::sample::Index>()) {
        let whole = obfuscated(&body, &["other"], &[]);
        prop_assert!(!whole.contains('3'), "{}", whole);
        prop_assert!(!whole.contains("..."), "{}", whole);
        // Cut anywhere, or with a byte there that belongs nowhere.
        let (head, tail) = body.split_at(body.floor_char_boundary(cut.index(body.len())));
        prop_assert!(!obfuscated(head, &[], &[]).contains('3'));
        let broken = format!("{head}~{tail}");
        prop_assert!(!obfuscated(&broken, &[], &[]).contains('3'));
    }

    #[test]
    fn obfuscated_bodies_stay(body in marked_body()) {
        let once = obfuscated(&body, &[], &[]);
        prop_assert_eq!(obfuscated(&once, &[], &[]), once);
    }
}
