use config::{FileSource, Sources};

use super::*;

const KEY: &str = "0123456789abcdef0123456789abcdef";

/// A configuration of this text.
pub(super) fn config(text: &str) -> Config {
    let bytes = format!("api_key: {KEY}\n{text}").into();
    let file = FileSource::Text { name: "test.yaml".into(), bytes };
    config::load(&Sources { file, ..Sources::default() }).unwrap()
}

fn settings_of(text: &str) -> Settings {
    let config = config(text);
    let fixed = Fixed { hostname: "h".into(), orchestrator: None, install: None };
    settings(&config, &fixed)
}

/// Destinations as text: URL and key.
fn shown(settings: &Settings, kind: Kind) -> Vec<String> {
    let index = Kind::ALL.iter().position(|&known| known == kind).unwrap();
    match &settings.routes[index].targets {
        Targets::To(targets) => targets
            .iter()
            .map(|target| {
                let key = target.key.to_str().unwrap();
                let key = if key == KEY { "main" } else { key };
                format!("{}://{}{} {key}", target.scheme, target.authority, target.path)
            })
            .collect(),
        Targets::Here => vec!["here".to_owned()],
        Targets::Off { status, text } => vec![format!("{status} {text}")],
    }
}

#[test]
fn urls_come_from_the_site() {
    for (text, site) in [
        ("", "datadoghq.com"),
        ("site: datadoghq.eu", "datadoghq.eu"),
        ("site: ' us3.datadoghq.com '", "us3.datadoghq.com"),
        ("site: ddog-gov.com", "ddog-gov.com"),
        ("site: any.example", "any.example"),
    ] {
        let settings = settings_of(text);
        for (kind, url) in [
            (Kind::Profiling, format!("https://intake.profile.{site}/api/v2/profile main")),
            (Kind::DebuggerLogs, format!("https://http-intake.logs.{site}/api/v2/logs main")),
            (
                Kind::DebuggerDiagnostics,
                format!("https://debugger-intake.{site}/api/v2/debugger main"),
            ),
            (Kind::Debugger, format!("https://debugger-intake.{site}/api/v2/debugger main")),
            (Kind::Symdb, format!("https://debugger-intake.{site}/api/v2/debugger main")),
            (Kind::Telemetry, format!("https://instrumentation-telemetry-intake.{site}/ main")),
            (Kind::Evp, format!("https://{site}/ main")),
            (
                Kind::OpenLineage,
                format!("https://data-obs-intake.{site}/api/v1/lineage?api-version=2 main"),
            ),
            (
                Kind::PipelineStats,
                format!("https://trace.agent.{site}/api/v0.1/pipeline_stats main"),
            ),
        ] {
            assert_eq!(shown(&settings, kind), [url], "{kind:?}");
        }
    }
}

#[test]
fn further_destinations_follow_each_with_its_key() {
    let settings = settings_of(
        "apm_config:\n  profiling_dd_url: http://one/v1/input\n  profiling_additional_endpoints: \
         {'http://b': [k3], 'http://a/x': [k1, ' k2 '], 'no url': [k], 'http://d': ['DELA(x)']}\n\
         \x20 debugger_api_key: dk\n  telemetry: {dd_url: 'http://t:8443/path'}\n\
         evp_proxy_config: {additional_endpoints: {datadoghq.eu: [k1, k2]}, api_key: ek}\n\
         ol_proxy_config: {dd_url: 'http://ol/x?a=1', api_version: 3}\n",
    );
    assert_eq!(
        shown(&settings, Kind::Profiling),
        ["http://one/v1/input main", "http://a/x k1", "http://a/x k2", "http://b/ k3"]
    );
    assert_eq!(
        shown(&settings, Kind::Evp),
        ["https://datadoghq.com/ ek", "https://datadoghq.eu/ k1", "https://datadoghq.eu/ k2"]
    );
    assert_eq!(shown(&settings, Kind::OpenLineage), ["http://ol/x?a=1&api-version=3 main"]);
    assert_eq!(shown(&settings, Kind::Telemetry), ["https://t:8443/ main"]);
    assert!(shown(&settings, Kind::DebuggerLogs)[0].ends_with("/api/v2/logs dk"));
    let without_main = settings_of(
        "apm_config:\n  profiling_send_to_main_endpoint: false\n  profiling_additional_endpoints: \
         {'http://a': [k1]}\n",
    );
    assert_eq!(shown(&without_main, Kind::Profiling), ["http://a/ k1"]);
}

#[test]
fn what_is_off_says_why_and_is_not_listed() {
    let settings = settings_of(
        "use_dogstatsd: false\nlogs_enabled: false\nevp_proxy_config: {enabled: false}\n\
         ol_proxy_config: {enabled: false}\napm_config:\n  profiling_dd_url: 'not a url'\n  \
         symdb_dd_url: nothing\n  telemetry: {enabled: false}\n",
    );
    let off = |kind| shown(&settings, kind)[0].clone();
    assert!(off(Kind::Profiling).starts_with(
        "500 Profile forwarder is OFF: error parsing main profiling intake URL not a url: "
    ));
    assert!(
        off(Kind::Symdb).starts_with(
            "500 SymDB Proxy is OFF: error parsing symbol database intake URL nothing: "
        )
    );
    assert_eq!(off(Kind::Evp), "405 EVPProxy is disabled: Has been disabled in config");
    assert_eq!(
        off(Kind::OpenLineage),
        "500 OpenLineage forwarder is OFF: Has been disabled in config"
    );
    assert_eq!(off(Kind::DogStatsD), "503 503 Status Unavailable");
    assert_eq!(off(Kind::Telemetry), "404 ");
    assert_eq!((off(Kind::DebuggerLogs), off(Kind::Debugger)), ("here".into(), "here".into()));
    assert_eq!(
        settings.paths(),
        [
            "/v0.1/pipeline_stats",
            "/debugger/v1/input",
            "/debugger/v1/diagnostics",
            "/debugger/v2/input",
            "/tracer_flare/v1",
        ]
    );
    let all = settings_of("").paths();
    assert_eq!(all.len(), 15);
    assert_eq!(all[..3], ["/profiling/v1/input", "/telemetry/proxy/", "/v0.1/pipeline_stats"]);
    let none = settings_of("apm_config: {profiling_send_to_main_endpoint: false}");
    assert_eq!(
        shown(&none, Kind::Profiling),
        ["500 Profile forwarder is OFF: profiling proxy has no valid endpoints configured"]
    );
    let no_port = settings_of("dogstatsd_port: 0");
    assert!(shown(&no_port, Kind::DogStatsD)[0].starts_with("503 Agent dogstatsd UDP port"));
}
