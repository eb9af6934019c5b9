//! Unit tests of the control half.

use proptest::prelude::*;

use super::*;
use crate::counts::Service;
use crate::window::BUCKET_MS;

const START_MS: u64 = 1_700_000_000_000;
const START: u64 = START_MS / BUCKET_MS;

fn rater(lanes: usize) -> Rater {
    Rater::new(Arc::new(SamplingSettings::default()), lanes)
}

fn row(bucket: u64, kind: Kind, signature: u32, weight: f64) -> Count {
    let name = format!("service-{signature}").into_boxed_str();
    let service =
        (kind == Kind::Priority).then(|| Arc::new(Service { name, env: Box::from("prod") }));
    Count { bucket, weight, service, signature: Some(signature), kind, is_folded: false }
}

fn counts(lane: usize, rows: Vec<Count>) -> LaneCounts {
    LaneCounts { lane, rows, ..LaneCounts::default() }
}

#[test]
fn the_first_trace_makes_the_first_reply() {
    let mut rater = rater(1);
    assert!(rater.tick(START_MS).is_none());
    assert_eq!(rater.rates().reply().body(), "{\"rate_by_service\":{}}\n");
    rater.absorb(&mut counts(0, vec![row(START, Kind::Priority, 1, 1.0)]));
    let rates = rater.tick(START_MS + 1000).expect("there is a reply");
    assert_eq!(rates.reply().body(), "{\"rate_by_service\":{\"service:,env:\":1}}\n");
    assert_eq!(rates.reply().version(), "6553f101-1");
    let rates = rater.tick(START_MS + 5000).expect("a bucket ended");
    assert_eq!(
        rates.reply().body(),
        "{\"rate_by_service\":{\"service:,env:\":1,\"service:service-1,env:prod\":1}}\n"
    );
    assert_eq!(rates.reply().version(), "6553f105-2");
    let rates = rater.tick(START_MS + 10_000).expect("a bucket ended");
    assert_eq!(rates.reply().version(), "6553f105-2", "the same values");
    assert!(rater.tick(START_MS + 11_000).is_none());
}

#[test]
fn counts_of_closed_buckets_enter_the_window_and_older_ones_do_not() {
    let mut rater = rater(1);
    rater.tick(START_MS);
    rater.tick(START_MS + 5 * BUCKET_MS);
    let rows = vec![
        row(START, Kind::Priority, 1, 1000.0),
        row(START - 1, Kind::Priority, 2, 1000.0),
        row(START + 99, Kind::Priority, 3, 500.0),
    ];
    rater.absorb(&mut counts(0, rows));
    rater.tick(START_MS + 5 * BUCKET_MS);
    assert_eq!(rater.tallies().late, 1);
    let ledger = &rater.ledgers[Kind::Priority as usize];
    assert!(ledger.is_live(1) && !ledger.is_live(2));
    assert!((ledger.total(START) - 1000.0).abs() < f64::EPSILON);
    assert!((ledger.total(START + 5) - 500.0).abs() < f64::EPSILON, "a lane ahead of control");
}

#[test]
fn a_long_pause_forgets_everything() {
    let mut rater = rater(1);
    rater.absorb(&mut counts(0, vec![row(START, Kind::Priority, 1, 1e6)]));
    rater.tick(START_MS);
    rater.tick(START_MS + BUCKET_MS);
    assert!(rater.rates().reply().rates().any(|(_, rate)| rate < 1.0));
    let rates = rater.tick(START_MS + 1_000_000 * BUCKET_MS).expect("buckets ended");
    assert_eq!(rates.reply().rates().collect::<Vec<_>>(), [("service:,env:", 1.0)]);
    assert_eq!(rater.catalog_entries(), 0);
    assert!(rater.tick(START_MS).is_none(), "time that runs backwards is ignored");
}

