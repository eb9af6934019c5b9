//! One request in translation.

use signal::{
    Context, Point as SeriesPoint, Series, SeriesKind, SeriesSink, SketchPoint, SketchSeries,
};
use sketch::Sketch;

use super::counts::{Counts, Dropped, Tally};
use super::cumulative::{Cumulative, Step};
use super::mapping::Mapping;
use super::request::{Data, Kind, Point, PointHead};
use super::settings::{InitialValue, MetricsSettings};
use super::tags::{Place, PointTags};
use crate::wire::WireError;
use context::Keys;

/// What the translation of one request reads and writes.
pub(crate) struct Run<'r> {
    pub(crate) settings: &'r MetricsSettings,
    pub(crate) keys: &'r Keys,
    pub(crate) cumulative: &'r mut Cumulative,
    pub(crate) tags: &'r mut PointTags,
    pub(crate) sink: &'r mut dyn SeriesSink,
    pub(crate) counts: Counts,
    pub(crate) process_start_nanos: u64,
    pub(crate) now_secs: u64,
    /// Bins that buckets may still be spread over.
    pub(crate) bins_left: u64,
}

/// Bins that the buckets of one request may be spread over: a second's work, where a thousand
/// ordinary histograms take a hundredth of it. A bucket of a hundred bytes can ask for 65,000.
pub(crate) const BINS_MAX: u64 = 1 << 24;

/// A metric, or a copy of one, and where it comes from.
pub(crate) struct Subject<'s> {
    pub(crate) place: &'s Place,
    pub(crate) name: &'s str,
    /// Empty when there is none.
    pub(crate) unit: &'s str,
    /// Attributes of the resource that are tags of points without such an attribute.
    pub(crate) resource_tags: &'s [(String, String)],
    pub(crate) mapping: Option<&'static Mapping>,
}

/// Time and interval of what is sent of a point.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamp {
    pub(crate) timestamp_secs: i64,
    pub(crate) interval_secs: u32,
}

/// Values of one series of a point that is several series: each has its own last value.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
pub(crate) enum Part {
    Count = 1,
    Sum = 2,
    Min = 3,
    Max = 4,
}

