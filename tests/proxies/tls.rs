//! Routes that speak TLS alone, through a proxy that leads every host to one intake.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use bed::{Bed, Settings, Upstream, UpstreamAnswer as Answer, UpstreamRequest};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::client::ask;
use crate::{proxy, settings};

/// Settings under which every host of a site is the upstream.
fn with_site(bed: &Bed, upstream: &Upstream) -> Settings {
    settings(bed, upstream)
        .set("site", "us3.datadoghq.com")
        .set("skip_ssl_validation", true)
        .set("proxy.https", upstream.url())
}

/// The headers in lower case.
fn shown(request: &UpstreamRequest) -> Vec<String> {
    let pairs = request.headers.iter().filter_map(|line| line.split_once(": "));
    pairs.map(|(name, value)| format!("{}: {value}", name.to_ascii_lowercase())).collect()
}

#[test]
fn events_and_telemetry_go_to_hosts_of_the_site() {
    let bed = Bed::new();
    let upstream = Upstream::start(Answer::Status(404, "nobody"));
    let settings = with_site(&bed, &upstream)
        .set("apm_config.install_id", "id")
        .set("apm_config.install_type", "manual")
        .set("apm_config.install_time", 7);
    let agent = bed.start(&settings);
    let client = [
        "X-Datadog-EVP-Subdomain: my.subdomain",
        "Content-Type: application/json",
        "DD-EVP-ORIGIN: tracer",
        "Unexpected-Header: x",
        "DD-API-KEY: theirs",
    ];
    // What the intake says comes back as it is.
    let said = ask(&bed, "/evp_proxy/v2/mypath/mysubpath?arg=test", &client, b"{}");
    assert_eq!((said.status, said.body.as_str()), (404, "nobody"));
    let event = upstream.at("/mypath/mysubpath");
    assert_eq!(
        (event.host.as_str(), event.query.as_str()),
        ("my.subdomain.us3.datadoghq.com", "arg=test")
    );
    assert_eq!(
        shown(&event),
        [
            "via: trace-agent 7.82.0",
            "content-type: application/json",
            "dd-evp-origin: tracer",
            "x-datadog-hostname: bed",
            "x-datadog-agentdefaultenv: test",
            "x-datadog-timeout: 30",
            "dd-api-key: 0123456789abcdef0123456789abcdef",
            "host: my.subdomain.us3.datadoghq.com",
            "content-length: 2",
        ]
    );
    let client = ["Content-Type: application/json", "X-Forwarded-For: 1.1.1.1", "User-Agent: t"];
    let said = ask(&bed, "/telemetry/proxy/api/v2/apmtelemetry", &client, b"{\"a\":1}");
    assert_eq!((said.status, said.body.as_str()), (200, "{}"));
    assert!(!said.head.contains("Content-Type"), "{}", said.head);
    let telemetry = upstream.at("/api/v2/apmtelemetry");
    assert_eq!(
        shown(&telemetry),
        [
            "content-type: application/json",
            "user-agent: t",
            "content-length: 7",
            "via: trace-agent 7.82.0",
            "dd-agent-hostname: bed",
            "dd-agent-env: test",
            "dd-agent-install-id: id",
            "dd-agent-install-type: manual",
            "dd-agent-install-time: 7",
            "dd-api-key: 0123456789abcdef0123456789abcdef",
            "host: instrumentation-telemetry-intake.us3.datadoghq.com",
        ]
    );
    let snapshot = agent.wait_status("telemetry is answered", |now| {
        proxy(now, "telemetry").copies_failed.get("status") == Some(&1)
    });
    assert_eq!(proxy(&snapshot, "evp").answers["4xx"], 1);
    bed.finish(agent);
}

#[test]
fn language_models_need_no_subdomain() {
    let bed = Bed::new();
    let upstream = Upstream::start(Answer::Status(202, "{}"));
    let agent = bed.start(&with_site(&bed, &upstream));
    for (path, host, target) in [
        ("/evp_proxy/v2/api/v2/llmobs", "llmobs-intake", "/api/v2/llmobs"),
        ("/api/intake/llm-obs/v1/eval-metric", "api", "/api/intake/llm-obs/v1/eval-metric"),
        ("/api/intake/llm-obs/v2/eval-metric", "api", "/api/intake/llm-obs/v2/eval-metric"),
    ] {
        assert_eq!(ask(&bed, path, &[], b"{}").status, 202, "{path}");
        assert_eq!(upstream.at(target).host, format!("{host}.us3.datadoghq.com"));
    }
    assert_eq!(ask(&bed, "/v1/input?ddtags=a%3Ab", &[], b"a line").status, 202);
    let line = upstream.at("/v1/input");
    assert_eq!(line.host, "http-intake.logs.us3.datadoghq.com");
    assert_eq!((line.query.as_str(), &line.body[..]), ("ddtags=a%3Ab", &b"a line"[..]));
    bed.finish(agent);
}

