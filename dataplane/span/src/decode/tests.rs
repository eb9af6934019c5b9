//! How much one slice does: counted in bytes and parts, not in time.

use super::*;

/// Bytes asked for in each slice.
const SLICE: usize = 4096;

/// Decodes a body in slices. Returns how it ended, and the largest steps: of the position, and of
/// all that the batch holds.
fn steps(format: Format, body: Vec<u8>) -> (Result<(), DecodeError>, usize, usize) {
    let (mut batch, mut decoder) = (Batch::default(), Decoder::default());
    decoder.start(format, true, body, &mut batch);
    let (mut bytes_max, mut parts_max) = (0, 0);
    loop {
        let (at, parts) = (decoder.at, parts(&batch));
        let progress = decoder.step(&mut batch, SLICE);
        bytes_max = bytes_max.max(decoder.at - at);
        parts_max = parts_max.max(self::parts(&batch) - parts);
        match progress {
            Ok(Progress::More) => {}
            Ok(Progress::Done) => return (Ok(()), bytes_max, parts_max),
            Err(error) => return (Err(error), bytes_max, parts_max),
        }
    }
}

fn parts(batch: &Batch) -> usize {
    let lists = batch.attributes.count() + batch.nested.count();
    lists + batch.spans.len() + batch.chunks.len() + batch.links.len() + batch.events.len()
}

fn str16(text: &str) -> Vec<u8> {
    let len = u16::try_from(text.len()).unwrap();
    [&[0xda], &len.to_be_bytes()[..], text.as_bytes()].concat()
}

fn list(marker: u8, len: usize) -> Vec<u8> {
    let len = u32::try_from(len).unwrap();
    [&[marker], &len.to_be_bytes()[..]].concat()
}

/// A body of one span of v0.4 whose only field is `field` with `value`.
fn span_with(field: &str, value: &[u8]) -> Vec<u8> {
    [b"\x91\x91\x81", &*str16(field), value].concat()
}

#[test]
fn a_large_chunk_is_left_between_its_spans() {
    let span = [b"\x82", &*str16("span_id"), b"\x07", &*str16("name"), b"\xa1n"].concat();
    let body = [b"\x91", &*list(0xdd, 20_000), &span.repeat(20_000)].concat();
    let (end, bytes, parts) = steps(Format::V04, body);
    assert_eq!(end, Ok(()));
    assert!(bytes < SLICE + span.len() && parts < SLICE, "{bytes} bytes, {parts} parts");
}

#[test]
fn a_large_span_is_left_between_its_attributes() {
    for (field, entry, count) in [
        ("meta", &b"\xa1k\xa1v"[..], 16_000),
        ("metrics", b"\xa1k\x01", 16_000),
        ("meta_struct", b"\xa1k\xc4\x01v", 16_000),
        ("span_links", b"\x80", 16_000),
        ("span_events", b"\x80", 16_000),
        ("span_events", b"\x81\xa4name\xa1n", 16_000),
    ] {
        let marker = if field.starts_with("span") { 0xdd } else { 0xdf };
        let value = [&*list(marker, count), &entry.repeat(count)].concat();
        let (end, bytes, parts) = steps(Format::V04, span_with(field, &value));
        assert_eq!(end, Ok(()), "{field}");
        assert!(bytes <= SLICE + 16 && parts <= SLICE, "{field}: {bytes} bytes, {parts} parts");
    }
    let triples = [&*list(0xdd, 3 * 16_000), &b"\x00\x02\xc3".repeat(16_000)].concat();
    let body = [&b"\x81\x0b\x91\x81\x04\x91\x81\x09"[..], &triples].concat();
    let (end, bytes, parts) = steps(Format::V1, body);
    assert_eq!(end, Ok(()));
    assert!(bytes <= SLICE + 16 && parts <= SLICE, "{bytes} bytes, {parts} parts");
}

