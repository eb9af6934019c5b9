//! Every route: what leaves, and what comes back.

use std::io::Write;
use std::net::UdpSocket;

use bed::{Bed, Upstream, UpstreamAnswer as Answer, UpstreamRequest};
use rustix::process::Signal;

use crate::client::{ask, connect, head};
use crate::{proxy, settings, with_second};

const KEY: &str = "0123456789abcdef0123456789abcdef";
const TAGS: &str = "host:bed,default_env:test,agent_version:7.82.0";

/// Headers that every request here has, of the client.
const CLIENT: [&str; 7] = [
    "Content-Type: multipart/form-data; boundary=b",
    "User-Agent: dd-trace/1",
    "Connection: keep-alive, X-Hop",
    "X-Hop: 1",
    "DD-API-KEY: theirs",
    "X-Many: 1",
    "X-Many: 2",
];

/// The headers that came, without the length.
fn shown(received: &UpstreamRequest, id: &str) -> Vec<String> {
    let lines = received.headers.iter().map(|line| match line.split_once(": ") {
        Some(("Dd-Request-Id", value)) => {
            assert_eq!(value.len(), 36, "{value}");
            format!("Dd-Request-Id: {id}")
        }
        _ => line.clone(),
    });
    lines.collect()
}

#[test]
fn each_route_sends_what_the_intake_expects() {
    let bed = Bed::new();
    let upstream = Upstream::start(Answer::Status(202, "{\"ok\":1}"));
    let agent = bed.start(&settings(&bed, &upstream));
    let host = format!("Host: {}", upstream.authority());
    let client = [
        "Content-Type: multipart/form-data; boundary=b",
        "User-Agent: dd-trace/1",
        "X-Many: 1",
        "X-Many: 2",
        "Content-Length: 9",
    ];
    let key = format!("Dd-Api-Key: {KEY}");
    let bearer = format!("Authorization: Bearer {KEY}");
    let tags = format!("X-Datadog-Additional-Tags: {TAGS}");
    let forwarded = "X-Forwarded-For: 127.0.0.1";
    let via = "Via: trace-agent 7.82.0";
    let id = "Dd-Request-Id: id";
    let debugger = "Dd-Evp-Origin: agent-debugger";
    let symdb = "Dd-Evp-Origin: agent-symdb";
    let encoded = "ddtags=host%3Abed%2Cdefault_env%3Atest%2Cagent_version%3A7.82.0";
    let tagged_path = |path: &str, more: &str| format!("{path}?{encoded}{more}");
    type Row<'r> = (&'r str, u16, String, Vec<&'r str>);
    let rows: Vec<Row<'_>> = vec![
        (
            "/profiling/v1/input?dropped=1",
            200,
            "/api/v2/profile".into(),
            vec![forwarded, via, &tags, &key, &host],
        ),
        (
            "/debugger/v1/input?ddtags=a:b&x=1",
            202,
            tagged_path("/api/v2/logs", "%2Ca%3Ab&x=1"),
            vec![forwarded, id, debugger, &key, &host],
        ),
        (
            "/debugger/v1/diagnostics",
            202,
            tagged_path("/api/v2/debugger", ""),
            vec![forwarded, id, debugger, &key, &host],
        ),
        (
            "/debugger/v2/input",
            202,
            tagged_path("/api/v2/debugger", ""),
            vec![forwarded, id, debugger, &key, &host],
        ),
        (
            "/symdb/v1/input?y=2",
            202,
            "/api/v2/debugger?y=2".into(),
            vec![forwarded, id, symdb, &tags, &key, &host],
        ),
        (
            "/openlineage/api/v1/lineage?dropped=1",
            202,
            "/api/v1/lineage?api-version=2".into(),
            vec![forwarded, via, &tags, &bearer, &host],
        ),
        (
            "/v0.1/pipeline_stats",
            202,
            "/api/v0.1/pipeline_stats".into(),
            vec![forwarded, via, &tags, &key, &host],
        ),
        ("/tracer_flare/v1", 202, "/flare".into(), vec![forwarded, &key, &host]),
    ];
    for (path, status, upstream_path, added) in rows {
        let said = ask(&bed, path, &CLIENT, b"--b\r\nbody");
        assert_eq!((said.status, said.body.as_str()), (status, "{\"ok\":1}"), "{path}");
        assert!(said.head.contains("X-Intake: yes"), "{}", said.head);
        assert!(said.head.contains("Datadog-Agent-Version: 7.82.0"), "{}", said.head);
        assert!(!said.head.contains("Keep-Alive"), "{}", said.head);
        let received = upstream.next();
        assert_eq!(received.line, format!("POST {upstream_path} HTTP/1.1"));
        assert_eq!(received.body, b"--b\r\nbody");
        let expected: Vec<&str> = client.into_iter().chain(added).collect();
        assert_eq!(shown(&received, "id"), expected, "{path}");
    }
    let info = ask(&bed, "/info", &[], b"").body;
    for path in ["/profiling/v1/input", "/telemetry/proxy/", "/evp_proxy/v4/", "/symdb/v1/input"] {
        assert!(info.contains(&format!("\"{path}\"")), "{path} in {info}");
    }
    let snapshot = agent.wait_status("all counted", |now| proxy(now, "tracer_flare").requests == 1);
    let profiling = proxy(&snapshot, "profiling");
    assert_eq!((profiling.requests, profiling.answers["2xx"]), (1, 1));
    assert_eq!((profiling.bytes_in, profiling.bytes_out), (9, 8));
    let text = String::from_utf8(agent.command(&["status"]).stdout).expect("text");
    assert!(text.contains("Proxies") && text.contains("debugger_diagnostics"), "{text}");
    bed.finish(agent);
}