#[test]
fn secrets_in_telemetry_of_injectors_stay_here() {
    let bed = Bed::new();
    let upstream = Upstream::start(Answer::Status(202, ""));
    let agent = bed.start(&with_site(&bed, &upstream));
    let body = |secret: &str| {
        json!({"api_version": "v2", "payload": {
            "command_line": ["java", "--db-password", secret, "-jar", "shop.jar"],
            "metadata": {"api_key": secret, "language": "java"},
            "result": secret,
        }})
    };
    let mut hidden = body("********");
    hidden["payload"]["result"] = json!("hunter2");
    let kind = "DD-Telemetry-Request-Type: injection-metadata";
    let sent = body("hunter2").to_string();
    for (headers, wanted) in [(&[kind][..], &hidden), (&[][..], &body("hunter2"))] {
        let said = ask(&bed, "/telemetry/proxy/api/v2/apmtelemetry", headers, sent.as_bytes());
        assert_eq!(said.status, 200);
        let received = upstream.next();
        let found: Value = serde_json::from_slice(&received.body).expect("JSON, to its end");
        assert_eq!(&found, wanted, "{headers:?}");
        let length = received.header("content-length").and_then(|length| length.parse().ok());
        assert_eq!(length, received.body_bytes);
    }
    bed.finish(agent);
}

/// A process that does not outlive its test.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // Both fail only when it has ended by itself.
        let _is_killed = self.0.kill().is_ok();
        let _is_reaped = self.0.wait().is_ok();
    }
}

#[test]
fn the_local_intake_shows_each_request_of_a_tracer() {
    let bed = Bed::new();
    let intake = Command::new(bed::corelane())
        .args(["intake", "--listen", "127.0.0.1:0"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn();
    let mut intake = Killed(intake.expect("a binary that starts"));
    let mut lines = BufReader::new(intake.0.stdout.take().expect("a pipe")).lines();
    let mut line = || lines.next().expect("a line more").expect("text");
    let first = line();
    let url = first.strip_prefix("intake on ").and_then(|rest| rest.split(';').next());
    let url = url.unwrap_or_else(|| panic!("{first}"));
    // The default URLs, all of which lead to it.
    let settings = bed
        .settings()
        .set("site", "bed.test")
        .set("proxy.https", url)
        .set("skip_ssl_validation", true);
    let agent = bed.start(&settings);
    let telemetry = "DD-Telemetry-Request-Type: app-started";
    let events = "X-Datadog-EVP-Subdomain: citestcycle-intake";
    for (path, header, shown) in [
        ("/profiling/v1/input", "A: b", "/api/v2/profile -> 202, profile intake.profile.bed.test"),
        (
            "/telemetry/proxy/api/v2/apmtelemetry",
            telemetry,
            "/api/v2/apmtelemetry -> 202, telemetry \
             instrumentation-telemetry-intake.bed.test app-started",
        ),
        (
            "/evp_proxy/v4/api/v2/citestcycle",
            events,
            "/api/v2/citestcycle -> 202, events_of_tracers citestcycle-intake.bed.test",
        ),
        (
            "/debugger/v2/input",
            "A: b",
            "/api/v2/debugger -> 202, debugger debugger-intake.bed.test",
        ),
        ("/tracer_flare/v1", "A: b", "/api/ui/support/serverless/flare -> 202, flare bed.test"),
    ] {
        let said = ask(&bed, path, &[header], b"{}");
        assert!([200, 202].contains(&said.status), "{path}: {said:?}");
        // The agent itself may ask something in between.
        while !line().starts_with(&format!("POST {shown}")) {}
    }
    bed.finish(agent);
    let pid = i32::try_from(intake.0.id()).ok().and_then(rustix::process::Pid::from_raw);
    rustix::process::kill_process(pid.expect("a pid"), Signal::TERM).expect("our own child");
    let rest: Vec<String> = lines.map_while(Result::ok).collect();
    let sums = "of tracers: 1 debugger, 1 events_of_tracers, 1 flare, 1 profile, 1 telemetry";
    assert_eq!(rest.last().map(String::as_str), Some(sums), "{rest:?}");
    assert!(intake.0.wait().expect("our own child").success());
}
