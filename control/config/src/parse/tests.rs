use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;
use crate::{Proxy, TlsVersion};

/// Kinds of `config_values.jsonl` whose parser comes with the product that needs it.
const LATER: &[(&str, &str)] = &[
    ("service_mapping", "only serverless.service_mapping: traces"),
    ("flush_strategy", "only the serverless flush strategy: embedding"),
    ("logs_additional_endpoints", "only logs_config.additional_endpoints: logs"),
];

#[test]
fn value_vectors() {
    let (mut run, mut later) = (0, 0);
    for line in include_str!("../../../../tests/vectors/config_values.jsonl").lines() {
        let vector: Json = serde_json::from_str(line).unwrap();
        let kind = vector["kind"].as_str().unwrap();
        if LATER.iter().any(|(name, _)| *name == kind) {
            later += 1;
            continue;
        }
        assert_eq!(answer(kind, &vector["in"]), vector["out"], "{line}");
        run += 1;
    }
    assert_eq!((run, later), (120, 6));
}

fn answer(kind: &str, input: &Json) -> Json {
    let text = input.as_str().map_or_else(|| input.to_string(), str::to_owned);
    match kind {
        // The Agent takes no more than these spellings; we report the rest and keep the layer
        // below.
        "bool_agent" => {
            let is_strict = ["1", "t", "T", "TRUE", "true", "True"].contains(&text.as_str());
            if is_strict {
                assert_eq!(bool(&text), Some(true));
            }
            if ["0", "f", "F", "FALSE", "false", "False"].contains(&text.as_str()) {
                assert_eq!(bool(&text), Some(false));
            }
            json!(is_strict)
        }
        "duration_ns" => json!(duration_nanos(&text)),
        "size_bytes" => json!(size_bytes(&text).unwrap_or(0)),
        "list_agent_env" => json!(list(&text, ListForm::Blanks)),
        "tags_corelane_env" => json!(list(&text, ListForm::CommasAndBlanks)),
        "env_parser:comma_then_space_separated" => json!(list(&text, ListForm::CommaThenBlanks)),
        "env_parser:csv_comma_separated" => json!(list(&text, ListForm::Csv)),
        "env_parser:traces_span" => json!(rates(&text)),
        "env_parser:json_list_or_space_separated" => json!(list(&text, ListForm::Blanks)),
        "additional_endpoints" => {
            let config = crate::load::load(&crate::Sources {
                env: [("DD_ADDITIONAL_ENDPOINTS".to_owned(), text)].into(),
                ..crate::Sources::default()
            });
            json!(config.unwrap().map(crate::keys::ADDITIONAL_ENDPOINTS))
        }
        "secret_handle" => json!(crate::secret_handle(&text)),
        "min_tls_version" => json!(match crate::tls_version(&text) {
            TlsVersion::V1_0 => "1.0",
            TlsVersion::V1_1 => "1.1",
            TlsVersion::V1_2 => "1.2",
            TlsVersion::V1_3 => "1.3",
        }),
        "version_prefix" => {
            let part = |name: &str| input[name].as_str().unwrap();
            json!(crate::version_prefix(part("url"), part("version"), part("app")))
        }
        "site_from_url" => json!(crate::site_from_url(&text)),
        "no_proxy" => {
            let mut no_proxy: Vec<String> = serde_json::from_value(input["list"].clone()).unwrap();
            no_proxy.extend(["169.254.169.254".to_owned(), "100.100.100.200".to_owned()]);
            let is_nonexact = input["nonexact"].as_bool().unwrap();
            let proxy = Proxy { no_proxy, is_nonexact, ..Proxy::default() };
            let port = input["port"].as_u64().map(|port| u16::try_from(port).unwrap());
            json!(proxy.bypasses(input["host"].as_str().unwrap(), port))
        }
        _ => panic!("no parser for {kind}"),
    }
}

#[test]
fn numbers_in_their_spellings() {
    for (text, number) in [
        ("7", Some(7)),
        (" -7 ", Some(-7)),
        ("0x10", Some(16)),
        ("0o17", Some(15)),
        ("7.0", Some(7)),
        ("1e3", Some(1000)),
        ("7.5", None),
        ("1e300", None),
        ("nan", None),
        ("", None),
    ] {
        assert_eq!(int(text), number, "{text}");
    }
    assert_eq!(float("inf"), None);
    assert_eq!(size_bytes("18446744073709551615gb"), None);
    assert_eq!(duration_nanos("9223372036854775807h"), None);
    assert_eq!(cpu_range("0-3"), Some((0, 3)));
    assert_eq!(cpu_range("3-0"), None);
    assert_eq!(cpu_range("0-99999999"), None);
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "[-+0-9.a-zµ,\\[\\]\" ]{0,24}") {
        let _ = (bool(&text), int(&text), float(&text), duration_nanos(&text), size_bytes(&text));
        for form in [ListForm::Blanks, ListForm::CommaThenBlanks, ListForm::CommasAndBlanks] {
            drop(list(&text, form));
        }
        let _ = cpu_range(&text);
    }

    #[test]
    fn durations_survive_their_text(nanos in 0..i64::MAX / 2) {
        let text = crate::value::duration_text(std::time::Duration::from_nanos(nanos.unsigned_abs()));
        prop_assert_eq!(duration_nanos(&text), Some(nanos));
    }
}

#[test]
fn modes_are_octal_however_they_are_written() {
    for text in ["660", "0660", "0o660", " 660 "] {
        assert_eq!(octal_mode(text), Some(0o660), "{text}");
    }
    for text in ["", "0o", "888", "+660", "1777", "rw"] {
        assert_eq!(octal_mode(text), None, "{text}");
    }
}
