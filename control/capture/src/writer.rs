//! Writes a capture file.

use std::io::{self, Write};

use entity::TaggerState;

use crate::format::{SEPARATOR, VERSION, header};
use crate::sink::{Compression, Sink};
use crate::{Record, state};

/// Writes records in the newest version of the format. Call [`Writer::finish`]: a file without its
/// end counts as cut.
#[derive(Debug)]
pub struct Writer<W: Write> {
    sink: Sink<W>,
    message: Vec<u8>,
}

impl<W: Write> Writer<W> {
    /// Starts a file with its header.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn new(out: W, compression: Compression) -> io::Result<Self> {
        let mut sink = Sink::new(out, compression)?;
        sink.put(&header(VERSION))?;
        Ok(Self { sink, message: Vec::new() })
    }

    /// Appends a record.
    ///
    /// # Errors
    /// Those of the file; [`io::ErrorKind::InvalidInput`] for a record of 4 GiB.
    pub fn write(&mut self, record: &Record<'_>) -> io::Result<()> {
        self.message.clear();
        record.encode(&mut self.message);
        if self.message.is_empty() {
            // A size of zero would end the records: spell out a default.
            self.message.extend_from_slice(&EMPTY_RECORD);
        }
        self.sink.put(&size(&self.message)?)?;
        self.sink.put(&self.message)
    }

    /// Bytes written so far, before compression.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.sink.bytes()
    }

    /// Gives what was written to the file.
    ///
    /// # Errors
    /// Those of the file.
    pub fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }

    /// Ends the file with what is known about the senders.
    ///
    /// # Errors
    /// Those of the file.
    pub fn finish(mut self, state: &TaggerState) -> io::Result<W> {
        let message = state::encode(state);
        let size = size(&message)?;
        self.sink.put(&SEPARATOR)?;
        self.sink.put(&message)?;
        self.sink.put(&size)?;
        self.sink.finish()
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
