use std::collections::BTreeSet;

use bytes::Bytes;
use proptest::prelude::*;

use super::delivery::Sending;
use super::spooling::DiskJob;
use super::*;
use crate::payload::{Kind, Priority};
use crate::settings::BackoffSettings;
use crate::spool::format::encode;
use crate::spool::{SpoolError, Written};
use crate::verdict::{Answer, Reply};

fn rules(spool: Option<SpoolRule>) -> RouteRules {
    RouteRules {
        url: "https://intake.example.test".to_owned(),
        slot: 0,
        key: ApiKey::new("0123456789abcdef0123456789abcdef"),
        in_flight_max: 2,
        memory_bytes_max: 10_000,
        backoff: BackoffRule::new(&BackoffSettings::default()),
        refused_keys: RefusedKeys::Keep,
        spool,
        success_log_every: 500,
        seed: 11,
    }
}

fn spool_rule() -> SpoolRule {
    SpoolRule {
        bytes_max: 1 << 20,
        flush_ratio: 0.5,
        age_max_ms: 1_000_000,
        replay_bytes_per_sec: 1 << 40,
    }
}

fn payload(path: &'static str, body: &str) -> Payload {
    Payload {
        path: path.into(),
        endpoint_name: "series_v2".into(),
        content_type: "application/x-protobuf".into(),
        encoding: None,
        headers: Vec::new(),
        body: Bytes::from(body.to_owned()),
        points: 2,
        is_storable: true,
        priority: Priority::Normal,
        kind: Kind::Metrics,
    }
}

fn high(body: &str) -> Payload {
    Payload { priority: Priority::High, is_storable: false, ..payload("/intake/", body) }
}

fn status(status: u16) -> Reply {
    Reply::Answered(Answer { status, ..Answer::default() })
}

fn body(sending: &Sending) -> &str {
    std::str::from_utf8(&sending.payload.body).unwrap()
}

/// Plays the disk: runs every job the state wants against a list of files.
#[derive(Default)]
struct FakeDisk {
    files: Vec<(crate::spool::FileId, Vec<crate::spool::format::Record>)>,
    is_full: bool,
    now_ms: u64,
}

impl FakeDisk {
    fn run(&mut self, state: &mut RouteState, now: Instant) {
        while let Some(job) = state.next_disk_job(now, self.now_ms) {
            let done = match job {
                DiskJob::Scan => DiskDone::Scanned(Ok(crate::spool::Scanned {
                    files: self.files.iter().map(|(id, list)| (*id, encode(list).1)).collect(),
                    set_aside: 0,
                })),
                DiskJob::Write { id, records, .. } => {
                    let result = if self.is_full {
                        Err(SpoolError::NoRoom)
                    } else {
                        let summary = encode(&records).1;
                        self.files.push((id, records));
                        Ok(summary)
                    };
                    DiskDone::Written(id, Written { removed: Vec::new(), result })
                }
                DiskJob::Load(id) => {
                    let found = self.files.iter().find(|(known, _)| *known == id);
                    let missing = || SpoolError::Missing { path: "x".into() };
                    DiskDone::Loaded(id, found.map(|(_, list)| list.clone()).ok_or_else(missing))
                }
                DiskJob::Discard { finished, damaged } => {
                    self.files.retain(|(id, _)| !finished.contains(id) && !damaged.contains(id));
                    DiskDone::Discarded
                }
            };
            state.on_disk_done(done, now);
        }
    }
}

#[test]
fn high_priority_goes_first_and_the_rest_oldest_first() {
    let now = Instant::now();
    let mut state = RouteState::new(rules(None));
    state.submit(payload("/a", "one"), 1);
    state.submit(payload("/a", "two"), 2);
    state.submit(high("host"), 3);
    let first = state.next_send(now).unwrap();
    let second = state.next_send(now).unwrap();
    assert_eq!((body(&first), body(&second)), ("host", "one"));
    assert!(state.next_send(now).is_none(), "two requests at most");
    state.on_reply(first.id, &status(202), now, 0);
    assert_eq!(body(&state.next_send(now).unwrap()), "two");
    assert!(state.stats(now, 0).is_balanced());
}

