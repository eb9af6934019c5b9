//! How much one step writes: counted in bytes, not in time.

use super::*;
use crate::decode::decode;
use crate::{Chunk, Format, Value};

/// A batch of one chunk with many spans, of so many different names.
fn batch(format: Format, spans: usize, names: usize) -> Batch {
    let mut batch = Batch::default();
    decode(Format::V04, false, b"\x90".to_vec(), &mut batch).unwrap();
    batch.format = format;
    for n in 0..spans {
        let name = batch.strings.add(&format!("operation {}", n % names));
        let span = crate::Span { name, span_id: n as u64 + 1, ..crate::Span::default() };
        batch.spans.push(span);
        let value = batch.strings.add("value");
        batch.set(n, crate::Key::Env, Value::Text(value));
    }
    let spans = crate::Slice { start: 0, len: u32::try_from(spans).unwrap() };
    batch.chunks.push(Chunk { spans, ..Chunk::default() });
    batch
}

#[test]
fn a_large_chunk_is_written_in_steps() {
    const STEP: usize = 4096;
    for format in [Format::V04, Format::V1] {
        for spans in [0, 1, 30_000] {
            let batch = batch(format, spans, usize::MAX);
            let (mut encoder, mut out, mut steps) = (Encoder::default(), b"before".to_vec(), 0);
            encoder.begin(&batch, 0..1);
            let strings_at = loop {
                let len = out.len();
                let encoded = encoder.step(&batch, &mut out, STEP);
                assert!(out.len() - len < STEP + 200, "{} bytes in one step", out.len() - len);
                steps += 1;
                match encoded {
                    Encoded::More => {}
                    Encoded::Done { strings_at } => break strings_at,
                }
            };
            assert!(steps >= spans * SPAN_BYTES_MIN / STEP, "{steps} steps");
            let mut whole = Vec::new();
            payload(&batch, 0..1, &mut whole);
            assert_eq!(out[6..], whole);
            assert_eq!(strings_at < out.len(), format.is_v1());
        }
    }
}

/// Each text is added twice, as processing does that writes the same statement for two spans.
#[test]
fn equal_texts_are_in_the_table_once() {
    const NAMES: usize = 1000;
    let batch = batch(Format::V1, 2 * NAMES, NAMES);
    let (mut encoder, mut out) = (Encoder::default(), Vec::new());
    encoder.begin(&batch, 0..1);
    let Encoded::Done { strings_at } = encoder.step(&batch, &mut out, usize::MAX) else {
        panic!("one step writes all");
    };
    let (mut table, mut texts) = (&out[strings_at..], Vec::new());
    while let [0x0a, len, rest @ ..] = table {
        let (text, rest) = rest.split_at((*len).into());
        texts.push(text);
        table = rest;
    }
    assert!(table.is_empty());
    let count = texts.len();
    texts.sort_unstable();
    texts.dedup();
    assert_eq!(count, texts.len());
    // The empty one, a key and its value.
    assert_eq!(count, NAMES + 3);
}
