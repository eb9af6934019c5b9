//! Every route, encoding and refusal.

use std::io::Write;
use std::sync::{Arc, Mutex, mpsc};

use intake::{Intake, MetricKind, OnRequest, Options, Route, Rule, print};
use proptest::prelude::*;

use crate::client::{KEY, get, head, post, request, series, start};

fn bytes(hex: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).unwrap();
    let byte = |pair: &[u8]| u8::try_from(digit(pair[0]) << 4 | digit(pair[1])).unwrap();
    hex.as_bytes().chunks(2).map(byte).collect()
}

/// spec: metrics-intake §11.1 to §11.4
fn vectors() -> [(Route, Vec<u8>); 4] {
    [
        (
            Route::SeriesV2,
            "0a490a0d0a04686f737412057765622d31120a706167652e76696577731a08656e763a70726f641a03613a\
             62220f09cdcccccccccc10401080e2cfaa0628023a00400a4a060a04200a280a",
        ),
        (
            Route::SketchesV2,
            "0a590a036c617412057765622d312208656e763a70726f643a390880e2cfaa06100319000000000000f03f\
             2100000000000008402900000000000000403100000000000018403a06f414ce158216420301010142060a\
             04200a280a1200",
        ),
        (
            Route::SeriesV3,
            "1ab6010a1c0a706167652e766965777305712e6c656e076c61742e617667027570120d08656e763a70726f\
             6403613a621a050402020202220b04686f7374057765622d312a01013201023a01044a030a0a0052053213\
             a304035a04020202026204020200036a040200000072040a0a0a0a7a040101010182010880c49fd50c0000\
             008a01010e9201040000003f9a0108cdcccccccccc1040ba010400000000c2010402000000ca010c0b6d69\
             6c6c697365636f6e64d2010102",
        ),
        (
            Route::EventsBatch,
            "0a2b0a01741201781880e2cfaa0622066e6f726d616c2a057765622d313208656e763a70726f643a04696e\
             666f",
        ),
    ]
    .map(|(route, hex)| (route, bytes(hex)))
}

#[test]
fn the_vectors_of_the_specification_arrive_without_a_violation() {
    let intake = start();
    for (route, body) in vectors() {
        let reply = post(&intake, route, &body, &[]).unwrap();
        assert_eq!(reply.status, 202, "{route:?}: {reply:?}");
    }
    let (_, series_v3) = &vectors()[2];
    let beta = post(&intake, Route::SeriesV3Beta, series_v3, &[]).unwrap();
    assert_eq!(beta.status, 202);
    let totals = intake.store().totals();
    assert_eq!((totals.series, totals.sketches, totals.points, totals.events), (9, 1, 10, 1));
    // page.views on three routes is one context.
    assert_eq!(totals.contexts, 5);
    assert_eq!(intake.store().violations(), []);
    let sketch = &intake.store().metrics_named("lat")[0];
    assert_eq!((sketch.kind, sketch.total()), (MetricKind::Sketch, 3.0));
    assert!((intake.store().total_of("page.views") - 3.0 * 42.0).abs() < 1e-9);
}

#[test]
fn the_json_routes_take_their_bodies() {
    let intake = start();
    let check = br#"[{"check":"agent.up","host_name":"web-1","timestamp":1700000000,"status":0,
        "message":"","tags":null}]"#;
    let events = br#"{"apiKey":"","events":{"api":[{"msg_title":"t","msg_text":"x",
        "timestamp":1700000000,"host":"web-1"}]},"internalHostname":"web-1"}"#;
    let host = serde_json::json!({
        "apiKey": KEY, "internalHostname": "web-1", "agentVersion": "7.0.0", "os": "linux",
        "agent-flavor": "agent", "systemStats": {}, "gohai": "{}",
        "meta": {"hostname": "web-1", "socket-hostname": "web-1"}, "host-tags": {"system": []},
    });
    let host = host.to_string();
    for (route, body) in [
        (Route::SeriesV1, &series("page.views", 1_700_000_000, 4.2)[..]),
        (Route::CheckRun, check),
        (Route::Intake, events),
        (Route::Intake, host.as_bytes()),
        (Route::Metadata, br#"{"hostname":"web-1"}"#),
    ] {
        let reply = post(&intake, route, body, &[]).unwrap();
        assert_eq!((reply.status, reply.json()["status"].as_str()), (202, Some("ok")), "{route:?}");
    }
    assert_eq!(intake.store().violations(), []);
    let totals = intake.store().totals();
    assert_eq!((totals.points, totals.checks, totals.events, totals.metadata), (1, 1, 1, 2));
    let name = intake.store().read(|contents| contents.host_metadata().cloned());
    assert_eq!(name.unwrap()["internalHostname"], "web-1");
}

