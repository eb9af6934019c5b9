use std::net::SocketAddr;
use std::time::Duration;

use proptest::prelude::*;
use server::{Origin, Proxy};

use super::*;
use crate::check_head_bytes;

const HOST: &str = "host:myhost,default_env:test,agent_version:v1";

fn settings() -> Settings {
    Settings {
        routes: Vec::new(),
        agent_version: "v1".into(),
        hostname: "myhost".into(),
        default_env: "test".into(),
        orchestrator: None,
        is_error_tracking_standalone: false,
        install: Some(("id".into(), "manual".into(), "7".into())),
        global_tags: Vec::new(),
        tailed_files: Vec::new(),
        receiver_timeout: Duration::from_secs(5),
        exchange_time_max: Duration::from_secs(600),
    }
}

fn head(target: &str, headers: &[(&str, &str)]) -> ExchangeHead {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(HeaderName::try_from(*name).unwrap(), HeaderValue::from_str(value).unwrap());
    }
    ExchangeHead {
        proxy: Proxy::Profiling,
        lane: 0,
        method: Method::POST,
        uri: target.parse().unwrap(),
        headers: map,
        peer: Peer::Tcp("10.1.2.3:4".parse::<SocketAddr>().unwrap()),
        origin: Origin { container_id: "cid".into(), container_tags: "container:cid,k:\nv".into() },
    }
}

/// What leaves, as text: the URI, then headers.
fn sent_by(settings: &Settings, kind: Kind, head: &ExchangeHead, url: &str) -> Vec<String> {
    let rewriter = Rewriter { kind, settings, deadline_secs: 30 };
    let target = Target::new(url, "key").unwrap().with_app_key("app");
    let rewritten = rewriter.rewrite(head).unwrap();
    let request = rewritten.request(&target, RequestBody::Whole(None)).unwrap();
    let mut lines = vec![request.uri().to_string()];
    for (name, value) in request.headers() {
        let value = String::from_utf8_lossy(value.as_bytes());
        let value = if *name == REQUEST_ID { "uuid".into() } else { value };
        lines.push(format!("{name}: {value}"));
    }
    lines
}

fn sent(kind: Kind, head: &ExchangeHead, url: &str) -> Vec<String> {
    sent_by(&settings(), kind, head, url)
}

#[test]
fn profiles() {
    let head = head(
        "/profiling/v1/input?dropped=1",
        &[
            ("host", "localhost:8126"),
            ("connection", "keep-alive, X-Gone"),
            ("x-gone", "1"),
            ("te", "trailers, deflate"),
            ("transfer-encoding", "chunked"),
            ("content-type", "multipart/form-data; boundary=b"),
            ("dd-api-key", "theirs"),
            ("authorization", "Bearer theirs"),
            ("x-datadog-additional-tags", "theirs:1"),
            ("x-forwarded-for", "1.1.1.1"),
            ("x-many", "1"),
            ("x-many", "2"),
        ],
    );
    assert_eq!(
        sent(Kind::Profiling, &head, "https://intake.profile.x/api/v2/profile"),
        [
            "https://intake.profile.x/api/v2/profile",
            "te: trailers",
            "content-type: multipart/form-data; boundary=b",
            "x-datadog-additional-tags: host:myhost,default_env:test,agent_version:v1",
            "x-forwarded-for: 1.1.1.1, 10.1.2.3",
            "x-many: 1",
            "x-many: 2",
            "via: trace-agent v1",
            "x-datadog-container-tags: container:cid,k:_v",
            "dd-api-key: key",
        ]
    );
}

#[test]
fn debugger_tags_travel_in_the_query() {
    let head = head(
        "/debugger/v2/input?ddtags=a:b&x=1",
        &[("x-datadog-additional-tags", "c:d"), ("dd-evp-origin", "theirs")],
    );
    let sent = sent(Kind::Debugger, &head, "http://one:8080/api/v2/debugger?own=1");
    let tags = format!("{HOST},container:cid,k:\nv,c:d,a:b");
    let query = tagged_query("x=1", &tags);
    assert_eq!(sent[0], format!("http://one:8080/api/v2/debugger?{query}"));
    for line in [
        "x-datadog-additional-tags: c:d",
        "dd-evp-origin: agent-debugger",
        "dd-request-id: uuid",
        "x-forwarded-for: 10.1.2.3",
        "dd-api-key: key",
    ] {
        assert!(sent.iter().any(|sent| sent == line), "{line} in {sent:?}");
    }
    assert!(!sent.iter().any(|line| line.starts_with("via")), "{sent:?}");
}

#[test]
fn symbols_carry_tags_in_a_header_and_keep_their_query() {
    let head = head("/symdb/v1/input?ddtags=a:b", &[("x-datadog-additional-tags", "c:d")]);
    let sent = sent(Kind::Symdb, &head, "https://two/api/v2/debugger?own=1");
    assert_eq!(sent[0], "https://two/api/v2/debugger?ddtags=a:b");
    let tags = format!("x-datadog-additional-tags: {HOST},container:cid,k:_v,c:d,a:b");
    assert!(sent.contains(&tags), "{sent:?}");
    assert!(sent.contains(&"dd-evp-origin: agent-symdb".to_owned()), "{sent:?}");
}

