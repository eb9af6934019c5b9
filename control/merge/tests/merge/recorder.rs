//! A lane as far as these tests need one: samples go into buckets, closed buckets come out.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use signal::{
    Bucket, Cell, CellValue, Context, ContextId, ContextKey, FlushedLane, Histogram, Provenance,
    TagSet, TimedKind, TimedSample, WeightedSample,
};

pub(crate) const BUCKET_SECS: u64 = 10;

/// A sample as it reaches the lane.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Sample {
    Gauge(f64),
    Counter { value: f64, rate: f64 },
    Set(&'static str),
    Histogram { value: f64, rate: f64, is_timing: bool },
    Distribution { value: f64, rate: f64 },
}

pub(crate) fn count(value: f64) -> Sample {
    Sample::Counter { value, rate: 1.0 }
}

pub(crate) fn histogram(value: f64, rate: f64) -> Sample {
    Sample::Histogram { value, rate, is_timing: false }
}

/// One lane.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    lane: u16,
    ids: BTreeMap<String, (ContextId, Arc<Context>)>,
    buckets: BTreeMap<u64, Bucket>,
    timed: Vec<TimedSample>,
    stamp_us: u32,
    next_id: u32,
}

impl Recorder {
    pub(crate) fn new(lane: u16) -> Self {
        Self { lane, ..Self::default() }
    }

    /// Records a sample received at `secs`; `line` is `name` or `name|#tag,tag`. Later calls are
    /// later within the bucket.
    pub(crate) fn record(&mut self, secs: u64, line: &str, sample: &Sample) {
        self.stamp_us += 1;
        self.record_at(secs, self.stamp_us, line, sample);
    }

    pub(crate) fn record_at(&mut self, secs: u64, stamp_us: u32, line: &str, sample: &Sample) {
        let (id, context) = self.context(line);
        let start = secs - secs % BUCKET_SECS;
        let bucket = self.buckets.entry(start).or_insert_with(|| Bucket::new(start));
        let cell = bucket.cell_mut(id);
        if apply(cell, stamp_us, sample) {
            cell.samples += 1;
            cell.context = Some(context);
        }
    }

    pub(crate) fn record_timed(&mut self, line: &str, kind: TimedKind, secs: i64, value: f64) {
        let (_, context) = self.context(line);
        self.timed.push(TimedSample { context, kind, timestamp_secs: secs, value });
    }

    /// Hands over every bucket that is closed at `cutoff_secs`.
    pub(crate) fn flush(&mut self, cutoff_secs: u64) -> FlushedLane {
        let open = self.buckets.split_off(&cutoff_secs);
        let closed = std::mem::replace(&mut self.buckets, open);
        FlushedLane {
            lane: self.lane,
            buckets: closed.into_values().collect(),
            timed: std::mem::take(&mut self.timed),
            ..FlushedLane::default()
        }
    }

    fn context(&mut self, line: &str) -> (ContextId, Arc<Context>) {
        // Gaps between the ids, so that cells lie in several chunks.
        self.next_id += 700;
        let next = ContextId(self.next_id);
        let made = make_context(line);
        let identity = format!("{:?}", made.key);
        let (id, context) = self.ids.entry(identity).or_insert_with(|| (next, Arc::new(made)));
        (*id, Arc::clone(context))
    }
}

/// Adds a sample to a cell unless the cell has another type.
fn apply(cell: &mut Cell, stamp: u32, sample: &Sample) -> bool {
    if matches!(cell.value, CellValue::Empty) {
        cell.value = match sample {
            Sample::Gauge(_) => CellValue::Gauge { stamp_us: 0, value: 0.0 },
            Sample::Counter { .. } => CellValue::Counter { sum: 0.0 },
            Sample::Set(_) => CellValue::Set(Box::default()),
            Sample::Histogram { is_timing, .. } => CellValue::Histogram(Box::new(Histogram {
                is_timing: *is_timing,
                ..Histogram::default()
            })),
            Sample::Distribution { .. } => CellValue::Distribution(Box::default()),
        };
    }
    match (&mut cell.value, sample) {
        (CellValue::Gauge { stamp_us, value }, &Sample::Gauge(new)) => {
            (*stamp_us, *value) = (stamp, new);
        }
        (CellValue::Counter { sum }, &Sample::Counter { value, rate }) => *sum += value / rate,
        (CellValue::Set(members), Sample::Set(member)) => {
            members.insert(member.as_bytes().into());
        }
        (CellValue::Histogram(histogram), &Sample::Histogram { value, rate, .. }) => {
            histogram.samples.push(WeightedSample { value, weight: 1.0 / rate });
        }
        (CellValue::Distribution(sketch), &Sample::Distribution { value, rate }) => {
            sketch.insert(value, rate);
        }
        _ => return false,
    }
    true
}

fn make_context(line: &str) -> Context {
    let (name, tags) = line.split_once("|#").unwrap_or((line, ""));
    let mut tags: Vec<Arc<str>> =
        tags.split(',').filter(|tag| !tag.is_empty()).map(Arc::from).collect();
    tags.sort();
    tags.dedup();
    Context {
        key: ContextKey(hash(&(name, &tags))),
        name: name.into(),
        tags: Arc::new(TagSet::new(hash(&tags), tags.into())),
        host: "h0".into(),
        provenance: Provenance::DOGSTATSD,
        origin: "".into(),
    }
}

/// A fixed hash: the same in every run.
fn hash(value: &impl Hash) -> u128 {
    let half = |seed: u8| {
        let mut hasher = DefaultHasher::new();
        seed.hash(&mut hasher);
        value.hash(&mut hasher);
        u128::from(hasher.finish())
    };
    (half(0) << 64) | half(1)
}
