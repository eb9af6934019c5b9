//! What tracers do besides traces reaches the intake: profiles, probes, symbols, telemetry, data
//! streams, LLM observability, results of tests, flares, and metrics over HTTP.
//!
//! The agent is left to its default URLs, and everything that it proxies goes to the hosts of its
//! site, all of which are one [`Upstream`]. Metrics go to the intake.

mod arrived;
mod ci;
mod dual;
mod flare;
mod multipart;
mod node;
mod python;
mod remote;

use std::fmt::Debug;
use std::fs;
use std::time::Duration;

use bed::{Bed, Client, Finished, Program, Settings, Upstream, UpstreamAnswer, wait_for};
use serde_json::{Value, json};

use arrived::Arrived;

/// Where the agent's URLs lead: nowhere but through the tunnel.
const SITE: &str = "bed.test";
/// The key of every agent under test.
const KEY: &str = "0123456789abcdef0123456789abcdef";
/// A program needs some rounds of ten seconds, on a machine that may be busy.
const PROGRAM_TIME_MAX: Duration = Duration::from_secs(120);

/// A bed whose agent sends to the default hosts of its site.
struct Surroundings {
    bed: Bed,
    upstream: Upstream,
}

impl Surroundings {
    fn new() -> Self {
        Self { bed: Bed::new(), upstream: Upstream::start(UpstreamAnswer::Says(ci::said)) }
    }

    fn settings(&self) -> Settings {
        self.bed
            .settings()
            .set("site", SITE)
            .set("env", "Bed")
            .set("apm_config.apm_dd_url", format!("https://trace.agent.{SITE}"))
            .set("proxy.https", self.upstream.url())
            .set("skip_ssl_validation", true)
    }

    fn arrived(&self) -> Vec<Arrived> {
        self.upstream.requests().into_iter().map(Arrived).collect()
    }

    /// Runs a program until everything that is wanted has arrived.
    fn run(&self, client: Client, environment: &[(&str, &str)], wanted: &[Wanted]) -> Ran {
        let missing = || -> Vec<&str> {
            let arrived = self.arrived();
            let lacks = |wanted: &&Wanted| !arrived.iter().any(|one| (wanted.is_it)(one));
            wanted.iter().filter(lacks).map(|wanted| wanted.what).collect()
        };
        self.run_until(&self.settings(), client, environment, missing)
    }

    /// Runs a program until nothing is missing any more.
    fn run_until<Missing: Debug>(
        &self,
        settings: &Settings,
        client: Client,
        environment: &[(&str, &str)],
        missing: impl Fn() -> Vec<Missing>,
    ) -> Ran {
        let agent = self.bed.start(settings);
        let url = self.bed.trace_url(false);
        let common = [
            ("DD_TRACE_AGENT_URL", url.as_str()),
            ("DD_SERVICE", "shop"),
            ("DD_ENV", "bed"),
            ("DD_VERSION", "1.2"),
            ("DD_DYNAMIC_INSTRUMENTATION_ENABLED", "true"),
            ("DD_TELEMETRY_HEARTBEAT_INTERVAL", "2"),
            ("DD_TRACE_STARTUP_LOGS", "false"),
        ];
        let environment = [&common, environment].concat();
        let mut program = Program::start(client, &self.bed, &environment);
        let is_all_in = wait_for(PROGRAM_TIME_MAX, || {
            assert!(program.is_running(), "the program ended early:\n{}", program.log());
            missing().is_empty().then_some(())
        });
        let place = |one: &Arrived| format!("{} {}", one.host, one.path);
        assert!(
            is_all_in.is_some(),
            "missing: {:?}\nthere: {:?}\nprogram:\n{}\nagent:\n{}",
            missing(),
            self.arrived().iter().map(place).collect::<Vec<_>>(),
            program.log(),
            agent.log()
        );
        let said = program.finish();
        agent.wait_status("nothing is under way", |now| {
            now.proxies.iter().all(|one| one.in_flight + one.copies_in_flight == 0)
        });
        Ran { finished: self.bed.finish(agent), arrived: self.arrived(), said }
    }

    /// A file of probes for the program.
    fn probe_file(&self, probes: &Value) -> String {
        let path = self.bed.path("probes.json");
        fs::write(&path, probes.to_string()).expect("a writable directory");
        path.display().to_string()
    }
}

/// The end of a run.
struct Ran {
    finished: Finished,
    arrived: Vec<Arrived>,
    said: String,
}

impl Ran {
    /// Everything that arrived at a path of a host of the site.
    fn at(&self, host: &str, path: &str) -> Vec<&Arrived> {
        let is_there = |one: &&Arrived| one.host == format!("{host}.{SITE}") && one.path == path;
        let found: Vec<_> = self.arrived.iter().filter(is_there).collect();
        assert!(!found.is_empty(), "nothing at {host} {path}");
        found
    }
}

/// Something that must arrive.
struct Wanted {
    what: &'static str,
    is_it: fn(&Arrived) -> bool,
}

const PROFILE: Wanted = Wanted { what: "profile", is_it: |one| one.path == "/api/v2/profile" };
const TELEMETRY: Wanted = Wanted {
    what: "app-started",
    is_it: |one| one.header("dd-telemetry-request-type") == Some("app-started"),
};
const DATA_STREAMS: Wanted =
    Wanted { what: "data streams", is_it: |one| one.path == "/api/v0.1/pipeline_stats" };
