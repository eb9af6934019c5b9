//! What holds for any statement, and for all that a small grammar can say.

use corelane_sql::{Mode, Obfuscator, Options, check_statement};
use proptest::prelude::*;
use proptest::sample::select;

/// Pieces that the tokenizers treat in some special way.
const PIECES: &[&str] = &[
    "SELECT",
    "from t",
    "JOIN",
    "UPDATE t",
    "INSERT INTO a",
    "AS",
    "as x",
    "AS [b c]",
    "[a]",
    "]",
    "'",
    "''",
    "'a\\'b'",
    "\\",
    "\"",
    "\"a b\"",
    "\"\"",
    "`",
    "`a`",
    "``",
    "` `",
    "$1",
    "$1e",
    "$$x$$",
    "$tag$ a $tag$",
    "$func$SELECT 1, 'x'$func$",
    "$func$",
    "$a",
    "$?",
    ":a",
    "::",
    ":=",
    ":",
    ":.",
    ":]",
    "?",
    "?,?",
    "(?, ?)",
    "?|",
    "(",
    "((",
    ")",
    ",",
    ";",
    "=",
    "!=",
    "!",
    "!(",
    "~*",
    "<=>",
    "<@",
    "@>",
    "->",
    "->>",
    "#>",
    "#>>",
    "#-",
    "#",
    "--",
    "-- c\n",
    "/* c */",
    "/*",
    "*/",
    "//",
    "-",
    "-1",
    "-.5",
    "-.",
    "+1",
    "0x1F",
    "089",
    "1.5e-5",
    ".5",
    "1.",
    "a.b",
    "a.*",
    "t12_3",
    "@x",
    "@@x",
    "@@",
    "%s",
    "%(a)s",
    "%(a",
    "%",
    "{",
    "}",
    "{fn x}",
    "||",
    "NULL",
    "TRUE",
    "SAVEPOINT",
    "SAVEPOINT x",
    "LIMIT 1",
    "WITH x AS (",
    "PROCEDURE p",
    "EXTRACT(year",
    "f(",
    "é",
    "ünï",
    "ſelect",
    "\u{a0}",
    "🥒",
    "§",
    "\n",
    "\u{b}",
    "  ",
    "N'x'",
    "IN (1,2,3)",
    "VALUES (1,2),(3,4)",
    "VALUES (1,f(2),3)",
    "ONLY t,",
    "FROM a, b",
    "foo. bar",
    "FROM/*c*/t",
    "(SELECT 1)",
    "(1)",
    "AS \"b-c\"",
    "\"a1\".\"b2\"",
    "[1],[2]",
    "'unterminated",
    "\0",
    "=?",
];

fn soup() -> impl Strategy<Value = String> {
    let piece = prop_oneof![4 => select(PIECES).prop_map(str::to_owned), 1 => ".{0,4}"];
    let gap = select(&["", " ", "\n"][..]);
    prop::collection::vec((piece, gap), 0..14)
        .prop_map(|pieces| pieces.into_iter().map(|(piece, gap)| piece + gap).collect())
}

/// A literal whose text is recognisable: it has `zq` or a digit, and nothing else does.
fn literal() -> impl Strategy<Value = String> {
    let content = r#"[ a-yé,;()=?:\-/*"$`\[\]]{0,6}"#;
    prop_oneof![
        (content, content).prop_map(|(a, b)| format!("'{a}zq{b}'")),
        (content, content).prop_map(|(a, b)| format!("'{a}''zq''{b}'")),
        (content, content).prop_map(|(a, b)| format!(r"'{a}\\zq\\{b}'")),
        "[0-9]{1,12}",
        r"-?[0-9]{1,4}\.[0-9]{1,4}([eE][+-]?[0-9]{1,2})?",
        r"0{1,2}[0-9]{0,3}\.[0-9]{1,4}[eE][0-9]",
        "0x[0-9]{1,8}",
        "[a-y '()]{0,4}".prop_map(|a| format!("$tag${a}zq$tag$")),
        "[a-y '()]{0,4}".prop_map(|a| format!("$${a}zq$$")),
    ]
}

fn column() -> impl Strategy<Value = String> {
    prop_oneof!["[a-y_]{1,8}", "[a-y]{1,4}\\.[a-y]{1,4}", "`[a-y]{1,4}`"]
        .prop_map(|name| if name == "as" { "a".to_owned() } else { name })
}

fn list() -> impl Strategy<Value = String> {
    prop::collection::vec(literal(), 1..5).prop_map(|literals| literals.join(", "))
}

