//! OTLP over HTTP. spec: otlp §1.3.

use hyper::body::Incoming;
use hyper::header::{ALLOW, HeaderValue, RETRY_AFTER};
use hyper::{Method, Request};
use otlp::Signal;

use super::body::{Collected, Encoding, NoBody, collect, media};
use super::code::{INTERNAL, INVALID_ARGUMENT, UNAVAILABLE};
use super::{Answer, Server, text, whole};
use crate::Refused;
use crate::inlet::{Kind, Outcome, Rejected};

/// How a request is written, and its answer is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Protobuf,
    Json,
}

/// Seconds after which a client that was refused may come again.
const RETRY_SECS: HeaderValue = HeaderValue::from_static("1");

/// Answers one request.
pub(super) async fn answer(server: &Server, request: Request<Incoming>) -> Answer {
    let Some(signal) = signal(request.uri().path()).filter(|signal| server.takes(*signal)) else {
        return text(404, "404 page not found");
    };
    if request.method() != Method::POST {
        let mut answer = text(405, "405 method not allowed, supported: [POST]");
        answer.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
        return answer;
    }
    let form = match &*media(request.headers()) {
        "application/x-protobuf" => Form::Protobuf,
        "application/json" => Form::Json,
        _ => {
            let supported = "supported: [application/json, application/x-protobuf]";
            return text(415, &format!("415 unsupported media type, {supported}"));
        }
    };
    let encoding = match Encoding::of(request.headers()) {
        Ok(encoding) => encoding,
        Err(error) => return refuse(form, error),
    };
    let incoming = request.into_body();
    let mut collected =
        match collect(incoming, encoding, server.otlp_bytes_max, &server.inlet).await {
            Ok(collected) => collected,
            Err(error) => return refuse(form, error),
        };
    if form == Form::Json {
        match otlp::json::to_protobuf(signal, &collected.body) {
            Ok(body) => collected.body = body,
            Err(error) => return status(form, 400, INVALID_ARGUMENT, &error.to_string()),
        }
    }
    match server.take(signal, collected).await {
        Ok(Ok(rejected)) => accepted(form, signal, &rejected),
        Ok(Err(error)) => status(form, 400, INVALID_ARGUMENT, &error),
        Err(Refused::Malformed) => {
            status(form, 400, INVALID_ARGUMENT, &Refused::Malformed.to_string())
        }
        Err(Refused::TooLong) => status(form, 400, INVALID_ARGUMENT, "payload too large"),
        Err(error @ (Refused::Full | Refused::Stopped)) => unavailable(form, error),
        Err(error @ Refused::Off) => status(form, 500, INTERNAL, &error.to_string()),
    }
}

fn signal(path: &str) -> Option<Signal> {
    match path {
        "/v1/traces" => Some(Signal::Traces),
        "/v1/metrics" => Some(Signal::Metrics),
        "/v1/logs" => Some(Signal::Logs),
        _ => None,
    }
}

impl Rejected {
    /// The answer to a request that was taken, in protobuf.
    pub(super) fn message(&self) -> Vec<u8> {
        otlp::answer::partial_success(self.count, &self.reason)
    }
}

impl Server {
    /// Whether requests of a signal are wanted.
    pub(super) fn takes(&self, signal: Signal) -> bool {
        match signal {
            Signal::Traces => self.traces.is_some(),
            Signal::Metrics => self.inlet.takes(Kind::OtlpMetrics),
            Signal::Logs => self.inlet.takes(Kind::OtlpLogs),
        }
    }

    /// Hands on a request in protobuf.
    pub(super) async fn take(
        &self,
        signal: Signal,
        collected: Collected,
    ) -> Result<Outcome, Refused> {
        match signal {
            Signal::Traces => {
                let traces = self.traces.as_ref().ok_or(Refused::Off)?;
                if let Err(error) = otlp::check_request(&collected.body) {
                    return Ok(Err(error.to_string()));
                }
                traces(&collected.body)?;
                self.answers.traces();
                Ok(Ok(Rejected::default()))
            }
            Signal::Metrics => self.work(Kind::OtlpMetrics, collected).await,
            Signal::Logs => self.work(Kind::OtlpLogs, collected).await,
        }
    }
}

fn refuse(form: Form, error: NoBody) -> Answer {
    match error {
        NoBody::TooLong => status(form, 400, INVALID_ARGUMENT, "http: request body too large"),
        NoBody::Full => unavailable(form, Refused::Full),
        NoBody::Broken => status(form, 400, INVALID_ARGUMENT, "the body has no end"),
        NoBody::Corrupt => status(form, 400, INVALID_ARGUMENT, "the body is not as it is encoded"),
        NoBody::Encoding(name) => {
            status(form, 415, INVALID_ARGUMENT, &format!("unsupported content encoding {name:?}"))
        }
    }
}

/// An answer that asks to come again.
fn unavailable(form: Form, refused: Refused) -> Answer {
    let mut answer = status(form, 503, UNAVAILABLE, &refused.to_string());
    answer.headers_mut().insert(RETRY_AFTER, RETRY_SECS);
    answer
}

/// An answer of success, with what was dropped.
fn accepted(form: Form, signal: Signal, rejected: &Rejected) -> Answer {
    match form {
        Form::Protobuf => whole(200, "application/x-protobuf", rejected.message().into()),
        Form::Json => {
            let count = match signal {
                Signal::Traces => "rejectedSpans",
                Signal::Metrics => "rejectedDataPoints",
                Signal::Logs => "rejectedLogRecords",
            };
            let partial = match rejected.count {
                0 => serde_json::json!({}),
                rejections => serde_json::json!({
                    count: rejections.to_string(), "errorMessage": rejected.reason,
                }),
            };
            let body = serde_json::json!({ "partialSuccess": partial }).to_string();
            whole(200, "application/json", body.into())
        }
    }
}

/// An answer with the message `google.rpc.Status`.
fn status(form: Form, http: u16, code: u8, message: &str) -> Answer {
    match form {
        Form::Protobuf => {
            whole(http, "application/x-protobuf", otlp::answer::status(code, message).into())
        }
        Form::Json => {
            let body = serde_json::json!({ "code": code, "message": message }).to_string();
            whole(http, "application/json", body.into())
        }
    }
}
