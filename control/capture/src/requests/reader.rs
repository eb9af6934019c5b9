//! Reads a file of requests of any content, one after the other.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::format::{
    FRAME_HEAD_BYTES, HEADER_BYTES, MESSAGE_BYTES_MAX, REQUESTS_VERSION, frame, version,
};
use super::record::Message;
use super::{RequestRecord, RequestWriter};
use crate::Compression;
use crate::format::ZSTD_MAGIC;

/// Why a file of requests cannot be read, or not further.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The file system refused.
    #[error("cannot read {path}: {source}", path = .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// Another kind of file.
    #[error("this is no capture of requests; choose a file named corelane-requests-*")]
    NotCapture,
    /// A version from the future.
    #[error(
        "version {0} of the format is not supported; replay with the corelane that recorded it"
    )]
    Version(u8),
    /// The file cannot be read, or its compressed form is broken.
    #[error("the capture cannot be read after request {requests}: {source}; copy it again")]
    Read {
        /// Requests before.
        requests: u64,
        /// What went wrong.
        source: io::Error,
    },
    /// A length that no request has.
    #[error("request {number} claims {bytes} bytes; the capture is damaged, record it again")]
    TooLarge {
        /// Which one, from 1.
        number: u64,
        /// Its length.
        bytes: u32,
    },
    /// The checksum is that of other bytes, or they are no request.
    #[error("request {number} is damaged; copy the capture again, or record it again")]
    Damaged {
        /// Which one, from 1.
        number: u64,
    },
}

/// The requests of a file in order of arrival. In memory is one at a time.
pub struct RequestReader<R: BufRead> {
    input: Input<R>,
    message: Vec<u8>,
    requests: u64,
    end: Option<End>,
}

/// How a file ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct End {
    drops: u64,
    is_cut: bool,
}

enum Input<R: BufRead> {
    Plain(R),
    Zstd(Box<zstd::stream::read::Decoder<'static, R>>),
}

impl RequestReader<BufReader<File>> {
    /// Opens a file, compressed or not.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub fn open(path: &Path) -> Result<Self, RequestError> {
        let refused = |source| RequestError::Open { path: path.to_owned(), source };
        Self::new(BufReader::new(File::open(path).map_err(refused)?))
    }
}

impl<R: BufRead> RequestReader<R> {
    /// Reads what is compressed or not.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub fn new(mut input: R) -> Result<Self, RequestError> {
        let failed = |source| RequestError::Read { requests: 0, source };
        let is_zstd = input.fill_buf().map_err(failed)?.starts_with(&ZSTD_MAGIC);
        let mut input = if is_zstd {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(input).map_err(failed)?;
            decoder.window_log_max(WINDOW_LOG_MAX).map_err(failed)?;
            Input::Zstd(Box::new(decoder))
        } else {
            Input::Plain(input)
        };
        let mut header = [0; HEADER_BYTES];
        match input.read_exact(&mut header) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(RequestError::NotCapture);
            }
            Err(error) => return Err(failed(error)),
        }
        match version(header) {
            None => Err(RequestError::NotCapture),
            Some(REQUESTS_VERSION) => {
                Ok(Self { input, message: Vec::new(), requests: 0, end: None })
            }
            Some(other) => Err(RequestError::Version(other)),
        }
    }

    /// The next request; none after the last whole one.
    ///
    /// # Errors
    /// See [`RequestError`]. What came before is good.
    pub fn read(&mut self) -> Result<Option<RequestRecord>, RequestError> {
        if self.end.is_some() {
            return Ok(None);
        }
        let number = self.requests + 1;
        if !self.read_message()? {
            self.end = Some(End { drops: 0, is_cut: true });
            return Ok(None);
        }
        match Message::decode(&self.message) {
            Ok(Message::Request(record)) => {
                self.requests = number;
                Ok(Some(*record))
            }
            Ok(Message::End { requests, drops }) if requests == self.requests => {
                self.end = Some(End { drops, is_cut: false });
                Ok(None)
            }
            Ok(Message::End { .. }) | Err(_) => Err(RequestError::Damaged { number }),
        }
    }

    /// Requests that the recorder dropped; known once the end was read.
    #[must_use]
    pub fn drops(&self) -> u64 {
        self.end.map_or(0, |end| end.drops)
    }

    /// Whether the end of the file is missing, as a recorder that was killed leaves it; known once
    /// the last whole request was read.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.end.is_some_and(|end| end.is_cut)
    }

    /// Reads one message; false when the file ends before it does.
    fn read_message(&mut self) -> Result<bool, RequestError> {
        let requests = self.requests;
        let failed = |source| RequestError::Read { requests, source };
        let mut head = [0; FRAME_HEAD_BYTES];
        if !is_whole(self.input.read_exact(&mut head)).map_err(failed)? {
            return Ok(false);
        }
        let (length, checksum) = frame(head);
        if length == 0 && checksum == 0 {
            // What a file system leaves that had made the file longer, but not written it.
            return Ok(false);
        }
        if length > MESSAGE_BYTES_MAX {
            return Err(RequestError::TooLarge { number: requests + 1, bytes: length });
        }
        self.message.clear();
        let mut limited = (&mut self.input).take(length.into());
        // Memory grows with what is there, not with what is claimed.
        if !is_whole(limited.read_to_end(&mut self.message)).map_err(failed)?
            || self.message.len() < length as usize
        {
            return Ok(false);
        }
        if crc32fast::hash(&self.message) != checksum {
            return Err(RequestError::Damaged { number: requests + 1 });
        }
        Ok(true)
    }
}

/// Largest window of a compressed file: 8 MiB, of what the recorder's level needs 2.
const WINDOW_LOG_MAX: u32 = 23;

fn is_whole<T>(read: io::Result<T>) -> io::Result<bool> {
    match read {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

impl<R: BufRead> Read for Input<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(input) => input.read(out),
            Self::Zstd(input) => input.read(out),
        }
    }
}

impl<R: BufRead> std::fmt::Debug for RequestReader<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RequestReader")
            .field("requests", &self.requests)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

/// Checks the reader on arbitrary bytes: for fuzzing and for the property test. Whatever is read
/// must be equal after it was written and read again.
///
/// # Panics
/// When that does not hold.
pub fn check_request_bytes(bytes: &[u8]) {
    let Ok(mut first) = RequestReader::new(bytes) else { return };
    let mut writer = RequestWriter::new(Vec::new(), Compression::None).expect("memory");
    let mut records = Vec::new();
    // A few bytes of zstd may stand for any number of requests.
    while let (true, Ok(Some(record))) = (records.len() < 1000, first.read()) {
        writer.write(&record).expect("memory");
        records.push(record);
    }
    let written = writer.finish(first.drops()).expect("memory");
    let mut second = RequestReader::new(&*written).expect("our own header");
    for record in &records {
        let again = second.read().expect("our own request is readable");
        assert!(again.as_ref() == Some(record), "a request differs after writing");
    }
    assert!(matches!(second.read(), Ok(None)), "there are more than were written");
    assert!(!second.is_cut() && second.drops() == first.drops(), "the end differs after writing");
}

#[cfg(test)]
mod tests;