#[test]
fn events_get_what_is_allowed_and_nothing_else() {
    let head = head(
        "/evp_proxy/v4/api/v2/llmobs?a=b",
        &[
            ("x-datadog-evp-subdomain", "llmobs-intake"),
            ("x-datadog-needsappkey", "True"),
            ("content-type", "application/json"),
            ("content-encoding", "gzip"),
            ("dd-evp-origin", "ours"),
            ("unexpected-header", "x"),
            ("cookie", "c"),
            ("x-forwarded-for", "1.1.1.1"),
            ("dd-api-key", "theirs"),
        ],
    );
    assert_eq!(
        sent(Kind::Evp, &head, "https://datadoghq.com"),
        [
            "https://llmobs-intake.datadoghq.com/api/v2/llmobs?a=b",
            "via: trace-agent v1",
            "content-type: application/json",
            "content-encoding: gzip",
            "dd-evp-origin: ours",
            "datadog-container-id: cid",
            "x-datadog-container-tags: container:cid,k:_v",
            "x-datadog-hostname: myhost",
            "x-datadog-agentdefaultenv: test",
            "x-datadog-timeout: 30",
            "dd-api-key: key",
            "dd-application-key: app",
        ]
    );
}

#[test]
fn lineage_is_authorised_by_a_bearer() {
    let head = head(
        "/openlineage/api/v1/lineage",
        &[("authorization", "Bearer theirs"), ("dd-api-key", "theirs")],
    );
    let sent = sent(Kind::OpenLineage, &head, "https://ol/api/v1/lineage?api-version=2");
    assert_eq!(sent[0], "https://ol/api/v1/lineage?api-version=2");
    assert!(sent.contains(&"authorization: Bearer key".to_owned()), "{sent:?}");
    assert!(!sent.iter().any(|line| line.contains("theirs") || line.starts_with("dd-api-key")));
}

#[test]
fn telemetry_says_who_and_where() {
    let mut head = head("/telemetry/proxy/api/v2/apmtelemetry?x=1", &[("x-forwarded-for", "1")]);
    let url = "https://instrumentation-telemetry-intake.x";
    let first = sent(Kind::Telemetry, &head, url);
    assert_eq!(first[0], format!("{url}/api/v2/apmtelemetry?x=1"));
    for line in [
        "via: trace-agent v1",
        "dd-agent-hostname: myhost",
        "dd-agent-env: test",
        "datadog-container-id: cid",
        "dd-agent-install-id: id",
        "dd-agent-install-type: manual",
        "dd-agent-install-time: 7",
        "dd-api-key: key",
    ] {
        assert!(first.iter().any(|sent| sent == line), "{line} in {first:?}");
    }
    assert!(!first.iter().any(|line| line.starts_with("x-forwarded") || line.contains("cloud")));
    head.origin.container_tags = "a:b,task_arn:arn:aws:1,c".into();
    let fargate = sent(Kind::Telemetry, &head, url);
    for line in [
        "dd-cloud-provider: AWS",
        "dd-cloud-resource-type: AWSFargate",
        "dd-cloud-resource-identifier: arn:aws:1",
    ] {
        assert!(fargate.iter().any(|sent| sent == line), "{line} in {fargate:?}");
    }
    head.origin.container_tags.clear();
    let global_tags = vec!["origin:appservice".into(), "app_name:site".into()];
    let azure = sent_by(&Settings { global_tags, ..settings() }, Kind::Telemetry, &head, url);
    assert!(azure.contains(&"dd-cloud-resource-identifier: site".to_owned()), "{azure:?}");
}

#[test]
fn unix_sockets_have_no_address_and_request_ids_differ() {
    let mut head = head("/tracer_flare/v1", &[("x-forwarded-for", "1.1.1.1")]);
    head.peer = Peer::Unix(None);
    assert_eq!(
        sent(Kind::TracerFlare, &head, "https://flare/x"),
        ["https://flare/x", "x-forwarded-for: 1.1.1.1", "dd-api-key: key"]
    );
    let (one, two) = (request_id(), request_id());
    assert_ne!(one, two);
    assert_eq!((one.len(), one.get(14..15)), (36, Some("4")));
}

proptest! {
    #[test]
    fn keys_of_clients_and_hops_never_leave(
        path in "/(evp_proxy/v[1-4]|telemetry/proxy|debugger/v2)/[ -~]{0,20}",
        lines in proptest::collection::vec(
            "(dd-api-key|authorization|connection|te|upgrade|keep-alive|proxy-authorization|\
             x-datadog-evp-subdomain|x-datadog-additional-tags|x-[a-c]): [ -~]{0,20}",
            0..12,
        ),
    ) {
        check_head_bytes(format!("{path}\n{}", lines.join("\n")).as_bytes());
    }
}
