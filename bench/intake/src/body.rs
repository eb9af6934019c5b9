//! Decompression of request bodies, never beyond a size limit. spec: metrics-intake §1.1, §6.5.

use std::io::{self, Read};

use flate2::bufread::{MultiGzDecoder, ZlibDecoder};

/// Largest window that a zstd frame may ask for: 2^25 bytes. Every level but the two last fits.
const ZSTD_WINDOW_LOG_MAX: u32 = 25;

/// Why a body could not be decompressed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BodyError {
    /// The content encoding is none of ours.
    #[error("content encoding {0:?} is not known: use zstd, deflate, gzip or identity")]
    UnknownEncoding(String),
    /// The body is larger than the route takes, before or after decompression.
    #[error("{what} body is larger than {limit_bytes} bytes: split the payload")]
    TooLarge {
        /// `compressed` or `decompressed`.
        what: &'static str,
        /// The limit that was passed.
        limit_bytes: usize,
    },
    /// The stream is broken, cut short, or followed by something else.
    #[error("body is not valid {encoding}: {detail}")]
    Corrupt {
        /// Content encoding of the request.
        encoding: &'static str,
        /// What the decoder met.
        detail: String,
    },
}

impl BodyError {
    /// The HTTP status that tells a client about it.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::UnknownEncoding(_) => 415,
            Self::TooLarge { .. } => 413,
            Self::Corrupt { .. } => 400,
        }
    }
}

/// Decompresses `body` to at most `limit_bytes`.
///
/// zstd bodies may be several frames in a row, gzip bodies several members; a zlib stream must be
/// the whole body, because receivers differ in what they make of a second one.
///
/// # Errors
/// Says what is wrong with the body.
pub fn decompress(
    encoding: Option<&str>,
    body: &[u8],
    limit_bytes: usize,
) -> Result<Vec<u8>, BodyError> {
    let encoding = encoding.unwrap_or("identity").trim();
    match encoding.to_ascii_lowercase().as_str() {
        "" | "identity" => read_capped("identity", body, limit_bytes),
        "zstd" => {
            let corrupt = |error: io::Error| corrupt("zstd", &error);
            let mut decoder = zstd::stream::read::Decoder::with_buffer(body).map_err(corrupt)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(corrupt)?;
            read_capped("zstd", decoder, limit_bytes)
        }
        "gzip" => read_capped("gzip", MultiGzDecoder::new(body), limit_bytes),
        "deflate" => {
            let mut decoder = ZlibDecoder::new(body);
            let decoded = read_capped("deflate", &mut decoder, limit_bytes)?;
            if decoder.total_in() != body.len() as u64 {
                let detail = "more bytes follow the zlib stream".to_owned();
                return Err(BodyError::Corrupt { encoding: "deflate", detail });
            }
            Ok(decoded)
        }
        _ => Err(BodyError::UnknownEncoding(encoding.chars().take(40).collect())),
    }
}

fn read_capped(
    encoding: &'static str,
    reader: impl Read,
    limit_bytes: usize,
) -> Result<Vec<u8>, BodyError> {
    let mut decoded = Vec::new();
    let cap = limit_bytes as u64 + 1;
    reader.take(cap).read_to_end(&mut decoded).map_err(|error| corrupt(encoding, &error))?;
    if decoded.len() > limit_bytes {
        return Err(BodyError::TooLarge { what: "decompressed", limit_bytes });
    }
    Ok(decoded)
}

fn corrupt(encoding: &'static str, error: &io::Error) -> BodyError {
    BodyError::Corrupt { encoding, detail: error.to_string() }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{GzEncoder, ZlibEncoder};
    use proptest::prelude::*;

    use super::{BodyError, decompress};

    fn zlib(data: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn every_encoding_comes_back() {
        let data = b"page.views:1|c\n".repeat(100);
        let zstd = zstd::bulk::compress(&data, 1).unwrap();
        for (encoding, body) in
            [("zstd", zstd), ("deflate", zlib(&data)), ("GZIP", gzip(&data)), ("", data.clone())]
        {
            assert_eq!(decompress(Some(encoding), &body, 10_000).unwrap(), data, "{encoding}");
        }
        assert_eq!(decompress(None, &data, 10_000).unwrap(), data);
    }

    #[test]
    fn zstd_frames_in_a_row_are_one_body() {
        let mut body = zstd::bulk::compress(b"one ", 1).unwrap();
        body.extend(zstd::bulk::compress(b"", 1).unwrap());
        body.extend(zstd::bulk::compress(b"two", 3).unwrap());
        assert_eq!(decompress(Some("zstd"), &body, 100).unwrap(), b"one two");
    }

    #[test]
    fn a_second_zlib_stream_is_refused() {
        let mut body = zlib(b"one");
        body.extend(zlib(b"two"));
        let error = decompress(Some("deflate"), &body, 100).unwrap_err();
        assert_eq!(error.status(), 400);
        assert!(error.to_string().contains("more bytes follow"), "{error}");
    }

    #[test]
    fn bombs_stop_at_the_limit() {
        let zeros = vec![0; 8 << 20];
        for (encoding, body) in [
            ("zstd", zstd::bulk::compress(&zeros, 1).unwrap()),
            ("deflate", zlib(&zeros)),
            ("gzip", gzip(&zeros)),
        ] {
            let error = decompress(Some(encoding), &body, 4096).unwrap_err();
            assert!(matches!(error, BodyError::TooLarge { limit_bytes: 4096, .. }), "{error}");
            assert_eq!(error.status(), 413);
        }
        assert_eq!(decompress(None, &zeros[..4096], 4096).unwrap().len(), 4096);
    }

    #[test]
    fn a_cut_stream_is_refused() {
        let data: Vec<u8> = (0..=255).cycle().take(5000).collect();
        for (encoding, body) in [
            ("zstd", zstd::bulk::compress(&data, 1).unwrap()),
            ("deflate", zlib(&data)),
            ("gzip", gzip(&data)),
        ] {
            let cut = &body[..body.len() - 3];
            assert_eq!(decompress(Some(encoding), cut, 10_000).unwrap_err().status(), 400);
        }
    }

    #[test]
    fn an_unknown_encoding_is_named() {
        let error = decompress(Some("br"), b"x", 100).unwrap_err();
        assert_eq!(error.status(), 415);
        assert!(error.to_string().contains("\"br\""), "{error}");
    }

    proptest! {
        #[test]
        fn any_bytes_give_an_answer(
            encoding in prop_oneof![Just("zstd"), Just("deflate"), Just("gzip")],
            start in prop_oneof![
                Just(vec![]), Just(vec![0x28, 0xb5, 0x2f, 0xfd]), Just(vec![0x1f, 0x8b, 8]),
                Just(vec![0x78, 0x9c]),
            ],
            rest in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            let body = [start, rest].concat();
            if let Ok(decoded) = decompress(Some(encoding), &body, 1000) {
                prop_assert!(decoded.len() <= 1000);
            }
        }
    }
}