const SNAPSHOT: Wanted = Wanted {
    what: "snapshot",
    is_it: |one| {
        one.snapshots().iter().any(|one| one["debugger"]["snapshot"]["captures"] != Value::Null)
    },
};
const EMITTING: Wanted = Wanted {
    what: "diagnostics of a probe that emits",
    is_it: |one| one.statuses().iter().any(|(_, status)| status == "EMITTING"),
};

/// A probe of a method or line, with or without a snapshot.
fn probe(id: &str, language: &str, place: &Value, has_snapshot: bool) -> Value {
    json!({
        "id": id,
        "version": 1,
        "type": "LOG_PROBE",
        "language": language,
        "where": place,
        "evaluateAt": "EXIT",
        "captureSnapshot": has_snapshot,
        "template": "added {name}",
        "segments": [{"str": "added "}, {"dsl": "name", "json": {"ref": "name"}}],
        "tags": [],
        "capture": {"maxReferenceDepth": 2},
        "sampling": {"snapshotsPerSecond": 100},
    })
}

/// Tags that the agent puts before those of the tracer.
fn assert_host_tags(tags: &str) {
    let wanted = "host:bed,default_env:bed,agent_version:";
    assert!(tags.starts_with(wanted), "{tags}");
}

fn assert_profiles(ran: &Ran, family: &str, origin: &str) {
    for profile in ran.at("intake.profile", "/api/v2/profile") {
        assert_eq!(profile.header("dd-evp-origin"), Some(origin));
        assert_host_tags(profile.header("x-datadog-additional-tags").expect("host tags"));
        assert!(profile.header("via").is_some_and(|via| via.starts_with("trace-agent ")));
        let parts = profile.parts();
        let event = parts.iter().find(|part| part.name == "event").expect("an event");
        assert_eq!(event.file.as_deref(), Some("event.json"));
        let event: Value = serde_json::from_slice(&event.body).expect("JSON");
        assert_eq!((&event["family"], &event["version"]), (&json!(family), &json!("4")));
        let tags = event["tags_profiler"].as_str().expect("tags");
        assert!(tags.contains("service:shop"), "{tags}");
        for attachment in event["attachments"].as_array().expect("attachments") {
            let file = attachment.as_str().expect("a name");
            let is_it = |part: &&multipart::Part| part.file.as_deref() == Some(file);
            let part = parts.iter().find(is_it).expect("every attachment is there");
            assert!(!part.body.is_empty(), "{file} is empty");
        }
    }
}

fn assert_debugger(ran: &Ran, probe: &str, message: &str) {
    let at_intake = ran.at("debugger-intake", "/api/v2/debugger");
    let of_probes =
        at_intake.iter().filter(|one| one.header("dd-evp-origin") == Some("agent-debugger"));
    let mut statuses = Vec::new();
    let mut messages = Vec::new();
    for request in of_probes {
        let tags = request.tags_of_query();
        assert_host_tags(&tags);
        assert!(request.header("dd-request-id").is_some_and(|id| id.len() == 36));
        statuses.extend(request.statuses());
        for snapshot in request.snapshots() {
            assert!(tags.contains("debugger_version:") && tags.contains("version:1.2"), "{tags}");
            assert_eq!(snapshot["service"], "shop");
            messages.push(snapshot["message"].as_str().expect("a message").to_owned());
            // The value of an argument with this name must not leave the process.
            assert!(!snapshot.to_string().contains("hunter2"), "{snapshot}");
        }
    }
    for status in ["RECEIVED", "INSTALLED", "EMITTING"] {
        let wanted = (probe.to_owned(), status.to_owned());
        assert!(statuses.contains(&wanted), "{status} of {probe}: {statuses:?}");
    }
    assert!(messages.iter().any(|found| found == message), "{messages:?}");
}

fn assert_telemetry(ran: &Ran, language: &str) {
    let all = ran.at("instrumentation-telemetry-intake", "/api/v2/apmtelemetry");
    for request in &all {
        assert_eq!(request.header("dd-client-library-language"), Some(language));
        assert_eq!(request.header("dd-agent-hostname"), Some("bed"));
        assert_eq!(request.header("dd-agent-env"), Some("bed"));
        let body: Value = serde_json::from_slice(&request.body).expect("JSON");
        assert_eq!(body["application"]["service_name"], "shop");
    }
}

fn assert_data_streams(ran: &Ran) {
    for request in ran.at("trace.agent", "/api/v0.1/pipeline_stats") {
        assert_host_tags(request.header("x-datadog-additional-tags").expect("host tags"));
        assert_eq!(request.header("content-encoding"), Some("gzip"));
        let body = intake::decompress(Some("gzip"), &request.body, 1 << 20).expect("gzip");
        let text = String::from_utf8_lossy(&body);
        assert!(text.contains("shop") && text.contains("type:kafka"), "{text}");
    }
}

/// One request to the event platform.
fn assert_event_platform(ran: &Ran, host: &str, path: &str) -> Vec<Value> {
    let requests = ran.at(host, path);
    let values = requests.iter().map(|request| {
        assert!(request.header("via").is_some_and(|via| via.starts_with("trace-agent ")));
        assert_eq!(request.header("x-datadog-hostname"), Some("bed"));
        assert_eq!(request.header("x-datadog-agentdefaultenv"), Some("bed"));
        assert_eq!(request.header("x-datadog-evp-subdomain"), None);
        serde_json::from_slice(&request.body).expect("JSON")
    });
    values.collect()
}
