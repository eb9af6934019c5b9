//! apm-obfuscation §1.

use corelane_traces::{Commands, JsonKeys, Obfuscation, Settings};
use obfuscate::CardScreen;
use span::Format;

use crate::support::{BOTH, Done, Make, Typed, batch, chunk, run, run_spans, span};

fn of_type(span_type: &str, resource: &str) -> Make {
    Make { span_type: span_type.into(), resource: resource.into(), ..span(1, 0) }
}

fn run_as(format: Format, obfuscation: Obfuscation, made: Make) -> Done {
    let settings = Settings { obfuscation, ..Settings::default() };
    run(settings, batch(format, &[chunk(&[made])]))
}

#[test]
fn sql_resources_and_statements_lose_their_literals() {
    for format in BOTH {
        for span_type in ["sql", "cassandra"] {
            let raw = "SELECT * FROM users WHERE id = 42";
            let made = of_type(span_type, raw)
                .meta("sql.query", raw)
                .meta("db.statement", "DELETE FROM t WHERE a = 'x'")
                .meta("db.query.text", "'")
                .meta("other", raw);
            let done = run_spans(format, &[made]);
            assert_eq!(done.text(done.span(0).resource), "SELECT * FROM users WHERE id = ?");
            let meta = |key| done.meta(0, key).unwrap();
            assert_eq!(meta("sql.query"), "SELECT * FROM users WHERE id = ?");
            assert_eq!(meta("db.statement"), "DELETE FROM t WHERE a = ?");
            assert_eq!(meta("db.query.text"), "Non-parsable SQL query");
            assert_eq!(meta("other"), raw);
            assert_eq!(done.meta(0, "sql.tables"), None);
        }
        let done = run_spans(format, &[of_type("web", "SELECT 42")]);
        assert_eq!(done.text(done.span(0).resource), "SELECT 42");
    }
}

#[test]
fn sql_that_cannot_be_read_is_hidden() {
    for format in BOTH {
        let made = of_type("sql", "SELECT 'secret").meta("sql.query", "SELECT 'secret");
        let done = run_spans(format, &[made]);
        assert_eq!(done.text(done.span(0).resource), "Non-parsable SQL query");
        assert_eq!(done.meta(0, "sql.query").unwrap(), "Non-parsable SQL query");
    }
}

#[test]
fn empty_statements() {
    for format in BOTH {
        let made = of_type("sql", "SELECT 1").meta("sql.query", "").meta("db.statement", "");
        let done = run_spans(format, &[made]);
        assert_eq!(done.meta(0, "sql.query"), None);
        assert_eq!(done.meta(0, "db.statement").as_deref(), Some(""));
        let made = Make { name: String::new(), ..of_type("sql", "") };
        let done = run_spans(format, &[made.meta("sql.query", "SELECT 1")]);
        assert_eq!(done.meta(0, "sql.query").as_deref(), Some("SELECT ?"));
    }
}

#[test]
fn what_a_later_value_hides_is_obfuscated_too() {
    for format in BOTH {
        let made = of_type("sql", "SELECT 1")
            .meta("db.statement", "SELECT 'secret'")
            .meta("db.statement", "")
            .meta("card", "4111 1111 1111 1111")
            .meta("card", "");
        let done = run_spans(format, &[made]);
        for held in done.batch.attributes.get(done.span(0).attributes) {
            let text = held.text().map(|text| done.text(text)).unwrap_or_default();
            assert!(!text.contains("secret") && !text.contains("4111"), "{text}");
        }
    }
}

#[test]
fn tables_are_noted_on_request() {
    let mut obfuscation = Obfuscation::default();
    obfuscation.sql.collect.tables = true;
    for format in BOTH {
        let made = of_type("sql", "SELECT * FROM users JOIN orders ON a = b");
        let done = run_as(format, obfuscation.clone(), made);
        assert_eq!(done.meta(0, "sql.tables").as_deref(), Some("users,orders"));
    }
}

#[test]
fn commands_of_stores() {
    for format in BOTH {
        for (kind, key) in [("redis", "redis.raw_command"), ("valkey", "valkey.raw_command")] {
            let made = || of_type(kind, "SET key value\nGET key").meta(key, "SET key value");
            let both = |commands| {
                let obfuscation =
                    Obfuscation { redis: commands, valkey: commands, ..Obfuscation::default() };
                let done = run_as(format, obfuscation, made());
                assert_eq!(done.text(done.span(0).resource), "SET GET");
                done.meta(0, key).unwrap()
            };
            assert_eq!(both(Commands::Kept), "SET key value");
            assert_eq!(both(Commands::Obfuscated), "SET key ?");
            assert_eq!(both(Commands::WithoutArguments), "SET ?");
        }
        let made = || of_type("memcached", "set").meta("memcached.command", "set k 0 0 1\r\nv");
        let command = |is_enabled, is_kept| {
            let obfuscation = Obfuscation {
                is_memcached_enabled: is_enabled,
                is_memcached_command_kept: is_kept,
                ..Obfuscation::default()
            };
            run_as(format, obfuscation, made()).meta(0, "memcached.command").unwrap()
        };
        assert_eq!(command(true, false), "");
        assert_eq!(command(true, true), "set k 0 0 1");
        assert_eq!(command(false, false), "set k 0 0 1\r\nv");
    }
}

