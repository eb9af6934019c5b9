//! Writes a capture file.

use std::io::{self, BufWriter, Write};

use entity::TaggerState;

use crate::format::{SEPARATOR, VERSION, header};
use crate::{Record, state};

/// How a capture file is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// As it is.
    None,
    /// The whole file as one zstd frame.
    #[default]
    Zstd,
}

/// Writes records in the newest version of the format. Call [`Writer::finish`]: a file without its
/// end counts as cut.
#[derive(Debug)]
pub struct Writer<W: Write> {
    sink: Sink<W>,
    message: Vec<u8>,
    bytes: u64,
}

enum Sink<W: Write> {
    Plain(BufWriter<W>),
    Zstd(zstd::stream::write::Encoder<'static, W>),
}

impl<W: Write> std::fmt::Debug for Sink<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Plain(_) => "Plain",
            Self::Zstd(_) => "Zstd",
        })
    }
}

impl<W: Write> Writer<W> {
    /// Starts a file with its header.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn new(out: W, compression: Compression) -> io::Result<Self> {
        let sink = match compression {
            Compression::None => Sink::Plain(BufWriter::new(out)),
            Compression::Zstd => {
                Sink::Zstd(zstd::stream::write::Encoder::new(out, zstd::DEFAULT_COMPRESSION_LEVEL)?)
            }
        };
        let mut writer = Self { sink, message: Vec::new(), bytes: 0 };
        writer.put(&header(VERSION))?;
        Ok(writer)
    }

    /// Appends a record.
    ///
    /// # Errors
    /// Those of the file; [`io::ErrorKind::InvalidInput`] for a record of 4 GiB.
    pub fn write(&mut self, record: &Record<'_>) -> io::Result<()> {
        let mut message = std::mem::take(&mut self.message);
        message.clear();
        record.encode(&mut message);
        if message.is_empty() {
            // A size of zero would end the records: spell out a default.
            message.extend_from_slice(&EMPTY_RECORD);
        }
        let written =
            size(&message).and_then(|size| self.put(&size)).and_then(|()| self.put(&message));
        self.message = message;
        written
    }

    /// Bytes written so far, before compression.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Ends the file with what is known about the senders.
    ///
    /// # Errors
    /// Those of the file.
    pub fn finish(mut self, state: &TaggerState) -> io::Result<W> {
        let message = state::encode(state);
        let size = size(&message)?;
        self.put(&SEPARATOR)?;
        self.put(&message)?;
        self.put(&size)?;
        match self.sink {
            Sink::Plain(out) => out.into_inner().map_err(io::IntoInnerError::into_error),
            Sink::Zstd(out) => {
                let mut out = out.finish()?;
                out.flush()?;
                Ok(out)
            }
        }
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.bytes += bytes.len() as u64;
        match &mut self.sink {
            Sink::Plain(out) => out.write_all(bytes),
            Sink::Zstd(out) => out.write_all(bytes),
        }
    }
}

/// Payload size 0, written out.
const EMPTY_RECORD: [u8; 2] = [0x10, 0];

fn size(message: &[u8]) -> io::Result<[u8; 4]> {
    u32::try_from(message.len())
        .map(u32::to_le_bytes)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "a record is limited to 4 GiB"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The minimal file of the specification: one record, no state.
    #[test]
    fn the_minimal_file_is_byte_exact() {
        let mut writer = Writer::new(Vec::new(), Compression::None).expect("memory");
        let record = Record {
            unix_ns: 1_700_000_000_123_456_789,
            pid: 42,
            payload: b"a:1|c",
            ancillary: b"",
        };
        writer.write(&record).expect("memory");
        let bytes = writer.finish(&TaggerState::default()).expect("memory");
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            hex,
            concat!(
                "d474d060f3ff0000",
                "15000000",
                "08959a97ece39fe7cb1710051a05613a317c63202a",
                "00000000",
                "00000000",
            )
        );
    }
}
