use super::*;
use crate::{FileSource, Sources, load};

fn loaded(yaml: &str) -> Config {
    let file = FileSource::Text { name: "f".to_owned(), bytes: yaml.into() };
    load(&Sources { file, ..Sources::default() }).unwrap()
}

#[test]
fn main_urls() {
    for (yaml, url) in [
        ("", "https://7-80-1-app.agent.datadoghq.com."),
        ("site: ''", "https://7-80-1-app.agent.datadoghq.com."),
        ("site: us5.datadoghq.com", "https://7-80-1-app.agent.us5.datadoghq.com."),
        ("site: https://datadoghq.eu/", "https://7-80-1-app.agent.datadoghq.eu."),
        ("site: my.example", "https://app.my.example"),
        (
            "{site: datadoghq.eu, convert_dd_site_fqdn: {enabled: false}}",
            "https://7-80-1-app.agent.datadoghq.eu",
        ),
        ("dd_url: http://127.0.0.1:9/", "http://127.0.0.1:9"),
        ("dd_url: intake.example", "https://intake.example"),
        (
            "{site: datadoghq.eu, dd_url: 'https://app.datadoghq.com'}",
            "https://7-80-1-app.agent.datadoghq.com",
        ),
    ] {
        assert_eq!(loaded(yaml).main_endpoint("7.80.1"), url, "{yaml}");
    }
    assert_eq!(
        loaded("").main_endpoint("7.80.1-rc.2+git"),
        "https://7-80-1-app.agent.datadoghq.com."
    );
}

/// spec: config §8.2
#[test]
fn flares_go_to_a_host_of_their_own() {
    let url = |yaml: &str| loaded(yaml).flare_url("7.80.1");
    assert_eq!(url(""), "https://7-80-1-flare.agent.datadoghq.com");
    assert_eq!(url("site: us3.datadoghq.com"), "https://7-80-1-flare.agent.us3.datadoghq.com");
    assert_eq!(url("dd_url: http://127.0.0.1:9"), "http://127.0.0.1:9");
}

#[test]
fn validation_asks_the_api_host() {
    let url = |yaml: &str| loaded(yaml).validation_url();
    assert_eq!(url("site: us3.datadoghq.com"), "https://api.us3.datadoghq.com");
    assert_eq!(url("dd_url: https://app.datadoghq.eu"), "https://api.datadoghq.eu");
    assert_eq!(url("dd_url: http://127.0.0.1:9"), "http://127.0.0.1:9");
}

#[test]
fn endpoints_join_by_url_and_keep_where_keys_stand() {
    let config = loaded(
        "api_key: ' main '\n\
         dd_url: https://a.example\n\
         additional_endpoints:\n\
         \x20 https://a.example/: [main, '', second]\n\
         \x20 https://b.example: only\n\
         \x20 https://c.example: ['', ' ']\n\
         multi_region_failover: {enabled: true, site: datadoghq.eu, api_key: mrf}\n",
    );
    let rows: Vec<String> = config
        .endpoints("7.80.1")
        .iter()
        .map(|endpoint| {
            let keys: Vec<String> = endpoint
                .keys
                .iter()
                .map(|key| format!("{}={}[{}]", key.key, key.path, key.index))
                .collect();
            format!("{:?} {} {}", endpoint.role, endpoint.url, keys.join(" "))
        })
        .collect();
    assert_eq!(
        rows,
        [
            "Main https://a.example main=api_key[0] second=additional_endpoints[2]",
            "Additional https://b.example only=additional_endpoints[0]",
            "Failover https://7-80-1-app.agent.mrf.datadoghq.eu. mrf=multi_region_failover.api_key[0]",
        ]
    );
    assert_eq!(config.endpoints_without_keys(), ["https://c.example"]);
    assert_eq!(loaded("").endpoints("7.80.1"), []);
}

