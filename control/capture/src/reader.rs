//! Reads a capture file of any version and any content.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use entity::TaggerState;
use thiserror::Error;

use crate::format::{
    HEADER_BYTES, SIZE_BYTES, VERSION, VERSION_WITH_NANOSECONDS, VERSION_WITH_STATE, ZSTD_MAGIC,
    version,
};
use crate::state::{self, StateRefused};
use crate::{Compression, Record, Writer};

/// Bounds of what is read, and how strict to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadLimits {
    /// Bytes of the file, decompressed. The whole file is held in memory.
    pub bytes_max: usize,
    /// Entities, tags and processes in the state.
    pub state_items_max: usize,
    /// Accept a file whose end is missing, as a recorder that was killed leaves it: its whole
    /// records count, its state is empty.
    pub is_cut_allowed: bool,
}

impl Default for ReadLimits {
    fn default() -> Self {
        Self { bytes_max: 1 << 30, state_items_max: 1_000_000, is_cut_allowed: false }
    }
}

/// Why a capture cannot be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CaptureError {
    /// The file system refused.
    #[error("cannot read {path}: {source}", path = .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// The compressed form is broken.
    #[error("the zstd stream is broken ({0}); copy the file again, or allow a cut file")]
    Zstd(io::Error),
    /// More bytes than allowed.
    #[error("the capture has more than {bytes_max} bytes; raise the limit or record less")]
    TooLarge {
        /// The limit.
        bytes_max: usize,
    },
    /// Another kind of file.
    #[error("this is not a DogStatsD capture; choose a file named datadog-capture-*")]
    NotCapture,
    /// A version from the future.
    #[error("capture version {0} is not supported; record with an agent that writes version 3")]
    Version(u8),
    /// The file ends too early.
    #[error("the capture is cut at byte {at}; allow a cut file to use what comes before")]
    Cut {
        /// Where the first incomplete part starts, in decompressed bytes.
        at: usize,
    },
    /// A record is not protobuf.
    #[error("the record at byte {at} is malformed; the capture is damaged, record it again")]
    Record {
        /// Where the record starts, in decompressed bytes.
        at: usize,
    },
    /// The state is not protobuf.
    #[error("the tagger state is malformed; the capture is damaged, record it again")]
    State,
    /// The state is larger than allowed.
    #[error("the tagger state has more than {items_max} items; raise the limit")]
    StateTooLarge {
        /// The limit.
        items_max: usize,
    },
}

/// A capture in memory, checked from end to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capture {
    /// Version of the file.
    pub version: u8,
    /// What was known about the senders; empty before version 2.
    pub state: TaggerState,
    /// Whether the end of the file is missing.
    pub is_cut: bool,
    bytes: Vec<u8>,
    /// End of the records in `bytes`.
    records_end: usize,
}

impl Capture {
    /// Reads a file, compressed or not.
    ///
    /// # Errors
    /// See [`CaptureError`].
    pub fn open(path: &Path, limits: ReadLimits) -> Result<Self, CaptureError> {
        let refused = |source| CaptureError::Open { path: path.to_owned(), source };
        let file = File::open(path).map_err(refused)?;
        let mut bytes = Vec::new();
        file.take(limits.bytes_max as u64 + 1).read_to_end(&mut bytes).map_err(refused)?;
        Self::parse(bytes, limits)
    }

    /// Reads the content of a file, compressed or not.
    ///
    /// # Errors
    /// See [`CaptureError`].
    pub fn parse(bytes: Vec<u8>, limits: ReadLimits) -> Result<Self, CaptureError> {
        let bytes =
            if bytes.starts_with(&ZSTD_MAGIC) { decompress(&bytes, limits)? } else { bytes };
        if bytes.len() > limits.bytes_max {
            return Err(CaptureError::TooLarge { bytes_max: limits.bytes_max });
        }
        let version = version(&bytes).ok_or(CaptureError::NotCapture)?;
        if version > VERSION {
            return Err(CaptureError::Version(version));
        }
        let has_state = version >= VERSION_WITH_STATE;
        let (records_end, is_ended) = scan_records(&bytes, version, limits)?;
        let is_cut = has_state && !is_ended;
        let mut capture =
            Self { version, state: TaggerState::default(), is_cut, bytes, records_end };
        if has_state && is_ended {
            capture.read_state(limits)?;
        }
        Ok(capture)
    }

