//! Runs captures: one at a time, on a thread of its own.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use entity::{OriginSnapshot, TaggerState};
use thiserror::Error;

use crate::tap::{Message, Shared, Tap};
use crate::{Compression, Record, Writer};

/// Longest capture.
pub const CAPTURE_DURATION_MAX: Duration = Duration::from_secs(24 * 3600);
/// Smallest queue between the lanes and the recorder, also for `dogstatsd_capture_depth: 0`.
pub const QUEUE_DEPTH_MIN: usize = 1024;
/// Processes remembered for the state of one capture.
const PIDS_MAX: usize = 65_536;

/// Settings of a [`Recorder`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecorderOptions {
    /// Directory of captures that name none: `dogstatsd_capture_path`, or `<run_path>/dsd_capture`.
    /// Made when it is missing.
    pub dir: PathBuf,
    /// `dogstatsd_capture_depth`: packets queued, at least [`QUEUE_DEPTH_MIN`].
    pub queue_depth: usize,
    /// Bytes of a file before compression; a capture that reaches them ends.
    pub file_bytes_max: u64,
}

/// What kind of capture is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Directory named by the user: it must exist, and everyone must be able to write to it, since
    /// the user who asks and the user the agent runs as differ.
    pub dir: Option<PathBuf>,
    /// How long to record, at most [`CAPTURE_DURATION_MAX`].
    pub duration: Duration,
    /// Form of the file.
    pub compression: Compression,
}

/// Why a capture does not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// Another one is running.
    #[error("a capture into {path} is running; wait for its end or stop it", path = .0.display())]
    Running(PathBuf),
    /// Too long.
    #[error("a capture lasts at most {max_secs} seconds; ask for less",
        max_secs = CAPTURE_DURATION_MAX.as_secs())]
    TooLong,
    /// The directory is not there.
    #[error("{path} is not a directory; create it, or name none", path = .0.display())]
    NotDirectory(PathBuf),
    /// The directory is not open to everyone.
    #[error("{path} is not writable by everyone; run `chmod o+w` on it, or name no directory",
        path = .0.display())]
    NotWorldWritable(PathBuf),
    /// The file system refused.
    #[error("cannot write to {path}: {source}; check its owner and the free space",
        path = .path.display())]
    Io {
        /// File or directory.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
}

/// A capture that started.
#[derive(Debug)]
pub struct Started {
    /// The file.
    pub path: PathBuf,
    /// For the lanes.
    pub tap: Tap,
}

/// Why a capture ended.
#[derive(Debug)]
pub enum End {
    /// Its time was over.
    Duration,
    /// It was stopped.
    Stopped,
    /// The file reached its bound.
    FileFull,
    /// The file could not be written.
    Failed(io::Error),
}

/// The outcome of a capture.
#[derive(Debug)]
pub struct Summary {
    /// The file.
    pub path: PathBuf,
    /// Packets in the file.
    pub packets: u64,
    /// Packets that the lanes dropped because the queue was full.
    pub drops: u64,
    /// Bytes of the file before compression.
    pub bytes: u64,
    /// Why it ended.
    pub end: End,
}

/// Starts and ends captures.
#[derive(Debug)]
pub struct Recorder {
    options: RecorderOptions,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    path: PathBuf,
    tap: Tap,
    thread: JoinHandle<Summary>,
}

impl Recorder {
    /// A recorder at rest.
    #[must_use]
    pub const fn new(options: RecorderOptions) -> Self {
        Self { options, running: None }
    }

    /// Starts a capture into `datadog-capture-<unix_secs>`. `snapshot` is called at its end, for
    /// the tags of the senders that it saw.
    ///
    /// # Errors
    /// See [`StartError`]. A capture that ended by itself makes room for the next once it was
    /// fetched with [`Recorder::take_ended`].
    pub fn start(
        &mut self,
        request: &Request,
        unix_secs: u64,
        snapshot: impl FnOnce() -> Arc<OriginSnapshot> + Send + 'static,
    ) -> Result<Started, StartError> {
        if let Some(running) = &self.running {
            return Err(StartError::Running(running.path.clone()));
        }
        if request.duration > CAPTURE_DURATION_MAX {
            return Err(StartError::TooLong);
        }
        let dir = self.dir_of(request)?;
        let path = dir.join(format!("datadog-capture-{unix_secs}"));
        let refused = |source| StartError::Io { path: path.clone(), source };
        let file = create(&path).map_err(refused)?;
        let writer = Writer::new(file, request.compression).map_err(refused)?;

        let (queue, packets) = sync_channel(self.options.queue_depth.max(QUEUE_DEPTH_MIN));
        let shared = Arc::new(Shared::default());
        let session = Session {
            path: path.clone(),
            packets,
            shared: Arc::clone(&shared),
            deadline: Instant::now() + request.duration,
            bytes_max: self.options.file_bytes_max,
            pids: BTreeMap::new(),
            count: 0,
        };
        let thread = Builder::new()
            .name("capture".to_owned())
            .spawn(move || session.run(writer, snapshot))
            .map_err(refused)?;
        let tap = Tap { queue, shared };
        self.running = Some(Running { path: path.clone(), tap: tap.clone(), thread });
        Ok(Started { path, tap })
    }

