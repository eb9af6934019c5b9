#![expect(clippy::disallowed_methods, reason = "a test is the driver")]

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use signal::LaneCounters;

use super::*;
use crate::{LaneHandle, test_lane};

const NOW: u64 = 1_700_000_000_000_000;

struct Bed {
    lane: Lane,
    handle: LaneHandle,
    submitter: Submitter,
    inbox: SubmissionInbox,
    started: Instant,
}

impl Bed {
    fn new(bytes_max: usize) -> Self {
        let started = Instant::now();
        let (handle, lane) = test_lane::lane(Now { unix_us: NOW, instant: started });
        let (submitter, inbox) = submission(bytes_max, Arc::clone(handle.bell()));
        Self { lane, handle, submitter, inbox, started }
    }

    fn drain(&mut self) -> Found {
        let now = Now { unix_us: NOW, instant: self.started };
        let found = self.inbox.drain(&mut self.lane, now);
        self.lane.end_turn(now);
        found
    }

    fn counters(&self) -> &LaneCounters {
        &self.handle.counters
    }

    fn is_rung(&self) -> bool {
        let started = Instant::now();
        self.lane.port.bell.pause(Duration::from_millis(50));
        started.elapsed() < Duration::from_millis(40)
    }
}

#[test]
fn lines_become_samples_and_bad_ones_are_refused_by_reason() {
    let mut bed = Bed::new(1 << 17);
    bed.submitter.submit(b"a:1|c\nb:2|g\nbroken\n").unwrap();
    bed.submitter.submit(b"").unwrap();
    bed.submitter.submit(b"a:1|c").unwrap();
    assert_eq!(bed.drain(), Found::default());
    let value = |counter| bed.counters().value(counter);
    assert_eq!((value(Counter::SubmittedPackets), value(Counter::SubmittedBytes)), (2, 24));
    assert_eq!((value(Counter::Messages), value(Counter::Recorded)), (4, 3));
    assert_eq!(value(Counter::RefusedFormat), 1);
}

#[test]
fn packets_keep_their_containers() {
    let mut bed = Bed::new(1 << 17);
    let long = "c".repeat(CONTAINER_BYTES_MAX + 1);
    for (container, text) in
        [("", "a:1|c"), ("one", "b:2|c\nc:3|c"), ("two", "d:4|c"), (long.as_str(), "e:5|c")]
    {
        bed.submitter.submit_from(container.as_bytes(), text.as_bytes()).unwrap();
    }
    bed.submitter.submit(b"f:6|c").unwrap();
    let chunk = bed.inbox.ring.read_chunk(bed.inbox.ring.slots()).unwrap();
    let (bytes, _) = chunk.as_slices();
    let packets = Packets { bytes, at: 0, done: None };
    let found: Vec<(&str, &str)> = packets
        .map(|packet| {
            (str::from_utf8(packet.container).unwrap(), str::from_utf8(packet.text).unwrap())
        })
        .collect();
    let wanted =
        [("", "a:1|c"), ("one", "b:2|c\nc:3|c"), ("two", "d:4|c"), ("", "e:5|c"), ("", "f:6|c")];
    assert_eq!(found, wanted);
    bed.drain();
    assert_eq!(bed.counters().value(Counter::Messages), 6);
    assert_eq!(bed.counters().value(Counter::SubmittedBytes), 4 * 5 + 11);
}

#[test]
fn a_full_ring_refuses_the_whole_text_and_counts_it() {
    let mut bed = Bed::new(64);
    bed.submitter.submit(b"aaaaaaaaaaaaaaaaaaaa:1|c").unwrap();
    bed.submitter.submit(b"aaaaaaaaaaaaaaaaaaaa:2|c").unwrap();
    assert_eq!(bed.submitter.submit(b"b:1|c"), Err(SubmitError::Full));
    assert_eq!(bed.submitter.submit(&[b'x'; 61]), Err(SubmitError::TooLong));
    bed.drain();
    bed.submitter.submit(b"b:1|c").unwrap();
    bed.drain();
    let value = |counter| bed.counters().value(counter);
    assert_eq!((value(Counter::SubmissionsFull), value(Counter::SubmissionsTooLong)), (1, 1));
    assert_eq!((value(Counter::SubmittedPackets), value(Counter::Recorded)), (3, 3));
}