#[test]
fn keys_are_validated() {
    let intake = Intake::start(Options { keys: vec![KEY.into()], ..Options::default() }).unwrap();
    let validate = |key: &str| {
        let line = format!("GET /api/v1/validate?api_key={key} HTTP/1.1\r\nHost: x\r\n");
        let reply = request(intake.addr(), &(line + "User-Agent: a/1\r\n\r\n"), b"").unwrap();
        reply.status
    };
    assert_eq!([validate(KEY), validate("other")], [200, 403]);
    assert_eq!(post(&intake, Route::SeriesV1, &series("a", 1, 1.0), &[]).unwrap().status, 202);
    intake.set_keys(vec!["other".into()]);
    assert_eq!([validate(KEY), validate("other")], [403, 200]);
    assert_eq!(post(&intake, Route::SeriesV1, &series("a", 2, 1.0), &[]).unwrap().status, 403);
    assert_eq!(intake.store().totals().points, 1);
    assert_eq!(intake.store().violations(), []);
}

#[test]
fn a_request_without_a_key_is_a_violation() {
    let intake = start();
    let head = "POST /api/v1/series HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(request(intake.addr(), head, b"").unwrap().status, 403);
    assert_eq!(intake.store().violations()[0].rule, Rule::Key);
}

#[test]
fn every_encoding_is_taken() {
    let intake = start();
    let plain = series("a", 1_700_000_000, 1.0);
    let half = plain.len() / 2;
    let frames =
        [&plain[..half], &plain[half..]].map(|part| zstd::bulk::compress(part, 1).unwrap());
    let mut zlib = flate2::write::ZlibEncoder::new(vec![], flate2::Compression::fast());
    zlib.write_all(&series("b", 1_700_000_000, 1.0)).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
    gzip.write_all(&series("c", 1_700_000_000, 1.0)).unwrap();
    for (encoding, body) in [
        ("zstd", frames.concat()),
        ("deflate", zlib.finish().unwrap()),
        ("gzip", gzip.finish().unwrap()),
        ("identity", series("d", 1_700_000_000, 1.0)),
    ] {
        let reply = post(&intake, Route::SeriesV1, &body, &[("Content-Encoding", encoding)]);
        assert_eq!(reply.unwrap().status, 202, "{encoding}");
    }
    assert_eq!(intake.store().totals().contexts, 4);
    assert_eq!(intake.store().violations(), []);
}

#[test]
fn refusals_say_why() {
    let intake = start();
    let bomb = zstd::bulk::compress(&vec![0; 6_000_000], 1).unwrap();
    let large = vec![0; 512_001];
    for (route, body, encoding, status, why) in [
        (Route::SeriesV2, &bomb[..], "zstd", 413, "decompressed body is larger than 5242880"),
        (Route::SeriesV2, &large, "identity", 413, "compressed body is larger than 512000"),
        (Route::SeriesV2, b"\x0a\x05abc", "identity", 400, "protobuf message: ends inside"),
        (
            Route::SeriesV3,
            b"\x1a\x03\x52\x01\x03",
            "identity",
            400,
            "nameRefs: a metric has no name",
        ),
        (Route::SeriesV1, b"{", "identity", 400, "JSON"),
        (Route::SeriesV1, b"xx", "zstd", 400, "not valid zstd"),
        (Route::SeriesV1, b"{}", "br", 415, "\"br\" is not known"),
    ] {
        let reply = post(&intake, route, body, &[("Content-Encoding", encoding)]).unwrap();
        let error = reply.json()["errors"][0].as_str().unwrap().to_owned();
        assert_eq!(reply.status, status, "{error}");
        assert!(error.contains(why), "{error}, not {why}");
    }
    let totals = intake.store().totals();
    assert_eq!((totals.accepted, totals.request_count()), (0, 7));
    assert_eq!(totals.violations[&Rule::TooLarge], 2);
    assert_eq!(totals.violations[&Rule::Undecodable], 5);
}

#[test]
fn unknown_paths_and_methods_are_refused() {
    let intake = start();
    assert_eq!(get(&intake, "/api/v9/series").unwrap().status, 404);
    assert_eq!(get(&intake, "/api/v2/series").unwrap().status, 405);
    assert_eq!(intake.store().totals().requests[&("unknown", 404)], 1);
}

