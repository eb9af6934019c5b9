use std::sync::Arc;

use entity::{EntityTags, TaggerEntity};
use proptest::prelude::*;

use super::*;
use crate::format::header;

const RECORD: Record<'_> =
    Record { unix_ns: 7_000_000_000, pid: 42, payload: b"a:1|c", ancillary: b"" };

fn file(compression: Compression, state: &TaggerState) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), compression).expect("memory");
    writer.write(&RECORD).expect("memory");
    writer.write(&RECORD).expect("memory");
    writer.finish(state).expect("memory")
}

fn read(bytes: &[u8]) -> Result<Capture, CaptureError> {
    Capture::parse(bytes.to_vec(), ReadLimits::default())
}

fn read_cut(bytes: &[u8]) -> Result<Capture, CaptureError> {
    let limits = ReadLimits { is_cut_allowed: true, ..ReadLimits::default() };
    Capture::parse(bytes.to_vec(), limits)
}

fn state() -> TaggerState {
    TaggerState {
        entities: vec![TaggerEntity {
            name: "container_id://abc".into(),
            hash: "".into(),
            tags: EntityTags { high: vec!["id:abc".into()], ..EntityTags::default() },
        }],
        pids: vec![(42, "container_id://abc".into())],
    }
}

#[test]
fn both_forms_are_read_back() {
    for compression in [Compression::None, Compression::Zstd] {
        let capture = read(&file(compression, &state())).expect("readable");
        assert_eq!(capture.records().collect::<Vec<_>>(), [RECORD, RECORD]);
        assert_eq!((capture.state, capture.version, capture.is_cut), (state(), 3, false));
    }
}

#[test]
fn a_record_without_content_does_not_end_the_file() {
    let mut writer = Writer::new(Vec::new(), Compression::None).expect("memory");
    writer.write(&Record::default()).expect("memory");
    writer.write(&RECORD).expect("memory");
    let capture = read(&writer.finish(&state()).expect("memory")).expect("readable");
    assert_eq!(capture.records().collect::<Vec<_>>(), [Record::default(), RECORD]);
}

#[test]
fn older_versions_have_seconds_and_the_oldest_no_state() {
    let mut message = Vec::new();
    Record { unix_ns: 7, ..RECORD }.encode(&mut message);
    for version in 0..3 {
        let mut bytes = header(version).to_vec();
        bytes.extend_from_slice(&u32::try_from(message.len()).expect("small").to_le_bytes());
        bytes.extend_from_slice(&message);
        if version >= VERSION_WITH_STATE {
            bytes.extend_from_slice(&[0; 8]);
        }
        let capture = read(&bytes).expect("readable");
        assert_eq!(capture.records().collect::<Vec<_>>(), [RECORD], "version {version}");
        assert!(capture.state.is_empty() && !capture.is_cut);
    }
}

#[test]
fn every_cut_is_noticed_and_its_whole_records_can_be_used() {
    let bytes = file(Compression::None, &state());
    for len in HEADER_BYTES..bytes.len() {
        let cut = &bytes[..len];
        assert!(
            matches!(read(cut), Err(CaptureError::Cut { .. })),
            "{len} of {} bytes: {:?}",
            bytes.len(),
            read(cut)
        );
        let capture = read_cut(cut).expect("readable");
        assert!(capture.is_cut);
        assert!(capture.records().all(|record| record == RECORD));
    }
}

#[test]
fn a_cut_zstd_stream_yields_what_was_stored() {
    let bytes = file(Compression::Zstd, &state());
    let cut = &bytes[..bytes.len() - 3];
    assert!(matches!(read(cut), Err(CaptureError::Zstd(_))));
    // So short a stream is one block, of which nothing can be had.
    assert!(matches!(read_cut(cut), Err(CaptureError::NotCapture) | Ok(Capture { .. })));
}

#[test]
fn other_files_are_refused_by_name() {
    assert!(matches!(read(b""), Err(CaptureError::NotCapture)));
    assert!(matches!(read(b"#!/bin/sh\necho"), Err(CaptureError::NotCapture)));
    assert!(matches!(read(&header(4)), Err(CaptureError::Version(4))));
    assert!(matches!(
        Capture::open(Path::new("/nonexistent"), ReadLimits::default()),
        Err(CaptureError::Open { .. })
    ));
}