#[test]
fn what_is_off_says_so_and_events_are_validated() {
    let bed = Bed::new();
    let upstream = Upstream::start(Answer::Status(200, ""));
    let settings = settings(&bed, &upstream)
        .set("logs_enabled", false)
        .set("apm_config.symdb_dd_url", "nowhere")
        .set("apm_config.telemetry.enabled", false)
        .set("ol_proxy_config.enabled", false);
    let agent = bed.start(&settings);
    for path in ["/debugger/v1/input", "/debugger/v2/input"] {
        let dropped = ask(&bed, path, &[], b"[]");
        assert_eq!((dropped.status, dropped.body.as_str()), (200, ""), "{path}");
    }
    let off = ask(&bed, "/symdb/v1/input", &[], b"[]");
    let text = "SymDB Proxy is OFF: error parsing symbol database intake URL nowhere: no scheme\n";
    assert_eq!((off.status, off.body.as_str()), (500, text));
    assert!(off.head.contains("X-Content-Type-Options: nosniff"), "{}", off.head);
    let off = ask(&bed, "/openlineage/api/v1/lineage", &[], b"[]");
    let text = "OpenLineage forwarder is OFF: Has been disabled in config\n";
    assert_eq!((off.status, off.body.as_str()), (500, text));
    assert_eq!(ask(&bed, "/telemetry/proxy/api/v2/apmtelemetry", &[], b"{}").status, 404);
    for (subdomain, path) in [
        ("X-No: 1", "/evp_proxy/v2/a"),
        ("X-Datadog-EVP-Subdomain: /google.com%3Fattack=", "/evp_proxy/v2/a"),
        ("X-Datadog-EVP-Subdomain: ok", "/evp_proxy/v2/my%20path"),
        ("X-Datadog-EVP-Subdomain: ok", "/evp_proxy/v2/a?test=bad%20arg"),
    ] {
        let refused = ask(&bed, path, &[subdomain], b"{}");
        assert_eq!((refused.status, refused.body.as_str()), (502, ""), "{subdomain} {path}");
    }
    let info = ask(&bed, "/info", &[], b"").body;
    for path in ["/telemetry/proxy/", "/symdb/v1/input", "/openlineage/api/v1/lineage"] {
        assert!(!info.contains(&format!("\"{path}\"")), "{path} in {info}");
    }
    let snapshot = agent.wait_status("counted", |now| proxy(now, "evp").requests == 4);
    assert_eq!(proxy(&snapshot, "evp").refused["invalid"], 4);
    assert_eq!(proxy(&snapshot, "symdb").refused["off"], 1);
    assert_eq!(upstream.begun(), 0);
    bed.finish(agent);
}

#[test]
fn lines_of_dogstatsd_reach_the_lanes() {
    let bed = Bed::new();
    let upstream = Upstream::start(Answer::Status(200, ""));
    let agent = bed.start(&settings(&bed, &upstream));
    let body = b"daemon:666|g|#sometag1:somevalue1,sometag2:somevalue2\n_e{21,36}:An exception \
        occurred|Cannot parse CSV file from\\n10.0.0.17|t:warning|#err_type:bad_file";
    for path in ["/dogstatsd/v1/proxy", "/dogstatsd/v2/proxy"] {
        let taken = ask(&bed, path, &[], body);
        assert_eq!((taken.status, taken.body.as_str()), (200, ""), "{path}");
    }
    // More than a ring of a lane holds, in lines of many lengths.
    let many: String = (0..200_000).map(|n| format!("many.{}:{n}|c\n", n % 100)).collect();
    assert_eq!(ask(&bed, "/dogstatsd/v2/proxy", &[], many.as_bytes()).status, 200);
    let snapshot =
        agent.wait_status("all lines", |now| now.total(signal::Counter::MetricLines) == 200_002);
    assert_eq!(snapshot.total(signal::Counter::Events), 2);
    assert_eq!(proxy(&snapshot, "dogstatsd").bytes_in, (2 * body.len() + many.len()) as u64);
    bed.finish(agent);
}