#[test]
fn a_failing_endpoint_is_probed_and_then_opened_at_once() {
    let mut now = Instant::now();
    let mut state = RouteState::new(rules(None));
    for index in 0..6 {
        state.submit(payload("/a", &index.to_string()), index);
    }
    let burst = [state.next_send(now).unwrap(), state.next_send(now).unwrap()];
    for sending in burst {
        state.on_reply(sending.id, &status(503), now, 0);
    }
    let mut probed = BTreeSet::new();
    for _failure in 0..3 {
        assert!(state.next_send(now).is_none());
        now = state.next_send_at(now).unwrap();
        let probe = state.next_send(now).unwrap();
        assert!(state.next_send(now).is_none(), "one probe at a time");
        probed.insert(body(&probe).to_owned());
        state.on_reply(probe.id, &status(503), now, 0);
    }
    assert!(probed.len() > 1, "probes do not insist on one transaction");
    now = state.next_send_at(now).unwrap();
    let probe = state.next_send(now).unwrap();
    state.on_reply(probe.id, &status(202), now, 0);
    let mut sent = 1;
    while let Some(sending) = state.next_send(now) {
        state.on_reply(sending.id, &status(202), now, 0);
        sent += 1;
    }
    assert_eq!(sent, 6, "everything goes out without another wait");
    assert_eq!(state.stats(now, 0).state, EndpointState::Open);
}

#[test]
fn one_transaction_that_always_fails_does_not_hold_the_others() {
    let mut now = Instant::now();
    let mut state = RouteState::new(RouteRules { in_flight_max: 1, ..rules(None) });
    state.submit(payload("/a", "poison"), 0);
    for index in 0..20 {
        state.submit(payload("/a", &index.to_string()), index);
    }
    let start = now;
    while state.stats(now, 0).totals.sent < 20 {
        match state.next_send(now) {
            Some(sending) if body(&sending) == "poison" => {
                state.on_reply(sending.id, &status(500), now, 0);
            }
            Some(sending) => state.on_reply(sending.id, &status(202), now, 0),
            None => now = state.next_send_at(now).unwrap(),
        }
    }
    assert!(now - start < Duration::from_secs(10), "{:?}", now - start);
}

#[test]
fn a_path_that_is_not_found_holds_only_itself() {
    let now = Instant::now();
    let mut state = RouteState::new(rules(None));
    state.submit(payload("/missing", "m1"), 1);
    state.submit(payload("/missing", "m2"), 2);
    state.submit(payload("/a", "a1"), 3);
    let sending = state.next_send(now).unwrap();
    assert_eq!(body(&sending), "m1");
    state.on_reply(sending.id, &status(404), now, 0);
    let sending = state.next_send(now).unwrap();
    assert_eq!(body(&sending), "a1");
    state.on_reply(sending.id, &status(202), now, 0);
    assert!(state.next_send(now).is_none());
    // Spec: metrics-intake §11.6: 404 three times, then 202: 2-4, 4-8, 8-16 s.
    let mut at = now;
    for (least, most, code) in [(2, 4, 404), (4, 8, 404), (8, 16, 202)] {
        let next = state.next_send_at(at).unwrap();
        let waited = next - at;
        assert!(waited >= Duration::from_secs(least) && waited <= Duration::from_secs(most));
        at = next;
        let sending = state.next_send(at).unwrap();
        state.on_reply(sending.id, &status(code), at, 0);
    }
    assert!(state.next_send(at).is_some(), "no further wait after the first success");
}

#[test]
fn a_refused_key_keeps_data_until_it_is_rotated() {
    let now = Instant::now();
    let mut state = RouteState::new(rules(None));
    state.submit(payload("/a", "one"), 1);
    state.submit(payload("/a", "two"), 1);
    let first = state.next_send(now).unwrap();
    let second = state.next_send(now).unwrap();
    state.on_reply(first.id, &status(403), now, 0);
    assert_eq!(state.stats(now, 0).key_validity, KeyValidity::Invalid);
    assert!(state.next_send(now).is_none());

    assert!(state.set_key(ApiKey::new("fedcba9876543210fedcba9876543210")));
    let again = state.next_send(now).expect("the new key is tried at once");
    assert_eq!(again.key.to_string(), "***43210");
    // The late answer to the old key neither blocks nor marks the new one.
    state.on_reply(second.id, &status(403), now, 0);
    let stats = state.stats(now, 0);
    assert_eq!(stats.key_validity, KeyValidity::Unknown);
    assert_eq!(stats.state, EndpointState::Open);
    state.on_reply(again.id, &status(202), now, 0);
    let last = state.next_send(now).unwrap();
    state.on_reply(last.id, &status(202), now, 0);
    assert_eq!(state.stats(now, 0).totals.sent, 2);
}

#[test]
fn refused_payloads_are_dropped_by_reason_and_do_not_block() {
    let now = Instant::now();
    let mut state = RouteState::new(rules(None));
    for _payload in 0..3 {
        state.submit(payload("/a", "x"), 1);
    }
    for code in [400, 413, 202] {
        let sending = state.next_send(now).unwrap();
        state.on_reply(sending.id, &status(code), now, 0);
    }
    let stats = state.stats(now, 0);
    assert_eq!(stats.totals.dropped.of(DropReason::BadRequest), 1);
    assert_eq!(stats.totals.dropped.of(DropReason::TooLarge), 1);
    assert_eq!((stats.totals.sent, stats.totals.dropped_points), (1, 4));
    assert!(stats.is_balanced());
}

