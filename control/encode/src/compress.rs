//! Streaming compression into a buffer that never grows over a cap.

use std::io;

use bytes::Bytes;
use flate2::{Compress, Compression, Crc, FlushCompress, Status};
use zstd::stream::raw::{Encoder, InBuffer, Operation, OutBuffer};

use crate::{Encoding, Settings};

/// The output did not fit under the cap, or the codec could not get its memory. What was written so
/// far is lost; [`Compressor::reset`] starts over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Overflow;

/// Smallest step in which the output buffer grows.
const GROWTH_BYTES_MIN: usize = 16 * 1024;
/// RFC 1952: magic, deflate, no flags, no time, no extra flags, unknown system.
const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
/// CRC and size after a gzip body.
const GZIP_TRAILER_BYTES: usize = 8;

/// One compressed stream at a time. Codec and output buffer are kept between streams.
pub(crate) struct Compressor {
    codec: Codec,
    out: Vec<u8>,
    out_bytes_max: usize,
}

enum Codec {
    /// The encoder is made at the first write, so that an idle compressor holds no memory.
    Zstd {
        level: i32,
        encoder: Option<Encoder<'static>>,
    },
    Deflate(Box<Compress>),
    Gzip {
        raw: Box<Compress>,
        crc: Crc,
    },
    Identity,
}

impl Compressor {
    pub(crate) fn new(settings: &Settings, out_bytes_max: usize) -> Self {
        let level = Compression::new(settings.deflate_level.min(9));
        let codec = match settings.compression {
            Encoding::Zstd => Codec::Zstd { level: settings.zstd_level, encoder: None },
            Encoding::Deflate => Codec::Deflate(Box::new(Compress::new(level, true))),
            Encoding::Gzip => {
                Codec::Gzip { raw: Box::new(Compress::new(level, false)), crc: Crc::new() }
            }
            Encoding::Identity => Codec::Identity,
        };
        Self { codec, out: Vec::new(), out_bytes_max }
    }

    pub(crate) const fn encoding(&self) -> Encoding {
        match self.codec {
            Codec::Zstd { .. } => Encoding::Zstd,
            Codec::Deflate(_) => Encoding::Deflate,
            Codec::Gzip { .. } => Encoding::Gzip,
            Codec::Identity => Encoding::Identity,
        }
    }

    /// Most bytes that `len` more bytes of input add to the output, when a flush or the end follows
    /// them and the output may be empty.
    pub(crate) const fn bound(&self, len: usize) -> usize {
        match self.codec {
            // ZSTD_compressBound; its slack covers frame header, block headers and the last block.
            Codec::Zstd { .. } => {
                let small = 128 * 1024_usize;
                len.saturating_add(len >> 8).saturating_add(small.saturating_sub(len) >> 11)
            }
            // The bound that miniz documents for any mix of flushes, plus the gzip frame.
            Codec::Deflate(_) | Codec::Gzip { .. } => {
                len.saturating_add(len / 10).saturating_add(128 + 18)
            }
            Codec::Identity => len,
        }
    }

    /// Bytes of output so far; exact after [`Compressor::flush`].
    pub(crate) const fn out_bytes(&self) -> usize {
        self.out.len()
    }

    /// Compresses `input`; some of it may stay inside the codec.
    pub(crate) fn write(&mut self, input: &[u8]) -> Result<(), Overflow> {
        let Self { codec, out, out_bytes_max } = self;
        let max = *out_bytes_max;
        match codec {
            Codec::Zstd { level, encoder } => {
                let encoder = match encoder {
                    Some(encoder) => encoder,
                    None => encoder.insert(Encoder::new(*level).map_err(overflow)?),
                };
                let mut source = InBuffer::around(input);
                while source.pos() < input.len() {
                    grow(out, max)?;
                    let at = out.len();
                    encoder
                        .run(&mut source, &mut OutBuffer::around_pos(out, at))
                        .map_err(overflow)?;
                }
                check(out, max)
            }
            Codec::Deflate(codec) => deflate(codec, out, max, input, FlushCompress::None),
            Codec::Gzip { raw, crc } => {
                if out.is_empty() {
                    extend(out, max, &GZIP_HEADER)?;
                }
                crc.update(input);
                deflate(
                    raw,
                    out,
                    max.saturating_sub(GZIP_TRAILER_BYTES),
                    input,
                    FlushCompress::None,
                )
            }
            Codec::Identity => extend(out, max, input),
        }
    }

