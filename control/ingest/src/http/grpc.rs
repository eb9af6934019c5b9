//! OTLP over gRPC: three unary calls. spec: otlp §1.2.
//!
//! A message is a flag byte, its length in four bytes, and the message; the status comes in the
//! trailers.

use bytes::{BufMut as _, Bytes, BytesMut};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use hyper::{Request, Response};
use otlp::Signal;

use super::body::{Collected, Encoding, NoBody, collect, decompress, media};
use super::code::{
    self, INVALID_ARGUMENT, OK, RESOURCE_EXHAUSTED, UNAVAILABLE, UNIMPLEMENTED, http_status,
};
use super::{Answer, Server, text};

const GRPC_ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const GRPC_ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");
const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// Bytes in front of a message.
const PREFIX: usize = 5;

/// A status other than OK.
#[derive(Debug)]
struct Status {
    code: u8,
    message: String,
}

/// Answers one call.
pub(super) async fn answer(server: &Server, request: Request<Incoming>) -> Answer {
    let media = media(request.headers());
    if media != "application/grpc" && !media.starts_with("application/grpc+") {
        server.answers.add(415);
        return text(415, "this is gRPC");
    }
    let outcome = call(server, request).await;
    server.answers.add(match &outcome {
        Ok(_) => 200,
        Err(status) => http_status(status.code),
    });
    let mut trailers = HeaderMap::new();
    let body = match outcome {
        Ok(message) => {
            trailers.insert(GRPC_STATUS, HeaderValue::from(u16::from(OK)));
            frame(&message)
        }
        Err(status) => {
            trailers.insert(GRPC_STATUS, HeaderValue::from(u16::from(status.code)));
            if let Ok(text) = HeaderValue::from_str(&percent_encoded(&status.message)) {
                trailers.insert(GRPC_MESSAGE, text);
            }
            Bytes::new()
        }
    };
    let trailers = std::future::ready(Some(Ok(trailers)));
    let mut answer = Response::new(Full::new(body).with_trailers(trailers).boxed_unsync());
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert(GRPC_ACCEPT_ENCODING, HeaderValue::from_static("identity,gzip,zstd"));
    answer
}

async fn call(server: &Server, request: Request<Incoming>) -> Result<Vec<u8>, Status> {
    let signal = signal(request.uri().path()).filter(|signal| server.takes(*signal));
    let unknown = || Status {
        code: UNIMPLEMENTED,
        message: format!("unknown service or method {}", request.uri().path()),
    };
    let signal = signal.ok_or_else(unknown)?;
    let name = request.headers().get(GRPC_ENCODING).and_then(|value| value.to_str().ok());
    let encoding = Encoding::named(name.unwrap_or_default()).ok_or_else(|| Status {
        code: UNIMPLEMENTED,
        message: format!("grpc: Decompressor is not installed for grpc-encoding {name:?}"),
    })?;
    let bytes_max = server.grpc_bytes_max;
    let incoming = request.into_body();
    // The prefix does not count.
    let framed = collect(incoming, Encoding::Identity, bytes_max + PREFIX, &server.inlet).await;
    let framed = framed.map_err(refused_body)?;
    let Collected { body, charge } = framed;
    let (is_compressed, message) = message(body)?;
    let encoding = if is_compressed { encoding } else { Encoding::Identity };
    let collected = decompress(message, charge, encoding, bytes_max, &server.inlet);
    let collected = collected.map_err(refused_body)?;
    match server.take(signal, collected).await {
        Ok(Ok(rejected)) => Ok(rejected.message()),
        Ok(Err(message)) => Err(Status { code: INVALID_ARGUMENT, message }),
        Err(refused) => Err(Status { code: code::of(refused), message: refused.to_string() }),
    }
}

fn signal(path: &str) -> Option<Signal> {
    let service = path.strip_prefix("/opentelemetry.proto.collector.")?.strip_suffix("/Export")?;
    match service {
        "trace.v1.TraceService" => Some(Signal::Traces),
        "metrics.v1.MetricsService" => Some(Signal::Metrics),
        "logs.v1.LogsService" => Some(Signal::Logs),
        _ => None,
    }
}

/// The one message of a call, and whether it is compressed.
fn message(mut framed: Vec<u8>) -> Result<(bool, Vec<u8>), Status> {
    let broken = |message: &str| Status { code: INVALID_ARGUMENT, message: message.to_owned() };
    let Some(&[flag, ref length @ ..]) = framed.first_chunk::<PREFIX>() else {
        return Err(broken("the message has no prefix"));
    };
    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    if framed.len() - PREFIX != length {
        return Err(broken("the call is not exactly one message"));
    }
    if flag > 1 {
        return Err(broken("the prefix of the message has an unknown flag"));
    }
    framed.drain(..PREFIX);
    Ok((flag == 1, framed))
}

fn frame(message: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(PREFIX + message.len());
    frame.put_u8(0);
    frame.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    frame.put_slice(message);
    frame.freeze()
}

fn refused_body(error: NoBody) -> Status {
    let (code, message) = match error {
        NoBody::TooLong => (RESOURCE_EXHAUSTED, "grpc: received message larger than max"),
        NoBody::Full => (UNAVAILABLE, "too much data waits; send it again later"),
        NoBody::Broken => (UNAVAILABLE, "the call has no end"),
        NoBody::Corrupt => (INVALID_ARGUMENT, "the message is not as it is encoded"),
        NoBody::Encoding(_) => (UNIMPLEMENTED, "unknown encoding"),
    };
    Status { code, message: message.to_owned() }
}

/// A text as the trailer has it: what is no printable ASCII, and the percent sign, in hex.
fn percent_encoded(text: &str) -> String {
    use std::fmt::Write as _;
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' '..=b'~' if byte != b'%' => encoded.push(char::from(byte)),
            // Writing to a string cannot fail.
            _ => write!(encoded, "%{byte:02X}").unwrap_or_default(),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_one_message() {
        let framed = frame(b"abc");
        assert_eq!(message(framed.to_vec()).unwrap(), (false, b"abc".to_vec()));
        for broken in [&b""[..], &framed[..4], &framed[..7], &[framed.as_ref(), b"x"].concat()] {
            assert_eq!(message(broken.to_vec()).unwrap_err().code, INVALID_ARGUMENT);
        }
        assert_eq!(message(b"\x02\0\0\0\0".to_vec()).unwrap_err().code, INVALID_ARGUMENT);
    }

    #[test]
    fn services_are_known_by_path() {
        let path = |name: &str| format!("/opentelemetry.proto.collector.{name}/Export");
        assert_eq!(signal(&path("trace.v1.TraceService")), Some(Signal::Traces));
        assert_eq!(signal(&path("logs.v1.LogsService")), Some(Signal::Logs));
        assert_eq!(signal(&path("logs.v1.TraceService")), None);
        assert_eq!(signal("/Export"), None);
    }

    #[test]
    fn texts_fit_into_a_trailer() {
        assert_eq!(percent_encoded("50% of\n\u{e9}"), "50%25 of%0A%C3%A9");
    }
}