#[test]
fn a_refused_key_loses_what_was_sent_with_it_if_asked() {
    let now = Instant::now();
    let rules = RouteRules { refused_keys: RefusedKeys::Drop, ..rules(None) };
    let mut state = RouteState::new(rules);
    for _payload in 0..4 {
        state.submit(payload("/a", "x"), 1);
    }
    for code in [403, 401] {
        let sending = state.next_send(now).unwrap();
        state.on_reply(sending.id, &status(code), now, 0);
    }
    let stats = state.stats(now, 0);
    assert_eq!(stats.totals.dropped.of(DropReason::KeyRefused), 2);
    assert_eq!(stats.key_validity, KeyValidity::Invalid);

    // What an old key is refused for is sent with the new one.
    let sending = state.next_send(now).unwrap();
    assert!(state.set_key(ApiKey::new("fedcba9876543210fedcba9876543210")));
    state.on_reply(sending.id, &status(403), now, 0);
    for _payload in 0..2 {
        let sending = state.next_send(now).unwrap();
        state.on_reply(sending.id, &status(202), now, 0);
    }
    let stats = state.stats(now, 0);
    assert_eq!((stats.totals.sent, stats.totals.dropped.total()), (2, 2));
    assert!(stats.is_balanced());
}

#[test]
fn overflow_goes_to_disk_and_comes_back_in_turns_with_live_data() {
    let now = Instant::now();
    let mut disk = FakeDisk::default();
    let mut state = RouteState::new(rules(Some(spool_rule())));
    disk.run(&mut state, now);
    for index in 0..14 {
        state.submit(payload("/a", &format!("{index:>02}{}", "x".repeat(742))), index);
    }
    disk.run(&mut state, now);
    let stats = state.stats(now, 0);
    assert_eq!((stats.spooled.count, stats.spool_files), (5, 1));
    assert!(stats.is_balanced());
    let mut order = Vec::new();
    while let Some(sending) = state.next_send(now) {
        order.push(body(&sending).trim_end_matches('x').to_owned());
        state.on_reply(sending.id, &status(202), now, 0);
        disk.run(&mut state, now);
    }
    let expected = "05 00 06 01 07 02 08 03 09 04 10 11 12 13";
    assert_eq!(order.join(" "), expected);
    assert!(disk.files.is_empty(), "delivered files are deleted");
    assert_eq!(state.stats(now, 0).totals.sent, 14);
}

#[test]
fn a_disk_without_room_costs_only_the_batch() {
    let now = Instant::now();
    let mut disk = FakeDisk { is_full: true, ..FakeDisk::default() };
    let mut state = RouteState::new(rules(Some(spool_rule())));
    for index in 0..14 {
        state.submit(payload("/a", &"x".repeat(744)), index);
    }
    disk.run(&mut state, now);
    let stats = state.stats(now, 0);
    assert_eq!(stats.totals.dropped.of(DropReason::SpoolFull), 5);
    assert!(!stats.spool_error.is_empty());
    assert!(stats.is_balanced());
    assert!(state.next_disk_job(now, 1000).is_none(), "it does not spin");
}

/// A state whose disk queue holds one file, and whose endpoint is backing off.
fn spooled_and_blocked(disk: &mut FakeDisk, now: Instant) -> RouteState {
    let mut state = RouteState::new(rules(Some(spool_rule())));
    state.submit(payload("/a", "old"), 500);
    let sending = state.next_send(now).unwrap();
    state.on_reply(sending.id, &status(503), now, 0);
    state.spool_everything(DropReason::Stopped);
    disk.run(&mut state, now);
    assert_eq!((state.stats(now, 0).spooled.count, disk.files.len()), (1, 1));
    state
}

#[test]
fn old_files_expire() {
    let now = Instant::now();
    let mut disk = FakeDisk::default();
    let mut state = spooled_and_blocked(&mut disk, now);
    disk.now_ms = 500 + spool_rule().age_max_ms;
    disk.run(&mut state, now);
    assert_eq!(disk.files.len(), 1, "just young enough");
    disk.now_ms += 1;
    disk.run(&mut state, now);
    assert!(disk.files.is_empty());
    assert_eq!(state.stats(now, 0).totals.dropped.of(DropReason::Outdated), 1);
    assert!(state.stats(now, 0).is_balanced());
}