#[test]
#[expect(clippy::float_cmp, reason = "targets are copied")]
fn remote_targets() {
    let settings = SamplingSettings { agent_env: "prod".into(), ..Default::default() };
    let mut rater = Rater::new(Arc::new(settings), 1);
    rater.absorb(&mut counts(0, vec![row(START, Kind::Priority, 1, 1000.0)]));
    rater.tick(START_MS);
    rater.tick(START_MS + BUCKET_MS);
    let rate = |rater: &Rater| {
        let reply = rater.rates().reply();
        reply.rates().find(|(key, _)| *key == "service:service-1,env:prod").map(|(_, rate)| rate)
    };
    assert_eq!(rate(&rater), Some(0.05));
    let all_envs =
        RemoteTargets { target_tps: Some(20.0), errors_tps: Some(3.0), is_rare_enabled: None };
    let own = RemoteTargets { is_rare_enabled: Some(true), ..RemoteTargets::default() };
    let other = RemoteTargets { target_tps: Some(77.0), ..RemoteTargets::default() };
    let mut remote =
        RemoteSampling { all_envs, by_env: vec![("prod".into(), own), ("dev".into(), other)] };
    rater.set_remote(&remote);
    let rates = rater.tick(START_MS + BUCKET_MS).expect("targets changed");
    assert_eq!((rates.target_tps(), rates.errors_tps()), (20.0, 3.0));
    assert!(rates.is_rare_enabled());
    assert_eq!(rate(&rater), Some(0.1), "rates follow the target at once");
    assert_eq!(rates.of(Kind::NoPriority).target, 10.0);
    remote.by_env[0].1.target_tps = Some(5000.0);
    rater.set_remote(&remote);
    assert_eq!(rater.tick(START_MS + BUCKET_MS).expect("changed").target_tps(), 100.0);
    rater.set_remote(&RemoteSampling::default());
    let rates = rater.tick(START_MS + BUCKET_MS).expect("changed");
    assert_eq!((rates.target_tps(), rates.errors_tps()), (10.0, 10.0));
    assert!(!rates.is_rare_enabled());
}

#[test]
fn event_scores_decay_by_the_second() {
    let mut rater = rater(2);
    rater.tick(START_MS);
    for lane in 0..2 {
        let mut counts = LaneCounts { lane, events_seen: 4.5, ..LaneCounts::default() };
        rater.absorb(&mut counts);
    }
    rater.tick(START_MS + 1000);
    assert!((rater.event_score - 8.0).abs() < 1e-12);
    rater.tick(START_MS + 1500);
    assert!((rater.event_score - 8.0).abs() < 1e-12);
}

/// Weights that add up exactly in any order.
fn rows() -> impl Strategy<Value = Vec<Vec<Count>>> {
    let kind = (0..3_usize).prop_map(|kind| Kind::ALL[kind]);
    let row = (START..START + 4, kind, 0..250_u32, 0..5000_u32).prop_map(
        |(bucket, kind, signature, weight)| row(bucket, kind, signature, f64::from(weight) / 64.0),
    );
    prop::collection::vec(prop::collection::vec(row, 0..200), 1..6)
}

fn state(lanes: &[Vec<Count>]) -> String {
    let mut rater = rater(lanes.len());
    for (lane, rows) in lanes.iter().enumerate() {
        rater.absorb(&mut counts(lane, rows.clone()));
    }
    rater.tick(START_MS + 4 * BUCKET_MS);
    let ledgers = rater.ledgers.iter().map(|ledger| {
        let published = ledger.publish(START + 4);
        let mut rates: Vec<_> = published.rates.into_iter().collect();
        rates.sort_unstable_by_key(|&(signature, _)| signature);
        assert!(rates.iter().all(|(_, rate)| rate.is_none_or(|rate| (0.0..=1.0).contains(&rate))));
        (ledger.weights(), rates, published.lowest.to_bits(), published.closed_max.to_bits())
    });
    format!("{:?} {}", ledgers.collect::<Vec<_>>(), rater.rates().reply().body())
}

proptest! {
    #[test]
    fn merging_lanes_is_commutative_and_associative(mut lanes in rows()) {
        let expected = state(&lanes);
        lanes.reverse();
        prop_assert_eq!(&state(&lanes), &expected);
        let second = lanes.len() / 2;
        let joined = vec![lanes[second..].concat(), lanes[..second].concat()];
        prop_assert_eq!(&state(&joined), &expected);
        prop_assert_eq!(&state(&[lanes.concat()]), &expected);
    }
}
