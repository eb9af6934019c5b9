//! Series of histograms and timings. spec: dogstatsd §8.6.

use signal::{Point, SeriesKind, WeightedSample};

/// A summary of a histogram that has no parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregate {
    /// Greatest sample.
    Max,
    /// Smallest sample.
    Min,
    /// Sample in the middle, by weight.
    Median,
    /// Weighted mean.
    Avg,
    /// Weighted sum.
    Sum,
    /// Sum of weights per second.
    Count,
}

impl Aggregate {
    /// The aggregate called `name` in `histogram_aggregates`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Max, Self::Min, Self::Median, Self::Avg, Self::Sum, Self::Count]
            .into_iter()
            .find(|aggregate| aggregate.suffix().strip_prefix('.') == Some(name))
    }

    const fn suffix(self) -> &'static str {
        match self {
            Self::Max => ".max",
            Self::Min => ".min",
            Self::Median => ".median",
            Self::Avg => ".avg",
            Self::Sum => ".sum",
            Self::Count => ".count",
        }
    }
}

/// Which series a histogram becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistogramSettings {
    /// Aggregates in order of configuration, each once.
    pub aggregates: Vec<Aggregate>,
    /// Percentiles from 0 to 100, ascending, each once.
    pub percentiles: Vec<u8>,
}

impl Default for HistogramSettings {
    fn default() -> Self {
        Self {
            aggregates: vec![Aggregate::Max, Aggregate::Median, Aggregate::Avg, Aggregate::Count],
            percentiles: vec![95],
        }
    }
}

impl HistogramSettings {
    /// Reads `histogram_aggregates` and `histogram_percentiles`. Entries that mean nothing are
    /// skipped and returned, to be reported.
    pub fn parse<'a>(
        aggregates: impl IntoIterator<Item = &'a str>,
        percentiles: impl IntoIterator<Item = &'a str>,
    ) -> (Self, Vec<&'a str>) {
        let mut settings = Self { aggregates: Vec::new(), percentiles: Vec::new() };
        let mut skipped = Vec::new();
        for name in aggregates {
            match Aggregate::from_name(name) {
                Some(aggregate) if settings.aggregates.contains(&aggregate) => {}
                Some(aggregate) => settings.aggregates.push(aggregate),
                None => skipped.push(name),
            }
        }
        for text in percentiles {
            match parse_percentile(text) {
                Some(percentile) => settings.percentiles.push(percentile),
                None => skipped.push(text),
            }
        }
        settings.percentiles.sort_unstable();
        settings.percentiles.dedup();
        (settings, skipped)
    }

    /// What is appended to the name of a histogram, one entry per series, in order.
    #[must_use]
    pub fn suffixes(&self) -> Vec<String> {
        self.series().into_iter().map(|series| series.suffix.into()).collect()
    }

    pub(crate) fn series(&self) -> Vec<HistogramSeries> {
        let aggregates = self.aggregates.iter().map(|&aggregate| HistogramSeries {
            summary: Summary::Aggregate(aggregate),
            suffix: aggregate.suffix().into(),
        });
        let percentiles = self.percentiles.iter().map(|&percentile| HistogramSeries {
            summary: Summary::Percentile(percentile),
            suffix: format!(".{percentile}percentile").into(),
        });
        aggregates.chain(percentiles).collect()
    }
}

fn parse_percentile(text: &str) -> Option<u8> {
    let fraction: f64 = text.parse().ok().filter(|fraction| (0.0..=1.0).contains(fraction))?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 100")]
    let percentile = (fraction * 100.0 + 0.5).floor() as u8;
    Some(percentile)
}

/// One series of every histogram.
#[derive(Debug)]
pub(crate) struct HistogramSeries {
    summary: Summary,
    pub(crate) suffix: Box<str>,
}

#[derive(Clone, Copy, Debug)]
enum Summary {
    Aggregate(Aggregate),
    Percentile(u8),
}

impl HistogramSeries {
    const fn is_count(&self) -> bool {
        matches!(self.summary, Summary::Aggregate(Aggregate::Count))
    }

    pub(crate) const fn kind(&self) -> SeriesKind {
        if self.is_count() { SeriesKind::Rate } else { SeriesKind::Gauge }
    }

    /// Unit of the series when its samples are timings.
    pub(crate) const fn timing_unit(&self) -> &'static str {
        if self.is_count() { "" } else { "millisecond" }
    }
}

/// Joined samples of one context in one bucket; buffers are reused.
#[derive(Debug, Default)]
pub(crate) struct Joined {
    samples: Vec<WeightedSample>,
    /// Sum of the weights up to each sample, itself included.
    cumulative: Vec<f64>,
}

impl Joined {
    pub(crate) fn clear(&mut self) {
        self.samples.clear();
    }

    pub(crate) fn add(&mut self, samples: &[WeightedSample]) {
        self.samples.extend_from_slice(samples);
    }

