//! Captures under way, and the lanes' ways into them.

#[cfg_attr(not(feature = "traces"), path = "without/requests.rs")]
mod requests;

use std::sync::{Arc, Mutex, PoisonError};

use capture::{PacketRecording, Progress, Recorder, RecorderOptions, Request, Summary, Tap};
use config::{Config, keys};
use entity::OriginSnapshot;
use lane::{CaptureTap, CapturedPacket, Command};
use status::{CaptureKind, CaptureStatus};

use self::requests::Requests;
use crate::coordinator::unix_secs;

/// One recorder for each kind of capture.
pub(crate) struct Captures {
    packets: Recorder<PacketRecording>,
    requests: Requests,
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
    pub(crate) command: MakeCommand,
}

/// Makes the end of one lane.
type MakeCommand = Box<dyn FnMut() -> Command>;

/// Largest capture of packets.
const PACKET_BYTES_MAX: u64 = 8 << 30;

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
            requests: Requests::new(config),
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
        let (progress, command): (Progress, MakeCommand) = match kind {
            CaptureKind::Packets => {
                let started = self.packets.start(request, now, move || snapshot);
                let started = started.map_err(|error| error.to_string())?;
                let tap = started.tap;
                (started.progress, Box::new(move || Command::Capture(packet_tap(tap.clone()))))
            }
            CaptureKind::Requests => self.requests.start(request, now)?,
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
