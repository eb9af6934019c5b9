use std::cell::RefCell;
use std::io::Write;
use std::rc::Rc;

use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue};
use proptest::prelude::*;

use super::*;

fn record(unix_ns: i64, body: &[u8]) -> RequestRecord {
    RequestRecord {
        unix_ns,
        path: PathAndQuery::from_static("/v0.4/traces"),
        headers: vec![
            (HeaderName::from_static("content-type"), HeaderValue::from_static("application/json")),
            (HeaderName::from_static("datadog-meta-lang"), HeaderValue::from_static("go")),
        ],
        container: "abc".to_owned(),
        body: body.to_vec(),
    }
}

fn file(records: &[RequestRecord], compression: Compression, drops: u64) -> Vec<u8> {
    let mut writer = RequestWriter::new(Vec::new(), compression).expect("memory");
    for record in records {
        writer.write(record).expect("memory");
    }
    writer.finish(drops).expect("memory")
}

/// All that can be read, and whether the file was cut.
fn read_all(bytes: &[u8]) -> Result<(Vec<RequestRecord>, bool), RequestError> {
    let mut reader = RequestReader::new(bytes)?;
    let mut records = Vec::new();
    while let Some(record) = reader.read()? {
        records.push(record);
    }
    Ok((records, reader.is_cut()))
}

#[test]
fn what_is_written_is_read() {
    let records = [record(5, b"[]"), record(-1, b""), record(i64::MAX, &[7; 100_000])];
    for compression in [Compression::None, Compression::Zstd] {
        let bytes = file(&records, compression, 9);
        let mut reader = RequestReader::new(&*bytes).expect("a header");
        for record in &records {
            assert_eq!(reader.read().expect("readable").as_ref(), Some(record));
        }
        assert!(reader.read().expect("readable").is_none());
        assert_eq!((reader.drops(), reader.is_cut()), (9, false));
    }
}

#[test]
fn the_smallest_file_is_byte_exact() {
    let record = RequestRecord {
        path: PathAndQuery::from_static("/a"),
        headers: Vec::new(),
        container: String::new(),
        ..record(1, b"x")
    };
    let hex: String = file(&[record], Compression::None, 0).iter().map(hex_of).collect();
    assert_eq!(
        hex,
        concat!(
            "636c747261636501", // cltrace, version 1
            "09000000",
            "0eb9e69e",
            "080112022f612a0178",
            "04000000",
            "14f19c99",
            "7a020801",
        )
    );
}

fn hex_of(byte: &u8) -> String {
    format!("{byte:02x}")
}

/// A file of every length that a kill leaves gives its whole requests.
#[test]
fn a_cut_file_gives_its_whole_requests() {
    let records = [record(1, b"one"), record(2, b"two")];
    let bytes = file(&records, Compression::None, 0);
    let first = file(&records[..1], Compression::None, 0);
    // Without its end, which has 8 bytes before its message of 4.
    let (first_end, second_end) = (first.len() - 12, bytes.len() - 12);
    for length in HEADER_BYTES..bytes.len() {
        let (read, is_cut) = read_all(&bytes[..length]).expect("no error");
        let expected = usize::from(length >= first_end) + usize::from(length >= second_end);
        assert_eq!(read, records[..expected], "{length}");
        assert!(is_cut, "{length}");
    }
    let mut zeros = bytes[..second_end].to_vec();
    zeros.extend([0; 4096]);
    assert_eq!(read_all(&zeros).expect("no error"), (records.to_vec(), true));
}

/// What has reached the file so far.
#[derive(Clone, Default)]
struct Kept(Rc<RefCell<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_was_flushed_outlives_the_recorder() {
    let kept = Kept::default();
    let mut writer = RequestWriter::new(kept.clone(), Compression::Zstd).expect("memory");
    writer.write(&record(1, b"one")).expect("memory");
    writer.flush().expect("memory");
    writer.write(&record(2, b"two")).expect("memory");
    let (read, is_cut) = read_all(&kept.0.borrow()).expect("no error");
    assert_eq!((read, is_cut), (vec![record(1, b"one")], true));
}

#[test]
fn damage_is_an_error_after_what_is_whole() {
    let mut bytes = file(&[record(1, b"one"), record(2, b"two")], Compression::None, 0);
    let at = bytes.windows(3).position(|window| window == b"two").expect("it is there");
    bytes[at] = b'T';
    let mut reader = RequestReader::new(&*bytes).expect("a header");
    assert!(reader.read().expect("the first is whole").is_some());
    assert!(matches!(reader.read(), Err(RequestError::Damaged { number: 2 })));
}

#[test]
fn other_files_and_absurd_lengths_are_refused() {
    assert!(matches!(read_all(b""), Err(RequestError::NotCapture)));
    assert!(matches!(read_all(b"cltrac"), Err(RequestError::NotCapture)));
    assert!(matches!(read_all(b"somethingelse"), Err(RequestError::NotCapture)));
    assert!(matches!(read_all(b"cltrace\x02"), Err(RequestError::Version(2))));
    let absurd = b"cltrace\x01\xff\xff\xff\xff\x01\0\0\0";
    assert!(matches!(read_all(absurd), Err(RequestError::TooLarge { number: 1, .. })));
    // A claim within the limit takes no memory for what is not there.
    assert!(read_all(b"cltrace\x01\0\0\0\x10\x01\0\0\0abc").expect("cut").1);
    let mut broken = ZSTD_MAGIC.to_vec();
    broken.extend([0xff; 40]);
    assert!(read_all(&broken).is_err());
}

#[test]
fn an_end_that_counts_otherwise_is_damage() {
    let whole = file(&[record(1, b"one")], Compression::None, 0);
    let none = file(&[], Compression::None, 0);
    let mut mixed = whole[..whole.len() - 12].to_vec();
    mixed.extend(&none[HEADER_BYTES..]);
    assert!(matches!(read_all(&mixed), Err(RequestError::Damaged { number: 2 })));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>, is_ours: bool) {
        let mut input = if is_ours { b"cltrace\x01".to_vec() } else { Vec::new() };
        input.extend(bytes);
        check_request_bytes(&input);
    }

    #[test]
    fn a_file_with_other_bytes_in_it_is_read_or_refused(
        bodies in prop::collection::vec(any::<Vec<u8>>(), 0..4),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        is_zstd: bool,
    ) {
        let records: Vec<_> = bodies.iter().map(|body| record(1, body)).collect();
        let compression = if is_zstd { Compression::Zstd } else { Compression::None };
        let mut bytes = file(&records, compression, 0);
        for (index, byte) in changes {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        check_request_bytes(&bytes);
    }
}
