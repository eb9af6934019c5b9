//! What must hold of any bytes.

use std::sync::Arc;

use context::Keys;
use signal::{Series, SeriesSink, SketchSeries};

use super::{CumulativeMode, HistogramMode, InitialValue, MetricsSettings, Translator, ZeroBucket};

/// Counts what it is handed and looks at it.
#[derive(Default)]
struct Checked {
    series: u64,
    sketches: u64,
}

impl SeriesSink for Checked {
    fn series(&mut self, series: Series<'_>) {
        self.series += 1;
        assert!(series.points.len() == 1 && series.points.iter().all(|p| p.value.is_finite()));
        check_tags(series.context);
    }

    fn sketch(&mut self, series: SketchSeries<'_>) {
        self.sketches += 1;
        assert_eq!(series.points.len(), 1);
        for point in series.points {
            let summary = point.sketch.summary();
            let ends = [summary.min, summary.max, summary.sum, summary.avg];
            assert!(ends.iter().all(|end| end.is_finite()), "{summary:?}");
            assert!(summary.count > 0 && !point.sketch.bins().is_empty(), "{summary:?}");
            assert!(point.sketch.bins().iter().is_sorted_by(|a, b| a.key < b.key));
        }
        check_tags(series.context);
    }
}

fn check_tags(context: &signal::Context) {
    assert!(context.tags.tags.is_sorted_by(|a, b| a < b), "{context:?}");
}

pub(super) fn check(body: &[u8]) {
    let by_default = MetricsSettings { remaps_host_metrics: true, ..MetricsSettings::default() };
    let otherwise = MetricsSettings {
        resource_attributes_as_tags: true,
        histogram_mode: HistogramMode::Counters,
        send_aggregation_metrics: true,
        initial_cumulative_monotonic_value: Some(InitialValue::Keep),
        cumulative_series_max: 5,
        has_units: true,
        infers_interval: true,
        zero_bucket: ZeroBucket::Spread,
        ..by_default.clone()
    };
    let raw = MetricsSettings {
        cumulative_monotonic_mode: CumulativeMode::RawValue,
        zero_bucket: ZeroBucket::Spread,
        ..MetricsSettings::default()
    };
    for settings in [by_default, otherwise, raw] {
        let series_max = settings.cumulative_series_max;
        let made = Translator::new(settings, Keys::from_seed(1), &Arc::from("host"), 1);
        let Ok(mut translator) = made else { return };
        let mut sink = Checked::default();
        for now_secs in [10, 20] {
            translator.translate(body, now_secs, &mut sink).ok();
        }
        let counts = translator.counts();
        assert!(counts.is_balanced(), "{counts:?}");
        assert_eq!((counts.series, counts.sketches), (sink.series, sink.sketches));
        assert!(counts.points.emitted + counts.copies.emitted <= sink.series + sink.sketches);
        assert!(translator.cumulative_series() <= series_max);
    }
}
