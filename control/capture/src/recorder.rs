//! Runs captures: one at a time, on a thread of its own.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use thiserror::Error;

use crate::Compression;
use crate::queue::{Message, Queue, Shared, queue};

/// Longest capture.
pub const CAPTURE_DURATION_MAX: Duration = Duration::from_secs(24 * 3600);
/// Smallest queue between the lanes and the recorder, also for `dogstatsd_capture_depth: 0`.
pub const QUEUE_DEPTH_MIN: usize = 1024;
/// How long what was recorded may stay in memory: what a kill of the process costs.
const FLUSH_INTERVAL: Duration = Duration::from_secs(1);

/// Settings of a [`Recorder`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecorderOptions {
    /// Directory of captures that name none: made when it is missing.
    pub dir: PathBuf,
    /// Items queued between the lanes and the file, at least [`QUEUE_DEPTH_MIN`].
    pub queue_depth: usize,
    /// Bytes of what is queued, where its kind counts them.
    pub queue_bytes_max: u64,
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
    /// Bytes of the file before compression, if fewer than the recorder allows.
    pub bytes_max: Option<u64>,
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

/// A kind of capture: what is recorded, and how its file is written.
pub trait Recording: Send + 'static {
    /// What the lanes offer.
    type Item: Send + 'static;

    /// Appends an item.
    ///
    /// # Errors
    /// Those of the file.
    fn write(&mut self, item: &Self::Item) -> io::Result<()>;

    /// Bytes written so far, before compression.
    fn bytes(&self) -> u64;

    /// Gives what was written to the file.
    ///
    /// # Errors
    /// Those of the file.
    fn flush(&mut self) -> io::Result<()>;

    /// Ends the file; the lanes dropped `drops` items.
    ///
    /// # Errors
    /// Those of the file.
    fn finish(self, drops: u64) -> io::Result<File>;
}

/// A capture that started, with what the lanes offer to.
#[derive(Debug)]
pub struct Started<T> {
    /// The file.
    pub path: PathBuf,
    /// For the lanes.
    pub tap: T,
    /// For whoever wants to know how far it is.
    pub progress: Progress,
}

impl<T> Started<T> {
    pub(crate) fn map<U>(self, make: impl FnOnce(T) -> U) -> Started<U> {
        Started { path: self.path, tap: make(self.tap), progress: self.progress }
    }
}

/// How far a capture is.
#[derive(Clone, Debug)]
pub struct Progress {
    path: PathBuf,
    deadline: Instant,
    shared: Arc<Shared>,
}

impl Progress {
    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Time until it ends by itself.
    #[must_use]
    pub fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Packets or requests written.
    #[must_use]
    pub fn items(&self) -> u64 {
        self.shared.items.load(Ordering::Relaxed)
    }

    /// Those that the lanes dropped.
    #[must_use]
    pub fn drops(&self) -> u64 {
        self.shared.drops.load(Ordering::Relaxed)
    }
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
    /// Packets or requests in the file.
    pub items: u64,
    /// Those that the lanes dropped because the queue was full.
    pub drops: u64,
    /// Bytes of the file before compression.
    pub bytes: u64,
    /// Why it ended.
    pub end: End,
}

/// Starts and ends captures of one kind.
#[derive(Debug)]
pub struct Recorder<R: Recording> {
    options: RecorderOptions,
    running: Option<Running<R::Item>>,
}

#[derive(Debug)]
struct Running<I> {
    path: PathBuf,
    queue: Queue<I>,
    thread: JoinHandle<Summary>,
}

impl<R: Recording> Recorder<R> {
    /// A recorder at rest.
    #[must_use]
    pub const fn new(options: RecorderOptions) -> Self {
        Self { options, running: None }
    }

