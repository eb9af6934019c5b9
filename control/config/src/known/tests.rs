use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value as Json;

use super::*;
use crate::entry::Kind;

/// Rows of the Agent's own schema.
fn schema() -> Vec<Json> {
    include_str!("../../../../tests/vectors/config_keys.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn names(row: &Json) -> Vec<&str> {
    row["env"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect()
}

/// `UPDATE_EXPECT=1 cargo test -p corelane-config` writes the file anew.
#[test]
fn known_keys_are_those_of_the_schema() {
    let mut sections: BTreeMap<String, BTreeMap<String, Vec<String>>> = BTreeMap::new();
    for row in schema() {
        let path = row["key"].as_str().unwrap();
        let (parent, leaf) = path.rsplit_once('.').unwrap_or(("", path));
        let env =
            sections.entry(parent.to_owned()).or_default().entry(leaf.to_owned()).or_default();
        for name in names(&row) {
            let name = if name == env_name(path) { "=" } else { name };
            if !env.iter().any(|known| known == name) {
                env.push(name.to_owned());
            }
        }
    }
    let mut text = String::new();
    for (parent, leaves) in sections {
        writeln!(text, "[{parent}]").unwrap();
        for (leaf, env) in leaves {
            match env.as_slice() {
                [] => writeln!(text, "{leaf} -").unwrap(),
                [name] if name == "=" => writeln!(text, "{leaf}").unwrap(),
                _ => writeln!(text, "{leaf} {}", env.join(" ")).unwrap(),
            }
        }
    }
    expect_test::expect_file!["../known_keys.txt"].assert_eq(&text);
}

/// Keys whose default or variables differ from the Agent's on purpose.
const DIFFERENT: &[(&str, &str)] = &[
    ("dd_url", "empty shows that `site` decides"),
    ("http_dial_fallback_delay", "a family without a way out is no reason to wait for a timeout"),
    ("logs_config.api_key", "empty shows that `api_key` decides"),
    ("run_path", "corelane's own state directory"),
    ("proxy.http", "the variables of §6 are part of the table"),
    ("proxy.https", "the variables of §6 are part of the table"),
    ("proxy.no_proxy", "the variables of §6 are part of the table"),
    ("apm_config.obfuscation.http.remove_query_string", "two spellings of its variable, §4"),
    ("apm_config.obfuscation.http.remove_paths_with_digits", "two spellings of its variable, §4"),
];

/// Keys that the Agent reads although its schema does not name them. spec: apm §2, §7.5,
/// §10.1, config §4
const OUTSIDE: &[&str] = &[
    // Of an older schema. spec: proxies §3.4
    "evp_proxy_config.app_key",
    "remote_config_store_path",
    "dogstatsd_require_listener",
    "apm_config.enable_v1_trace_endpoint",
    "apm_config.rare_sampler.tps",
    "apm_config.rare_sampler.cooldown",
    "apm_config.rare_sampler.cardinality",
    "apm_config.trace_writer.flush_period_seconds",
    "tls_cert_file",
    "apm_config.compression_level",
    "metrics_config.compression_level",
    "compression_level",
    "agent_mode",
    "trace_agent_port",
    "trace_agent_uds_path",
    "trace_agent_uds_permissions",
    "metrics_agent_port",
    "logs_agent_port",
    "dogstatsd_enabled",
    "flush_timeout",
    "service",
    "version",
    "lambda_fips_mode",
];

#[test]
fn our_rows_agree_with_the_schema() {
    let schema = schema();
    for entry in keys::all() {
        let rows = || schema.iter().filter(|row| row["key"] == entry.name);
        if entry.name.starts_with("corelane.")
            || DIFFERENT.iter().any(|(key, _)| *key == entry.name)
        {
            continue;
        }
        let Some(row) = rows().find(|row| row["file"] == "datadog.yaml") else {
            assert!(OUTSIDE.contains(&entry.name), "{} is no key", entry.name);
            continue;
        };
        let own_names = entry.env_names();
        assert_eq!(
            own_names[..own_names.len() - entry.aliases.len()],
            names(row),
            "{}",
            entry.name
        );
        let default = [&row["default"], &row["platform_default"]["linux"]];
        let default = default.into_iter().find(|value| !value.is_null()).unwrap();
        let ours = crate::value::parse(entry, &crate::value::Raw::Text(entry.default.to_owned()));
        let theirs = default.as_str().map_or_else(|| default.to_string(), str::to_owned);
        let theirs = crate::value::parse(entry, &crate::value::Raw::Text(theirs));
        let (Ok(ours), Ok(theirs)) = (ours, theirs) else { panic!("{}", entry.name) };
        assert!(ours.value == theirs.value, "default of {}", entry.name);
        let is_kind = match row["type"].as_str().unwrap() {
            "boolean" => entry.kind == Kind::Bool,
            "integer" => matches!(entry.kind, Kind::Int | Kind::Bytes),
            "number" => matches!(entry.kind, Kind::Float | Kind::Duration),
            "string" => matches!(entry.kind, Kind::Str | Kind::Bytes),
            "list" => matches!(
                entry.kind,
                Kind::List | Kind::Tags | Kind::CommaList | Kind::Csv | Kind::Json
            ),
            "object" => matches!(entry.kind, Kind::Map | Kind::Rates),
            _ => false,
        };
        assert!(is_kind, "type of {}", entry.name);
    }
}

#[test]
fn defaults_are_clean_and_names_unique() {
    let mut seen = std::collections::BTreeSet::new();
    for entry in keys::all() {
        let parsed = crate::value::parse(entry, &crate::value::Raw::Text(entry.default.to_owned()));
        assert!(parsed.is_ok_and(|parsed| parsed.remarks.is_empty()), "{}", entry.name);
        assert!(entry.meaning.ends_with('.'), "{}", entry.name);
        for name in std::iter::once(&entry.name).chain(entry.aliases) {
            assert_eq!(*name, name.to_ascii_lowercase());
            assert!(seen.insert(*name), "{name} twice");
        }
    }
}

#[test]
fn hints_find_what_was_meant() {
    let known = Known::new();
    let hint = |path: &str| known.key_hint(path).unwrap_or_default();
    assert_eq!(hint("dogstatsd_prot"), "did you mean dogstatsd_port?");
    assert_eq!(hint("corelane.lane"), "did you mean corelane.lanes?");
    assert_eq!(hint("apm_config.recever_port"), "did you mean apm_config.receiver_port?");
    assert_eq!(hint("dd_api_key"), "did you mean api_key?");
    assert_eq!(hint("metrics.dogstatsd_port"), "did you mean dogstatsd_port?");
    assert_eq!(hint("zzzzzzzzzzzz"), "");
    assert_eq!(known.env_hint("DD_DOGSTATSD_PROT").unwrap(), "did you mean DD_DOGSTATSD_PORT?");
    assert!(known.has_env("DD_APM_ENABLED") && known.has_env("DD_AAS_X"));
    assert!(!known.has_env("DD_APM_CONFIG_ENABLED"));
    assert!(known.has_section("apm_config") && !known.has_section("site"));
}