#[test]
fn series_take_the_configured_form() {
    let protocol = |yaml: &str, url: &str| loaded(yaml).series_protocol(url);
    let datadog = "https://app.datadoghq.com";
    let other = "https://x.example";
    assert_eq!(protocol("", other), SeriesProtocol::V3);
    let only = "use_v3_api.series.enabled: datadog_only";
    assert_eq!(protocol(only, other), SeriesProtocol::V2);
    assert_eq!(protocol(only, datadog), SeriesProtocol::V3);
    assert_eq!(protocol("use_v3_api.series.enabled: off", datadog), SeriesProtocol::V2);
    assert_eq!(protocol("use_v2_api.series: false", datadog), SeriesProtocol::V1);
    let own = "use_v3_api: {series: {enabled: false, endpoints: {'https://x.example': true}}}";
    assert_eq!(protocol(own, other), SeriesProtocol::V3);
    assert_eq!(protocol(own, datadog), SeriesProtocol::V2);
    let sketches =
        loaded("serializer_experimental_use_v3_api.sketches.endpoints: ['https://x.example']");
    assert!(sketches.sketches_use_v3(other) && !sketches.sketches_use_v3(datadog));
}

#[test]
fn main_endpoint_by_site_counts_as_datadog() {
    let config = loaded("{api_key: k, use_v3_api: {series: {enabled: datadog_only}}}");
    let main = &config.endpoints("7.80.1")[0];
    assert_eq!(config.series_protocol(&main.configured), SeriesProtocol::V3);
}

#[test]
fn pipelines_worker_has_an_older_name() {
    let yaml = "vector: {metrics: {enabled: true, url: 'worker:8282'}}";
    assert_eq!(loaded(yaml).opw_metrics_url().as_deref(), Some("https://worker:8282"));
    assert_eq!(loaded(yaml).opw_series_protocol(), SeriesProtocol::V2);
    assert_eq!(loaded("vector: {metrics: {url: 'http://w'}}").opw_metrics_url(), None);
}

#[test]
fn sites_are_found_at_the_end_only() {
    for (host, site) in [
        ("app.us3.datadoghq.com.", "us3.datadoghq.com"),
        ("x.us33.ddog-gov.com", "us33.ddog-gov.com"),
        ("x.u3.datadoghq.com", "datadoghq.com"),
        ("datadoghq.com", "datadoghq.com"),
        ("notdatadoghq.com", ""),
        ("datadoghq.com.evil.example", ""),
    ] {
        assert_eq!(site_of(host), site, "{host}");
    }
    assert_eq!(site_from_url("https://user@app.datadoghq.com:443/x?y"), "datadoghq.com");
}

fn log_urls(config: &Config) -> Vec<String> {
    let path = config.log_path();
    config.log_endpoints().iter().map(|endpoint| format!("{}{path}", endpoint.url)).collect()
}

#[test]
fn log_addresses_match_the_vectors() {
    let text = include_str!("../../../../tests/vectors/logs_intake.jsonl");
    let mut count = 0;
    for line in text.lines() {
        let line: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
        let text = |key: &str| line[key].as_str().unwrap_or_default();
        match text("kind") {
            "url" => {
                let (url, no_ssl) = (text("logs_dd_url"), &line["logs_no_ssl"]);
                let yaml = format!("logs_config: {{logs_dd_url: '{url}', logs_no_ssl: {no_ssl}}}");
                let config = loaded(&format!("api_key: k\n{yaml}"));
                assert_eq!(log_urls(&config), [text("url")], "{line}");
            }
            "url_from_site" => {
                for (field, is_absolute) in [("url", false), ("url_newest", true)] {
                    let yaml = format!("convert_dd_site_fqdn: {{enabled: {is_absolute}}}");
                    let config = loaded(&format!("api_key: k\nsite: {}\n{yaml}", text("site")));
                    assert_eq!(log_urls(&config), [text(field)], "{line}");
                }
            }
            "serverless_additional_endpoints" => additional_endpoints_match(&line),
            _ => continue,
        }
        count += 1;
    }
    assert_eq!(count, 18);
}

/// A list is read in the Agent's form (spec: logs §4.3), by whatever runs here: `api_key` and
/// `Host` are enough. The form of serverless (§7.2) discards a list with one endpoint that leaves
/// out `Port` or `is_reliable`, which loses a copy of the logs without need, since both have
/// defaults. So the one line that shows this differs from its vector.
fn additional_endpoints_match(line: &serde_json::Value) {
    let text = line["env"].as_str().expect("the text of a variable");
    let found = log_urls(&with_additional(text));
    let expected: Vec<String> = serde_json::from_value(line["urls"].clone()).expect("a list");
    if line["id"] == "intake-073" {
        assert_eq!(expected, [] as [&str; 0], "the vector asks for all four");
        assert_eq!(found, ["https://h/api/v2/logs"]);
    } else {
        assert_eq!(found, expected, "{line}");
    }
    // A list that is not used is not passed over in silence.
    assert_eq!(refusal(&with_additional(text)).is_some(), found.is_empty(), "{line}");
}

