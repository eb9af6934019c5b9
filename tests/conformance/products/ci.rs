//! Results of tests, sent by the plugin of `ddtrace` for pytest through the event platform, to two
//! sites at once. What the intake says decides what the plugin reports.

use bed::{Client, UpstreamRequest};
use serde_json::json;

use super::{Ran, SITE, Surroundings};

/// A further site that gets everything.
const SECOND: &str = "second.test";

/// What the first site says to the plugin: one of the tests is known.
pub(super) fn said(request: &UpstreamRequest) -> String {
    if request.host != format!("api.{SITE}") {
        return "{}".to_owned();
    }
    let attributes = match request.path.as_str() {
        "/api/v2/libraries/tests/services/setting" => json!({
            "code_coverage": false, "tests_skipping": false, "itr_enabled": false,
            "require_git": false, "flaky_test_retries_enabled": false,
            "known_tests_enabled": true,
            "early_flake_detection": {"enabled": false}, "test_management": {"enabled": false},
        }),
        "/api/v2/ci/libraries/tests" => {
            json!({"tests": {"unknown_module": {"test_shop.py": ["test_known"]},
                             "": {"test_shop.py": ["test_known"]}}})
        }
        _ => return "{}".to_owned(),
    };
    json!({"data": {"id": "1", "type": "answer", "attributes": attributes}}).to_string()
}

/// The payloads of test results at a site, in the order of their bytes.
fn results(ran: &Ran, site: &str) -> Vec<Vec<u8>> {
    let host = format!("citestcycle-intake.{site}");
    let mut all = Vec::new();
    for one in ran.arrived.iter().filter(|one| one.host == host) {
        assert_eq!((one.path.as_str(), one.method.as_str()), ("/api/v2/citestcycle", "POST"));
        assert_eq!(one.header("content-type"), Some("application/msgpack"));
        assert_eq!(one.header("x-datadog-hostname"), Some("bed"));
        let body = intake::decompress(one.header("content-encoding"), &one.body, 1 << 20);
        all.push(body.expect("a compressed body"));
    }
    all.sort();
    all
}

fn count(bytes: &[u8], text: &str) -> usize {
    bytes.windows(text.len()).filter(|window| *window == text.as_bytes()).count()
}

#[test]
fn results_of_pytest_arrive_at_two_sites() {
    let surroundings = Surroundings::new();
    let settings = surroundings
        .settings()
        .set("evp_proxy_config.additional_endpoints", json!({ SECOND: ["second-key"] }));
    let environment = [
        ("DD_CIVISIBILITY_AGENTLESS_ENABLED", "false"),
        ("DD_GIT_REPOSITORY_URL", "https://git.test/shop.git"),
        ("DD_GIT_COMMIT_SHA", "0123456789012345678901234567890123456789"),
        ("DD_GIT_BRANCH", "main"),
        // Another product than the results of tests.
        ("DD_INSTRUMENTATION_TELEMETRY_ENABLED", "false"),
    ];
    // It reports at its end; before that it has asked for settings, and for what is known.
    let missing = || {
        let asked = |path: &&str| surroundings.arrived().iter().any(|one| one.path == **path);
        let wanted = ["/api/v2/libraries/tests/services/setting", "/api/v2/ci/libraries/tests"];
        wanted.into_iter().filter(|path| !asked(path)).collect()
    };
    let ran = surroundings.run_until(&settings, Client::PythonCi, &environment, missing);
    assert!(ran.said.contains("3 passed"), "{}", ran.said);
    let payloads = results(&ran, SITE);
    let all = payloads.concat();
    for text in ["test_known", "test_new", "test_shop.py", "test_session_end", "pass"] {
        assert!(count(&all, text) > 0, "{text} in {}", String::from_utf8_lossy(&all));
    }
    // Both that the intake did not name are new: its answer came through as it was.
    assert_eq!(count(&all, "test.is_new"), 2, "{}", String::from_utf8_lossy(&all));
    assert!(payloads == results(&ran, SECOND), "the second site gets the same");
    for one in &ran.arrived {
        let key = if one.host.ends_with(SECOND) { "second-key" } else { super::KEY };
        assert_eq!(one.header("dd-api-key"), Some(key), "{one:?}");
    }
}