#[test]
fn long_texts_are_split_between_lines_and_long_lines_are_refused() {
    let mut bed = Bed::new(1 << 20);
    let line = [vec![b'm'; 199].as_slice(), b":1|c\n"].concat();
    let text = line.repeat(1000);
    bed.submitter.submit(&text).unwrap();
    let long = vec![b'x'; SUBMISSION_LINE_BYTES_MAX + 1];
    assert_eq!(bed.submitter.submit(&long), Err(SubmitError::TooLong));
    while bed.drain().is_backlogged {}
    let value = |counter| bed.counters().value(counter);
    assert_eq!((value(Counter::Messages), value(Counter::Recorded)), (1000, 1000));
    assert_eq!(value(Counter::SubmittedBytes), text.len() as u64);
}

#[test]
fn the_lane_is_woken_once_when_half_full() {
    let mut bed = Bed::new(100);
    bed.submitter.submit(b"aaaaaaaaaaaaaaaaaaaa:1|c").unwrap();
    assert!(!bed.is_rung(), "a look comes by itself");
    bed.submitter.submit(b"aaaaaaaaaaaaaaaaaaaa:1|c").unwrap();
    assert!(bed.is_rung());
    bed.submitter.submit(b"aaaaaaaaaaaaaaaaaaaa:1|c").unwrap();
    assert!(!bed.is_rung());
}

#[test]
fn a_lane_that_has_ended_takes_nothing() {
    let Bed { lane, mut submitter, inbox, .. } = Bed::new(100);
    drop((lane, inbox));
    assert_eq!(submitter.submit(b"a:1|c"), Err(SubmitError::Stopped));
}

#[test]
fn what_makes_the_lane_panic_is_read_once() {
    let (mut submitter, mut inbox) = submission(256, Arc::new(crate::bell::bell().unwrap().0));
    for text in ["a", "b", "c"] {
        submitter.submit(text.as_bytes()).unwrap();
    }
    let waiting = inbox.ring.slots();
    let chunk = inbox.ring.read_chunk(waiting).unwrap();
    let reading = Reading { chunk: Some(chunk), done: Cell::new(0) };
    let (first, _) = reading.chunk.as_ref().unwrap().as_slices();
    let mut packets = Packets { bytes: first, at: 0, done: Some(&reading.done) };
    assert_eq!(packets.next().map(|packet| packet.text), Some(&b"a"[..]));
    assert_eq!(packets.next().map(|packet| packet.text), Some(&b"b"[..]));
    drop(reading);
    assert_eq!(inbox.ring.slots(), PREFIX + 1, "only the third is left");
}

proptest! {
    /// Against a queue: packets come out whole and in order, wherever the ring wraps.
    #[test]
    fn packets_come_out_as_they_went_in(
        capacity in 8_usize..64,
        steps in proptest::collection::vec((0_usize..40, any::<bool>()), 1..80),
    ) {
        let (mut submitter, mut inbox) = submission(capacity, Arc::new(crate::bell::bell().unwrap().0));
        let mut model: VecDeque<(Vec<u8>, Vec<u8>)> = VecDeque::new();
        for (serial, (length, is_read)) in steps.into_iter().enumerate() {
            let byte = u8::try_from(serial % 200).unwrap();
            let packet = vec![if byte == b'\n' { 0 } else { byte }; length];
            let container = vec![b'c'; serial % 4];
            if submitter.submit_from(&container, &packet).is_ok() && !packet.is_empty() {
                model.push_back((container, packet));
            }
            if is_read {
                let mut read = Vec::new();
                let waiting = inbox.ring.slots();
                let chunk = inbox.ring.read_chunk(waiting).unwrap();
                let reading = Reading { chunk: Some(chunk), done: Cell::new(0) };
                reading.each(&mut inbox.joined, |packets| {
                    read.extend(packets.map(|it| (it.container.to_vec(), it.text.to_vec())));
                });
                drop(reading);
                prop_assert_eq!(inbox.ring.slots(), 0);
                prop_assert_eq!(read, model.drain(..).collect::<Vec<_>>());
            }
        }
    }
}