fn with_additional(list: &str) -> Config {
    let name = "DD_LOGS_CONFIG_ADDITIONAL_ENDPOINTS".to_owned();
    load(&Sources { env: [(name, list.to_owned())].into(), ..Sources::default() }).unwrap()
}

/// Why a value was not taken.
fn refusal(config: &Config) -> Option<&str> {
    let mut found = config.diagnostics().iter();
    let found = found.find(|found| found.severity == crate::Severity::Error);
    found.map(|found| &*found.message)
}

#[test]
fn log_addresses_are_joined_from_parts_that_are_right() {
    for (configured, url) in [
        ("HTTP://h:8080", "http://h:8080/api/v2/logs"),
        (" https://h/ ", "https://h/api/v2/logs"),
        ("h/a/b/", "https://h/a/b/api/v2/logs"),
        ("https://h/a/v1/input/", "https://h/a/api/v2/logs"),
        ("https://h//api/v2/logs", "https://h/api/v2/logs"),
        ("[::1]:8080", "https://[::1]:8080/api/v2/logs"),
        ("my_host.", "https://my_host./api/v2/logs"),
    ] {
        let config = loaded(&format!("api_key: k\nlogs_config: {{logs_dd_url: '{configured}'}}"));
        assert_eq!(refusal(&config), None, "{configured}");
        assert_eq!(log_urls(&config), [url], "{configured}");
    }
}

#[test]
fn what_is_wrong_with_a_log_address_is_said_without_credentials() {
    let error = |text: &str| check_log_address(text).expect_err("it is wrong");
    for port in ["", "0", "65536", "x", "+80", "-1", "80:80"] {
        let expected = format!("`{port}` is no port, a number from 1 to 65535");
        assert_eq!(error(&format!("http://h:{port}")), expected);
    }
    for wrong in ["http://", "https:///path", ":8080", "a b", "h\u{e9}", "[::1", "[x]", "[::1]x"] {
        assert!(error(wrong).contains("is no host"), "{wrong}");
    }
    assert_eq!(error("tcp://h:1"), "only http:// and https:// URLs are spoken");
    for wrong in ["https://u:5ecret@h", "h?a=b", "h/a?b", "h/a#b", "h/a b", "h/\u{e9}"] {
        assert_eq!(error(wrong), "there may be a host, a port and a path only", "{wrong}");
    }
    let config = loaded("logs_config: {logs_dd_url: 'http://u:5ecret@h:1'}");
    let message = refusal(&config).expect("it is refused");
    assert!(message.contains("a host, a port and a path only"), "{message}");
    assert!(!message.contains("5ecret"), "{message}");
}

#[test]
fn a_scheme_of_log_addresses_wins_and_that_is_said() {
    for (url, no_ssl, is_said) in [
        ("http://h", false, true),
        ("HTTP://h", true, false),
        ("https://h", true, true),
        ("https://h", false, false),
        ("h", true, false),
        ("", true, false),
    ] {
        let config =
            loaded(&format!("logs_config: {{logs_dd_url: '{url}', logs_no_ssl: {no_ssl}}}"));
        let mut found = config.diagnostics().iter();
        let is_found = found.any(|found| found.message.contains("logs_config.logs_no_ssl"));
        assert_eq!(is_found, is_said, "{url} {no_ssl}");
    }
}

#[test]
fn additional_log_endpoints_have_defaults() {
    let config = with_additional(
        r#"[{"API_Key":" k ","HOST":"h"},
            {"api_key":"k","host":"i","port":8080,"is_reliable":false,"Use_SSL":false,
             "path_prefix":"/p/","use_compression":true,"unknown":[]},
            {"api_key":"k","Host":"j","Port":"0","use_ssl":"False","path_prefix":null},
            {"api_key":"k","Host":"::1","Port":"443"},
            {"api_key":"k","Host":"[::1]"}]"#,
    );
    assert_eq!(refusal(&config), None);
    let endpoints = config.log_endpoints();
    let urls: Vec<&str> = endpoints.iter().map(|endpoint| &*endpoint.url).collect();
    let expected =
        ["https://h", "http://i:8080/p", "http://j", "https://[::1]:443", "https://[::1]"];
    assert_eq!(urls, expected);
    assert_eq!(endpoints[0].keys[0].key, "k");
    assert!(endpoints.iter().all(|endpoint| endpoint.role == Role::Additional));
}

