//! Bodies: collected and decompressed within limits of bytes and time.

use std::io::Read;
use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::HeaderMap;
use hyper::body::{Body as _, Incoming};
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE};
use tokio::time::timeout;

use crate::Refused;
use crate::inlet::{Charge, Inlet};

/// A whole body, decompressed.
#[derive(Debug)]
pub(super) struct Collected {
    pub(super) body: Vec<u8>,
    pub(super) charge: Charge,
}

/// Why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NoBody {
    /// It is longer than the limit.
    TooLong,
    /// Too much waits already.
    Full,
    /// The client went away, or took too long.
    Broken,
    /// It is compressed in a way that nobody here knows.
    Encoding(String),
    /// It is not what its encoding says.
    Corrupt,
}

/// Compression of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Identity,
    Gzip,
    /// A zlib stream; what calls itself `deflate` may lack the frame of one.
    Zlib,
    Zstd,
}

/// Longest pause of a body.
const PAUSE_MAX: Duration = Duration::from_secs(10);

impl Encoding {
    /// The encoding with this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name.trim().to_ascii_lowercase().as_str() {
            "" | "identity" | "none" => Some(Self::Identity),
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "deflate" | "zlib" => Some(Self::Zlib),
            "zstd" => Some(Self::Zstd),
            _ => None,
        }
    }

    /// The encoding that the head of a request names.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, NoBody> {
        let name = headers.get(CONTENT_ENCODING).map(|value| value.to_str());
        let name = name.unwrap_or(Ok("")).map_err(|_| NoBody::Encoding(String::new()))?;
        Self::named(name).ok_or_else(|| NoBody::Encoding(name.to_owned()))
    }
}

/// Media type of a request, without parameters and in lower case; empty when it names none.
pub(super) fn media(headers: &HeaderMap) -> String {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Collects a body of at most `bytes_max` bytes, which its decompressed form may not exceed either.
pub(super) async fn collect(
    mut incoming: Incoming,
    encoding: Encoding,
    bytes_max: usize,
    inlet: &Inlet,
) -> Result<Collected, NoBody> {
    if incoming.size_hint().lower() > bytes_max as u64 {
        inlet.refuse(Refused::TooLong);
        return Err(NoBody::TooLong);
    }
    let mut charge = Charge::new(inlet.room());
    let mut body = Vec::new();
    while let Some(frame) =
        timeout(PAUSE_MAX, incoming.frame()).await.map_err(|_| NoBody::Broken)?
    {
        let frame = frame.map_err(|_| NoBody::Broken)?;
        let Ok(bytes) = frame.into_data() else { continue };
        if body.len() + bytes.len() > bytes_max {
            inlet.refuse(Refused::TooLong);
            return Err(NoBody::TooLong);
        }
        if !charge.grow(bytes.len()) {
            inlet.refuse(Refused::Full);
            return Err(NoBody::Full);
        }
        body.extend_from_slice(&bytes);
    }
    decompress(body, charge, encoding, bytes_max, inlet)
}

/// Decompresses what was collected.
pub(super) fn decompress(
    body: Vec<u8>,
    mut charge: Charge,
    encoding: Encoding,
    bytes_max: usize,
    inlet: &Inlet,
) -> Result<Collected, NoBody> {
    let plain = match encoding {
        Encoding::Identity => return Ok(Collected { body, charge }),
        Encoding::Gzip => inflate(flate2::read::MultiGzDecoder::new(&*body), bytes_max),
        Encoding::Zlib if is_zlib(&body) => {
            inflate(flate2::read::ZlibDecoder::new(&*body), bytes_max)
        }
        Encoding::Zlib => inflate(flate2::read::DeflateDecoder::new(&*body), bytes_max),
        Encoding::Zstd => {
            let reader = zstd::Decoder::new(&*body).map_err(|_| NoBody::Corrupt)?;
            inflate(reader, bytes_max)
        }
    };
    let plain = plain.inspect_err(|error| {
        if *error == NoBody::TooLong {
            inlet.refuse(Refused::TooLong);
        }
    })?;
    if !charge.grow(plain.len()) {
        inlet.refuse(Refused::Full);
        return Err(NoBody::Full);
    }
    Ok(Collected { body: plain, charge })
}

fn inflate(reader: impl Read, bytes_max: usize) -> Result<Vec<u8>, NoBody> {
    let mut plain = Vec::new();
    let limit = (bytes_max as u64).saturating_add(1);
    reader.take(limit).read_to_end(&mut plain).map_err(|_| NoBody::Corrupt)?;
    if plain.len() > bytes_max { Err(NoBody::TooLong) } else { Ok(plain) }
}

/// Whether it begins with the header of a zlib stream. RFC 1950 §2.2
fn is_zlib(body: &[u8]) -> bool {
    match body {
        [method, flags, ..] => {
            method & 0x0f == 8 && (u16::from(*method) << 8 | u16::from(*flags)) % 31 == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use tokio::sync::mpsc::unbounded_channel;

    use super::*;
    use crate::inlet::{Limits, Room};

    fn plain(body: Vec<u8>, encoding: Encoding, bytes_max: usize) -> Result<Vec<u8>, NoBody> {
        let (sender, _jobs) = unbounded_channel();
        let inlet = Inlet::new(sender, Room::new(1 << 20), Limits::default());
        let charge = Charge::new(inlet.room());
        decompress(body, charge, encoding, bytes_max, &inlet).map(|collected| collected.body)
    }

    #[test]
    fn every_encoding_is_read() {
        let text = b"one two three".repeat(50);
        let gzip = || {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(&text).unwrap();
            encoder.finish().unwrap()
        };
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), Compression::fast());
        zlib.write_all(&text).unwrap();
        let mut raw = flate2::write::DeflateEncoder::new(Vec::new(), Compression::fast());
        raw.write_all(&text).unwrap();
        for (body, encoding) in [
            (text.clone(), Encoding::Identity),
            (gzip(), Encoding::Gzip),
            ([gzip(), gzip()].concat(), Encoding::Gzip),
            (zlib.finish().unwrap(), Encoding::Zlib),
            (raw.finish().unwrap(), Encoding::Zlib),
            (zstd::encode_all(&*text, 1).unwrap(), Encoding::Zstd),
        ] {
            let read = plain(body, encoding, 1 << 16).unwrap();
            assert!(read.starts_with(&text), "{encoding:?}");
        }
    }

    #[test]
    fn what_expands_too_far_is_refused() {
        let bomb = zstd::encode_all(&*vec![0; 1 << 20], 1).unwrap();
        assert_eq!(plain(bomb, Encoding::Zstd, 1000), Err(NoBody::TooLong));
        assert_eq!(plain(b"not gzip".to_vec(), Encoding::Gzip, 1000), Err(NoBody::Corrupt));
        assert_eq!(plain(b"x".to_vec(), Encoding::Zstd, 1000), Err(NoBody::Corrupt));
    }

    #[test]
    fn encodings_are_known_by_name() {
        assert_eq!(Encoding::named(" GZIP"), Some(Encoding::Gzip));
        assert_eq!(Encoding::named("br"), None);
        let mut headers = HeaderMap::new();
        assert_eq!(Encoding::of(&headers), Ok(Encoding::Identity));
        headers.insert(CONTENT_ENCODING, "br".parse().unwrap());
        assert_eq!(Encoding::of(&headers), Err(NoBody::Encoding("br".to_owned())));
        headers.insert(CONTENT_TYPE, "Application/JSON; charset=utf-8".parse().unwrap());
        assert_eq!(media(&headers), "application/json");
    }
}
