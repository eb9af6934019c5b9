//! apm §6 step 4 l, §9.2, §9.3.

use corelane_traces::{Features, PayloadHead, Settings};
use sampling::SamplingSettings;
use span::Format;
use stats::TraceRoot;

use crate::support::{
    BOTH, Make, MakeChunk, NOW_NS, Typed, batch, chunk, processor, run_with, span,
};

/// One group, written out.
#[derive(Debug, Default, PartialEq)]
struct Group {
    payload: Vec<String>,
    key: Vec<String>,
    http_status: u32,
    is_synthetics: bool,
    is_root: bool,
    peer_tags: Vec<String>,
    additional_tags: Vec<String>,
}

fn groups(
    settings: Settings,
    format: Format,
    made: &MakeChunk,
    head: &PayloadHead<'_>,
) -> Vec<Group> {
    let processor = processor(settings, SamplingSettings::default());
    let mut done = run_with(processor, batch(format, std::slice::from_ref(made)), head);
    let closed = done.processor.concentrator_mut().flush(NOW_NS, true);
    let mut groups = Vec::new();
    for bucket in &closed {
        for group in bucket.groups() {
            let payload = bucket.payloads().nth(group.payload).unwrap().key;
            let key = group.key;
            let own = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
            groups.push(Group {
                payload: own(&[
                    payload.env,
                    payload.hostname,
                    payload.version,
                    payload.container_id,
                    payload.git_commit_sha,
                    payload.image_tag,
                    payload.lang,
                    payload.process_tags,
                ]),
                key: own(&[
                    key.service,
                    key.name,
                    key.resource,
                    key.span_type,
                    key.span_kind,
                    key.svc_src,
                    key.grpc_status,
                ]),
                http_status: key.http_status,
                is_synthetics: key.is_synthetics,
                is_root: key.trace_root == TraceRoot::Yes,
                peer_tags: key.peer_tags.iter().map(str::to_owned).collect(),
                additional_tags: key.additional_tags.iter().map(str::to_owned).collect(),
            });
        }
    }
    groups.sort_by(|a, b| a.key.cmp(&b.key));
    groups
}

fn default_groups(format: Format, spans: &[Make]) -> Vec<Group> {
    groups(Settings::default(), format, &chunk(spans), &PayloadHead::default())
}

#[test]
fn spans_are_counted_under_their_key() {
    for format in BOTH {
        let made = span(1, 0)
            .meta("span.kind", "server")
            .meta("_dd.svc_src", "m")
            .meta("http.status_code", "404")
            .meta("grpc.code", "ABORTED")
            .meta("env", "prod")
            .meta("version", "7")
            .meta("_dd.git.commit.sha", "abc")
            .meta("_dd.hostname", "tracer-host");
        let made = MakeChunk { origin: "synthetics-browser".into(), ..chunk(&[made]) };
        let head = PayloadHead {
            language: "go",
            container_id: "cid",
            container_tags: "image_tag:v1,git.commit.sha:def,image_tag:v2",
            process_tags: "p:1",
            ..PayloadHead::default()
        };
        let found = groups(Settings::default(), format, &made, &head);
        let language = if format.is_v1() { "" } else { "go" };
        let payload = ["prod", "tracer-host", "7", "cid", "abc", "v1", language, "p:1"];
        let key = ["web", "http.request", "GET /", "custom", "server", "m", "10"];
        let expected = Group {
            payload: payload.map(str::to_owned).to_vec(),
            key: key.map(str::to_owned).to_vec(),
            http_status: 404,
            is_synthetics: true,
            is_root: true,
            ..Group::default()
        };
        assert_eq!(found, [expected]);
    }
}

#[test]
fn the_agent_stands_in_for_what_the_payload_lacks() {
    let settings = Settings {
        env: "agent-env".into(),
        hostname: "agent-host".into(),
        features: Features::of(["disable_cid_stats", "disable_process_stats"]),
        ..Settings::default()
    };
    for format in BOTH {
        let head = PayloadHead {
            container_id: "cid",
            container_tags: "git.commit.sha:def",
            process_tags: "p:1",
            ..PayloadHead::default()
        };
        let found = groups(settings.clone(), format, &chunk(&[span(1, 0)]), &head);
        let payload = ["agent-env", "agent-host", "", "", "def", "", "", ""];
        assert_eq!(found[0].payload, payload);
    }
}