#[test]
fn a_file_that_is_gone_is_counted_and_forgotten() {
    let now = Instant::now();
    let mut disk = FakeDisk::default();
    let mut state = spooled_and_blocked(&mut disk, now);
    disk.files.clear();
    let later = state.next_send_at(now).expect("spooled data is work too");
    disk.run(&mut state, later);
    let stats = state.stats(later, 0);
    assert_eq!(stats.totals.dropped.of(DropReason::SpoolDamaged), 1);
    assert_eq!(stats.totals.set_aside, 1);
    assert!(stats.is_balanced());
    assert_eq!(state.next_send_at(later), None, "no crash loop");
}

#[test]
fn replay_waits_for_its_rate() {
    let now = Instant::now();
    let mut disk = FakeDisk::default();
    let slow = SpoolRule { replay_bytes_per_sec: 100, ..spool_rule() };
    let mut state = RouteState::new(rules(Some(slow)));
    for index in 0..2 {
        state.submit(payload("/a", &"x".repeat(100)), index);
    }
    state.spool_everything(DropReason::Stopped);
    disk.run(&mut state, now);
    let first = state.next_send(now).unwrap();
    state.on_reply(first.id, &status(202), now, 0);
    disk.run(&mut state, now);
    assert!(state.next_send(now).is_none());
    let at = state.next_send_at(now).unwrap();
    assert_eq!(at - now, Duration::from_millis(900), "one second, less the allowed burst");
    assert!(state.next_send(at).is_some());
}

#[derive(Clone, Debug)]
enum Step {
    Submit { bytes: usize, is_high: bool },
    Send,
    Reply { pick: usize, code: u16 },
    Wait,
    Disk,
    Rotate,
}

fn step() -> impl Strategy<Value = Step> {
    let codes =
        prop::sample::select(vec![200, 202, 302, 400, 401, 403, 404, 408, 413, 429, 500, 503, 0]);
    prop_oneof![
        4 => (0usize..3000, any::<bool>()).prop_map(|(bytes, is_high)| Step::Submit { bytes, is_high }),
        4 => Just(Step::Send),
        4 => (any::<usize>(), codes).prop_map(|(pick, code)| Step::Reply { pick, code }),
        2 => Just(Step::Wait),
        2 => Just(Step::Disk),
        1 => Just(Step::Rotate),
    ]
}

proptest! {
    #[test]
    fn every_transaction_is_always_somewhere(
        steps in prop::collection::vec(step(), 0..200),
        has_disk: bool,
        is_full: bool,
        seed: u64,
    ) {
        let mut now = Instant::now();
        let mut disk = FakeDisk { is_full, ..FakeDisk::default() };
        let spool = has_disk.then(spool_rule);
        let mut state = RouteState::new(RouteRules { seed, ..rules(spool) });
        let mut under_way = Vec::new();
        for (index, step) in steps.into_iter().enumerate() {
            match step {
                Step::Submit { bytes, is_high: true } => state.submit(high(&"x".repeat(bytes)), 1),
                Step::Submit { bytes, is_high: false } => {
                    let path = if bytes % 2 == 0 { "/even" } else { "/odd" };
                    state.submit(payload(path, &"x".repeat(bytes)), 1);
                }
                Step::Send => under_way.extend(state.next_send(now).map(|sending| sending.id)),
                Step::Reply { .. } if under_way.is_empty() => {}
                Step::Reply { pick, code } => {
                    let id = under_way.swap_remove(pick % under_way.len());
                    let failed = Reply::Failed { error: "x".to_owned(), is_timeout: true };
                    let reply = if code == 0 { failed } else { status(code) };
                    state.on_reply(id, &reply, now, 0);
                }
                Step::Wait => now = state.next_send_at(now).unwrap_or(now),
                Step::Disk => disk.run(&mut state, now),
                Step::Rotate => {
                    state.set_key(ApiKey::new(&format!("key {index}")));
                }
            }
            let stats = state.stats(now, 0);
            prop_assert!(stats.is_balanced(), "{stats:?}");
            prop_assert_eq!(stats.in_flight, under_way.len() as u64);
        }
        // However it went, a healthy intake gets the rest, without a wait of over 64 s.
        for id in under_way {
            state.on_reply(id, &status(202), now, 0);
        }
        loop {
            disk.run(&mut state, now);
            if let Some(sending) = state.next_send(now) {
                state.on_reply(sending.id, &status(202), now, 0);
            } else if let Some(at) = state.next_send_at(now) {
                prop_assert!(at - now <= Duration::from_secs(64));
                now = at;
            } else {
                break;
            }
        }
        let stats = state.stats(now, 0);
        prop_assert!(stats.is_balanced());
        prop_assert_eq!((stats.queued.count, stats.spooled.count, stats.queued.bytes), (0, 0, 0));
    }
}
