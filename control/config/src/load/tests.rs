use expect_test::expect;
use proptest::prelude::*;

use super::*;
use crate::FileSource;

fn sources(yaml: &str, env: &[(&str, &str)], flags: &[(&str, &str)]) -> Sources {
    let own = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect()
    };
    Sources {
        file: FileSource::Text { name: "datadog.yaml".to_owned(), bytes: yaml.into() },
        extra_files: Vec::new(),
        env: own(env).into_iter().collect(),
        flags: own(flags),
        secrets: SecretMode::Resolve,
    }
}

fn loaded(yaml: &str, env: &[(&str, &str)], flags: &[(&str, &str)]) -> Config {
    load(&sources(yaml, env, flags)).unwrap()
}

fn findings(config: &Config) -> String {
    config.diagnostics().iter().map(|found| format!("{found}\n")).collect()
}

#[test]
fn extra_files_win_over_the_file_in_order_and_must_exist() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let first = write("a.yaml", "dogstatsd_port: 2\ndogstatsd_buffer_size: 2000\n");
    let second = write("b.yaml", "dogstatsd_port: 3\n");
    let yaml = "dogstatsd_port: 1\ndogstatsd_buffer_size: 1000\nbind_host: 127.0.0.2\n";
    let with = |extra_files| Sources { extra_files, ..sources(yaml, &[], &[]) };
    let config = load(&with(vec![first, second.clone()])).unwrap();
    assert_eq!(config.port(keys::DOGSTATSD_PORT), 3);
    assert_eq!(config.count(keys::DOGSTATSD_BUFFER_SIZE), 2000);
    assert_eq!(config.str(keys::BIND_HOST), "127.0.0.2");
    let place = format!("{}:1", second.display());
    assert_eq!(config.source(keys::DOGSTATSD_PORT).to_string(), place);
    assert_eq!(config.file().unwrap().to_str(), Some("datadog.yaml"));
    let missing = directory.path().join("c.yaml");
    assert!(matches!(load(&with(vec![missing])), Err(LoadError::Missing { .. })));
}

#[test]
fn layers_win_in_order() {
    let yaml = "dogstatsd_port: 1\ndogstatsd_buffer_size: 1000\nbind_host: 127.0.0.2\n";
    let env = [("DD_DOGSTATSD_PORT", "2"), ("DD_DOGSTATSD_BUFFER_SIZE", "2000")];
    let config = loaded(yaml, &env, &[("dogstatsd_port", "3")]);
    assert_eq!(config.port(keys::DOGSTATSD_PORT), 3);
    assert_eq!(config.count(keys::DOGSTATSD_BUFFER_SIZE), 2000);
    assert_eq!(config.str(keys::BIND_HOST), "127.0.0.2");
    assert_eq!(config.source(keys::DOGSTATSD_PORT).to_string(), "flag dogstatsd_port");
    assert_eq!(config.source(keys::DOGSTATSD_BUFFER_SIZE).to_string(), "DD_DOGSTATSD_BUFFER_SIZE");
    assert_eq!(config.source(keys::BIND_HOST).to_string(), "datadog.yaml:3");
    assert!(!config.is_set(keys::SITE));
    assert_eq!(findings(&config), "");
}

#[test]
fn keys_have_any_letter_case_and_may_be_dotted() {
    let config = loaded(
        "Telemetry:\n  ENABLED: yes\nuse_v3_api.series.enabled: Datadog-Only\nforwarder_timeout:\n",
        &[],
        &[],
    );
    assert!(config.bool(keys::TELEMETRY_ENABLED));
    assert_eq!(config.str(keys::USE_V3_API_SERIES), "datadog_only");
    assert!(!config.is_set(keys::FORWARDER_TIMEOUT));
    assert_eq!(findings(&config), "");
}