#[test]
fn a_rotated_key_counts_from_the_next_request_on() {
    let bed = Bed::new();
    let upstream = Upstream::start(Answer::Status(200, ""));
    let settings = settings(&bed, &upstream);
    let agent = bed.start(&settings);
    ask(&bed, "/profiling/v1/input", &[], b"one");
    assert_eq!(upstream.next().header("dd-api-key"), Some(KEY));
    let rotated = "fedcba9876543210fedcba9876543210";
    agent.configure(&settings.set("api_key", rotated));
    agent.signal(Signal::HUP);
    let is_rotated = bed::wait_for(bed::WAIT_MAX, || {
        ask(&bed, "/profiling/v1/input", &[], b"two");
        (upstream.next().header("dd-api-key") == Some(rotated)).then_some(())
    });
    assert!(is_rotated.is_some(), "{}", agent.log());
    bed.finish(agent);
}

#[test]
fn a_copy_goes_to_each_further_destination() {
    let bed = Bed::new();
    let first = Upstream::start(Answer::Status(500, "broken"));
    let second = Upstream::start(Answer::Status(200, "fine"));
    let agent = bed.start(&with_second(settings(&bed, &first), &second));
    let body = vec![b'x'; 3 << 20];
    let said = ask(&bed, "/profiling/v1/input", &[], &body);
    assert_eq!((said.status, said.body.as_str()), (500, "broken"));
    let (main, copy) = (first.next(), second.next());
    assert_eq!((main.body_bytes, copy.body_bytes), (Some(3 << 20), Some(3 << 20)));
    assert_eq!(main.checksum, copy.checksum);
    assert_eq!(copy.line, "POST /second HTTP/1.1");
    assert_eq!(copy.header("dd-api-key"), Some("k2"));
    let snapshot = agent.wait_status("the copy", |now| proxy(now, "profiling").copies_sent == 1);
    assert_eq!(proxy(&snapshot, "profiling").answers["5xx"], 1);
    bed.finish(agent);
}

#[test]
fn an_answer_comes_as_it_is_made() {
    use std::io::Read;
    let bed = Bed::new();
    let upstream = Upstream::start(Answer::InPieces("Hello", "World"));
    let agent = bed.start(&settings(&bed, &upstream));
    let mut stream = connect(&bed);
    stream.write_all(head("/profiling/v1/input", &[], 0).as_bytes()).expect("a head");
    let mut seen = Vec::new();
    while !seen.ends_with(b"Hello\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("the first piece");
        seen.push(byte[0]);
    }
    upstream.go_on();
    let mut rest = [0; 15];
    stream.read_exact(&mut rest).expect("the second piece");
    assert_eq!(&rest, b"5\r\nWorld\r\n0\r\n\r\n");
    drop(stream);
    bed.finish(agent);
}

#[test]
fn lanes_serve_datagrams_beside() {
    let bed = Bed::new();
    let upstream = Upstream::start(Answer::Stall);
    let agent = bed.start(&settings(&bed, &upstream));
    let mut stalled = connect(&bed);
    stalled.write_all(head("/profiling/v1/input", &[], 1 << 30).as_bytes()).expect("a head");
    upstream.wait_begun(1);
    let udp = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    for _ in 0..100 {
        udp.send_to(b"during:1|c", ("127.0.0.1", bed.port())).expect("sent");
    }
    agent.wait_status("all lines", |now| now.total(signal::Counter::MetricLines) == 100);
    drop(stalled);
    upstream.go_on();
    bed.finish(agent);
}

#[test]
fn log_files_that_somebody_reads_are_refused() {
    let bed = Bed::new();
    let upstream = Upstream::start(Answer::Status(202, ""));
    let settings = settings(&bed, &upstream)
        .set("corelane.proxy.tailed_files", serde_json::json!(["/var/log/shop/*.log", "/tmp/a"]));
    let agent = bed.start(&settings);
    let read =
        ["LOG_FILES: /var/log/shop//web.log", "LOG_FILES: /etc/motd", "LOG_FILES: /tmp/[ab]"];
    let refused = ask(&bed, "/debugger/v1/input", &read, b"[]");
    let text = "log files already consumed: /var/log/shop/web.log, /tmp/[ab]\n";
    assert_eq!((refused.status, refused.body.as_str()), (409, text));
    // Other files, and other routes, are passed on.
    let other = ask(&bed, "/debugger/v1/input", &["LOG_FILES: /var/log/shop/web.txt"], b"[]");
    assert_eq!((other.status, ask(&bed, "/debugger/v2/input", &read, b"[]").status), (202, 202));
    let snapshot = agent.wait_status("counted", |now| proxy(now, "debugger").requests == 1);
    assert_eq!(proxy(&snapshot, "debugger_logs").refused["log_files"], 1);
    bed.finish(agent);
}