    /// Appends one point per series to `lists`, which stand beside `series`; the number of points
    /// left out because they are not finite.
    pub(crate) fn summarize(
        &mut self,
        series: &[HistogramSeries],
        timestamp_secs: i64,
        bucket_secs: u32,
        lists: &mut [Vec<Point>],
    ) -> u64 {
        // The weight as second key makes the result independent of the order of arrival.
        self.samples.sort_unstable_by(|a, b| {
            a.value.total_cmp(&b.value).then_with(|| a.weight.total_cmp(&b.weight))
        });
        self.cumulative.clear();
        let (mut sum, mut count) = (CompensatedSum::default(), 0.0);
        for sample in &self.samples {
            sum.add(sample.value * sample.weight);
            count += sample.weight;
            self.cumulative.push(count);
        }
        let (Some(min), Some(max)) = (self.samples.first(), self.samples.last()) else {
            return 0;
        };
        let mut left_out = 0;
        for (series, points) in series.iter().zip(lists) {
            let value = match series.summary {
                Summary::Aggregate(Aggregate::Max) => max.value,
                Summary::Aggregate(Aggregate::Min) => min.value,
                Summary::Aggregate(Aggregate::Median) => self.first_above((count - 1.0) / 2.0),
                Summary::Aggregate(Aggregate::Avg) => sum.total() / count,
                Summary::Aggregate(Aggregate::Sum) => sum.total(),
                Summary::Aggregate(Aggregate::Count) => count / f64::from(bucket_secs),
                Summary::Percentile(percentile) => {
                    self.first_above((f64::from(percentile) * count - 1.0) / 100.0)
                }
            };
            if value.is_finite() {
                points.push(Point { timestamp_secs, value });
            } else {
                left_out += 1;
            }
        }
        left_out
    }

    /// The first sample up to which the weights exceed `weight`; the last when none does.
    fn first_above(&self, weight: f64) -> f64 {
        let at = self.cumulative.partition_point(|&cumulative| cumulative <= weight);
        let sample = self.samples.get(at).or_else(|| self.samples.last());
        sample.map_or(0.0, |sample| sample.value)
    }
}

/// Neumaier's summation: the error of each addition is kept and added at the end.
#[derive(Debug, Default)]
struct CompensatedSum {
    sum: f64,
    error: f64,
}

impl CompensatedSum {
    fn add(&mut self, value: f64) {
        let next = self.sum + value;
        self.error += if self.sum.abs() >= value.abs() {
            (self.sum - next) + value
        } else {
            (value - next) + self.sum
        };
        self.sum = next;
    }

    fn total(&self) -> f64 {
        self.sum + self.error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summarize(settings: &HistogramSettings, samples: &[(f64, f64)]) -> Vec<f64> {
        let mut joined = Joined::default();
        let samples: Vec<_> =
            samples.iter().map(|&(value, weight)| WeightedSample { value, weight }).collect();
        joined.add(&samples);
        let series = settings.series();
        let mut lists = vec![Vec::new(); series.len()];
        joined.summarize(&series, 0, 10, &mut lists);
        lists.iter().flatten().map(|point| point.value).collect()
    }

    fn all() -> HistogramSettings {
        let names = ["max", "min", "median", "avg", "sum", "count"];
        HistogramSettings::parse(names, [".20", ".80", ".95"]).0
    }

    #[test]
    fn settings_skip_what_means_nothing() {
        let (settings, skipped) = HistogramSettings::parse(
            ["max", "nope", "max", "count"],
            ["0.95", "test", "0.12test", "0.22", "200", "-50", "nan", "0.95"],
        );
        assert_eq!(settings.aggregates, [Aggregate::Max, Aggregate::Count]);
        assert_eq!(settings.percentiles, [22, 95]);
        assert_eq!(skipped, ["nope", "test", "0.12test", "200", "-50", "nan"]);
        assert_eq!(settings.suffixes(), [".max", ".count", ".22percentile", ".95percentile"]);
        assert_eq!(HistogramSettings::parse([], ["0", "1", "0.999"]).0.percentiles, [0, 100]);
        let names = ["max", "median", "avg", "count"];
        assert_eq!(HistogramSettings::parse(names, ["0.95"]).0, HistogramSettings::default());
    }

    /// Scenario A6.
    #[test]
    fn weights_count_in_every_summary() {
        let values = summarize(&all(), &[(10.0, 2.0), (1.0, 1.0), (3.0, 5.0), (2.0, 2.0)]);
        assert_eq!(values, [10.0, 1.0, 3.0, 4.0, 40.0, 1.0, 2.0, 3.0, 10.0]);
    }

    #[test]
    fn one_sample_is_every_percentile() {
        assert_eq!(summarize(&all(), &[(7.0, 1.0)]), [7.0, 7.0, 7.0, 7.0, 7.0, 0.1, 7.0, 7.0, 7.0]);
    }

    #[test]
    fn sums_are_compensated() {
        let values = summarize(&all(), &[(1e100, 1.0), (1.0, 1.0), (-1e100, 1.0)]);
        assert!((values[4] - 1.0).abs() < f64::EPSILON);
    }

    #[test]
    fn a_sum_beyond_the_range_leaves_only_its_own_points_out() {
        let values = summarize(&all(), &[(f64::MAX, 1.0), (f64::MAX, 1.0)]);
        assert_eq!(values.len(), 9 - 2, "avg and sum");
    }
}
