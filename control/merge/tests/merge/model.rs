//! The merge as one would write it without thinking of cost: everything in maps, nothing sorted,
//! nothing kept between flushes but what was received.

use std::collections::{BTreeMap, BTreeSet};

use signal::SeriesKind;

use crate::recorder::{BUCKET_SECS, Sample};
use crate::seen::Id;

const EXPIRY_SECS: u64 = 300;

/// What one lane holds for one context and bucket: its type and its samples in order, with stamps.
type LaneSamples = Vec<(u32, Sample)>;

#[derive(Debug, Default)]
pub(crate) struct Model {
    /// By context, bucket, lane.
    open: BTreeMap<(String, u64), BTreeMap<u16, LaneSamples>>,
    last_counted: BTreeMap<String, u64>,
    closed_secs: Option<u64>,
}

impl Model {
    pub(crate) fn record(&mut self, lane: u16, secs: u64, stamp: u32, name: &str, sample: &Sample) {
        let start = secs - secs % BUCKET_SECS;
        let lanes = self.open.entry((name.to_owned(), start)).or_default();
        let samples = lanes.entry(lane).or_default();
        if samples.first().is_none_or(|(_, first)| rank(first) == rank(sample)) {
            samples.push((stamp, sample.clone()));
        }
    }

    /// Every series point that the merge at `cutoff` must hand out; distributions are given by
    /// their values and weights in [`Self::flush`]'s second result.
    #[expect(clippy::type_complexity, reason = "spelled out once")]
    pub(crate) fn flush(
        &mut self,
        cutoff: u64,
    ) -> (BTreeMap<Id, BTreeMap<i64, f64>>, BTreeMap<(String, i64), Vec<f64>>) {
        let mut series: BTreeMap<Id, BTreeMap<i64, f64>> = BTreeMap::new();
        let mut distributions = BTreeMap::new();
        let open = self.open.split_off(&(String::new(), 0));
        let (closed, open): (BTreeMap<_, _>, BTreeMap<_, _>) =
            open.into_iter().partition(|((_, start), _)| *start < cutoff);
        self.open = open;

        let data_from = closed.keys().map(|(_, start)| *start).min();
        let mut has_data = BTreeSet::new();
        let mut counted_now: BTreeMap<String, u64> = BTreeMap::new();
        for ((name, start), lanes) in &closed {
            has_data.insert((name.clone(), *start));
            let time = start.cast_signed();
            let mut point = |suffix: &str, kind: SeriesKind, unit, value| {
                let id = (format!("{name}{suffix}"), kind as u8, unit);
                series.entry(id).or_default().insert(time, value);
            };
            match winning_samples(lanes).as_slice() {
                samples @ [(_, Sample::Gauge(_)), ..] => {
                    let latest = samples.iter().max_by_key(|(stamp, _)| stamp).into_iter();
                    values(&latest.cloned().collect::<Vec<_>>())
                        .into_iter()
                        .for_each(|value| point("", SeriesKind::Gauge, "", value));
                }
                samples @ [(_, Sample::Counter { .. }), ..] => {
                    counted_now.insert(name.clone(), *start);
                    point("", SeriesKind::Rate, "", values(samples).iter().sum::<f64>() / 10.0);
                }
                samples @ [(_, Sample::Set(_)), ..] => {
                    let members: BTreeSet<_> =
                        samples.iter().map(|(_, sample)| format!("{sample:?}")).collect();
                    point("", SeriesKind::Gauge, "", members.len() as f64);
                }
                samples @ [(_, Sample::Histogram { is_timing, .. }), ..] => {
                    let unit = if *is_timing { "millisecond" } else { "" };
                    let mut sorted = values(samples);
                    sorted.sort_by(f64::total_cmp);
                    let n = sorted.len();
                    // With weights of 1, "cumulative weight above x" is an index.
                    point(".max", SeriesKind::Gauge, unit, sorted[n - 1]);
                    point(".median", SeriesKind::Gauge, unit, sorted[(n - 1) / 2]);
                    let avg = sorted.iter().sum::<f64>() / n as f64;
                    point(".avg", SeriesKind::Gauge, unit, avg);
                    point(".count", SeriesKind::Rate, "", n as f64 / 10.0);
                    point(".95percentile", SeriesKind::Gauge, unit, sorted[(95 * n - 1) / 100]);
                }
                samples => {
                    distributions.insert((name.clone(), time), values(samples));
                }
            }
        }

        let candidates: BTreeSet<_> =
            self.last_counted.keys().chain(counted_now.keys()).cloned().collect();
        for name in candidates {
            let before = self.last_counted.get(&name).copied();
            let now = counted_now.get(&name).copied();
            let from = self.closed_secs.or(data_from).unwrap_or(cutoff);
            for start in (from..cutoff).step_by(10) {
                let is_known = before.is_some_and(|last| start < last + EXPIRY_SECS);
                let is_new = data_from.is_some_and(|from| start >= from)
                    && now.is_some_and(|last| start < last + EXPIRY_SECS);
                if (is_known || is_new) && !has_data.contains(&(name.clone(), start)) {
                    let id = (name.clone(), SeriesKind::Rate as u8, "");
                    series.entry(id).or_default().insert(start.cast_signed(), 0.0);
                }
            }
            self.last_counted.extend(now.map(|now| (name, now)));
        }
        self.last_counted.retain(|_, last| *last + EXPIRY_SECS > cutoff);
        self.closed_secs = Some(cutoff);
        (series, distributions)
    }
}

/// Samples of the type that has most of them over all lanes.
fn winning_samples(lanes: &BTreeMap<u16, LaneSamples>) -> LaneSamples {
    let mut by_rank: BTreeMap<u8, LaneSamples> = BTreeMap::new();
    for samples in lanes.values() {
        by_rank.entry(rank(&samples[0].1)).or_default().extend(samples.iter().cloned());
    }
    let most = by_rank.values().map(Vec::len).max();
    by_rank.into_values().find(|samples| Some(samples.len()) == most).unwrap_or_default()
}

fn values(samples: &[(u32, Sample)]) -> Vec<f64> {
    let value = |sample: &Sample| match *sample {
        Sample::Gauge(value)
        | Sample::Counter { value, .. }
        | Sample::Histogram { value, .. }
        | Sample::Distribution { value, .. } => value,
        Sample::Set(_) => unreachable!("sets have no number"),
    };
    samples.iter().map(|(_, sample)| value(sample)).collect()
}

pub(crate) const fn rank(sample: &Sample) -> u8 {
    match sample {
        Sample::Gauge(_) => 0,
        Sample::Counter { .. } => 1,
        Sample::Set(_) => 2,
        Sample::Histogram { .. } => 3,
        Sample::Distribution { .. } => 4,
    }
}