fn condition() -> impl Strategy<Value = String> {
    let comparison = select(&["=", "<>", " != ", "<=", " LIKE ", " > ", " IS NOT "][..]);
    let leaf = prop_oneof![
        (column(), comparison, literal()).prop_map(|(a, is, b)| format!("{a}{is}{b}")),
        (column(), list()).prop_map(|(a, list)| format!("{a} IN ({list})")),
        (column(), literal(), literal()).prop_map(|(a, b, c)| format!("{a} BETWEEN {b} AND {c}")),
        (column(), column(), list()).prop_map(|(a, f, list)| format!("{a} = {f}({list})")),
        (literal(), literal()).prop_map(|(a, b)| format!("CASE WHEN a = {a} THEN {b} END = b")),
    ];
    leaf.prop_recursive(3, 12, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} AND {b})")),
            inner.clone().prop_map(|a| format!("NOT ({a})")),
            (column(), inner).prop_map(|(a, b)| format!("{a} IN (SELECT b FROM c WHERE {b})")),
        ]
    })
}

fn statement() -> impl Strategy<Value = String> {
    prop_oneof![
        (column(), column(), condition(), literal())
            .prop_map(|(a, t, c, l)| format!("SELECT {a} AS x, {l} FROM {t} WHERE {c} LIMIT {l}")),
        (column(), prop::collection::vec(list(), 1..4)).prop_map(|(t, rows)| {
            format!("INSERT INTO {t} (a, b) VALUES ({})", rows.join("), ("))
        }),
        (column(), literal(), literal(), condition())
            .prop_map(|(t, a, b, c)| format!("UPDATE {t} SET a = {a}, b={b} WHERE {c};")),
        (column(), condition(), condition())
            .prop_map(|(t, a, b)| format!("DELETE FROM {t} WHERE {a} OR {b}")),
        (condition(), condition()).prop_map(|(a, b)| {
            format!("(SELECT a FROM b WHERE {a}) UNION SELECT c FROM d WHERE {b}")
        }),
    ]
}

const OBFUSCATING: [Mode; 3] = [Mode::Default, Mode::ObfuscateOnly, Mode::ObfuscateAndNormalize];

fn shows_literal(text: &str) -> bool {
    text.contains("zq") || text.contains(|found: char| found.is_ascii_digit())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_text_is_safe(flags: u8, text in ".{0,60}") {
        check_statement(&[&[flags][..], text.as_bytes()].concat());
    }

    #[test]
    fn any_bytes_are_safe(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        check_statement(&bytes);
    }

    #[test]
    fn any_pieces_are_safe(flags: u8, text in soup()) {
        check_statement(&[&[flags][..], text.as_bytes()].concat());
    }

    #[test]
    fn no_literal_survives(statement in statement()) {
        for mode in OBFUSCATING {
            let mut obfuscator = Obfuscator::new(Options { mode, ..Options::default() });
            for dbms in ["", "postgresql"] {
                let done = obfuscator.obfuscate(&statement, dbms).expect("the grammar is SQL");
                prop_assert!(!shows_literal(done.text), "{mode:?} {dbms} {}", done.text);
            }
        }
    }

    /// Tracers cut long statements, wherever that may be.
    #[test]
    fn no_literal_survives_a_cut(statement in statement(), at: prop::sample::Index) {
        let kept = at.index(statement.chars().count() + 1);
        let statement: String = statement.chars().take(kept).collect();
        for mode in OBFUSCATING {
            let mut obfuscator = Obfuscator::new(Options { mode, ..Options::default() });
            for dbms in ["", "postgresql"] {
                if let Ok(done) = obfuscator.obfuscate(&statement, dbms) {
                    prop_assert!(!shows_literal(done.text), "{mode:?} {dbms} {}", done.text);
                }
            }
        }
    }
}

/// The tokenizers must not take longer than linear time on what is easiest to abuse.
#[test]
fn long_hostile_statements_take_linear_time() {
    for piece in ["(", "'", "''", "$", "$a", "$a$", "[", "\"", "/*", "{", "a,", "1,", "AS ", "\\"] {
        let statement = piece.repeat(200_000);
        for mode in [Mode::Default, Mode::ObfuscateOnly, Mode::ObfuscateAndNormalize] {
            let mut obfuscator = Obfuscator::new(Options { mode, ..Options::default() });
            let bytes = obfuscator.obfuscate(&statement, "").map_or(0, |done| done.text.len());
            assert!(bytes <= 2 * statement.len() + 8, "{piece:?} {mode:?}");
        }
    }
}