    /// Starts a capture into the file `name`, which `make` writes.
    ///
    /// # Errors
    /// See [`StartError`]. A capture that ended by itself makes room for the next once it was
    /// fetched with [`Recorder::take_ended`].
    pub(crate) fn start_into(
        &mut self,
        request: &Request,
        name: &str,
        make: impl FnOnce(File) -> io::Result<R>,
    ) -> Result<Started<Queue<R::Item>>, StartError> {
        if let Some(running) = &self.running {
            return Err(StartError::Running(running.path.clone()));
        }
        if request.duration > CAPTURE_DURATION_MAX {
            return Err(StartError::TooLong);
        }
        let path = self.dir_of(request)?.join(name);
        let refused = |source| StartError::Io { path: path.clone(), source };
        let recording = create(&path).and_then(make).map_err(refused)?;

        let depth = self.options.queue_depth.max(QUEUE_DEPTH_MIN);
        let (queue, items) = queue(depth, self.options.queue_bytes_max);
        let file_bytes_max = self.options.file_bytes_max;
        let deadline = Instant::now() + request.duration;
        let progress = Progress { path: path.clone(), deadline, shared: queue.shared() };
        let session = Session {
            path: path.clone(),
            items,
            shared: queue.shared(),
            deadline,
            bytes_max: request.bytes_max.unwrap_or(file_bytes_max).min(file_bytes_max),
        };
        let thread = Builder::new()
            .name("capture".to_owned())
            .spawn(move || session.run(recording))
            .map_err(refused)?;
        self.running = Some(Running { path: path.clone(), queue: queue.clone(), thread });
        Ok(Started { path, tap: queue, progress })
    }

    /// The file of the capture that is running or was not fetched yet.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.running.as_ref().map(|running| &*running.path)
    }

    /// Ends the capture now and waits until its file is complete. Nothing when none was started.
    pub fn stop(&mut self) -> Option<Summary> {
        let running = self.running.take()?;
        running.queue.stop();
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

impl<R: Recording> Drop for Recorder<R> {
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

fn join<I>(running: Running<I>) -> Summary {
    let drops = running.queue.drops();
    running.thread.join().unwrap_or_else(|_| Summary {
        path: running.path,
        items: 0,
        drops,
        bytes: 0,
        end: End::Failed(io::Error::other("the recorder panicked; the file is cut")),
    })
}

/// One running capture, on its thread.
struct Session<I> {
    path: PathBuf,
    items: Receiver<Message<I>>,
    shared: Arc<Shared>,
    deadline: Instant,
    bytes_max: u64,
}

impl<I> Session<I> {
    fn run<R: Recording<Item = I>>(self, mut recording: R) -> Summary {
        let mut end = self.record(&mut recording);
        self.shared.is_stopping.store(true, Ordering::Relaxed);
        let bytes = recording.bytes();
        let drops = self.shared.drops.load(Ordering::Relaxed);
        if !matches!(end, End::Failed(_))
            && let Err(failure) = recording.finish(drops).and_then(|file| file.sync_all())
        {
            end = End::Failed(failure);
        }
        let items = self.shared.items.load(Ordering::Relaxed);
        Summary { path: self.path, items, drops, bytes, end }
    }

    /// Writes items until the end; what is queued at a stop is still written.
    fn record<R: Recording<Item = I>>(&self, recording: &mut R) -> End {
        let mut next_flush = Instant::now() + FLUSH_INTERVAL;
        let mut is_flushed = true;
        loop {
            let is_stopping = self.shared.is_stopping.load(Ordering::Relaxed);
            let now = Instant::now();
            if now >= next_flush {
                if !is_flushed && let Err(failure) = recording.flush() {
                    return End::Failed(failure);
                }
                (is_flushed, next_flush) = (true, now + FLUSH_INTERVAL);
            }
            let left = self.deadline.saturating_duration_since(now);
            let wait = if is_stopping { Duration::ZERO } else { left };
            let wait = if is_flushed { wait } else { wait.min(next_flush - now) };
            let item = match self.items.recv_timeout(wait) {
                Ok(Message::Item(item)) => item,
                Ok(Message::Wake) => continue,
                Err(_) if is_stopping => return End::Stopped,
                Err(RecvTimeoutError::Timeout) if left.is_zero() => return End::Duration,
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return End::Stopped,
            };
            if let Err(failure) = recording.write(&item) {
                return End::Failed(failure);
            }
            is_flushed = false;
            self.shared.items.fetch_add(1, Ordering::Relaxed);
            if recording.bytes() >= self.bytes_max {
                return End::FileFull;
            }
            if left.is_zero() {
                return End::Duration;
            }
        }
    }
}

#[cfg(test)]
mod tests;
