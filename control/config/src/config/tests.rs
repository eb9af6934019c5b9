use expect_test::expect;

use super::*;
use crate::{ExplainError, FileSource, Reload, ShowScope, Sources, load};

fn loaded(yaml: &str) -> Config {
    let file = FileSource::Text { name: "datadog.yaml".to_owned(), bytes: yaml.into() };
    let env = [("DD_DOGSTATSD_PORT".to_owned(), "9000".to_owned())].into();
    load(&Sources { file, env, ..Sources::default() }).unwrap()
}

const YAML: &str = "\
api_key: 0123456789abcdef0123456789abcdef
dogstatsd_port: 8200
additional_endpoints:
  https://b.example:
    - abcdefabcdefabcdefabcdefabcdef00
proxy:
  https: http://user:hunter2@proxy:3128
telemetry:
  enabled: true
tags: [team:a, env:test]
extra_tags: team:a x
env: prod
";

#[test]
fn shown_values_hide_secrets() {
    expect![[r#"
        additional_endpoints:
          https://b.example:
            - "***def00"
        api_key: "***bcdef"
        dogstatsd_port: 9000
        env: prod
        extra_tags:
          - team:a
          - x
        proxy:
          https: "http://user:********@proxy:3128"
        tags:
          - team:a
          - env:test
        telemetry:
          enabled: true
    "#]]
    .assert_eq(&loaded(YAML).show(ShowScope::Set));
    let all = loaded(YAML).show(ShowScope::All);
    assert!(all.contains("api_key: \"***bcdef\" # file: datadog.yaml:1\n"), "{all}");
    assert!(all.contains("dogstatsd_port: 9000 # env: DD_DOGSTATSD_PORT\n"));
    assert!(all.contains("forwarder_timeout: 20 # default\n"));
    for text in [all, format!("{:?}", loaded(YAML)), format!("{:?}", loaded(YAML).proxy())] {
        assert!(!text.contains("hunter2") && !text.contains("0123456789abcdef"), "{text}");
    }
}

#[test]
fn explanations_show_every_layer() {
    expect![[r#"
        dogstatsd_port
          UDP port; 0 opens none, -1 takes one that is free, which `status` shows.

          default  8125
          file     8200  (datadog.yaml:2)
        > env      9000  (DD_DOGSTATSD_PORT)

          type     int
          variable DD_DOGSTATSD_PORT
          change   acts on the next start
          since    0.1"#]]
    .assert_eq(&loaded(YAML).explain("DD_DOGSTATSD_PORT").unwrap().to_string());
    let secret = loaded(YAML).explain("api_key").unwrap();
    assert_eq!(secret.layers[1].shown, "***bcdef");
}

#[test]
fn names_that_cannot_be_explained_get_a_hint() {
    let config = loaded(YAML);
    let failure = |name: &str| config.explain(name).unwrap_err();
    assert!(matches!(failure("apm_config.log_file"), ExplainError::Unused { .. }));
    assert_eq!(
        failure("dogstatsd_workers_count").to_string(),
        "dogstatsd_workers_count is a key of the Agent that corelane does not use; see \
         corelane.lanes"
    );
    assert_eq!(failure("sitte").to_string(), "there is no key sitte; did you mean site?");
    assert_eq!(failure("DD_SITTE").to_string(), "there is no key DD_SITTE; did you mean DD_SITE?");
}

#[test]
fn changes_name_what_a_reload_does() {
    let old = loaded("log_level: info\ndogstatsd_socket: /a\napi_key: aaaaaaaaaaaaaaaa12345\n");
    let new = loaded("log_level: debug\ndogstatsd_socket: /b\napi_key: bbbbbbbbbbbbbbbb12345\n");
    let changes = Config::changes(&old, &new);
    let rows: Vec<_> = changes
        .iter()
        .map(|change| (change.entry.name(), &*change.old, &*change.new, change.reload))
        .collect();
    assert_eq!(
        rows,
        [
            ("api_key", "***12345", "***12345", Reload::Live),
            ("log_level", "info", "debug", Reload::Live),
            ("dogstatsd_socket", "/a", "/b", Reload::Restart),
        ]
    );
}

#[test]
fn host_tags_are_joined_once() {
    assert_eq!(loaded(YAML).host_tags(), ["team:a", "env:test", "x"]);
    assert_eq!(loaded("env: ' prod '").host_tags(), ["env:prod"]);
    assert_eq!(loaded("env: '  '").host_tags(), [""; 0]);
}

#[test]
fn older_keys_give_way() {
    let config = loaded("statsd_metric_blocklist: [a]\n");
    assert_eq!(config.metric_filterlist(), (["a".to_owned()].as_slice(), false));
    let config = loaded(
        "statsd_metric_blocklist: [a]\nmetric_filterlist: [b]\nmetric_filterlist_match_prefix: 1\n",
    );
    assert_eq!(config.metric_filterlist(), (["b".to_owned()].as_slice(), true));
    assert!(loaded("").flushes_on_stop());
    assert!(!loaded("dogstatsd_flush_incomplete_buckets: false").flushes_on_stop());
    assert!(!loaded("corelane: {flush_on_stop: false}").flushes_on_stop());
}

#[test]
fn api_stays_on_this_host_unless_told_otherwise() {
    let listen = |yaml: &str| loaded(yaml).api_listen().map(|address| address.to_string());
    assert_eq!(listen(""), None);
    assert_eq!(listen("corelane.api_listen: '[::1]:5100'").as_deref(), Some("[::1]:5100"));
    assert_eq!(listen("corelane.api_listen: 0.0.0.0:5100"), None);
    let yaml = "corelane: {api_listen: '0.0.0.0:5100', api_allow_remote: true}";
    assert_eq!(listen(yaml).as_deref(), Some("0.0.0.0:5100"));
}

#[test]
fn checks_fail_on_errors_only() {
    let report = |yaml: &str| {
        let file = FileSource::Text { name: "f".to_owned(), bytes: yaml.into() };
        crate::check(&Sources { file, ..Sources::default() })
    };
    assert_eq!(report("api_key: 0123456789abcdef0123456789abcdef\n").exit_status(), 0);
    assert_eq!(report("api_key: short\nnonsense: 1\n").exit_status(), 0);
    assert_eq!(report("api_key: short\nnonsense: 1\n").diagnostics.len(), 2);
    assert_eq!(report("").exit_status(), 1);
    assert_eq!(report("api_key: [").exit_status(), 1);
    assert_eq!(report("api_key: k\nlog_level: x\n").exit_status(), 1);
}

#[test]
fn reference_lists_every_key() {
    let page = crate::reference();
    for entry in keys::all() {
        assert!(page.contains(&format!("| `{}` |", entry.name())), "{}", entry.name());
    }
    assert!(page.contains(
        "| `dogstatsd_port` | int | `8125` | `DD_DOGSTATSD_PORT` | restart | UDP port; 0 opens none, "
    ));
}

#[test]
fn no_key_is_a_section_of_another() {
    for entry in keys::all() {
        let prefix = format!("{}.", entry.name());
        assert!(!keys::all().any(|other| other.name().starts_with(&prefix)), "{prefix}");
    }
}

#[test]
fn remote_configuration_stands_between_environment_and_flags() {
    let load = |flags: &[(&str, &str)]| {
        let flags = flags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let env = [("DD_LOG_LEVEL".to_owned(), "warn".to_owned())].into();
        crate::load(&Sources { flags: flags.collect(), env, ..Sources::default() }).unwrap()
    };
    let mut config = load(&[]);
    config.set_remote(keys::LOG_LEVEL, Some("debug")).unwrap();
    assert_eq!(config.str(keys::LOG_LEVEL), "debug");
    assert_eq!(config.source(keys::LOG_LEVEL), &Source::Remote);
    assert!(config.set_remote(keys::LOG_LEVEL, Some("loud")).is_err());
    assert_eq!(config.str(keys::LOG_LEVEL), "debug", "a bad value changes nothing");
    let mut again = load(&[]);
    again.keep_remote(&config);
    assert_eq!(again.str(keys::LOG_LEVEL), "debug");
    let mut flagged = load(&[("log_level", "error")]);
    flagged.keep_remote(&config);
    assert_eq!(flagged.str(keys::LOG_LEVEL), "error");
    config.set_remote(keys::LOG_LEVEL, None).unwrap();
    assert_eq!(config.str(keys::LOG_LEVEL), "warn");
}
