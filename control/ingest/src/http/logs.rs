//! Logs over HTTP. spec: logs §7.1.

use hyper::body::Incoming;
use hyper::{Method, Request};

use super::body::{Encoding, NoBody, collect, media};
use super::{Answer, Server, text};
use crate::Refused;
use crate::inlet::Kind;

/// Answers one request.
pub(super) async fn answer(server: &Server, request: Request<Incoming>) -> Answer {
    if request.method() != Method::POST {
        return text(405, "method not allowed");
    }
    if !matches!(request.uri().path(), "/v1/input" | "/api/v2/logs") {
        return text(404, "not found");
    }
    let kind = if media(request.headers()) == "text/plain" { Kind::LogLines } else { Kind::Logs };
    let encoding = match Encoding::of(request.headers()) {
        Ok(encoding) => encoding,
        Err(error) => return refuse(error),
    };
    let bytes_max = server.inlet.bytes_max(kind);
    match collect(request.into_body(), encoding, bytes_max, &server.inlet).await {
        Ok(collected) => match server.work(kind, collected).await {
            Ok(Ok(_)) => text(200, "ok"),
            Ok(Err(error)) => text(400, &error),
            Err(Refused::Full) => text(429, "too many requests"),
            Err(_) => text(500, "aggregator unavailable"),
        },
        Err(error) => refuse(error),
    }
}

fn refuse(error: NoBody) -> Answer {
    match error {
        NoBody::TooLong => text(413, "payload too large"),
        NoBody::Full => text(429, "too many requests"),
        NoBody::Broken | NoBody::Corrupt => text(400, "failed to read body"),
        NoBody::Encoding(name) => text(415, &format!("unsupported content encoding {name:?}")),
    }
}