#[test]
fn wrong_headers_are_violations() {
    let intake = start();
    let body = series("a", 1, 1.0);
    let head = head("POST", "/api/v1/series", body.len(), &[("Content-Type", "text/plain")]);
    assert_eq!(request(intake.addr(), &head, &body).unwrap().status, 202);
    let violations = intake.store().violations();
    assert_eq!(violations[0].rule, Rule::Header);
    assert!(violations[0].detail.contains("text/plain"), "{violations:?}");
}

#[test]
fn each_request_is_told_to_the_listener_and_printed() {
    let (told, heard) = mpsc::channel();
    let on_request = move |exchange: &intake::Exchange| {
        let mut lines = vec![print::summary(exchange)];
        lines.extend(print::details(exchange));
        told.send(lines).unwrap();
    };
    let options = Options { on_request: Some(Box::new(on_request)), ..Options::default() };
    let intake = Intake::start(options).unwrap();
    post(&intake, Route::SeriesV2, &vectors()[0].1, &[]).unwrap();
    let lines = heard.recv().unwrap();
    assert_eq!(
        lines,
        [
            "POST /api/v2/series -> 202, 1 series, 1 points, 75 B identity of 75 B, key ***bcdef, \
             datadog-agent/7.0.0",
            "rate   page.views 4.2@1700000000 per 10 s on web-1 [a:b, env:prod]",
        ]
    );
    post(&intake, Route::SketchesV2, &vectors()[1].1, &[]).unwrap();
    let lines = heard.recv().unwrap();
    assert_eq!(lines[1], "sketch lat n=3 min=1 max=3 sum=6 bins=3@1700000000 on web-1 [env:prod]");
    get(&intake, "/%1b[2J").unwrap();
    let line = &heard.recv().unwrap()[0];
    assert!(line.starts_with("GET /%1b[2J -> 404"), "{line}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn any_body_gets_an_answer(
        route in proptest::sample::select(&Route::ALL[..Route::ALL.len() - 1]),
        encoding in proptest::sample::select(vec!["identity", "zstd", "deflate", "gzip", "x"]),
        body in proptest::collection::vec(any::<u8>(), 0..100),
        is_compressed in any::<bool>(),
    ) {
        let intake = start();
        let (encoding, body) = if is_compressed {
            ("zstd", zstd::bulk::compress(&body, 1).unwrap())
        } else {
            (encoding, body)
        };
        let reply = post(&intake, route, &body, &[("Content-Encoding", encoding)]).unwrap();
        prop_assert!([202, 400, 415].contains(&reply.status), "{:?}", reply);
        intake.stop();
    }
}

#[test]
fn what_tracers_send_is_counted_and_shown_but_not_decoded() {
    let lines = Arc::<Mutex<Vec<String>>>::default();
    let shown = Arc::clone(&lines);
    let on_request: OnRequest = Box::new(move |exchange| {
        shown.lock().unwrap().push(print::summary(exchange));
    });
    let options = Options { on_request: Some(on_request), ..Options::default() };
    let intake = Intake::start(options).unwrap();
    let kind = [("DD-Telemetry-Request-Type", "app-started")];
    for (path, more, name) in [
        ("/api/v2/profile", &[][..], "profile"),
        ("/api/v2/debugger", &[("DD-EVP-ORIGIN", "agent-symdb")], "debugger"),
        ("/api/v2/apmtelemetry", &kind, "telemetry"),
        ("/api/v2/citestcycle", &[], "events_of_tracers"),
    ] {
        let body = b"any bytes";
        let reply = request(intake.addr(), &head("POST", path, body.len(), more), body).unwrap();
        assert_eq!((reply.status, reply.body.as_str()), (202, "{}"), "{path}");
        assert_eq!(intake.store().totals().passed()[name], 1);
    }
    let totals = intake.store().totals();
    assert_eq!((totals.request_count(), totals.encoded_bytes, totals.points), (4, 36, 0));
    assert_eq!(totals.violation_count(), 0);
    let lines = lines.lock().unwrap().clone();
    let telemetry = "POST /api/v2/apmtelemetry -> 202, telemetry intake app-started, 9 B";
    assert!(lines[2].starts_with(telemetry), "{lines:?}");
    let keyless = "POST /api/v2/profile HTTP/1.1\r\nHost: intake\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(request(intake.addr(), keyless, b"").unwrap().status, 403);
}
