//! The sink that turns series and distributions into payloads.

use std::hash::{BuildHasher, RandomState};

use signal::{Series, SeriesSink, SketchSeries};

use crate::column_stream::ColumnStream;
use crate::finite::{count_finite_points, count_finite_sketches};
use crate::series_v1::SeriesV1;
use crate::series_v2::SeriesV2;
use crate::sketches_v2::SketchesV2;
use crate::stream::Out;
use crate::{EncodeStats, Payload, SeriesForm, Settings, SketchesForm};

/// Encodes series and distributions in one form each and hands every payload to `out` as soon as it
/// is full. What is not full leaves with [`MetricsEncoder::finish`].
///
/// Keep it between flushes to keep its buffers and codecs (some megabytes after a large flush), or
/// build one for each flush to give the memory back: building costs a few small allocations.
#[derive(Debug)]
pub struct MetricsEncoder<F> {
    series: Option<SeriesEncoder>,
    sketches: Option<SketchesEncoder>,
    /// What does not depend on the form: arrivals, non-finite points, disabled kinds.
    stats: EncodeStats,
    out: F,
}

#[derive(Debug)]
enum SeriesEncoder {
    V1(Box<SeriesV1>),
    V2(Box<SeriesV2>),
    V3(Box<ColumnStream>),
}

#[derive(Debug)]
enum SketchesEncoder {
    V2(Box<SketchesV2>),
    V3(Box<ColumnStream>),
}

impl<F: FnMut(Payload)> MetricsEncoder<F> {
    /// An encoder for the forms that `settings` names.
    #[must_use]
    pub fn new(settings: &Settings, out: F) -> Self {
        let seed = RandomState::new().hash_one(0);
        let series = settings.series_enabled.then(|| match settings.series_form {
            SeriesForm::V1 => SeriesEncoder::V1(Box::new(SeriesV1::new(settings))),
            SeriesForm::V2 => SeriesEncoder::V2(Box::new(SeriesV2::new(settings))),
            SeriesForm::V3 => SeriesEncoder::V3(Box::new(ColumnStream::series(settings, seed))),
        });
        let sketches = settings.sketches_enabled.then(|| match settings.sketches_form {
            SketchesForm::V2 => SketchesEncoder::V2(Box::new(SketchesV2::new(settings))),
            SketchesForm::V3 => {
                SketchesEncoder::V3(Box::new(ColumnStream::sketches(settings, seed)))
            }
        });
        Self { series, sketches, stats: EncodeStats::default(), out }
    }

    /// Hands out the payloads in the making and returns what became of everything since the last
    /// call. The encoder is empty afterwards and can be used again.
    pub fn finish(&mut self) -> EncodeStats {
        let mut stats = std::mem::take(&mut self.stats);
        if let Some(series) = &mut self.series {
            series.finish(&mut self.out);
            stats.merge(&std::mem::take(series.stats()));
        }
        if let Some(sketches) = &mut self.sketches {
            sketches.finish(&mut self.out);
            stats.merge(&std::mem::take(sketches.stats()));
        }
        debug_assert!(stats.is_balanced(), "every item and point is accounted for: {stats:?}");
        stats
    }

    /// Counts an item of which `finite` points can be sent; false when there are none.
    const fn arrive(&mut self, points: usize, finite: u64) -> bool {
        self.stats.arrived(points);
        self.stats.points_not_finite += points as u64 - finite;
        if finite == 0 {
            self.stats.items_empty += 1;
        }
        finite != 0
    }
}

impl<F: FnMut(Payload)> SeriesSink for MetricsEncoder<F> {
    fn series(&mut self, series: Series<'_>) {
        if self.series.is_none() {
            self.stats.disabled(series.points.len());
            return;
        }
        let points = count_finite_points(series.points);
        if self.arrive(series.points.len(), points)
            && let Some(encoder) = &mut self.series
        {
            encoder.add(&series, points, &mut self.out);
        }
    }

    fn sketch(&mut self, sketch: SketchSeries<'_>) {
        if self.sketches.is_none() {
            self.stats.disabled(sketch.points.len());
            return;
        }
        let points = count_finite_sketches(sketch.points);
        if self.arrive(sketch.points.len(), points)
            && let Some(encoder) = &mut self.sketches
        {
            encoder.add(&sketch, points, &mut self.out);
        }
    }
}

impl SeriesEncoder {
    fn add(&mut self, series: &Series<'_>, points: u64, out: Out<'_>) {
        match self {
            Self::V1(encoder) => encoder.add(series, points, out),
            Self::V2(encoder) => encoder.add(series, points, out),
            Self::V3(encoder) => encoder.add_series(series, points, out),
        }
    }

    fn finish(&mut self, out: Out<'_>) {
        match self {
            Self::V1(encoder) => encoder.stream.finish(out),
            Self::V2(encoder) => encoder.stream.finish(out),
            Self::V3(encoder) => encoder.finish(out),
        }
    }

    const fn stats(&mut self) -> &mut EncodeStats {
        match self {
            Self::V1(encoder) => &mut encoder.stream.stats,
            Self::V2(encoder) => &mut encoder.stream.stats,
            Self::V3(encoder) => &mut encoder.stats,
        }
    }
}

impl SketchesEncoder {
    fn add(&mut self, sketch: &SketchSeries<'_>, points: u64, out: Out<'_>) {
        match self {
            Self::V2(encoder) => encoder.add(sketch, points, out),
            Self::V3(encoder) => encoder.add_sketch(sketch, points, out),
        }
    }

    fn finish(&mut self, out: Out<'_>) {
        match self {
            Self::V2(encoder) => encoder.stream.finish(out),
            Self::V3(encoder) => encoder.finish(out),
        }
    }

    const fn stats(&mut self) -> &mut EncodeStats {
        match self {
            Self::V2(encoder) => &mut encoder.stream.stats,
            Self::V3(encoder) => &mut encoder.stats,
        }
    }
}

/// Hands everything to two sinks: endpoints that want different forms.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tee<A, B>(
    /// Asked first.
    pub A,
    /// Asked second.
    pub B,
);

impl<A: SeriesSink, B: SeriesSink> SeriesSink for Tee<A, B> {
    fn series(&mut self, series: Series<'_>) {
        self.0.series(series);
        self.1.series(series);
    }

    fn sketch(&mut self, sketch: SketchSeries<'_>) {
        self.0.sketch(sketch);
        self.1.sketch(sketch);
    }
}