    /// Pushes everything written so far to the output.
    pub(crate) fn flush(&mut self) -> Result<(), Overflow> {
        let Self { codec, out, out_bytes_max } = self;
        let max = *out_bytes_max;
        match codec {
            Codec::Zstd { encoder: Some(encoder), .. } => drain(out, max, |out| encoder.flush(out)),
            Codec::Deflate(codec) => deflate(codec, out, max, &[], FlushCompress::Sync),
            Codec::Gzip { raw, .. } => {
                deflate(raw, out, max.saturating_sub(GZIP_TRAILER_BYTES), &[], FlushCompress::Sync)
            }
            Codec::Zstd { encoder: None, .. } | Codec::Identity => Ok(()),
        }
    }

    /// Ends the stream and starts a new one. The result holds exactly its bytes.
    pub(crate) fn finish(&mut self) -> Result<Bytes, Overflow> {
        let result = self.end();
        let body = Bytes::copy_from_slice(&self.out);
        self.reset();
        result.map(|()| body)
    }

    /// Forgets the stream and starts a new one.
    pub(crate) fn reset(&mut self) {
        self.out.clear();
        match &mut self.codec {
            Codec::Zstd { encoder, .. } => {
                if encoder.as_mut().is_some_and(|encoder| encoder.reinit().is_err()) {
                    *encoder = None;
                }
            }
            Codec::Deflate(codec) => codec.reset(),
            Codec::Gzip { raw, crc } => {
                raw.reset();
                crc.reset();
            }
            Codec::Identity => {}
        }
    }

    fn end(&mut self) -> Result<(), Overflow> {
        let Self { codec, out, out_bytes_max } = self;
        let max = *out_bytes_max;
        match codec {
            Codec::Zstd { encoder: Some(encoder), .. } => {
                drain(out, max, |out| encoder.finish(out, true))
            }
            Codec::Deflate(codec) => deflate(codec, out, max, &[], FlushCompress::Finish),
            Codec::Gzip { raw, crc } => {
                let body_max = max.saturating_sub(GZIP_TRAILER_BYTES);
                deflate(raw, out, body_max, &[], FlushCompress::Finish)?;
                extend(out, max, &crc.sum().to_le_bytes())?;
                extend(out, max, &crc.amount().to_le_bytes())
            }
            Codec::Zstd { encoder: None, .. } | Codec::Identity => Ok(()),
        }
    }
}

impl std::fmt::Debug for Compressor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compressor")
            .field("encoding", &self.encoding())
            .field("out_bytes", &self.out.len())
            .field("out_bytes_max", &self.out_bytes_max)
            .finish_non_exhaustive()
    }
}

