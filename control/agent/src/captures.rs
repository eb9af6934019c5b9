//! Captures under way, and the lanes' ways into them.

use std::sync::{Arc, Mutex, PoisonError};

use capture::{
    PacketRecording, Progress, Recorder, RecorderOptions, Request, RequestRecord, RequestRecording,
    RequestTap as FileTap, Summary, Tap,
};
use config::{Config, keys};
use entity::OriginSnapshot;
use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue};
use lane::{CaptureTap, CapturedPacket, CapturedRequest, Command, RequestRoom, RequestTap};
use server::ROUTE_NAMES;
use status::{CaptureKind, CaptureStatus};

use crate::coordinator::unix_secs;

/// One recorder for each kind of capture.
pub(crate) struct Captures {
    packets: Recorder<PacketRecording>,
    requests: Recorder<RequestRecording>,
    progress: Arc<CaptureProgress>,
}

/// How far captures under way are.
#[derive(Debug, Default)]
pub(crate) struct CaptureProgress {
    packets: Mutex<Option<Progress>>,
    requests: Mutex<Option<Progress>>,
}

/// A capture that started: its file, and what makes the lanes' ends of it.
pub(crate) struct StartedCapture {
    pub(crate) path: String,
    pub(crate) command: Box<dyn FnMut() -> Command>,
}

/// Largest capture of packets.
const PACKET_BYTES_MAX: u64 = 8 << 30;
/// Largest capture of requests.
const REQUEST_BYTES_MAX: u64 = 8 << 30;

impl Captures {
    pub(crate) fn new(config: &Config, progress: Arc<CaptureProgress>) -> Self {
        Self {
            packets: Recorder::new(RecorderOptions {
                dir: config.capture_path(),
                queue_depth: config.count(keys::DOGSTATSD_CAPTURE_DEPTH),
                // Packets are small: their number bounds them.
                queue_bytes_max: 0,
                file_bytes_max: PACKET_BYTES_MAX,
            }),
            requests: Recorder::new(RecorderOptions {
                dir: config.request_capture_path(),
                queue_depth: 0,
                queue_bytes_max: config.bytes(keys::APM_CAPTURE_QUEUE_BYTES),
                file_bytes_max: REQUEST_BYTES_MAX,
            }),
            progress,
        }
    }

    /// Starts a capture. `snapshot` knows the senders of packets.
    pub(crate) fn start(
        &mut self,
        kind: CaptureKind,
        request: &Request,
        snapshot: Arc<OriginSnapshot>,
    ) -> Result<StartedCapture, String> {
        let now = unix_secs();
        let (progress, command): (Progress, Box<dyn FnMut() -> Command>) = match kind {
            CaptureKind::Packets => {
                let started = self.packets.start(request, now, move || snapshot);
                let started = started.map_err(|error| error.to_string())?;
                let tap = started.tap;
                (started.progress, Box::new(move || Command::Capture(packet_tap(tap.clone()))))
            }
            CaptureKind::Requests => {
                let started = self.requests.start(request, now);
                let started = started.map_err(|error| error.to_string())?;
                let tap = started.tap;
                let command = move || Command::CaptureRequests(request_tap(tap.clone()));
                (started.progress, Box::new(command))
            }
        };
        let path = progress.path().display().to_string();
        self.progress.set(kind, Some(progress));
        Ok(StartedCapture { path, command })
    }

    /// Ends a capture; the path of its file.
    pub(crate) fn stop(&mut self, kind: CaptureKind) -> Result<String, String> {
        let summary = match kind {
            CaptureKind::Packets => self.packets.stop(),
            CaptureKind::Requests => self.requests.stop(),
        };
        self.progress.set(kind, None);
        let summary = summary.ok_or_else(|| "no capture is running".to_owned())?;
        log_end(&summary);
        Ok(summary.path.display().to_string())
    }

    /// Takes note of captures that ended by themselves.
    pub(crate) fn look(&mut self) {
        for (kind, ended) in [
            (CaptureKind::Packets, self.packets.take_ended()),
            (CaptureKind::Requests, self.requests.take_ended()),
        ] {
            if let Some(summary) = ended {
                self.progress.set(kind, None);
                log_end(&summary);
            }
        }
    }
}

impl CaptureProgress {
    /// How far the capture of a kind is, if one is under way.
    pub(crate) fn status(&self, kind: CaptureKind) -> Option<CaptureStatus> {
        let progress = self.of(kind).lock().unwrap_or_else(PoisonError::into_inner);
        progress.as_ref().map(|progress| CaptureStatus {
            path: progress.path().display().to_string(),
            left_secs: progress.left().as_secs(),
            items: progress.items(),
            dropped: progress.drops(),
        })
    }

    fn set(&self, kind: CaptureKind, progress: Option<Progress>) {
        *self.of(kind).lock().unwrap_or_else(PoisonError::into_inner) = progress;
    }

    const fn of(&self, kind: CaptureKind) -> &Mutex<Option<Progress>> {
        match kind {
            CaptureKind::Packets => &self.packets,
            CaptureKind::Requests => &self.requests,
        }
    }
}

fn log_end(summary: &Summary) {
    let Summary { path, items, drops, end, .. } = summary;
    let path = path.display();
    match end {
        capture::End::Failed(error) => {
            log::error!("capture {path} failed after {items} items: {error}");
        }
        capture::End::Duration | capture::End::Stopped | capture::End::FileFull => {
            log::info!("capture {path} has ended: {items} items, {drops} lost");
        }
    }
}

fn packet_tap(tap: Tap) -> CaptureTap {
    let offer = move |packet: CapturedPacket<'_>| {
        let record = capture::Record {
            unix_ns: i64::try_from(packet.unix_us.saturating_mul(1000)).unwrap_or(i64::MAX),
            pid: packet.pid,
            payload: packet.bytes,
            ancillary: &[],
        };
        match tap.offer(capture::Packet { record, origin: packet.origin }) {
            capture::Offer::Taken => Some(true),
            capture::Offer::Full => Some(false),
            capture::Offer::Closed => None,
        }
    };
    CaptureTap { offer: Box::new(offer) }
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
