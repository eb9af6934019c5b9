use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::TypeMix;

fn small() -> LoadSpec {
    LoadSpec { names: 20, tag_sets: 5, pool_bytes_min: 1, ..LoadSpec::default() }
}

/// An independent, slow reading of all packets: the tally and the contexts with their type.
fn read_back(pool: &Pool) -> (Tally, BTreeMap<String, BTreeSet<String>>) {
    let mut tally = Tally::default();
    let mut contexts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for index in 0..pool.len() {
        let payload = std::str::from_utf8(pool.payload(index)).unwrap();
        tally.packets += 1;
        tally.bytes += payload.len() as u64;
        for line in payload.split('\n').filter(|line| !line.is_empty()) {
            let fields: Vec<&str> = line.split('|').collect();
            let (name, values) = fields[0].split_once(':').unwrap();
            let kind = Kind::ALL.into_iter().find(|kind| kind.symbol() == fields[1]).unwrap();
            let rate = fields.iter().find_map(|field| field.strip_prefix('@'));
            let rate: f64 = rate.map_or(1.0, |rate| rate.parse().unwrap());
            let tags = fields.iter().find_map(|field| field.strip_prefix('#')).unwrap_or("");
            let mut tags: Vec<&str> = tags.split(',').collect();
            tags.sort_unstable();
            contexts
                .entry(format!("{name}|{}", tags.join(",")))
                .or_default()
                .insert(fields[1].into());
            let values: Vec<f64> = if kind == Kind::Set {
                vec![0.0]
            } else {
                values.split(':').map(|value| value.parse().unwrap()).collect()
            };
            tally.add_line(kind, values.len() as u64, values.iter().sum(), rate);
        }
    }
    (tally, contexts)
}

fn total(pool: &Pool) -> Tally {
    let mut total = Tally::default();
    (0..pool.len()).for_each(|index| total.add(pool.tally(index), 1));
    total
}

#[test]
fn one_seed_gives_one_pool_and_another_seed_another() {
    let first = Pool::build(&small()).unwrap();
    let again = Pool::build(&small()).unwrap();
    let other = Pool::build(&LoadSpec { seed: 2, ..small() }).unwrap();
    assert_eq!(first.bytes, again.bytes);
    assert_eq!(first.packets, again.packets);
    assert_ne!(first.bytes, other.bytes);
}

#[test]
fn the_pool_covers_every_context_and_each_has_one_type() {
    let pool = Pool::build(&small()).unwrap();
    let (tally, contexts) = read_back(&pool);
    assert_eq!(tally.lines, 100);
    assert_eq!(contexts.len(), 100);
    assert!(contexts.values().all(|kinds| kinds.len() == 1));
}

#[test]
fn types_are_dealt_by_weight() {
    let types = TypeMix::parse("g:1,c:2,s:1").unwrap();
    let spec = LoadSpec { names: 8, tag_sets: 1, types, ..small() };
    let tally = total(&Pool::build(&spec).unwrap());
    assert_eq!((tally.gauge.lines, tally.count.lines, tally.set.lines), (2, 4, 2));
    assert_eq!(tally.histogram.lines, 0);
}

#[test]
fn lines_reach_the_wanted_length() {
    let tally = total(&Pool::build(&LoadSpec { pool_bytes_min: 1 << 16, ..small() }).unwrap());
    let mean = tally.bytes / tally.lines;
    assert!((90..=105).contains(&mean), "mean line of {mean} bytes");
}

#[test]
fn tag_orders_write_the_same_context_in_several_ways() {
    let spec = LoadSpec { names: 1, tag_sets: 1, tags: 8, tag_orders: 6, ..small() };
    let pool = Pool::build(&spec).unwrap();
    let (_, contexts) = read_back(&pool);
    assert_eq!(contexts.len(), 1);
    let payload = std::str::from_utf8(pool.payload(0)).unwrap().to_owned();
    let orders: BTreeSet<_> = payload.lines().map(|line| line.split('#').nth(1)).collect();
    assert!(orders.len() > 1, "{payload}");
}

#[test]
fn a_line_that_fits_no_packet_is_refused() {
    let spec = LoadSpec { tags: 200, packet_bytes_max: 500, ..small() };
    assert!(matches!(Pool::build(&spec), Err(SpecError::LineTooLong { packet: 500, .. })));
}

#[test]
fn segments_are_filled_up_to_one_size() {
    let pool = Pool::build(&LoadSpec { is_segmented: true, ..small() }).unwrap();
    assert!((0..pool.len()).all(|index| pool.payload(index).len() == 1_432));
    assert_eq!(read_back(&pool).0, total(&pool));
}

#[test]
fn stream_packets_stand_behind_their_length() {
    let spec = LoadSpec { transport: Transport::UdsStream, ..small() };
    let pool = Pool::build(&spec).unwrap();
    let mut rest = pool.wire(0, pool.len());
    for index in 0..pool.len() {
        let (prefix, tail) = rest.split_at(4);
        let length = u32::from_le_bytes(prefix.try_into().unwrap()) as usize;
        assert_eq!(&tail[..length], pool.payload(index));
        rest = &tail[length..];
    }
    assert!(rest.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn tallies_agree_with_a_naive_reading_and_packets_fit(
        names in 1_u32..30,
        tag_sets in 1_u32..10,
        tags in 1_u32..30,
        tag_orders in 1_u32..3,
        values_per_line in 1_u32..4,
        halvings in 0_i32..4,
        packet_bytes_max in 800_u32..9_000,
        seed: u64,
    ) {
        let spec = LoadSpec {
            names, tag_sets, tags, tag_orders, values_per_line, packet_bytes_max, seed,
            sample_rate: 0.5_f64.powi(halvings),
            ..small()
        };
        let pool = Pool::build(&spec).unwrap();
        let (tally, contexts) = read_back(&pool);
        prop_assert_eq!(tally, total(&pool));
        prop_assert_eq!(contexts.len() as u64, spec.contexts());
        for index in 0..pool.len() {
            prop_assert!(pool.payload(index).len() <= packet_bytes_max as usize);
        }
    }
}