#[test]
fn a_zstd_bomb_stops_at_the_limit() {
    let bomb = zstd::encode_all(io::repeat(0).take(1 << 24), 1).expect("memory");
    let limits = ReadLimits { bytes_max: 1 << 16, ..ReadLimits::default() };
    assert!(matches!(
        Capture::parse(bomb, limits),
        Err(CaptureError::TooLarge { bytes_max: 0x1_0000 })
    ));
}

#[test]
fn a_state_size_beyond_the_file_is_a_cut() {
    let mut bytes = file(Compression::None, &TaggerState::default());
    let end = bytes.len() - SIZE_BYTES;
    bytes[end..].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(matches!(read(&bytes), Err(CaptureError::Cut { .. })));
}

#[test]
fn damaged_records_and_states_are_named() {
    let mut bytes = header(3).to_vec();
    bytes.extend_from_slice(&[1, 0, 0, 0, 0xff, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert!(matches!(read(&bytes), Err(CaptureError::Record { at: 8 })));
    let mut bytes = header(3).to_vec();
    bytes.extend_from_slice(&[0, 0, 0, 0, 0xff, 1, 0, 0, 0]);
    assert!(matches!(read(&bytes), Err(CaptureError::State)));
}

fn any_tags() -> impl Strategy<Value = Vec<Arc<str>>> {
    proptest::collection::vec("[a-z:é]{0,6}".prop_map(Arc::from), 0..4)
}

prop_compose! {
    fn any_entity()(
        name in "([a-z]{1,4}://)?[a-z0-9]{1,6}",
        hash in "[0-9]{0,3}",
        low in any_tags(),
        orchestrator in any_tags(),
        high in any_tags(),
        standard in any_tags(),
    ) -> TaggerEntity {
        TaggerEntity {
            name: name.into(),
            hash: hash.into(),
            tags: EntityTags { low, orchestrator, high, standard },
        }
    }
}

prop_compose! {
    fn any_state()(
        entities in proptest::collection::vec(any_entity(), 0..4),
        pids in proptest::collection::btree_map(any::<i32>(), "[a-z:/]{0,9}", 0..4),
    ) -> TaggerState {
        let mut entities = entities;
        entities.sort_by(|a, b| a.name.cmp(&b.name));
        entities.dedup_by(|a, b| a.name == b.name);
        let pids = pids.into_iter().map(|(pid, name)| (pid, name.into())).collect();
        TaggerState { entities, pids }
    }
}

type OwnedRecord = (i64, i32, Vec<u8>, Vec<u8>);

fn borrow((unix_ns, pid, payload, ancillary): &OwnedRecord) -> Record<'_> {
    Record { unix_ns: *unix_ns, pid: *pid, payload, ancillary }
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        records in proptest::collection::vec(
            (any::<i64>(), any::<i32>(), any::<Vec<u8>>(), any::<Vec<u8>>()), 0..8,
        ),
        state in any_state(),
        is_compressed: bool,
    ) {
        let compression = if is_compressed { Compression::Zstd } else { Compression::None };
        let mut writer = Writer::new(Vec::new(), compression).expect("memory");
        for record in &records {
            writer.write(&borrow(record)).expect("memory");
        }
        let bytes = writer.finish(&state).expect("memory");
        let capture = read(&bytes).expect("readable");
        prop_assert!(capture.records().eq(records.iter().map(borrow)));
        prop_assert_eq!(capture.state, state);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        check_capture_bytes(&bytes);
    }

    #[test]
    fn damaged_files_are_read_or_refused(at in 0..200_usize, byte: u8, len in 0..200_usize) {
        let mut bytes = file(Compression::None, &state());
        let count = bytes.len();
        bytes[at % count] = byte;
        bytes.truncate(len.max(8));
        check_capture_bytes(&bytes);
        let mut compressed = file(Compression::Zstd, &state());
        let count = compressed.len();
        compressed[at % count] = byte;
        check_capture_bytes(&compressed);
    }
}