#[test]
fn a_part_that_would_hold_the_lane_is_refused() {
    let many = |marker, entry: &[u8], count| [&*list(marker, count), &entry.repeat(count)].concat();
    let cases = [
        span_with("meta", &many(0xdf, b"\xa1k\xa1v", 20_000)),
        span_with("span_links", &many(0xdd, b"\x80", 20_000)),
        span_with("span_events", &many(0xdd, b"\x80", 20_000)),
        span_with("span_events", &{
            let values = many(0xdf, b"\xa1k\x80", 20_000);
            [b"\x91\x81", &*str16("attributes"), &values].concat()
        }),
        span_with("unknown", &many(0xdd, b"\x01", 1 << 20)),
    ];
    for body in cases {
        let (end, _, parts) = steps(Format::V04, body);
        assert_eq!(end, Err(DecodeError::TooMany));
        assert!(parts <= SLICE.max(1 << 14) + 2, "{parts} parts");
    }
    let blank = [&b"["[..], &b" ".repeat(2 << 20), b"]"].concat();
    assert_eq!(steps(Format::V02, blank).0, Err(DecodeError::TooLong));
    let digits = [&b"[[{\"error\":"[..], &b"1".repeat(1 << 20), b"}]]"].concat();
    assert_eq!(steps(Format::V02, digits).0, Err(DecodeError::OutOfRange));
}

#[test]
fn flat_lists_are_grouped_in_steps() {
    let spans: Vec<String> = (0..30_000u64)
        .map(|n| format!("{{\"trace_id\":{},\"span_id\":{}}}", n * 7919 % 1000, n + 1))
        .collect();
    let body = format!("[{}]", spans.join(",")).into_bytes();
    let (mut batch, mut decoder) = (Batch::default(), Decoder::default());
    decoder.start(Format::V01, true, body, &mut batch);
    let mut steps_behind = 0;
    while decoder.step(&mut batch, SLICE) == Ok(Progress::More) {
        steps_behind += usize::from(decoder.lists.heap_bytes() > 0);
    }
    // 30,000 spans in runs of 256 are merged seven times, and passed over three times more.
    let least = 30_000 * 10 / (SLICE / 16 + 1);
    assert!(steps_behind >= least, "{steps_behind} steps, not {least}");
    assert_eq!(batch.chunks.len(), 1000);
    for (n, chunk) in batch.chunks.iter().enumerate() {
        let spans = &batch.spans[chunk.spans.range()];
        assert_eq!(spans.len(), 30);
        assert!(spans.iter().all(|span| span.trace_id == n as u64));
        assert!(spans.is_sorted_by_key(|span| span.span_id));
    }
}

#[test]
fn the_string_table_grows_a_little_with_each_string() {
    let count = 200_000u32;
    let mut body = [&b"\x81\x0b\x91\x81\x04"[..], &list(0xdd, count as usize)].concat();
    for n in 0..count {
        body.extend(b"\x82\x01\xa8");
        body.extend(format!("{n:08x}").into_bytes());
        // The name is a string that was seen long ago.
        body.extend(b"\x02\xce");
        body.extend((n / 2 + 1).to_be_bytes());
    }
    let (mut batch, mut decoder) = (Batch::default(), Decoder::default());
    decoder.start(Format::V1, false, body, &mut batch);
    while decoder.step(&mut batch, SLICE).unwrap() == Progress::More {}
    for (n, span) in batch.spans.iter().enumerate() {
        assert_eq!(batch.strings.text(span.service), format!("{n:08x}"));
        assert_eq!(batch.strings.text(span.name), format!("{:08x}", n / 2));
    }
}

#[test]
fn a_text_beyond_the_limit_is_cut_between_characters() {
    let text = "é".repeat(TEXT_BYTES_MAX);
    let mut value = vec![0xdb];
    value.extend(u32::try_from(text.len()).unwrap().to_be_bytes());
    value.extend(text.as_bytes());
    for (body, format) in [
        (span_with("resource", &value), Format::V04),
        (format!("[[{{\"resource\":\"{text}\"}}]]").into_bytes(), Format::V02),
        (format!("[[{{\"resource\":\"\\n{text}\"}}]]").into_bytes(), Format::V02),
    ] {
        let mut batch = Batch::default();
        decode(format, true, body, &mut batch).unwrap();
        let resource = batch.strings.text(batch.spans[0].resource);
        assert!(resource.len() > TEXT_BYTES_MAX - 4 && resource.len() <= TEXT_BYTES_MAX);
        assert!(text.starts_with(resource.trim_start()));
        assert_eq!(batch.strings.cut_count(), 1);
    }
}
