//! The spec's vectors, all lines. spec: apm-obfuscation, "Vectors"

use corelane_sql::{Collect, Dbms, LexerOptions, List, Metadata, Mode, Obfuscator, Options};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The lines of a vector file.
fn lines<T: DeserializeOwned>(file: &str) -> Vec<T> {
    file.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Standard {
    #[serde(rename = "in")]
    input: String,
    out: Option<String>,
    err: Option<String>,
    #[serde(default)]
    opts: StandardOptions,
    tables: Option<String>,
    #[serde(rename = "src")]
    _source: String,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct StandardOptions {
    dbms: String,
    table_names: bool,
    replace_digits: bool,
    keep_sql_alias: bool,
    dollar_quoted_func: bool,
}

#[test]
fn the_default_mode_agrees_with_the_vectors() {
    let vectors: Vec<Standard> = lines(include_str!("../../../tests/vectors/sql.jsonl"));
    assert_eq!(vectors.len(), 309);
    let mut failures = Vec::new();
    for vector in vectors {
        let options = Options {
            dbms: Dbms::from_name(&vector.opts.dbms),
            replace_digits: vector.opts.replace_digits,
            keep_sql_alias: vector.opts.keep_sql_alias,
            dollar_quoted_func: vector.opts.dollar_quoted_func,
            collect: Collect { tables: vector.opts.table_names, ..Collect::default() },
            ..Options::default()
        };
        let mut obfuscator = Obfuscator::new(options);
        let (out, err, tables) = match obfuscator.obfuscate(&vector.input, "") {
            Ok(found) => {
                (Some(found.text.to_owned()), None, Some(found.metadata.tables.as_csv().to_owned()))
            }
            Err(error) => (None, Some(error.to_string()), None),
        };
        let is_same = out == vector.out && err == vector.err;
        if !is_same || vector.tables.is_some() && tables != vector.tables {
            failures.push(format!(
                "{:?}\n  want {:?} {:?} {:?}\n  have {out:?} {err:?} {tables:?}",
                vector.input, vector.out, vector.err, vector.tables
            ));
        }
    }
    assert!(failures.is_empty(), "{}\n{}", failures.len(), failures.join("\n"));
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ObfuscateOnly {
    #[serde(rename = "in")]
    input: String,
    out: String,
    #[serde(default)]
    opts: ObfuscateOnlyOptions,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
struct ObfuscateOnlyOptions {
    dbms: String,
    replace_digits: bool,
    replace_positional_parameter: bool,
    replace_boolean: bool,
    replace_null: bool,
    dollar_quoted_func: bool,
    keep_json_path: bool,
    replace_bind_parameter: bool,
}

#[test]
fn the_lexer_obfuscates_as_the_vectors_tell() {
    let file = include_str!("../../../tests/vectors/sqllexer_obfuscate_only.jsonl");
    let vectors: Vec<ObfuscateOnly> = lines(file);
    assert_eq!(vectors.len(), 91);
    for vector in vectors {
        let opts = vector.opts;
        let options = Options {
            mode: Mode::ObfuscateOnly,
            replace_digits: opts.replace_digits,
            dollar_quoted_func: opts.dollar_quoted_func,
            lexer: LexerOptions {
                keep_null: !opts.replace_null,
                keep_boolean: !opts.replace_boolean,
                keep_positional_parameter: !opts.replace_positional_parameter,
                keep_json_path: opts.keep_json_path,
                replace_bind_parameter: opts.replace_bind_parameter,
                ..LexerOptions::default()
            },
            ..Options::default()
        };
        let mut obfuscator = Obfuscator::new(options);
        let found = obfuscator.obfuscate(&vector.input, &opts.dbms).expect("the lexer reads all");
        assert_eq!(found.text, vector.out);
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Normalize {
    dbms: String,
    #[serde(rename = "in")]
    input: String,
    out: String,
    obfuscator: Option<ObfuscatorOptions>,
    #[serde(default)]
    normalizer: Option<NormalizerOptions>,
    meta: Option<Meta>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ObfuscatorOptions {
    dollar_quoted_func: bool,
    replace_digits: bool,
    replace_positional_parameter: bool,
    replace_boolean: bool,
    replace_null: bool,
    keep_json_path: bool,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct NormalizerOptions {
    collect_tables: bool,
    collect_commands: bool,
    collect_comments: bool,
    collect_procedure: bool,
    keep_sql_alias: bool,
    #[serde(alias = "Keep_trailing_semicolon")]
    keep_trailing_semicolon: bool,
    keep_identifier_quotation: bool,
    remove_space_between_parentheses: bool,
}

#[derive(Debug, Default, Deserialize, PartialEq)]
struct Meta {
    size: usize,
    tables: Vec<String>,
    commands: Vec<String>,
    comments: Vec<String>,
    procedures: Vec<String>,
}

impl Meta {
    fn new(metadata: &Metadata<'_>) -> Self {
        let names = |list: List<'_>| list.iter().map(str::to_owned).collect();
        Self {
            size: metadata.size_bytes(),
            tables: names(metadata.tables),
            commands: names(metadata.commands),
            comments: names(metadata.comments),
            procedures: names(metadata.procedures),
        }
    }
}

fn normalizing(obfuscator: Option<&ObfuscatorOptions>, normalizer: &NormalizerOptions) -> Options {
    let all = ObfuscatorOptions {
        dollar_quoted_func: true,
        replace_digits: true,
        replace_positional_parameter: true,
        replace_boolean: true,
        replace_null: true,
        keep_json_path: false,
    };
    let obfuscator = obfuscator.unwrap_or(&all);
    Options {
        mode: Mode::ObfuscateAndNormalize,
        dbms: Dbms::Unknown,
        replace_digits: obfuscator.replace_digits,
        keep_sql_alias: normalizer.keep_sql_alias,
        dollar_quoted_func: obfuscator.dollar_quoted_func,
        collect: Collect {
            tables: normalizer.collect_tables,
            commands: normalizer.collect_commands,
            comments: normalizer.collect_comments,
            procedures: normalizer.collect_procedure,
        },
        lexer: LexerOptions {
            keep_null: !obfuscator.replace_null,
            keep_boolean: !obfuscator.replace_boolean,
            keep_positional_parameter: !obfuscator.replace_positional_parameter,
            keep_json_path: obfuscator.keep_json_path,
            replace_bind_parameter: false,
            keep_trailing_semicolon: normalizer.keep_trailing_semicolon,
            keep_identifier_quotation: normalizer.keep_identifier_quotation,
            remove_space_between_parentheses: normalizer.remove_space_between_parentheses,
        },
    }
}

#[test]
fn the_lexer_normalises_as_the_vectors_tell() {
    let vectors: Vec<Normalize> = lines(include_str!("../../../tests/vectors/sqllexer.jsonl"));
    assert_eq!(vectors.len(), 433);
    let mut failures = Vec::new();
    for vector in vectors {
        let collects_all = NormalizerOptions {
            collect_tables: true,
            collect_commands: true,
            collect_comments: true,
            collect_procedure: true,
            ..NormalizerOptions::default()
        };
        let normalizer = vector.normalizer.unwrap_or(collects_all);
        let mut obfuscator = Obfuscator::new(normalizing(vector.obfuscator.as_ref(), &normalizer));
        let found = obfuscator.obfuscate(&vector.input, &vector.dbms).expect("the lexer reads all");
        let meta = Meta::new(&found.metadata);
        if found.text != vector.out || vector.meta.as_ref().is_some_and(|want| *want != meta) {
            failures.push(format!(
                "{} {:?}\n  want {:?}\n  have {:?}\n  want {:?}\n  have {meta:?}",
                vector.dbms, vector.input, vector.out, found.text, vector.meta
            ));
        }
    }
    assert!(failures.is_empty(), "{}\n{}", failures.len(), failures.join("\n"));
}
