//! Invariants of the obfuscator on any bytes, for properties and fuzzing.

use crate::{Collect, Dbms, LexerOptions, Mode, Obfuscated, Obfuscator, Options};

/// Obfuscates any bytes, cut to what is UTF-8, in every mode and dialect: nothing panics, the
/// output is at most about twice the input, and neither the cache nor collecting names nor the
/// short way of plain tokens changes it. The first byte selects options.
pub fn check_statement(bytes: &[u8]) {
    let (&flags, rest) = bytes.split_first().unwrap_or((&0, &[]));
    let query = match std::str::from_utf8(rest) {
        Ok(query) => query,
        Err(error) => {
            let valid = rest.get(..error.valid_up_to()).unwrap_or_default();
            std::str::from_utf8(valid).unwrap_or_default()
        }
    };
    for mode in
        [Mode::Default, Mode::ObfuscateOnly, Mode::ObfuscateAndNormalize, Mode::NormalizeOnly]
    {
        for dbms in ["", "postgresql", "mssql", "mysql", "oracle", "snowflake"] {
            check_with(&options(mode, dbms, flags), query, dbms);
        }
    }
}

fn options(mode: Mode, dbms: &str, flags: u8) -> Options {
    let is_set = |bit: u8| flags >> bit & 1 != 0;
    Options {
        mode,
        dbms: Dbms::from_name(dbms),
        replace_digits: is_set(0),
        keep_sql_alias: is_set(1),
        dollar_quoted_func: is_set(2),
        collect: Collect {
            tables: is_set(3),
            commands: is_set(4),
            comments: is_set(4),
            procedures: is_set(4),
        },
        lexer: LexerOptions {
            keep_null: is_set(5),
            keep_boolean: is_set(5),
            keep_positional_parameter: is_set(5),
            keep_json_path: is_set(6),
            replace_bind_parameter: is_set(6),
            keep_trailing_semicolon: is_set(7),
            keep_identifier_quotation: is_set(6),
            remove_space_between_parentheses: is_set(7),
        },
    }
}

fn check_with(options: &Options, query: &str, dbms: &str) {
    let mut plain = Obfuscator::new(options.clone());
    let first = plain.obfuscate(query, dbms).map(sizes);
    if let Ok((text, names)) = &first {
        assert!(text.len() <= 2 * query.len() + 8, "{options:?} blew up {query:?} to {text:?}");
        assert!(*names <= 2 * query.len(), "names are parts of the statement");
        if options.mode == Mode::Default {
            assert!(!text.is_empty(), "an empty result is an error");
        }
    }
    if options.mode != Mode::Default {
        let collect = Collect { tables: true, commands: true, comments: true, procedures: true };
        let mut collecting = Obfuscator::new(Options { collect, ..options.clone() });
        let found = collecting.obfuscate(query, dbms).map(|done| done.text.to_owned());
        assert_eq!(first.clone().map(|(text, _)| text), found, "names changed {query:?}");
    }
    let mut careful = Obfuscator::new(options.clone()).careful();
    let other = careful.obfuscate(query, dbms).map(sizes);
    assert_eq!(first, other, "the short way changed {query:?} with {options:?}");
    let mut cached = Obfuscator::with_cache(options.clone(), 1 << 20);
    for _ in 0..2 {
        let found = cached.obfuscate(query, dbms).map(sizes);
        assert_eq!(first, found, "the cache changed {query:?} with {options:?}");
    }
}

/// The text, and the bytes of the names.
fn sizes(done: Obfuscated<'_>) -> (String, usize) {
    (done.text.to_owned(), done.metadata.size_bytes())
}
