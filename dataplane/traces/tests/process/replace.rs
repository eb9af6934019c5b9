//! apm §6.6.

use corelane_traces::{ReplaceRule, Settings, SettingsError};
use span::Format;

use crate::support::{BOTH, Done, Make, Typed, batch, chunk, run, span};

fn replaced(format: Format, rules: &[(&str, &str, &str)], made: Make) -> Done {
    let rules = rules.iter().enumerate();
    let rules = rules.map(|(n, (name, pattern, repl))| ReplaceRule::new(n, name, pattern, repl));
    let replace_rules = rules.collect::<Result<Vec<_>, _>>().unwrap();
    let settings = Settings { replace_rules, ..Settings::default() };
    run(settings, batch(format, &[chunk(&[made])]))
}

fn text(text: &str) -> Typed {
    Typed::Text(text.into())
}

#[test]
fn a_rule_for_one_key() {
    for format in BOTH {
        let made = span(1, 0).meta("http.url", "/user/12/x/34").meta("url", "/user/12");
        let rule = [("http.url", r"(?P<kind>\w)/(\d+)", "${kind}/[$2]")];
        let done = replaced(format, &rule, made.clone());
        assert_eq!(done.meta(0, "http.url").unwrap(), "/user/[12]/x/[34]");
        assert_eq!(done.meta(0, "url").unwrap(), "/user/12");
        let done = replaced(format, &[("url", "user", "?")], made);
        assert_eq!(done.meta(0, "url").unwrap(), "/?/12");
        assert_eq!(done.text(done.span(0).resource), "GET /");
    }
}

#[test]
fn a_rule_for_resources() {
    for format in BOTH {
        let made = span(1, 0).meta("resource.name", "GET /");
        let done = replaced(format, &[("resource.name", "GET", "PUT")], made);
        assert_eq!(done.text(done.span(0).resource), "PUT /");
        assert_eq!(done.meta(0, "resource.name").unwrap(), "GET /");
    }
}

#[test]
fn a_rule_for_everything() {
    for format in BOTH {
        let events = vec![vec![("e".into(), text("GET")), ("_e".into(), text("GET"))]];
        let made = Make { events, ..span(1, 0) };
        let made = made.meta("a", "GET").meta("_b", "GET").meta("env", "get").metric("c", 3.5);
        let done = replaced(format, &[("*", "(?i)GET|3", "?")], made);
        assert_eq!(done.text(done.span(0).resource), "? /");
        assert_eq!(done.meta(0, "a").unwrap(), "?");
        assert_eq!(done.meta(0, "_b").unwrap(), "GET");
        assert_eq!(done.meta(0, "env").unwrap(), "?");
        assert_eq!(done.meta(0, "c").unwrap(), "?.5");
        assert_eq!(done.event(0), [("e".into(), text("?")), ("_e".into(), text("GET"))]);
    }
}

#[test]
fn numbers_stay_numbers_when_they_can() {
    let made = || span(1, 0).metric("code", 200.0).metric("big", 1e21);
    let done = replaced(Format::V04, &[("code", "^2", "4")], made());
    assert_eq!(done.metric(0, "code"), Some(400.0));
    let done = replaced(Format::V04, &[("code", "0+", "x")], made());
    assert_eq!(done.value(0, "code"), Some(text("2x")));
    let done = replaced(Format::V04, &[("big", "^1(0+)$", "$1")], made());
    assert_eq!(done.metric(0, "big"), Some(0.0), "written without an exponent");
    let done = replaced(Format::V04, &[("code", "^200$", "1e999")], made());
    assert_eq!(done.value(0, "code"), Some(text("1e999")));
    let done = replaced(Format::V1, &[("code", "^2", "4")], made());
    assert_eq!(done.value(0, "code"), Some(Typed::Int(400)));
    let done = replaced(Format::V1, &[("code", "none", "4")], made());
    assert_eq!(done.value(0, "code"), Some(Typed::Double(200.0)), "no match, no new type");
}

#[test]
fn attributes_of_events_get_the_type_of_their_text() {
    let cases = [
        (text("12"), "1", "3", text("32")),
        (Typed::Int(12), "1", "3", Typed::Int(32)),
        (Typed::Int(12), "1", "3.", Typed::Double(3.2)),
        (Typed::Int(12), "1", "x", text("x2")),
        (Typed::Double(1.5), r"\.5", "", Typed::Int(1)),
        (Typed::Bool(true), "true", "false", Typed::Bool(false)),
        (Typed::Bool(true), "rue", "", text("t")),
        (
            Typed::List(vec![Typed::Int(1), text("1"), Typed::Bool(false)]),
            "1",
            "7",
            Typed::List(vec![Typed::Int(7), text("7"), Typed::Bool(false)]),
        ),
    ];
    for format in BOTH {
        for (value, pattern, repl, expected) in cases.clone() {
            let events = vec![vec![("k".into(), value.clone()), ("other".into(), value.clone())]];
            let done = replaced(format, &[("k", pattern, repl)], Make { events, ..span(1, 0) });
            assert_eq!(done.event(0), [("k".into(), expected), ("other".into(), value)]);
        }
    }
}

#[test]
fn typed_attributes_of_v1() {
    let made = span(1, 0)
        .typed("int", Typed::Int(12))
        .typed("bytes", Typed::Bytes(b"12".to_vec()))
        .typed("map", Typed::Map(vec![("_k".into(), Typed::List(vec![text("12")]))]));
    let done = replaced(Format::V1, &[("*", "1", "3")], made);
    assert_eq!(done.value(0, "int"), Some(Typed::Int(32)));
    assert_eq!(done.value(0, "bytes"), Some(Typed::Bytes(b"12".to_vec())));
    let map = Typed::Map(vec![("_k".into(), Typed::List(vec![text("32")]))]);
    assert_eq!(done.value(0, "map"), Some(map));
}

#[test]
fn rules_are_applied_in_their_order() {
    for format in BOTH {
        let rules = [("k", "a", "b"), ("*", "b", "c"), ("k", "a", "never")];
        assert_eq!(
            replaced(format, &rules, span(1, 0).meta("k", "ab")).meta(0, "k").unwrap(),
            "cc"
        );
    }
}

#[test]
fn empty_matches() {
    let replace = |pattern, value: &str| {
        let done = replaced(Format::V04, &[("k", pattern, "-")], span(1, 0).meta("k", value));
        done.meta(0, "k").unwrap()
    };
    assert_eq!(replace("(?s).*", "one\ntwo"), "-");
    assert_eq!(replace("(?s).*", ""), "-");
    assert_eq!(replace("x*", "éxa"), "-é-a-");
    assert_eq!(replace("", "é"), "-é-");
}

#[test]
fn stack_traces_are_removed() {
    for format in BOTH {
        let settings = Settings {
            replace_rules: ReplaceRule::remove_stack_traces().unwrap().to_vec(),
            ..Settings::default()
        };
        let made = span(1, 0).meta("error.stack", "a\nb").meta("exception.stacktrace", "c\nd");
        let done = run(settings, batch(format, &[chunk(&[made])]));
        assert_eq!(done.meta(0, "error.stack").unwrap(), "?");
        assert_eq!(done.meta(0, "exception.stacktrace").unwrap(), "?");
    }
}

#[test]
fn a_wrong_rule_is_named() {
    let error = ReplaceRule::new(3, "k", "(", "").unwrap_err();
    assert!(error.to_string().starts_with("replace_tags[3] of k: "), "{error}");
    let error = ReplaceRule::new(3, "", "a", "").unwrap_err();
    assert!(matches!(error, SettingsError::NoName { index: 3 }));
}
