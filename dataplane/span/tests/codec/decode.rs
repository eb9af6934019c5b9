//! Decoding gives back the model that was written.

use corelane_span::decode::{Decoder, Progress, decode};
use corelane_span::{Batch, Format};
use proptest::prelude::*;

use crate::model::Payload;
use crate::msgpack::Writer;
use crate::random::Random;
use crate::{json, read, v1, v04, v05};

/// Formats and whether they are written as JSON.
pub(crate) const FORMATS: [(Format, bool); 8] = [
    (Format::V01, true),
    (Format::V02, true),
    (Format::V03, false),
    (Format::V04, false),
    (Format::V04, true),
    (Format::V05, false),
    (Format::V07, false),
    (Format::V1, false),
];

/// A random payload and a body that stands for it.
pub(crate) fn body(seed: u64, format: Format, is_json: bool, is_odd: bool) -> (Payload, Vec<u8>) {
    let mut random = Random::new(seed);
    let payload = Payload::random(&mut random, format);
    if is_json {
        let body = json::write(&payload, format);
        return (payload, body);
    }
    let mut writer = Writer::new(random, is_odd);
    match format {
        Format::V05 => v05::write(&payload, &mut writer),
        Format::V07 => v04::write_v07(&payload, &mut writer),
        Format::V1 => v1::write(&payload, &mut writer),
        Format::V01 | Format::V02 | Format::V03 | Format::V04 => {
            v04::write_v04(&payload, &mut writer);
        }
    }
    (payload, writer.out)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_format_decodes_to_the_model(seed: u64, is_odd: bool, hint: bool) {
        let mut batch = Batch::default();
        for (format, is_json) in FORMATS {
            let (payload, body) = body(seed, format, is_json, is_odd);
            decode(format, hint, body, &mut batch).unwrap();
            prop_assert_eq!(read::payload(&batch), payload, "{:?}", format);
        }
    }

    #[test]
    fn slices_give_the_same_as_the_whole(seed: u64, bytes_max in 0usize..4) {
        let (mut batch, mut decoder) = (Batch::default(), Decoder::default());
        for (format, is_json) in FORMATS {
            let (payload, body) = body(seed, format, is_json, true);
            decoder.start(format, is_json, body, &mut batch);
            let mut step_count = 0;
            while decoder.step(&mut batch, bytes_max).unwrap() == Progress::More {
                step_count += 1;
            }
            let span_count: usize = payload.chunks.iter().map(|chunk| chunk.spans.len()).sum();
            prop_assert!(step_count >= span_count / bytes_max.max(1));
            prop_assert_eq!(read::payload(&batch), payload, "{:?}", format);
            prop_assert_eq!(decoder.step(&mut batch, 1), Ok(Progress::Done));
        }
    }

    #[test]
    fn a_part_of_a_body_is_refused(seed: u64) {
        let mut batch = Batch::default();
        for (format, is_json) in FORMATS {
            let (_, body) = body(seed, format, is_json, true);
            for len in (0..body.len()).step_by(1 + body.len() / 64) {
                let refused = decode(format, is_json, body[..len].to_vec(), &mut batch);
                prop_assert!(refused.is_err(), "{:?} cut to {} of {}", format, len, body.len());
            }
        }
    }
}
