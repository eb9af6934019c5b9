//! Calls of gRPC that go wrong, which an SDK does not make by itself. spec: otlp §1.2

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use context::Keys;
use corelane_ingest::{Ingest, Listener, Outlets, PointSink, Refused, Settings};
use encode::EncodeStats;
use http_body_util::{BodyExt as _, Full};
use hyper::{HeaderMap, Request};
use hyper_util::rt::{TokioExecutor, TokioIo};
use otlp::metrics::{MetricsSettings, Translator};
use signal::{Series, SeriesSink, SketchSeries};

type Names = Arc<Mutex<Vec<String>>>;

/// Keeps the names of what it is handed.
struct Sink(Names);

impl SeriesSink for Sink {
    fn series(&mut self, series: Series<'_>) {
        self.0.lock().unwrap().push(series.context.name.to_string());
    }

    fn sketch(&mut self, sketch: SketchSeries<'_>) {
        self.0.lock().unwrap().push(sketch.context.name.to_string());
    }
}

impl PointSink for Sink {
    fn finish(&mut self) -> EncodeStats {
        EncodeStats::default()
    }
}

struct Bed {
    ingest: Ingest,
    address: SocketAddr,
    names: Names,
}

/// What a call came to: status of HTTP, message, trailers.
struct Called {
    status: u16,
    body: Bytes,
    trailers: HeaderMap,
}

impl Called {
    fn code(&self) -> &str {
        self.trailers.get("grpc-status").map_or("", |code| code.to_str().unwrap())
    }
}

const MESSAGE_BYTES_MAX: usize = 1000;

impl Bed {
    /// Takes metrics and, as they are refused anyway, traces; no logs.
    fn new() -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let names = Names::default();
        let held = Arc::clone(&names);
        let host: Arc<str> = "host".into();
        let settings = MetricsSettings::default();
        let translator = Translator::new(settings, Keys::from_seed(1), &host, 0).unwrap();
        let settings = Settings {
            waiting_bytes_max: 1 << 20,
            logs: None,
            metrics: Some(translator),
            otlp_bytes_max: 1 << 20,
            grpc_bytes_max: MESSAGE_BYTES_MAX,
            takes_otlp_logs: true,
            points_wait: Duration::from_secs(60),
        };
        let outlets = Outlets {
            logs: Box::new(|_, _| {}),
            points: Box::new(move || Box::new(Sink(Arc::clone(&held)))),
            traces: Some(Arc::new(|_| Err(Refused::Full))),
        };
        let ingest = Ingest::start(settings, outlets, vec![Listener::OtlpGrpc(socket)]).unwrap();
        Self { ingest, address, names }
    }

    fn call(&self, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Called {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let stream = tokio::net::TcpStream::connect(self.address).await.unwrap();
            let io = TokioIo::new(stream);
            let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), io);
            let (mut sender, connection) = handshake.await.unwrap();
            tokio::spawn(connection);
            let mut request = Request::post(format!("http://{}{path}", self.address));
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let request = request.body(Full::new(Bytes::from(body))).unwrap();
            let answer = sender.send_request(request).await.unwrap();
            let status = answer.status().as_u16();
            let collected = answer.into_body().collect().await.unwrap();
            let trailers = collected.trailers().cloned().unwrap_or_default();
            Called { status, body: collected.to_bytes(), trailers }
        })
    }

    fn export(&self, service: &str, body: Vec<u8>) -> Called {
        let path = format!("/opentelemetry.proto.collector.{service}/Export");
        self.call(&path, &[("content-type", "application/grpc"), ("te", "trailers")], body)
    }
}

fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[0][..], &length, message].concat()
}

fn metrics(json: &str) -> Vec<u8> {
    let json = format!(r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{json}]}}]}}]}}"#);
    otlp::json::to_protobuf(otlp::Signal::Metrics, json.as_bytes()).unwrap()
}

const METRICS: &str = "metrics.v1.MetricsService";

#[test]
fn a_call_says_what_was_dropped() {
    let bed = Bed::new();
    let good =
        r#"{"name":"good","gauge":{"dataPoints":[{"asInt":"3","timeUnixNano":"1000000000"}]}}"#;
    let bad =
        r#"{"name":"bad","gauge":{"dataPoints":[{"asDouble":"NaN","timeUnixNano":"1000000000"}]}}"#;
    let called = bed.export(METRICS, framed(&metrics(good)));
    assert_eq!((called.status, called.code(), &*called.body), (200, "0", &framed(b"")[..]));
    let called = bed.export(METRICS, framed(&metrics(&format!("{good},{bad}"))));
    let partial = framed(b"\x0a\x0e\x08\x01\x12\x0anot_finite");
    assert_eq!((called.code(), &*called.body), ("0", &*partial));
    bed.ingest.stop();
    assert_eq!(*bed.names.lock().unwrap(), ["good", "good"]);
    let points = bed.ingest.counts().points;
    assert_eq!((points.received, points.translated), (3, 2));
    assert_eq!(points.dropped, [("not_finite", 1)].into());
}

#[test]
fn calls_that_go_wrong_have_the_codes_of_the_spec() {
    let bed = Bed::new();
    let code = |called: Called| called.code().to_owned();
    assert_eq!(code(bed.export("metrics.v1.OtherService", framed(b""))), "12");
    assert_eq!(code(bed.export("logs.v1.LogsService", framed(b""))), "12", "logs are off");
    assert_eq!(code(bed.export(METRICS, framed(b"\x0a\x09"))), "3");
    assert_eq!(code(bed.export(METRICS, b"\x00\x00".to_vec())), "3", "no prefix");
    assert_eq!(code(bed.export(METRICS, framed(&[0; MESSAGE_BYTES_MAX + 1]))), "8");
    let called = bed.export("trace.v1.TraceService", framed(b""));
    assert_eq!(called.code(), "14", "the lanes are full: the client is to come again");
    assert!(called.trailers.contains_key("grpc-message"));
    let grpc = ("content-type", "application/grpc+proto");
    let path = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
    let snappy = bed.call(path, &[grpc, ("grpc-encoding", "snappy")], framed(b""));
    assert_eq!(code(snappy), "12");
    let json = bed.call(path, &[("content-type", "application/json")], b"{}".to_vec());
    assert_eq!((json.status, json.code()), (415, ""));
    let counts = bed.ingest.counts();
    assert_eq!(counts.answers, [(400, 2), (404, 3), (413, 1), (415, 1), (503, 1)].into());
    assert_eq!(counts.bodies_refused, [("too_long", 1)].into());
}
