//! Where the bytes of a capture file go: as they are, or through zstd.

use std::fmt;
use std::io::{self, BufWriter, IntoInnerError, Write};

/// How a capture file is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// As it is.
    None,
    /// The whole file as one zstd frame.
    #[default]
    Zstd,
}

/// The end of a writer, which counts what it is given.
pub(crate) struct Sink<W: Write> {
    out: Out<W>,
    bytes: u64,
}

enum Out<W: Write> {
    Plain(BufWriter<W>),
    Zstd(zstd::stream::write::Encoder<'static, W>),
}

impl<W: Write> Sink<W> {
    pub(crate) fn new(out: W, compression: Compression) -> io::Result<Self> {
        let out = match compression {
            Compression::None => Out::Plain(BufWriter::new(out)),
            Compression::Zstd => {
                Out::Zstd(zstd::stream::write::Encoder::new(out, zstd::DEFAULT_COMPRESSION_LEVEL)?)
            }
        };
        Ok(Self { out, bytes: 0 })
    }

    /// Bytes put so far, before compression.
    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.bytes += bytes.len() as u64;
        match &mut self.out {
            Out::Plain(out) => out.write_all(bytes),
            Out::Zstd(out) => out.write_all(bytes),
        }
    }

    /// Gives everything to the file, so that a reader finds it even if nothing else follows.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        match &mut self.out {
            Out::Plain(out) => out.flush(),
            Out::Zstd(out) => out.flush(),
        }
    }

    pub(crate) fn finish(self) -> io::Result<W> {
        match self.out {
            Out::Plain(out) => out.into_inner().map_err(IntoInnerError::into_error),
            Out::Zstd(out) => {
                let mut out = out.finish()?;
                out.flush()?;
                Ok(out)
            }
        }
    }
}

impl<W: Write> fmt::Debug for Sink<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sink").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}