    /// The packets in order of arrival.
    #[must_use]
    pub fn records(&self) -> Records<'_> {
        Records { rest: &self.bytes[HEADER_BYTES..self.records_end], version: self.version }
    }

    /// The state fills what lies between the separator and its size, which stands last.
    fn read_state(&mut self, limits: ReadLimits) -> Result<(), CaptureError> {
        let at = self.records_end + SIZE_BYTES;
        let rest = &self.bytes[at..];
        let state = rest.split_last_chunk::<SIZE_BYTES>().and_then(|(state, size)| {
            let size = usize::try_from(u32::from_le_bytes(*size)).ok()?;
            (state.len() == size).then_some(state)
        });
        match state {
            Some(state) => {
                self.state = decode_state(state, limits)?;
            }
            None if limits.is_cut_allowed => self.is_cut = true,
            None => return Err(CaptureError::Cut { at }),
        }
        Ok(())
    }
}

/// Iterator over the packets of a [`Capture`].
#[derive(Clone, Debug)]
pub struct Records<'a> {
    rest: &'a [u8],
    version: u8,
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        let message = first_record(self.rest).ok()?;
        self.rest = self.rest.get(SIZE_BYTES + message.len()..)?;
        Record::decode(message, ns_per_unit(self.version)).ok()
    }
}

/// Unit of a record's time.
const fn ns_per_unit(version: u8) -> i64 {
    if version >= VERSION_WITH_NANOSECONDS { 1 } else { 1_000_000_000 }
}

/// A record reaches beyond the end.
struct TooShort;

/// The first record; an empty one is the separator.
fn first_record(bytes: &[u8]) -> Result<&[u8], TooShort> {
    let (size, rest) = bytes.split_first_chunk::<SIZE_BYTES>().ok_or(TooShort)?;
    let size = usize::try_from(u32::from_le_bytes(*size)).map_err(|_| TooShort)?;
    rest.get(..size).ok_or(TooShort)
}

/// Checks every record. Returns where they end, and whether a separator ends them.
fn scan_records(
    bytes: &[u8],
    version: u8,
    limits: ReadLimits,
) -> Result<(usize, bool), CaptureError> {
    let mut at = HEADER_BYTES;
    loop {
        let rest = &bytes[at..];
        // Files without a state simply end after the last record.
        if rest.is_empty() && version < VERSION_WITH_STATE {
            return Ok((at, false));
        }
        match first_record(rest) {
            Ok([]) => return Ok((at, true)),
            Ok(message) => {
                Record::decode(message, ns_per_unit(version))
                    .map_err(|_| CaptureError::Record { at })?;
                at += SIZE_BYTES + message.len();
            }
            Err(TooShort) if limits.is_cut_allowed => return Ok((at, false)),
            Err(TooShort) => return Err(CaptureError::Cut { at }),
        }
    }
}

/// Decompresses at most one byte more than allowed, so that the caller sees the excess.
fn decompress(bytes: &[u8], limits: ReadLimits) -> Result<Vec<u8>, CaptureError> {
    let decoder = zstd::stream::read::Decoder::with_buffer(bytes).map_err(CaptureError::Zstd)?;
    let mut out = Vec::new();
    match decoder.take(limits.bytes_max as u64 + 1).read_to_end(&mut out) {
        Err(broken) if !limits.is_cut_allowed => Err(CaptureError::Zstd(broken)),
        // What was decompressed before the break stays in `out`.
        Ok(_) | Err(_) => Ok(out),
    }
}

/// Reads a tagger state on its own, as it travels to a running agent before a replay.
///
/// # Errors
/// [`CaptureError::State`] when it is malformed, [`CaptureError::StateTooLarge`] beyond the limit.
pub fn decode_state(state: &[u8], limits: ReadLimits) -> Result<TaggerState, CaptureError> {
    state::decode(state, limits.state_items_max).map_err(|refused| match refused {
        StateRefused::Malformed => CaptureError::State,
        StateRefused::TooManyItems => {
            CaptureError::StateTooLarge { items_max: limits.state_items_max }
        }
    })
}

/// A tagger state as protobuf, see [`decode_state`].
#[must_use]
pub fn encode_state(state: &TaggerState) -> Vec<u8> {
    state::encode(state)
}

/// Checks the reader on arbitrary bytes: for fuzzing and for the property test. Whatever is read
/// must be equal after it was written and read again.
///
/// # Panics
/// When that does not hold.
pub fn check_capture_bytes(bytes: &[u8]) {
    for is_cut_allowed in [false, true] {
        let limits = ReadLimits { bytes_max: 1 << 20, state_items_max: 1000, is_cut_allowed };
        let Ok(first) = Capture::parse(bytes.to_vec(), limits) else { continue };
        let mut writer = Writer::new(Vec::new(), Compression::None).expect("memory");
        for record in first.records() {
            writer.write(&record).expect("memory");
        }
        let written = writer.finish(&first.state).expect("memory");
        let roomy = ReadLimits { bytes_max: 1 << 26, ..limits };
        let second = Capture::parse(written, roomy).expect("our own file is readable");
        assert!(first.records().eq(second.records()), "records differ after writing");
        assert!(first.state == second.state, "state differs after writing");
    }
}

#[cfg(test)]
mod tests;
