//! Dual shipping: what a real tracer sends goes to two intakes, byte for byte.

use bed::Client;
use serde_json::json;

use super::{Arrived, EMITTING, KEY, PROFILE, SITE, Surroundings, TELEMETRY, probe};

/// A further site that gets everything.
const SECOND: &str = "second.test";
const SECOND_KEY: &str = "second-key";

/// Hosts of a site that have a copy of theirs, in `at` before the site.
const COPIED: [(&str, &str); 3] = [
    ("profiles", "intake.profile"),
    ("diagnostics", "debugger-intake"),
    ("telemetry", "instrumentation-telemetry-intake"),
];

fn is_at(one: &Arrived, host: &str, site: &str) -> bool {
    one.host == format!("{host}.{site}")
}

#[test]
fn everything_of_python_arrives_twice() {
    let surroundings = Surroundings::new();
    let url = |host: &str, path: &str| format!("https://{host}.{SECOND}{path}");
    let additional = |url: String| json!({ url: [SECOND_KEY] });
    let debugger = additional(url("debugger-intake", "/api/v2/debugger"));
    let telemetry = additional(url("instrumentation-telemetry-intake", ""));
    let settings = surroundings
        .settings()
        .set(
            "apm_config.profiling_additional_endpoints",
            additional(url("intake.profile", "/api/v2/profile")),
        )
        .set("apm_config.debugger_diagnostics_additional_endpoints", debugger)
        .set("apm_config.telemetry.additional_endpoints", telemetry);
    let place = json!({"typeName": "basket", "methodName": "Basket.add"});
    let file = surroundings.probe_file(&json!([probe("probe-1", "python", &place, true)]));
    let environment = [
        ("DD_PROFILING_ENABLED", "true"),
        ("DD_PROFILING_UPLOAD_INTERVAL", "2"),
        ("DD_DYNAMIC_INSTRUMENTATION_PROBE_FILE", file.as_str()),
        ("DD_DYNAMIC_INSTRUMENTATION_DIAGNOSTICS_INTERVAL", "2"),
    ];
    let missing = || -> Vec<String> {
        let arrived = surroundings.arrived();
        let mut missing = Vec::new();
        for wanted in [PROFILE, EMITTING, TELEMETRY] {
            for site in [SITE, SECOND] {
                let is_it = |one: &&Arrived| one.host.ends_with(site) && (wanted.is_it)(one);
                if !arrived.iter().any(|one| is_it(&one)) {
                    missing.push(format!("{} at {site}", wanted.what));
                }
            }
        }
        missing
    };
    let ran = surroundings.run_until(&settings, Client::PythonProducts, &environment, missing);
    for (what, host) in COPIED {
        let at = |site: &str| -> Vec<&Arrived> {
            ran.arrived.iter().filter(|one| is_at(one, host, site)).collect()
        };
        let (first, second) = (at(SITE), at(SECOND));
        assert!(!first.is_empty() && !second.is_empty(), "{what}");
        // Copies still under way when the agent stops may be missing, and none is made up.
        for copy in &second {
            assert_eq!(copy.header("dd-api-key"), Some(SECOND_KEY), "{what}");
            let same = |one: &&&Arrived| one.body == copy.body && one.path == copy.path;
            let original = first.iter().find(same);
            let original = original.unwrap_or_else(|| panic!("a copy of nothing: {copy:?}"));
            assert_eq!(original.header("dd-api-key"), Some(KEY), "{what}");
            assert_eq!(original.header("content-type"), copy.header("content-type"), "{what}");
        }
    }
}