#[test]
fn urls() {
    for format in BOTH {
        for span_type in ["web", "http"] {
            let made = of_type(span_type, "x").meta("http.url", "http://u:p@h/a1/b?c=d");
            let done = run_spans(format, std::slice::from_ref(&made));
            assert_eq!(done.meta(0, "http.url").unwrap(), "http://h/a1/b?c=d");
            let mut obfuscation = Obfuscation::default();
            obfuscation.http.remove_query_string = true;
            obfuscation.http.remove_path_digits = true;
            let done = run_as(format, obfuscation, made);
            assert_eq!(done.meta(0, "http.url").unwrap(), "http://h/?/b?");
        }
        let made = of_type("custom", "x").meta("http.url", "http://u:p@h/");
        assert_eq!(run_spans(format, &[made]).meta(0, "http.url").unwrap(), "http://u:p@h/");
    }
}

#[test]
fn bodies_of_document_stores() {
    let cases = [
        ("mongodb", "mongodb.query"),
        ("elasticsearch", "elasticsearch.body"),
        ("elasticsearch", "opensearch.body"),
        ("opensearch", "elasticsearch.body"),
        ("opensearch", "opensearch.body"),
    ];
    let body = r#"{"a": 1, "keep": 2, "q": "SELECT 1"}"#;
    for format in BOTH {
        for (span_type, key) in cases {
            let made = || of_type(span_type, "x").meta(key, body);
            let done = run_spans(format, &[made()]);
            assert_eq!(done.meta(0, key).unwrap(), r#"{"a":"?","keep":"?","q":"?"}"#);
            let keys = Some(JsonKeys { kept: vec!["keep".into()], sql: vec!["q".into()] });
            let obfuscation = Obfuscation {
                mongodb: keys.clone(),
                elasticsearch: keys.clone(),
                opensearch: keys,
                ..Obfuscation::default()
            };
            let done = run_as(format, obfuscation, made());
            assert_eq!(done.meta(0, key).unwrap(), r#"{"a":"?","keep":2,"q":"SELECT ?"}"#);
            let obfuscation = Obfuscation {
                mongodb: None,
                elasticsearch: None,
                opensearch: None,
                ..Obfuscation::default()
            };
            assert_eq!(run_as(format, obfuscation, made()).meta(0, key).unwrap(), body);
        }
    }
}

#[test]
fn card_numbers_of_spans() {
    const CARD: &str = "4111 1111 1111 1111";
    for format in BOTH {
        let made = span(1, 0)
            .meta("card", CARD)
            .meta("_card", CARD)
            .meta("out.port", CARD)
            .meta("number", "4111 1111 1111 x")
            .metric("paid", 4_111_111_111_111_111.0);
        let done = run_spans(format, std::slice::from_ref(&made));
        assert_eq!(done.meta(0, "card").as_deref(), Some("?"));
        assert_eq!(done.meta(0, "_card").as_deref(), Some(CARD));
        assert_eq!(done.meta(0, "out.port").as_deref(), Some(CARD));
        assert_eq!(done.meta(0, "number").as_deref(), Some("4111 1111 1111 x"));
        let paid = if format.is_v1() {
            Typed::Text("?".into())
        } else {
            Typed::Double(4_111_111_111_111_111.0)
        };
        assert_eq!(done.value(0, "paid"), Some(paid));
        let off = Obfuscation { cards: None, ..Obfuscation::default() };
        assert_eq!(run_as(format, off, made.clone()).meta(0, "card").as_deref(), Some(CARD));
        let kept = CardScreen::new(true, ["card"]);
        let kept = Obfuscation { cards: Some(kept), ..Obfuscation::default() };
        assert_eq!(run_as(format, kept, made).meta(0, "card").as_deref(), Some(CARD));
    }
    let made = span(1, 0)
        .typed("int", Typed::Int(4_111_111_111_111_111))
        .typed("bytes", Typed::Bytes(CARD.into()))
        .typed("list", Typed::List(vec![Typed::Int(4_111_111_111_111_111)]));
    let done = run_spans(Format::V1, &[made]);
    assert_eq!(done.meta(0, "int").as_deref(), Some("?"));
    assert_eq!(done.meta(0, "bytes").as_deref(), Some("?"));
    assert!(matches!(done.value(0, "list"), Some(Typed::List(_))), "its text begins with [");
}

#[test]
fn card_numbers_of_events() {
    let card = Typed::Int(4_111_111_111_111_111);
    let hidden = Typed::Text("?".into());
    let attributes = vec![
        ("a".to_owned(), Typed::Text("4111111111111111".into())),
        ("b".to_owned(), card.clone()),
        ("c".to_owned(), Typed::Double(4_111_111_111_111_111.0)),
        ("d".to_owned(), Typed::Bool(true)),
        ("e".to_owned(), Typed::List(vec![Typed::Int(7), card.clone()])),
        ("_f".to_owned(), card.clone()),
    ];
    for format in BOTH {
        let done = run_spans(format, &[Make { events: vec![attributes.clone()], ..span(1, 0) }]);
        let values: Vec<Typed> = done.event(0).into_iter().map(|(_, value)| value).collect();
        let list = Typed::List(vec![Typed::Int(7), hidden.clone()]);
        let expected =
            [hidden.clone(), hidden.clone(), hidden.clone(), Typed::Bool(true), list, card.clone()];
        assert_eq!(values, expected);
    }
}
