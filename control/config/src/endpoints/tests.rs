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
        let yaml = match text("kind") {
            "url" => format!(
                "{{api_key: k, logs_config: {{logs_dd_url: '{}', logs_no_ssl: {}}}}}",
                text("logs_dd_url"),
                line["logs_no_ssl"]
            ),
            "url_from_site" => format!("{{api_key: k, site: {}}}", text("site")),
            "serverless_additional_endpoints" if text("id") == "intake-072" => {
                format!("{{logs_config: {{additional_endpoints: {}}}}}", text("env"))
            }
            _ => continue,
        };
        count += 1;
        let found = log_urls(&loaded(&yaml));
        let newest = [&line["url_newest"], &line["url"], &line["urls"][0]];
        let newest = newest.into_iter().find_map(|url| url.as_str());
        assert_eq!(found, [newest.expect("a URL")], "{line}");
    }
    assert_eq!(count, 16);
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