#[test]
fn on_fargate_the_host_has_no_name_and_the_orchestrator_is_told() {
    let bed = Bed::new();
    let upstream = Upstream::start(Answer::Status(202, ""));
    let settings = settings(&bed, &upstream).without("hostname").set("eks_fargate", true);
    let agent = bed.start(&settings);
    let tags = "host:,default_env:test,agent_version:7.82.0";
    let with_orchestrator = format!("{tags},orchestrator:fargate_eks");
    for (path, tags) in [
        ("/profiling/v1/input", with_orchestrator.as_str()),
        ("/symdb/v1/input", &with_orchestrator),
        ("/v0.1/pipeline_stats", &with_orchestrator),
        ("/openlineage/api/v1/lineage", tags),
    ] {
        ask(&bed, path, &[], b"x");
        assert_eq!(upstream.next().header("x-datadog-additional-tags"), Some(tags), "{path}");
    }
    ask(&bed, "/debugger/v2/input", &[], b"x");
    assert!(upstream.next().query.ends_with("%2Corchestrator%3Afargate_eks"));
    assert!(agent.log().contains("host name \"\", from fargate"), "{}", agent.log());
    bed.finish(agent);
}

#[test]
fn info_follows_what_a_reload_switches() {
    let bed = Bed::new();
    let upstream = Upstream::start(Answer::Status(200, ""));
    let settings = settings(&bed, &upstream);
    let agent = bed.start(&settings);
    let state = |said: &crate::client::Said| {
        let state = said.head.lines().find_map(|line| line.strip_prefix("Datadog-Agent-State: "));
        state.expect("every answer has it").to_owned()
    };
    let lists = |path: &str| ask(&bed, "/info", &[], b"").body.contains(&format!("\"{path}\""));
    let before = state(&ask(&bed, "/profiling/v1/input", &[], b"one"));
    assert!(lists("/evp_proxy/v4/") && lists("/telemetry/proxy/"));
    agent.configure(
        &settings.set("evp_proxy_config.enabled", false).set("apm_config.telemetry.enabled", false),
    );
    agent.signal(Signal::HUP);
    // Both lanes tell the news: each connection may come to either.
    let is_told = bed::wait_for(bed::WAIT_MAX, || {
        let news = || {
            let is_new = state(&ask(&bed, "/profiling/v1/input", &[], b"two")) != before;
            is_new && !lists("/evp_proxy/v4/") && !lists("/telemetry/proxy/")
        };
        (0..8).all(|_| news()).then_some(())
    });
    assert!(is_told.is_some(), "{}", agent.log());
    assert!(lists("/profiling/v1/input"));
    assert_eq!(ask(&bed, "/evp_proxy/v4/a", &["X-Datadog-EVP-Subdomain: a"], b"").status, 405);
    assert_eq!(ask(&bed, "/telemetry/proxy/api/v2/apmtelemetry", &[], b"{}").status, 404);
    bed.finish(agent);
}

#[test]
fn a_flare_arrives_with_all_its_fields() {
    let bed = Bed::new();
    let upstream = Upstream::start(Answer::Status(200, "{\"case_id\":123}"));
    let agent = bed.start(&settings(&bed, &upstream));
    // As a tracer writes it: the fields in their order, then an archive of any bytes.
    const BOUNDARY: &str = "83CAD6AA-8A24-462C-8B3D-FF9CC683B51B";
    let mut body = Vec::new();
    for (name, value) in [
        ("source", "tracer_rust"),
        ("case_id", "123"),
        ("hostname", "web01"),
        ("email", "a@b.test"),
        ("uuid", "d53fc8a4-8820-47a2-aa7d-d565582feb81"),
    ] {
        let part = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        );
        body.extend_from_slice(part.as_bytes());
    }
    let head = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"flare_file\"; \
         filename=\"tracer-rust-123-1700000000-debug.zip\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    );
    body.extend_from_slice(head.as_bytes());
    body.extend((0..=u8::MAX).cycle().take(300_000));
    body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    let media = format!("Content-Type: multipart/form-data; boundary={BOUNDARY}");
    let said = ask(&bed, "/tracer_flare/v1", &[&media], &body);
    assert_eq!((said.status, said.body.as_str()), (200, "{\"case_id\":123}"));
    let received = upstream.next();
    assert!(received.body == body, "every byte, boundaries too");
    assert!(received.headers.contains(&media), "{:?}", received.headers);
    assert_eq!(received.header("dd-api-key"), Some(KEY));
    bed.finish(agent);
}
