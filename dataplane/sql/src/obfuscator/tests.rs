use super::*;

fn obfuscated(query: &str) -> String {
    match Obfuscator::new(Options::default()).obfuscate(query, "") {
        Ok(done) => done.text.to_owned(),
        Err(error) => error.to_string(),
    }
}

/// spec: apm-obfuscation §2.4
#[test]
fn the_examples_of_the_spec() {
    for (input, output) in [
        (
            "SELECT username AS person FROM users WHERE id=4",
            "SELECT username FROM users WHERE id = ?",
        ),
        ("INSERT INTO t (a, b) VALUES (1, 2), (3, 4)", "INSERT INTO t ( a, b ) VALUES ( ? )"),
        ("SELECT * FROM t WHERE a IN ($1, $2)", "SELECT * FROM t WHERE a IN ( ? )"),
        ("UPDATE t SET a = 1, b = 'x' WHERE d = 0xFF", "UPDATE t SET a = ? b = ? WHERE d = ?"),
        ("SELECT * FROM t WHERE a = :name", "SELECT * FROM t WHERE a = :name"),
        (
            "autovacuum: VACUUM fake.big_table (to prevent wraparound)",
            "autovacuum : VACUUM fake.big_table ( to prevent wraparound )",
        ),
        (";", "result is empty"),
    ] {
        assert_eq!(obfuscated(input), output);
    }
}

/// A statement that only makes sense if a backslash escapes nothing.
const LITERAL: &str = r"SELECT '\' FROM t";
/// A statement that only makes sense if a backslash escapes the quote.
const ESCAPED: &str = r"SELECT 'a\'b' FROM t";
/// A statement that has a comment or not.
const EITHER: &str = r"SELECT '\', a -- '";

/// spec: apm-obfuscation §2.5
#[test]
fn the_meaning_of_backslashes_is_learned_and_kept() {
    let mut obfuscator = Obfuscator::new(Options::default());
    let mut text = |query: &str| obfuscator.obfuscate(query, "").map(|done| done.text.to_owned());
    assert_eq!(text(EITHER), Ok("SELECT ?".to_owned()), "escapes at first");
    assert_eq!(text(LITERAL), Ok("SELECT ? FROM t".to_owned()));
    assert_eq!(text(EITHER), Ok("SELECT ? a".to_owned()), "literal since then");
    assert!(text(r"SELECT '\' '").is_ok_and(|text| text == "SELECT ?"), "and back");
    assert_eq!(text(EITHER), Ok("SELECT ?".to_owned()));
    assert_eq!(text(ESCAPED), Ok("SELECT ? FROM t".to_owned()));
    assert_eq!(text(EITHER), Ok("SELECT ?".to_owned()), "no reason to change");
}

#[test]
fn the_first_of_two_errors_is_told() {
    let error = r"SELECT 'John\' and 'John\'s House'";
    assert_eq!(obfuscated(error), "at position 25: unexpected byte 92");
}

#[test]
fn without_a_backslash_nothing_is_tried_twice() {
    assert_eq!(obfuscated("SELECT 'a"), "at position 10: unexpected EOF in string");
}

#[test]
fn a_failed_statement_leaves_nothing_behind() {
    let mut obfuscator = Obfuscator::new(Options::default());
    assert!(obfuscator.obfuscate("SELECT a, b, 'x", "").is_err());
    assert_eq!(obfuscator.obfuscate("SELECT 1", "").map(|done| done.text), Ok("SELECT ?"));
}

#[test]
fn the_cache_answers_as_the_tokenizer_does() {
    let options = Options {
        collect: crate::Collect { tables: true, ..crate::Collect::default() },
        ..Options::default()
    };
    let mut cached = Obfuscator::with_cache(options.clone(), 4_000);
    let mut plain = Obfuscator::new(options);
    for round in 0..3 {
        for number in 0..10 {
            let query = format!("SELECT {number} FROM t{number} JOIN u{number} ON 1 = 'x'");
            assert_eq!(cached.obfuscate(&query, ""), plain.obfuscate(&query, ""), "{round}");
        }
    }
}

#[test]
fn the_dialect_of_the_span_matters_in_lexer_modes_only() {
    let query = "SELECT \"a\" FROM t";
    let mut obfuscator = Obfuscator::with_cache(Options::default(), 10_000);
    assert_eq!(obfuscator.obfuscate(query, "mysql").map(|done| done.text), Ok("SELECT a FROM t"));
    let options = Options { mode: Mode::ObfuscateOnly, ..Options::default() };
    let mut obfuscator = Obfuscator::with_cache(options, 10_000);
    for _ in 0..2 {
        assert_eq!(obfuscator.obfuscate(query, "").map(|done| done.text), Ok(query));
        let mysql = obfuscator.obfuscate(query, "mysql").map(|done| done.text);
        assert_eq!(mysql, Ok("SELECT ? FROM t"));
    }
}

#[test]
fn modes_differ_in_what_they_keep() {
    let query = "SELECT  a AS b /* c */ FROM t WHERE d = 'e' ;";
    for (mode, text) in [
        (Mode::Default, "SELECT a FROM t WHERE d = ?"),
        (Mode::ObfuscateOnly, "SELECT  a AS b /* c */ FROM t WHERE d = ? ;"),
        (Mode::ObfuscateAndNormalize, "SELECT a FROM t WHERE d = ?"),
        (Mode::NormalizeOnly, "SELECT a FROM t WHERE d = 'e'"),
    ] {
        let mut obfuscator = Obfuscator::new(Options { mode, ..Options::default() });
        assert_eq!(obfuscator.obfuscate(query, "").map(|done| done.text), Ok(text), "{mode:?}");
    }
}

#[test]
fn tables_are_named_once_without_their_digits() {
    let options = Options {
        replace_digits: true,
        collect: crate::Collect { tables: true, commands: true, comments: true, procedures: true },
        ..Options::default()
    };
    let mut obfuscator = Obfuscator::new(options);
    let query = "select * from t1 join `u 2` on 1=1 join t2 /* c */";
    let done = obfuscator.obfuscate(query, "").expect("valid");
    assert_eq!(done.text, "select * from t? join u ? on ? = ? join t?");
    assert_eq!(done.metadata.tables.as_csv(), "t?,u ?");
    assert_eq!(done.metadata.commands.as_csv(), "SELECT,JOIN");
    assert_eq!(done.metadata.comments.as_csv(), "/* c */");
    assert_eq!(done.metadata.size_bytes(), 6 + 4 + 2 + 3 + 7);
}

/// The reference shows what follows such a start as it is.
#[test]
fn what_is_not_closed_does_not_show() {
    let options = Options { mode: Mode::ObfuscateOnly, ..Options::default() };
    let mut obfuscator = Obfuscator::new(options);
    for (query, dbms) in [
        ("SELECT $name, 'secret'", ""),
        ("SELECT $$secret", ""),
        ("SELECT $tag$secret$tag", ""),
        ("SELECT \"a, 'secret'", ""),
        ("SELECT [a, 'secret'", "mssql"),
        ("SELECT 'secret", ""),
    ] {
        let done = obfuscator.obfuscate(query, dbms).map(|done| done.text);
        assert_eq!(done, Ok("SELECT ?"), "{query}");
    }
}