#[test]
fn spans_that_matter_are_counted() {
    let count = |format, settings: &Settings, made: Make| {
        // The child of a span of its own service is no top-level span.
        let root = Make { resource: "root".into(), ..span(1, 0) };
        let found =
            groups(settings.clone(), format, &chunk(&[root, made]), &PayloadHead::default());
        found.iter().filter(|group| group.key[2] == "GET /").count()
    };
    let by_kind = Settings::default();
    let not_by_kind = Settings { is_stats_by_span_kind: false, ..Settings::default() };
    for format in BOTH {
        let child = || span(2, 1);
        assert_eq!(count(format, &by_kind, child()), 0);
        assert_eq!(count(format, &by_kind, child().metric("_dd.measured", 1.0)), 1);
        assert_eq!(count(format, &by_kind, child().metric("_dd.measured", 0.5)), 0);
        assert_eq!(count(format, &by_kind, child().meta("span.kind", "client")), 1);
        assert_eq!(count(format, &not_by_kind, child().meta("span.kind", "client")), 0);
        assert_eq!(count(format, &by_kind, child().meta("span.kind", "internal")), 0);
        let partial = child().metric("_dd.measured", 1.0).metric("_dd.partial_version", 3.0);
        assert_eq!(count(format, &by_kind, partial), 0);
    }
}

#[test]
fn statistics_come_before_sampling_and_after_obfuscation() {
    for format in BOTH {
        let query = Make { span_type: "sql".into(), resource: "SELECT 1".into(), ..span(1, 0) };
        let made = MakeChunk { priority: -1, ..chunk(&[query]) };
        let found = groups(Settings::default(), format, &made, &PayloadHead::default());
        assert_eq!(found[0].key[2], "SELECT ?");
        let head = PayloadHead { is_stats_by_client: true, ..PayloadHead::default() };
        assert_eq!(groups(Settings::default(), format, &made, &head), []);
    }
}

#[test]
fn peer_tags_name_the_other_side() {
    let settings = Settings {
        peer_tags: corelane_traces::peer_tag_keys(&["shard".to_owned()]),
        ..Settings::default()
    };
    let tags = |format, kind: &str| {
        let made = span(1, 0)
            .meta("span.kind", kind)
            .meta("out.host", "10.1.2.3:80")
            .meta("db.name", "users")
            .meta("shard", "7")
            .meta("peer.service", "")
            .meta("_dd.base_service", "base");
        let made = chunk(&[made]);
        let found = groups(settings.clone(), format, &made, &PayloadHead::default());
        found.into_iter().next().unwrap().peer_tags
    };
    let all =
        ["_dd.base_service:base", "db.name:users", "out.host:blocked-ip-address:80", "shard:7"];
    for format in BOTH {
        assert_eq!(tags(format, "client"), all);
        assert_eq!(tags(format, "producer"), all);
        assert_eq!(tags(format, "internal"), ["_dd.base_service:base"]);
        assert!(tags(format, "server").is_empty());
    }
}

#[test]
fn configured_tags_are_added() {
    let settings = Settings {
        additional_metric_tags: ["tier", "big", "none", "version"].map(str::to_owned).to_vec(),
        ..Settings::default()
    };
    for format in BOTH {
        let made = span(1, 0).meta("tier", "gold").meta("big", &"x".repeat(201));
        let made = made.meta("version", "3");
        let found = groups(settings.clone(), format, &chunk(&[made]), &PayloadHead::default());
        // Tags of a group are sorted.
        assert_eq!(found[0].additional_tags.len(), 3);
        assert!(found[0].additional_tags.contains(&"version:3".to_owned()));
        assert!(found[0].additional_tags.contains(&"tier:gold".to_owned()));
        assert!(found[0].additional_tags.contains(&"big:agent_blocked_value".to_owned()));
    }
}

#[test]
fn statuses_of_any_type() {
    for format in BOTH {
        let found =
            default_groups(format, &[span(1, 0).metric("http.response.status_code", 503.0)]);
        assert_eq!(found[0].http_status, 503);
        let found = default_groups(format, &[span(1, 0).metric("rpc.grpc.status_code", 5.0)]);
        assert_eq!(found[0].key[6], "5");
    }
    let made = span(1, 0).typed("http.status_code", Typed::Int(201));
    assert_eq!(default_groups(Format::V1, &[made])[0].http_status, 201);
}