#[test]
fn additional_log_endpoints_use_tls_as_the_main_one() {
    let worker = "observability_pipelines_worker: {logs: {enabled: true, url: 'http://w'}}";
    for (logs, rest, scheme) in [
        ("logs_dd_url: 'http://main'", "", "http"),
        ("logs_dd_url: main", "", "https"),
        ("logs_dd_url: main, logs_no_ssl: true", "", "http"),
        ("logs_dd_url: 'https://main', logs_no_ssl: true", "", "https"),
        ("logs_no_ssl: true", "", "http"),
        ("logs_no_ssl: false", "dd_url: 'http://stand-in'", "https"),
        ("logs_dd_url: main", worker, "http"),
    ] {
        let more = "additional_endpoints: [{api_key: k, Host: h}]";
        let config = loaded(&format!("api_key: k\nlogs_config: {{{logs}, {more}}}\n{rest}\n"));
        assert_eq!(config.log_endpoints()[1].url, format!("{scheme}://h"), "{logs} {rest}");
    }
}

#[test]
fn what_is_wrong_with_additional_log_endpoints_is_said_without_keys() {
    for (list, message) in [
        (r#"[{"api_key":"5ecret","Host":"h"},{"Host":"h"}]"#, "item 2 lacks `api_key`"),
        (r#"[{"api_key":" ","Host":"h"}]"#, "item 1 lacks `api_key`"),
        (r#"[{"api_key":"5ecret","Host":null}]"#, "item 1 lacks `Host`"),
        (r#"[{"api_key":7,"Host":"h"}]"#, "has a bad value for `api_key`"),
        (r#"[{"api_key":"5ecret","Host":"h/p"}]"#, "has a bad value for `Host`"),
        (r#"[{"api_key":"5ecret","Host":"h:1","Port":2}]"#, "has a bad value for `Host`"),
        (r#"[{"api_key":"5ecret","Host":"h","Port":65536}]"#, "has a bad value for `Port`"),
        (r#"[{"api_key":"5ecret","Host":"h","is_reliable":"maybe"}]"#, "for `is_reliable`"),
        (r#"[{"api_key":"5ecret","Host":"h","use_ssl":1}]"#, "for `use_ssl`"),
        (r#"[{"api_key":"5ecret","Host":"h","path_prefix":1}]"#, "for `path_prefix`"),
        (r#"[{"api_key":"5ecret","Host":"h","path_prefix":"a?b"}]"#, "for `path_prefix`"),
        (r#"["5ecret"]"#, "item 1 is no object"),
        (r#"{"api_key":"5ecret"}"#, ""),
    ] {
        let config = with_additional(list);
        let found = refusal(&config).expect("it is refused");
        assert!(found.contains(message) && !found.contains("5ecret"), "{list}: {found}");
        assert_eq!(config.log_endpoints(), []);
    }
}

#[test]
fn logs_go_to_a_worker_and_to_further_endpoints() {
    let worker =
        "api_key: k\nobservability_pipelines_worker: {logs: {enabled: true, url: 'http://w:1'}}";
    assert_eq!(log_urls(&loaded(worker)), ["http://w:1/api/v2/logs"]);
    let both = "api_key: k\nlogs_config: {use_v2_api: false, logs_dd_url: 'a:1'}\n\
        observability_pipelines_worker: {logs: {enabled: true, url: 'http://w:1', dual_ship: true}}";
    assert_eq!(log_urls(&loaded(both)), ["https://a:1/v1/input", "http://w:1/v1/input"]);
    let more = "api_key: k\nlogs_config: {logs_dd_url: a, additional_endpoints: [\
        {API_KEY: x, host: b, port: '8', use_ssl: false}, {api_key: y, Host: c, path_prefix: /p/}]}";
    let endpoints = loaded(more).log_endpoints();
    let shown: Vec<_> =
        endpoints.iter().map(|one| format!("{} {}", one.url, one.keys[0].key)).collect();
    assert_eq!(shown, ["https://a k", "http://b:8 x", "https://c/p y"]);
    let own = loaded("api_key: k\ndd_url: http://stand-in:1\nlogs_config: {api_key: own}");
    assert_eq!(log_urls(&own), ["http://stand-in:1/api/v2/logs"]);
    assert_eq!(own.log_endpoints()[0].keys[0].key, "own");
}
