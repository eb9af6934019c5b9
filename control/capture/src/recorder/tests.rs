use entity::{EntityTags, OriginSnapshot};

use super::*;
use crate::{Capture, Offer, Packet, PacketRecording, ReadLimits, Record};

struct Bed {
    dir: tempfile::TempDir,
    recorder: Recorder<PacketRecording>,
}

fn bed(file_bytes_max: u64) -> Bed {
    let dir = tempfile::tempdir().expect("directory");
    let dir_made = dir.path().join("made");
    let options =
        RecorderOptions { dir: dir_made, queue_depth: 0, queue_bytes_max: 0, file_bytes_max };
    Bed { dir, recorder: Recorder::new(options) }
}

fn request(duration: Duration) -> Request {
    Request { dir: None, duration, compression: Compression::None, bytes_max: None }
}

const HOUR: Duration = Duration::from_secs(3600);

fn packet<'a>(pid: i32, origin: Option<&'a Arc<str>>) -> Packet<'a> {
    let record = Record { unix_ns: 5, pid, payload: b"a:1|c", ancillary: b"cmsg" };
    Packet { record, origin }
}

#[test]
fn offered_packets_are_in_the_file_with_their_senders() {
    let mut bed = bed(u64::MAX);
    let entity: Arc<str> = "container_id://abc".into();
    let tags = EntityTags { low: vec!["image:x".into()], ..EntityTags::default() };
    let snapshot = Arc::new(OriginSnapshot {
        entities: [(Arc::clone(&entity), Arc::new(tags.clone()))].into(),
        ..OriginSnapshot::default()
    });
    let started =
        bed.recorder.start(&request(HOUR), 1_700_000_000, move || snapshot).expect("a start");
    assert!(started.path.ends_with("made/datadog-capture-1700000000"));
    assert_eq!(started.tap.offer(packet(42, Some(&entity))), Offer::Taken);
    assert_eq!(started.tap.offer(packet(7, None)), Offer::Taken);
    let summary = bed.recorder.stop().expect("it ran");
    assert!(matches!(summary.end, End::Stopped));
    assert_eq!((summary.items, summary.drops), (2, 0));
    assert_eq!(started.tap.offer(packet(7, None)), Offer::Closed);

    let capture = Capture::open(&started.path, ReadLimits::default()).expect("readable");
    let records: Vec<_> = capture.records().collect();
    assert_eq!(records, [packet(42, None).record, packet(7, None).record]);
    assert_eq!(capture.state.pids, [(42, entity)]);
    assert_eq!(capture.state.entities[0].tags, tags);
    let mode = fs::metadata(&started.path).expect("metadata").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn one_capture_runs_at_a_time() {
    let mut bed = bed(u64::MAX);
    bed.recorder.start(&request(HOUR), 1, Arc::default).expect("a start");
    let second = bed.recorder.start(&request(HOUR), 2, Arc::default);
    assert!(matches!(second, Err(StartError::Running(_))));
    assert!(bed.recorder.take_ended().is_none());
    bed.recorder.stop().expect("it ran");
    bed.recorder.start(&request(HOUR), 3, Arc::default).expect("room for another");
}

#[test]
fn a_capture_ends_by_itself() {
    let mut bed = bed(u64::MAX);
    let started = bed.recorder.start(&request(Duration::ZERO), 1, Arc::default).expect("a start");
    let summary = bed.recorder.wait().expect("it ran");
    assert!(matches!(summary.end, End::Duration));
    let capture = Capture::open(&started.path, ReadLimits::default()).expect("readable");
    assert_eq!(capture.records().count(), 0);
}

#[test]
fn a_full_file_ends_the_capture() {
    let mut bed = bed(50);
    let started = bed.recorder.start(&request(HOUR), 1, Arc::default).expect("a start");
    for _ in 0..3 {
        started.tap.offer(packet(1, None));
    }
    let summary = bed.recorder.wait().expect("it ran");
    assert!(matches!(summary.end, End::FileFull));
    let capture = Capture::open(&started.path, ReadLimits::default()).expect("readable");
    // The header has 8 bytes, a record 25.
    assert_eq!((capture.records().count(), summary.items), (2, 2));
}

#[test]
fn a_request_may_ask_for_less_than_the_file_may_hold() {
    let mut bed = bed(50);
    let small = Request { bytes_max: Some(9), ..request(HOUR) };
    let started = bed.recorder.start(&small, 1, Arc::default).expect("a start");
    started.tap.offer(packet(1, None));
    started.tap.offer(packet(1, None));
    let summary = bed.recorder.wait().expect("it ran");
    assert!(matches!(summary.end, End::FileFull));
    assert_eq!(summary.items, 1);
}

#[test]
fn a_directory_of_the_user_must_be_open_to_everyone() {
    let mut bed = bed(u64::MAX);
    let mut ask = |dir: PathBuf| {
        let request = Request { dir: Some(dir), ..request(Duration::ZERO) };
        let result = bed.recorder.start(&request, 9, Arc::default);
        bed.recorder.wait();
        result
    };
    let open = bed.dir.path().join("open");
    assert!(matches!(ask(open.clone()), Err(StartError::NotDirectory(_))));
    fs::create_dir(&open).expect("directory");
    fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).expect("permissions");
    assert!(matches!(ask(open.clone()), Err(StartError::NotWorldWritable(_))));
    fs::set_permissions(&open, fs::Permissions::from_mode(0o1777)).expect("permissions");
    assert_eq!(ask(open.clone()).expect("a start").path, open.join("datadog-capture-9"));
    assert!(matches!(ask(open.clone()), Err(StartError::Io { .. })), "the file is there already");
    fs::write(open.join("file"), "").expect("file");
    assert!(matches!(ask(open.join("file")), Err(StartError::NotDirectory(_))));
}

#[test]
fn absurd_durations_are_refused() {
    let mut bed = bed(u64::MAX);
    let long = request(CAPTURE_DURATION_MAX + Duration::from_nanos(1));
    assert!(matches!(bed.recorder.start(&long, 1, Arc::default), Err(StartError::TooLong)));
}
