//! Captures of tracers' requests. Without the feature `traces` there is `without/requests.rs` in
//! its place, which has the same face.

use capture::{
    Progress, Recorder, RecorderOptions, Request, RequestRecord, RequestRecording,
    RequestTap as FileTap, Summary,
};
use config::{Config, keys};
use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue};
use lane::{CapturedRequest, Command, RequestRoom, RequestTap};
use server::ROUTE_NAMES;

use super::MakeCommand;

/// Their recorder.
pub(super) struct Requests(Recorder<RequestRecording>);

/// Largest capture of requests.
const REQUEST_BYTES_MAX: u64 = 8 << 30;

impl Requests {
    pub(super) fn new(config: &Config) -> Self {
        Self(Recorder::new(RecorderOptions {
            dir: config.request_capture_path(),
            queue_depth: 0,
            queue_bytes_max: config.bytes(keys::APM_CAPTURE_QUEUE_BYTES),
            file_bytes_max: REQUEST_BYTES_MAX,
        }))
    }

    /// Starts a capture at a time in seconds of Unix time.
    pub(super) fn start(
        &mut self,
        request: &Request,
        now: u64,
    ) -> Result<(Progress, MakeCommand), String> {
        let started = self.0.start(request, now).map_err(|error| error.to_string())?;
        let tap = started.tap;
        let command = move || Command::CaptureRequests(request_tap(tap.clone()));
        Ok((started.progress, Box::new(command)))
    }

    pub(super) fn stop(&mut self) -> Option<Summary> {
        self.0.stop()
    }

    pub(super) fn take_ended(&mut self) -> Option<Summary> {
        self.0.take_ended()
    }
}

fn request_tap(tap: FileTap) -> RequestTap {
    let room = move |body_bytes| match tap.place(body_bytes) {
        Ok(place) => RequestRoom::Free(Box::new(move |request| {
            recorded(request).is_some_and(|record| place.offer(record) == capture::Offer::Taken)
        })),
        Err(capture::Offer::Closed) => RequestRoom::Closed,
        Err(capture::Offer::Full | capture::Offer::Taken) => RequestRoom::Full,
    };
    RequestTap { room: Box::new(room) }
}

/// A request as it is recorded; none of a route that has no path of its own.
fn recorded(request: CapturedRequest<'_>) -> Option<RequestRecord> {
    let path = ROUTE_NAMES.get(request.head.route.index())?;
    let header = |(name, value): (&'static str, String)| {
        Some((HeaderName::from_static(name), HeaderValue::from_str(&value).ok()?))
    };
    let container = &request.container.id;
    let is_sent_as_header = HeaderValue::from_str(container).is_ok();
    Some(RequestRecord {
        unix_ns: i64::try_from(request.unix_ns).unwrap_or(i64::MAX),
        path: path.parse::<PathAndQuery>().ok().filter(|path| path.path().starts_with('/'))?,
        headers: request.head.to_headers().into_iter().filter_map(header).collect(),
        container: if is_sent_as_header { container.clone() } else { String::new() },
        body: request.body,
    })
}

#[cfg(test)]
mod tests {
    use lane::Container;
    use server::{Head, Peer, Route};

    use super::*;

    #[test]
    fn a_request_is_recorded_with_what_a_receiver_reads_and_no_more() {
        let headers = [
            ("content-type", "application/msgpack"),
            ("datadog-meta-lang", "go"),
            ("datadog-client-computed-stats", "yes"),
            ("x-datadog-trace-count", "3"),
            ("dd-api-key", "0123456789abcdef0123456789abcdef"),
            ("authorization", "Bearer secret"),
        ];
        let headers = headers
            .into_iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        let head = Head::new(Route::of("/v0.4/traces"), Peer::Unix(None), &headers.collect());
        let container = Container { id: "abc".to_owned(), ..Container::default() };
        let body = b"[]".to_vec();
        let request = CapturedRequest { head: &head, container: &container, unix_ns: 5, body };
        let record = recorded(request).expect("a path");
        assert_eq!((record.path.as_str(), record.unix_ns), ("/v0.4/traces", 5));
        assert_eq!((&*record.container, &*record.body), ("abc", &b"[]"[..]));
        let again = Head::new(head.route, head.peer, &record.headers.iter().cloned().collect());
        assert_eq!(again, head);
        assert!(record.headers.iter().all(|(name, _)| capture::is_recorded(name)));
        assert!(!format!("{record:?}").contains("secret"), "{record:?}");
    }
}