impl Run<'_> {
    /// Takes bins to spread buckets over.
    pub(crate) fn spend(&mut self, bins: u64) -> Result<(), Dropped> {
        let left = self.bins_left.checked_sub(bins).ok_or(Dropped::TooManyBins)?;
        self.bins_left = left;
        Ok(())
    }

    /// Translates every point of a metric, or those that its copy has.
    pub(crate) fn points<'a, P: Point<'a>>(
        &mut self,
        data: &Data<'a>,
        subject: &Subject<'_>,
        translate: impl Fn(&mut Self, &Subject<'_>, &P, usize) -> Result<(), Dropped>,
    ) -> Result<(), WireError> {
        let (mut point, mut index) = (P::default(), 0);
        for message in data.points() {
            point.read(message?)?;
            if subject.mapping.is_some_and(|mapping| !mapping.selects(&point.head().attributes)) {
                continue;
            }
            let outcome = if point.head().has_no_value() {
                Err(Dropped::NoRecordedValue)
            } else {
                translate(self, subject, &point, index)
            };
            self.tally(subject.mapping).add(outcome);
            if !subject.mapping.is_some_and(Mapping::has_conditions) {
                index += 1;
            } else if data.kind == Kind::Histogram {
                break;
            }
        }
        Ok(())
    }

    /// Counts the points of a metric of which nothing is made.
    pub(crate) fn drop_points(&mut self, data: &Data<'_>, why: Dropped) -> Result<(), WireError> {
        for message in data.points() {
            message?;
            self.counts.points.add(Err(why));
        }
        Ok(())
    }

    fn tally(&mut self, mapping: Option<&Mapping>) -> &mut Tally {
        if mapping.is_some() { &mut self.counts.copies } else { &mut self.counts.points }
    }

    /// Begins the tags of a point with its attributes; the caller adds others and seals them.
    pub(crate) fn fill(
        &mut self,
        subject: &Subject<'_>,
        head: &PointHead<'_>,
    ) -> Result<(), Dropped> {
        self.tags.clear();
        for attribute in head.attributes.iter() {
            if subject.mapping.is_none_or(|mapping| mapping.keeps(&attribute.key)) {
                let value = attribute.value.to_text().map_err(|_| Dropped::Malformed)?;
                self.tags.push(&attribute.key, &value);
            }
        }
        if let Some(mapping) = subject.mapping {
            mapping.added.iter().for_each(|(key, value)| self.tags.push(key, value));
            if let Some((from, to)) = mapping.doubled
                && let Some(value) = head.attributes.get(from)
            {
                let value = value.to_text().map_err(|_| Dropped::Malformed)?;
                self.tags.push(to, &value);
            }
        }
        for (key, value) in subject.resource_tags {
            if head.attributes.get(key).is_none() {
                self.tags.push(key, value);
            }
        }
        Ok(())
    }

    /// Seals the tags and returns the identity of the series.
    pub(crate) fn identify(&mut self, subject: &Subject<'_>) -> u128 {
        self.tags.seal(self.keys, subject.place);
        self.tags.identity(self.keys, subject.place, subject.name)
    }

    /// The context of the tags as they are sealed.
    pub(crate) fn context(&self, subject: &Subject<'_>) -> Context {
        self.tags.context(self.keys, subject.place, subject.name)
    }

    /// Time of a point, and the interval of its delta where those are told.
    pub(crate) fn stamp(&self, head: &PointHead<'_>, is_delta: bool) -> Stamp {
        let interval_secs = if is_delta && self.settings.infers_interval {
            inferred_interval_secs(head.start_nanos, head.time_nanos)
        } else {
            0
        };
        let timestamp_secs = i64::try_from(head.time_nanos / NANOS_PER_SEC).unwrap_or(i64::MAX);
        Stamp { timestamp_secs, interval_secs }
    }

    /// Whether the first value of a cumulative sum is sent. spec: otlp §5.3.
    pub(crate) fn sends_first(&self, head: &PointHead<'_>, index: usize) -> bool {
        index == 0
            && match self.settings.initial_value() {
                InitialValue::Keep => true,
                InitialValue::Drop => false,
                InitialValue::Auto => {
                    head.start_nanos > self.process_start_nanos
                        && head.start_nanos != head.time_nanos
                }
            }
    }

    /// The change of a value that may shrink.
    pub(crate) fn difference(
        &mut self,
        key: u128,
        head: &PointHead<'_>,
        value: f64,
    ) -> Result<f64, Dropped> {
        change(self.cumulative.difference(key, head.moment(), value, self.now_secs))
    }

    /// Sends one point of a series; the suffix comes behind its name.
    pub(crate) fn send(
        &mut self,
        context: &Context,
        (suffix, kind, unit): (&str, SeriesKind, &str),
        stamp: Stamp,
        value: f64,
    ) -> Result<(), Dropped> {
        if !value.is_finite() {
            return Err(Dropped::NotFinite);
        }
        self.sink.series(Series {
            context,
            suffix,
            kind,
            interval_secs: stamp.interval_secs,
            unit,
            source_type_name: "",
            is_no_index: false,
            points: &[SeriesPoint { timestamp_secs: stamp.timestamp_secs, value }],
        });
        self.counts.series += 1;
        Ok(())
    }

    /// Sends one sketch.
    pub(crate) fn send_sketch(
        &mut self,
        context: &Context,
        stamp: Stamp,
        sketch: &Sketch,
    ) -> Result<(), Dropped> {
        let summary = sketch.summary();
        if ![summary.min, summary.max, summary.sum, summary.avg].iter().all(|n| n.is_finite()) {
            return Err(Dropped::NotFinite);
        }
        let points = [SketchPoint { timestamp_secs: stamp.timestamp_secs, sketch }];
        self.sink.sketch(SketchSeries { context, points: &points });
        self.counts.sketches += 1;
        Ok(())
    }
}

/// The change that a step is, or why there is none.
pub(crate) const fn change(step: Step) -> Result<f64, Dropped> {
    match step {
        Step::Change { value, nanos: _ } => Ok(value),
        Step::First => Err(Dropped::FirstPoint),
        Step::Older => Err(Dropped::OlderPoint),
        Step::NoRoom => Err(Dropped::CumulativeLimit),
    }
}

/// The identity of one part of a series with an identity.
pub(crate) const fn part_of(identity: u128, part: Part) -> u128 {
    identity.wrapping_add((part as u128).wrapping_mul(PART_FACTOR))
}

/// Whole seconds between start and time, if they are whole to a twentieth; 0 otherwise.
/// spec: otlp §5.7.
#[expect(clippy::cast_precision_loss, reason = "intervals of years are not inferred")]
pub(crate) fn inferred_interval_secs(start_nanos: u64, time_nanos: u64) -> u32 {
    let Some(nanos) = time_nanos.checked_sub(start_nanos).filter(|_| start_nanos > 0) else {
        return 0;
    };
    let secs = nanos as f64 / NANOS_PER_SEC as f64;
    let whole = secs.round();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
    if (whole - secs).abs() < 0.05 { whole as u32 } else { 0 }
}

pub(crate) const NANOS_PER_SEC: u64 = 1_000_000_000;
/// Odd, so that no two parts meet: digits of the golden ratio.
const PART_FACTOR: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;
