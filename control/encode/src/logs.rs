//! Payloads of logs. spec: logs §2.1, §2.2.

use crate::body::BodyStream;
use crate::{Payload, PayloadKind, Settings};

/// Compresses a finished list of logs.
///
/// Returns `None` when it could not be compressed, for want of memory.
#[must_use]
pub fn encode_logs(list: &[u8], logs: u64, settings: &Settings) -> Option<Payload> {
    let mut stream = BodyStream::new(settings);
    stream.write(list)?;
    stream.finish(PayloadKind::Logs, logs)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;
    use crate::Encoding;

    #[test]
    fn a_list_leaves_as_it_is_in_every_encoding() {
        let list = br#"[{"message":"a"},{"message":"b"}]"#;
        for compression in [Encoding::Zstd, Encoding::Gzip, Encoding::Identity] {
            let settings = Settings { compression, deflate_level: 99, ..Settings::default() };
            let payload = encode_logs(list, 2, &settings).unwrap();
            let mut read = Vec::new();
            match compression {
                Encoding::Zstd => read = zstd::decode_all(&*payload.body).unwrap(),
                Encoding::Gzip => {
                    flate2::read::GzDecoder::new(&*payload.body).read_to_end(&mut read).unwrap();
                }
                Encoding::Deflate | Encoding::Identity => read.extend(&payload.body),
            }
            assert_eq!(read, list);
            assert_eq!((payload.kind, payload.items), (PayloadKind::Logs, 2));
            assert_eq!(payload.uncompressed_bytes, list.len() as u64);
        }
    }
}