/// Runs a zstd operation until nothing is left inside the encoder.
fn drain(
    out: &mut Vec<u8>,
    max: usize,
    mut step: impl FnMut(&mut OutBuffer<'_, Vec<u8>>) -> io::Result<usize>,
) -> Result<(), Overflow> {
    loop {
        grow(out, max)?;
        let at = out.len();
        let left = step(&mut OutBuffer::around_pos(out, at)).map_err(overflow)?;
        if left == 0 {
            return check(out, max);
        }
    }
}

fn deflate(
    codec: &mut Compress,
    out: &mut Vec<u8>,
    max: usize,
    mut input: &[u8],
    flush: FlushCompress,
) -> Result<(), Overflow> {
    loop {
        grow(out, max)?;
        let before = codec.total_in();
        let status = codec.compress_vec(input, out, flush).map_err(overflow)?;
        let consumed = usize::try_from(codec.total_in() - before).map_err(overflow)?;
        input = input.get(consumed..).unwrap_or_default();
        let is_done = if matches!(flush, FlushCompress::Finish) {
            status == Status::StreamEnd
        } else {
            // Room left in the output means that the codec has nothing more to say.
            input.is_empty() && out.len() < out.capacity()
        };
        if is_done {
            return check(out, max);
        }
    }
}

fn extend(out: &mut Vec<u8>, max: usize, bytes: &[u8]) -> Result<(), Overflow> {
    if bytes.len() > max.saturating_sub(out.len()) {
        return Err(Overflow);
    }
    out.extend_from_slice(bytes);
    Ok(())
}

/// Makes room for more output. One byte over the cap is allowed, so that a codec can tell "exactly
/// full" from "more to come"; [`check`] refuses it afterwards.
fn grow(out: &mut Vec<u8>, max: usize) -> Result<(), Overflow> {
    if out.len() < out.capacity() {
        return Ok(());
    }
    let left = max.saturating_add(1).saturating_sub(out.len());
    if left == 0 {
        return Err(Overflow);
    }
    out.reserve_exact(out.len().max(GROWTH_BYTES_MIN).min(left));
    Ok(())
}

const fn check(out: &[u8], max: usize) -> Result<(), Overflow> {
    if out.len() > max { Err(Overflow) } else { Ok(()) }
}

fn overflow<E>(_: E) -> Overflow {
    Overflow
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use proptest::prelude::*;

    use super::*;

    const ENCODINGS: [Encoding; 4] =
        [Encoding::Zstd, Encoding::Deflate, Encoding::Gzip, Encoding::Identity];

    fn compressor(encoding: Encoding, max: usize) -> Compressor {
        Compressor::new(&Settings { compression: encoding, ..Settings::default() }, max)
    }

    fn decompress(encoding: Encoding, body: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        match encoding {
            Encoding::Zstd => out = zstd::decode_all(body).unwrap(),
            Encoding::Deflate => {
                flate2::read::ZlibDecoder::new(body).read_to_end(&mut out).map(drop).unwrap();
            }
            Encoding::Gzip => {
                flate2::read::GzDecoder::new(body).read_to_end(&mut out).map(drop).unwrap();
            }
            Encoding::Identity => out.extend_from_slice(body),
        }
        out
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn streams_round_trip_within_their_bound(
            parts in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..40_000), any::<bool>()), 0..6),
        ) {
            for encoding in ENCODINGS {
                let mut codec = compressor(encoding, usize::MAX >> 1);
                // Twice, to see that a finished stream leaves nothing behind.
                for _ in 0..2 {
                    let mut whole = Vec::new();
                    let mut bound = 0;
                    let mut unflushed = 0;
                    for (part, flush) in &parts {
                        codec.write(part).unwrap();
                        whole.extend_from_slice(part);
                        unflushed += part.len();
                        if *flush {
                            codec.flush().unwrap();
                            bound += codec.bound(unflushed);
                            unflushed = 0;
                            prop_assert!(codec.out_bytes() <= bound);
                        }
                    }
                    if whole.is_empty() {
                        codec.reset();
                        continue;
                    }
                    codec.write(b"x").unwrap();
                    whole.push(b'x');
                    bound += codec.bound(unflushed + 1);
                    let body = codec.finish().unwrap();
                    prop_assert!(body.len() <= bound, "{encoding:?}: {} > {bound}", body.len());
                    prop_assert_eq!(decompress(encoding, &body), whole);
                }
            }
        }

        #[test]
        fn output_never_exceeds_the_cap(len in 1_usize..60_000, max in 0_usize..60_000, seed: u64) {
            let mut state = seed | 1;
            let noise: Vec<u8> = (0..len)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    state.to_le_bytes()[7]
                })
                .collect();
            for encoding in ENCODINGS {
                let mut codec = compressor(encoding, max);
                let result = codec.write(&noise).and_then(|()| codec.finish());
                match result {
                    Ok(body) => {
                        prop_assert!(body.len() <= max);
                        prop_assert_eq!(decompress(encoding, &body), noise.clone());
                    },
                    Err(Overflow) => prop_assert!(codec.bound(len) > max),
                }
                codec.reset();
            }
        }
    }
}