#[test]
fn bad_values_are_reported_and_leave_the_layer_below() {
    let yaml = "\
dogstatsd_port: 8126
use_dogstatsd: maybe
log_level: chatty
tags: [a, {b: c}]
expected_tags_duration: 30
log_file_max_size: 10M
serializer_zstd_compressor_level: 99
dogstatsd_mapper_profiles: '[{]'
histogram_percentiles: ['0.95', '95']
additional_endpoints: {https://a.example: {b: c}}
forwarder_storage_max_disk_ratio: 2
api_key: [hunter2hunter2]
";
    let config = loaded(yaml, &[("DD_DOGSTATSD_PORT", "81260")], &[]);
    assert_eq!(config.port(keys::DOGSTATSD_PORT), 8126);
    assert_eq!(config.int(keys::SERIALIZER_ZSTD_COMPRESSOR_LEVEL), 22);
    expect![[r#"
        error: datadog.yaml:12: api_key: expected string, found a list
        error: datadog.yaml:10: additional_endpoints: refused a map: `https://a.example` must lead to a list of API keys
        error: datadog.yaml:4: tags: expected texts, but item 2 is a map (write `- key:value` without a blank after the colon, or quote it)
        warning: datadog.yaml:5: expected_tags_duration: the bare number 30 counts nanoseconds (write 30s if seconds are meant)
        error: datadog.yaml:3: log_level: expected one of trace, debug, info, warn, warning, error, critical, off, found "chatty"
        error: datadog.yaml:6: log_file_max_size: expected size, at least 4096, found "10M" (write 10Mb)
        error: datadog.yaml:2: use_dogstatsd: expected bool, found "maybe"
        error: DD_DOGSTATSD_PORT: dogstatsd_port: refused "81260": a port is a number from 0 to 65535, or -1 for one that is free
        error: datadog.yaml:8: dogstatsd_mapper_profiles: not valid JSON (line 1 column 3) (write it as [...])
        error: datadog.yaml:9: histogram_percentiles: refused a list: `95` is not a decimal between 0 and 1, such as 0.95
        warning: datadog.yaml:7: serializer_zstd_compressor_level: 99 is outside int, 1 to 22; 22 is used
        warning: datadog.yaml:11: forwarder_storage_max_disk_ratio: 2.0 is outside float, 0 to 1; 1.0 is used
    "#]]
    .assert_eq(&findings(&config));
}

#[test]
fn unknown_names_are_told_from_unused_ones() {
    let yaml = "\
dogstatsd_prot: 1
apm_config:
  log_file: x
  nonsense_of_mine: 1
dogstatsd_workers_count: 2
telemetry: 7
api_ke\u{200b}y: x
site: datadoghq.com
site: datadoghq.eu
";
    let env = [
        ("DD_APM_LOG_FILE", "x"),
        ("DD_SERVICE", "web"),
        ("DD_TAG", "a:b"),
        ("PATH", "/bin"),
        ("DD_LOG_LEVEL", ""),
    ];
    let config = loaded(yaml, &env, &[("dogstatsd_porr", "1"), ("apm_config.log_file", "x")]);
    assert_eq!(config.str(keys::SITE), "datadoghq.eu");
    expect![[r#"
        warning: datadog.yaml:1: dogstatsd_prot: unknown key (did you mean dogstatsd_port?)
        note: datadog.yaml:3: apm_config.log_file: this key of the Agent is not used by corelane
        warning: datadog.yaml:4: apm_config.nonsense_of_mine: unknown key
        note: datadog.yaml:5: dogstatsd_workers_count: this key of the Agent is not used by corelane (see corelane.lanes)
        warning: datadog.yaml:6: telemetry: this is a section: its keys belong below it, indented
        warning: datadog.yaml:7: api_ke\u{200b}y: unknown key: it holds the invisible or look-alike character U+200B at byte 6 (did you mean api_key?)
        warning: datadog.yaml:9: site: the key stands here again; this line wins
        note: DD_LOG_LEVEL: log_level: the variable is empty and ignored
        note: DD_APM_LOG_FILE: this variable of the Agent is not used by corelane
        warning: DD_TAG: unknown variable (did you mean DD_TAGS?)
        error: flag dogstatsd_porr: dogstatsd_porr: there is no such key (did you mean dogstatsd_port?)
        error: flag apm_config.log_file: apm_config.log_file: this key of the Agent is not used by corelane
    "#]]
    .assert_eq(&findings(&config));
}

#[test]
fn environment_follows_its_names() {
    let env = [
        ("DD_DD_URL", ""),
        ("DD_URL", "https://intake.example"),
        ("HTTPS_PROXY", "http://proxy:3128"),
        ("NO_PROXY", "a.example, b.example"),
        ("DD_TAGS", "a:1,b:2 c"),
        ("DD_HISTOGRAM_PERCENTILES", "0.95 0.99"),
        ("DD_AGGREGATE_CONTEXT_LIMIT", "77"),
        ("DD_CORELANE_CPUS", "0-2,5 1"),
        ("DD_DOGSTATSD_SOCKET", ""),
    ];
    let config = loaded("", &env, &[]);
    assert_eq!(config.str(keys::DD_URL), "https://intake.example");
    let proxy = config.proxy();
    assert_eq!(proxy.https.as_deref(), Some("http://proxy:3128"));
    assert_eq!(proxy.no_proxy, ["a.example", "b.example", "169.254.169.254", "100.100.100.200"]);
    assert_eq!(config.tags(keys::TAGS), ["a:1", "b:2", "c"]);
    assert_eq!(config.list(keys::HISTOGRAM_PERCENTILES), ["0.95", "0.99"]);
    assert_eq!(config.count(keys::CONTEXTS_MAX), 77);
    assert_eq!(config.cpus(), [0, 1, 2, 5]);
    assert_eq!(config.str(keys::DOGSTATSD_SOCKET), "");
    assert_eq!(findings(&config), "");
}

#[test]
fn main_names_win_over_other_names() {
    let yaml = "corelane:\n  contexts_max: 5\naggregate_context_limit: 6\n";
    assert_eq!(loaded(yaml, &[], &[]).count(keys::CONTEXTS_MAX), 5);
    let yaml = "aggregate_context_limit: 6\n";
    assert_eq!(loaded(yaml, &[], &[]).count(keys::CONTEXTS_MAX), 6);
}

#[test]
fn invisible_characters_in_values_are_reported() {
    let config = loaded("hostname: web\u{202e}1\n", &[], &[]);
    assert_eq!(
        findings(&config),
        "warning: datadog.yaml:1: hostname: the value holds the invisible or look-alike character \
         U+202E at byte 3 (it may have come along when copying; type the value anew)\n"
    );
}

#[test]
fn run_path_stands_in_other_values() {
    let config = loaded("run_path: /r\ndogstatsd_capture_path: ${run_path}/c\n", &[], &[]);
    assert_eq!(config.str(keys::API_SOCKET), "/r/corelane.sock");
    assert_eq!(config.capture_path(), std::path::Path::new("/r/c"));
    assert_eq!(config.spool_path(), std::path::Path::new("/r/transactions_to_retry"));
}

#[test]
fn files_are_found_or_missed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("datadog.yaml");
    let from = |file| load(&Sources { file, ..Sources::default() });
    let missing = from(FileSource::Explicit(path.clone())).unwrap_err();
    assert!(matches!(missing, LoadError::Missing { .. }), "{missing}");
    assert_eq!(from(FileSource::Default(path.clone())).unwrap().file(), None);
    std::fs::write(&path, "env: prod\n").unwrap();
    for file in [
        FileSource::Explicit(path.clone()),
        FileSource::Default(path.clone()),
        FileSource::Explicit(directory.path().to_owned()),
    ] {
        let config = from(file).unwrap();
        assert_eq!((config.str(keys::ENV), config.file()), ("prod", Some(path.as_path())));
    }
}

#[test]
fn files_that_are_no_configuration_are_errors() {
    let from = |bytes: &[u8]| {
        let file = FileSource::Text { name: "f".to_owned(), bytes: bytes.to_vec() };
        load(&Sources { file, ..Sources::default() }).unwrap_err().to_string()
    };
    assert!(from(b"a: [").starts_with("f: line "));
    assert_eq!(from(b"- a"), "f: line 1: the file must hold `key: value` lines");
    assert_eq!(from(b"a: 1\n\xff"), "f: line 2: the file is not UTF-8 text; save it as UTF-8");
    assert!(from(&vec![b'#'; FILE_BYTES_MAX + 1]).contains("larger than"));
}

use crate::yaml::FILE_BYTES_MAX;

#[test]
fn odd_combinations_are_reported() {
    let yaml = "\
site: https://my.example/
dd_url: https://x.example
skip_ssl_validation: true
min_tls_version: tlsv1.0
statsd_forward_host: h
multi_region_failover: {enabled: true}
observability_pipelines_worker: {metrics: {enabled: true}}
additional_endpoints: {https://y.example: ['']}
corelane: {api_listen: '0.0.0.0:5100'}
";
    let config = loaded(yaml, &[], &[]);
    assert_eq!(config.api_listen(), None);
    expect![[r#"
        warning: datadog.yaml:1: site: a site has no scheme; it is left out (write the domain alone)
        warning: datadog.yaml:2: dd_url: wins over `site` for metrics
        warning: datadog.yaml:1: site: not one of the known regions (check the spelling; any domain is accepted)
        warning: datadog.yaml:3: skip_ssl_validation: certificates are not checked; whoever is in between can read the API key
        warning: datadog.yaml:4: min_tls_version: corelane speaks TLS 1.2 and 1.3 only; tlsv1.2 is used
        warning: datadog.yaml:9: corelane.api_listen: other hosts could reach this address; not opened (use 127.0.0.1, or set corelane.api_allow_remote)
        warning: datadog.yaml:5: statsd_forward_host: nothing is copied unless both host and port are set
        warning: datadog.yaml:7: observability_pipelines_worker.metrics.enabled: there is no URL to send metrics to; the main intake gets them (set ...metrics.url)
        warning: datadog.yaml:6: multi_region_failover.enabled: the second region needs its own multi_region_failover.api_key
        note: datadog.yaml:8: additional_endpoints: https://y.example has no API key and gets nothing
    "#]]
    .assert_eq(&findings(&config));
}

proptest! {
    #[test]
    fn any_file_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        crate::check_config_bytes(&bytes);
    }

    #[test]
    fn any_value_of_any_key_is_read_or_refused(
        index in 0..keys::all().count(),
        value in prop_oneof![
            "[-+0-9.a-zµ,:/{}\\[\\]\"' ]{0,24}",
            Just("{a: [b, {c: d}]}".to_owned()),
            Just("ENC[x]".to_owned()),
            Just("[ENC[x]]".to_owned()),
        ],
        quoted in any::<bool>(),
    ) {
        let key = keys::all().nth(index).unwrap().name();
        let value = if quoted { format!("{value:?}") } else { value };
        crate::check_config_bytes(format!("{key}: {value}\n").as_bytes());
    }

    #[test]
    fn any_environment_is_read(name in "DD_[A-Z_]{0,20}", text in "\\PC{0,20}") {
        let config = loaded("", &[(name.as_str(), text.as_str())], &[]);
        prop_assert!(config.diagnostics().len() <= 3);
    }
}
