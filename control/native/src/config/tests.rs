use ::config::keys;

use super::*;

fn prepared(settings: &[(&str, &str)]) -> Result<::config::Config, AgentError> {
    let mut builder = Config::builder().set("api_key", "k");
    for (key, value) in settings {
        builder = builder.set(*key, *value);
    }
    Ok(builder.build()?.prepare()?.config)
}

fn ports(settings: &[(&str, &str)]) -> (i64, i64) {
    let config = prepared(settings).unwrap();
    (config.int(keys::APM_RECEIVER_PORT), config.int(keys::DOGSTATSD_PORT))
}

#[test]
fn a_guest_starts_quietly() {
    let config = prepared(&[]).unwrap();
    assert!(!config.bool(keys::USE_DOGSTATSD) && config.text(keys::API_SOCKET).is_none());
    assert_eq!((config.count(keys::LANES), config.str(keys::DRIVER)), (1, "epoll"));
    assert!(config.text(keys::APM_RECEIVER_SOCKET).is_none());
    assert!(!config.bool(keys::REMOTE_CONFIG_ENABLED));
    let asked = prepared(&[("DD_REMOTE_CONFIGURATION_ENABLED", "true")]).unwrap();
    assert!(asked.bool(keys::REMOTE_CONFIG_ENABLED));
}

#[test]
fn modes_decide_on_ports() {
    assert_eq!(ports(&[]), (8126, 8125));
    assert_eq!(ports(&[("DD_TRACE_AGENT_PORT", "9126"), ("dogstatsd_port", "9125")]), (9126, 9125));
    assert_eq!(ports(&[("trace_agent_port", "0"), ("DD_DOGSTATSD_PORT", "0")]), (-1, -1));
    assert_eq!(ports(&[("metrics_agent_port", "9125")]), (8126, 9125));
    assert_eq!(ports(&[("agent_mode", "EPHEMERAL"), ("trace_agent_port", "9")]), (-1, -1));
    assert_eq!(ports(&[("DD_OPERATIONAL_MODE", "dynamic"), ("dogstatsd_port", "9")]), (-1, 9));
    assert_eq!(ports(&[("agent_mode", "uds")]), (0, 8125));
}

#[test]
fn sockets_get_names_and_rights() {
    let settings = [("agent_mode", "socket"), ("trace_agent_uds_permissions", "0o660")];
    let config = prepared(&settings).unwrap();
    let path = config.str(keys::APM_RECEIVER_SOCKET);
    let beginning = format!("/tmp/dd-trace-{}-", std::process::id());
    let random = path.strip_prefix(&beginning).and_then(|rest| rest.strip_suffix(".sock"));
    assert!(random.is_some_and(|hex| hex.len() == 6), "{path}");
    assert_eq!(config.str(keys::DOGSTATSD_SOCKET), path.replace(".sock", "-dsd.sock"));
    assert_eq!(config.mode(keys::SOCKET_MODE), 0o660);
}

#[test]
fn settings_that_exclude_each_other_are_refused() {
    for settings in [
        &[("trace_agent_uds_path", "/tmp/a.sock")][..],
        &[("agent_mode", "uds"), ("trace_agent_port", "8126")],
        &[("no_such_key", "1")],
        &[("trace_agent_port", "70000")],
    ] {
        assert!(matches!(prepared(settings), Err(AgentError::ConfigError(_))), "{settings:?}");
    }
    let missing = Config::defaults_only().prepare().err().unwrap();
    assert!(missing.to_string().contains("DD_API_KEY"), "{missing}");
}

#[test]
fn service_environment_and_version_become_tags_and_win() {
    let config = prepared(&[
        ("DD_TAGS", "team:a,env:old"),
        ("DD_SERVICE", "shop"),
        ("DD_ENV", "prod"),
        ("DD_VERSION", "1.2"),
    ])
    .unwrap();
    let tags = config.tags(keys::DOGSTATSD_TAGS);
    assert_eq!(tags, ["team:a", "service:shop", "env:prod", "version:1.2"]);
}

#[test]
fn names_of_functions_reach_the_keys_they_mean() {
    let config = prepared(&[
        ("DD_FLUSH_TIMEOUT", "7"),
        ("DD_COMPRESSION_LEVEL", "5"),
        ("DD_METRICS_CONFIG_COMPRESSION_LEVEL", "6"),
        ("DD_HTTP_PROTOCOL", "http1"),
        ("DD_DOGSTATSD_ENABLED", "yes"),
    ])
    .unwrap();
    assert_eq!(config.int(keys::FLUSH_INTERVAL_SECS), 7);
    assert_eq!(config.int(keys::SERIALIZER_ZSTD_COMPRESSOR_LEVEL), 6);
    assert_eq!(config.int(keys::APM_COMPRESSION_LEVEL), 5);
    assert_eq!(config.str(keys::FORWARDER_HTTP_PROTOCOL), "http1");
    assert!(config.bool(keys::USE_DOGSTATSD));
}

#[test]
fn what_is_not_there_is_said() {
    let mut config = Config::defaults_only();
    config.env = [("DD_APPSEC_ENABLED", "true"), ("DD_LOGS_ENABLED", "false")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    let said = config.check().unwrap();
    assert!(
        said.iter().any(|text| text.starts_with("DD_APPSEC_ENABLED has no effect")),
        "{said:?}"
    );
    assert!(!said.iter().any(|text| text.starts_with("DD_LOGS_ENABLED has no")), "{said:?}");
    let refused = config.set("DD_APPSEC_RULES", "/rules").unwrap_err().to_string();
    assert!(refused.contains("inspects no requests"), "{refused}");
}

#[test]
fn rust_log_is_understood_as_far_as_it_concerns_us() {
    assert_eq!(rust_log_level("debug"), Some(log::LevelFilter::Debug));
    let ours = "info,datadog_agent_native=trace,other=off";
    assert_eq!(rust_log_level(ours), Some(log::LevelFilter::Trace));
    assert_eq!(rust_log_level("other=debug"), None);
}
