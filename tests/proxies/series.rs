//! What the proxies report about themselves, as the intake of metrics gets it.

use std::collections::BTreeMap;

use bed::{Bed, Upstream, UpstreamAnswer as Answer, WAIT_MAX};

use crate::client::ask;
use crate::settings;

const PREFIX: &str = "datadog.trace_agent.";

/// Counts by name behind the prefix and tags.
fn counted(bed: &Bed) -> BTreeMap<(String, String), f64> {
    bed.intake.store().read(|contents| {
        let mut counts = BTreeMap::new();
        for metric in &contents.metrics {
            let Some(name) = metric.name.strip_prefix(PREFIX) else { continue };
            let tags: Vec<&str> = metric.tags.iter().map(|tag| &**tag).collect();
            *counts.entry((name.to_owned(), tags.join(","))).or_default() += metric.total();
        }
        counts
    })
}

#[test]
fn each_request_is_counted_under_the_names_of_the_agent() {
    let bed = Bed::new();
    let upstream = Upstream::start(Answer::Status(202, ""));
    let settings = settings(&bed, &upstream)
        .set("site", "bed.test")
        .set("proxy.https", upstream.url())
        .set("skip_ssl_validation", true)
        // Port 9 of this host has no listener.
        .set("apm_config.symdb_dd_url", "http://127.0.0.1:9/");
    let agent = bed.start(&settings);
    for _ in 0..3 {
        ask(&bed, "/profiling/v1/input", &[], b"profile");
    }
    for path in [
        "/debugger/v1/input",
        "/debugger/v1/diagnostics",
        "/debugger/v2/input",
        "/symdb/v1/input",
        "/openlineage/api/v1/lineage",
        "/v0.1/pipeline_stats",
        "/telemetry/proxy/api/v2/apmtelemetry",
    ] {
        ask(&bed, path, &[], b"{}");
    }
    let headers = ["X-Datadog-EVP-Subdomain: citestcycle-intake", "Content-Type: application/json"];
    ask(&bed, "/evp_proxy/v4/api/v2/citestcycle", &headers, b"four");
    ask(&bed, "/evp_proxy/v4/api/v2/citestcycle", &["X-Datadog-EVP-Subdomain: a/b"], b"12");
    let events = "content_type:application/json,subdomain:citestcycle-intake";
    let telemetry = "endpoint:instrumentation-telemetry-intake.bed.test";
    let wanted = [
        ("profile", "", 3.0),
        ("debugger.proxy_request", "", 3.0),
        ("debugger.proxy_request_duration_ms.count", "", 3.0),
        ("symdb.proxy_request", "", 1.0),
        ("symdb.proxy_request_error", "error:upstream", 1.0),
        ("openlineage", "", 1.0),
        ("pipelines_stats", "", 1.0),
        ("telemetry_proxy.roundtrip_ms.count", telemetry, 1.0),
        ("telemetry_proxy.no_container_id_found", "", 1.0),
        ("evp_proxy.request", events, 1.0),
        ("evp_proxy.request_bytes", events, 4.0),
        ("evp_proxy.request_duration_ms.count", events, 1.0),
        ("evp_proxy.request", "", 1.0),
        ("evp_proxy.request_error", "", 1.0),
    ];
    let missing = |bed: &Bed| {
        let counts = counted(bed);
        let lacks = |(name, tags, count): &&(&str, &str, f64)| {
            let found = counts.get(&((*name).to_owned(), (*tags).to_owned()));
            found.is_none_or(|found| (found - count).abs() > 1e-6)
        };
        wanted.iter().filter(lacks).map(|row| format!("{row:?}")).collect::<Vec<_>>()
    };
    let is_all_in = bed::wait_for(WAIT_MAX, || missing(&bed).is_empty().then_some(()));
    assert!(is_all_in.is_some(), "{:?}\nof {:#?}", missing(&bed), counted(&bed));
    let names: Vec<String> = counted(&bed).into_keys().map(|(name, _)| name).collect();
    for suffix in ["avg", "max", "median", "95percentile"] {
        let name = format!("evp_proxy.request_duration_ms.{suffix}");
        assert!(names.contains(&name), "{name} in {names:?}");
    }
    bed.finish(agent);
}