    /// The file of the capture that is running or was not fetched yet.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.running.as_ref().map(|running| &*running.path)
    }

    /// Ends the capture now and waits until its file is complete. Nothing when none was started.
    pub fn stop(&mut self) -> Option<Summary> {
        let running = self.running.take()?;
        running.tap.shared.is_stopping.store(true, Ordering::Relaxed);
        // A full queue wakes the recorder as well.
        drop(running.tap.queue.try_send(Message::Wake));
        Some(join(running))
    }

    /// Waits until the capture ends by itself. Nothing when none was started.
    pub fn wait(&mut self) -> Option<Summary> {
        self.running.take().map(join)
    }

    /// The outcome of a capture that ended by itself; nothing while it runs.
    pub fn take_ended(&mut self) -> Option<Summary> {
        self.running.take_if(|running| running.thread.is_finished()).map(join)
    }

    fn dir_of(&self, request: &Request) -> Result<PathBuf, StartError> {
        let Some(dir) = &request.dir else {
            let dir = &self.options.dir;
            return fs::create_dir_all(dir)
                .map(|()| dir.clone())
                .map_err(|source| StartError::Io { path: dir.clone(), source });
        };
        let metadata = fs::metadata(dir).map_err(|_| StartError::NotDirectory(dir.clone()))?;
        if !metadata.is_dir() {
            return Err(StartError::NotDirectory(dir.clone()));
        }
        if metadata.permissions().mode() & WRITABLE_BY_OTHERS == 0 {
            return Err(StartError::NotWorldWritable(dir.clone()));
        }
        Ok(dir.clone())
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        drop(self.stop());
    }
}

const WRITABLE_BY_OTHERS: u32 = 0o002;

/// A new file: it never follows or replaces what someone else put into an open directory. Captures
/// hold what applications sent, so only the owner may read them.
fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

fn join(running: Running) -> Summary {
    let drops = Arc::clone(&running.tap.shared);
    running.thread.join().unwrap_or_else(|_| Summary {
        path: running.path,
        packets: 0,
        drops: drops.drops.load(Ordering::Relaxed),
        bytes: 0,
        end: End::Failed(io::Error::other("the recorder panicked; the file is cut")),
    })
}

/// One running capture, on its thread.
struct Session {
    path: PathBuf,
    packets: Receiver<Message>,
    shared: Arc<Shared>,
    deadline: Instant,
    bytes_max: u64,
    /// Entity of each process seen, for the state.
    pids: BTreeMap<i32, Arc<str>>,
    count: u64,
}

impl Session {
    fn run(
        mut self,
        mut writer: Writer<File>,
        snapshot: impl FnOnce() -> Arc<OriginSnapshot>,
    ) -> Summary {
        let mut end = self.record(&mut writer);
        self.shared.is_stopping.store(true, Ordering::Relaxed);
        let bytes = writer.bytes();
        if !matches!(end, End::Failed(_)) {
            let pids = std::mem::take(&mut self.pids).into_iter().collect();
            let state = TaggerState::of(pids, &snapshot());
            if let Err(failure) = writer.finish(&state).and_then(|file| file.sync_all()) {
                end = End::Failed(failure);
            }
        }
        let drops = self.shared.drops.load(Ordering::Relaxed);
        Summary { path: self.path, packets: self.count, drops, bytes, end }
    }

    /// Writes packets until the end; what is queued at a stop is still written.
    fn record(&mut self, writer: &mut Writer<File>) -> End {
        loop {
            let is_stopping = self.shared.is_stopping.load(Ordering::Relaxed);
            let left = self.deadline.saturating_duration_since(Instant::now());
            let wait = if is_stopping { Duration::ZERO } else { left };
            let message = match self.packets.recv_timeout(wait) {
                Ok(message) => message,
                Err(_) if is_stopping => return End::Stopped,
                Err(RecvTimeoutError::Timeout) if left.is_zero() => return End::Duration,
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return End::Stopped,
            };
            if let Err(failure) = self.write(writer, &message) {
                return End::Failed(failure);
            }
            if writer.bytes() >= self.bytes_max {
                return End::FileFull;
            }
            if left.is_zero() {
                return End::Duration;
            }
        }
    }

    fn write(&mut self, writer: &mut Writer<File>, message: &Message) -> io::Result<()> {
        let Message::Packet { unix_ns, pid, origin, bytes, payload_len } = message else {
            return Ok(());
        };
        let (payload, ancillary) = bytes.split_at(*payload_len);
        writer.write(&Record { unix_ns: *unix_ns, pid: *pid, payload, ancillary })?;
        self.count += 1;
        if let Some(origin) = origin
            && (self.pids.len() < PIDS_MAX || self.pids.contains_key(pid))
        {
            self.pids.insert(*pid, Arc::clone(origin));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
