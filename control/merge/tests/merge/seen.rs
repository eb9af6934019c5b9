//! A sink that keeps what it is given, in a form that compares.

use std::collections::BTreeMap;

use signal::{Series, SeriesKind, SeriesSink, SketchSeries};
use sketch::Sketch;

/// Identity of a series: name with suffix and tags, type, unit.
pub(crate) type Id = (String, u8, &'static str);

/// Everything a merge handed out.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Seen {
    pub(crate) series: BTreeMap<Id, Vec<(i64, f64)>>,
    pub(crate) sketches: BTreeMap<String, Vec<(i64, Sketch)>>,
}

impl SeriesSink for Seen {
    fn series(&mut self, series: Series<'_>) {
        assert_eq!(series.interval_secs, 10);
        assert_eq!(series.source_type_name, "");
        assert!(!series.is_no_index);
        let points: Vec<_> =
            series.points.iter().map(|point| (point.timestamp_secs, point.value)).collect();
        assert!(!points.is_empty());
        assert!(points.iter().all(|point| point.1.is_finite()));
        let unit = if series.unit.is_empty() { "" } else { "millisecond" };
        assert_eq!(series.unit, unit);
        let name = format!("{}{}", series.context.name, series.suffix);
        let id = (with_tags(&name, series.context), series.kind as u8, unit);
        assert_eq!(self.series.insert(id, points), None, "a series is handed out once");
    }

    fn sketch(&mut self, sketch: SketchSeries<'_>) {
        let points: Vec<_> = sketch
            .points
            .iter()
            .map(|point| (point.timestamp_secs, point.sketch.clone()))
            .collect();
        assert!(points.is_sorted_by(|a, b| a.0 < b.0) && !points.is_empty());
        let id = with_tags(&sketch.context.name, sketch.context);
        assert_eq!(self.sketches.insert(id, points), None, "a sketch series is handed out once");
    }
}

impl Seen {
    /// Adds what another sink of the same merge saw.
    pub(crate) fn join(&mut self, other: Self) {
        for (id, points) in other.series {
            assert_eq!(self.series.insert(id, points), None, "one thread per context");
        }
        for (id, points) in other.sketches {
            assert_eq!(self.sketches.insert(id, points), None, "one thread per context");
        }
    }

    /// One line per series, for comparison with literals.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.series
            .iter()
            .map(|((name, kind, unit), points)| {
                let kind = match *kind {
                    k if k == SeriesKind::Rate as u8 => "RATE",
                    k if k == SeriesKind::Gauge as u8 => "GAUGE",
                    _ => "COUNT",
                };
                let points: Vec<_> =
                    points.iter().map(|(time, value)| format!("({time}, {value})")).collect();
                let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
                format!("{name} {kind}{unit} {}", points.join(" "))
            })
            .collect()
    }
}

fn with_tags(name: &str, context: &signal::Context) -> String {
    let tags: Vec<_> = context.tags.tags.iter().map(|tag| &**tag).collect();
    if tags.is_empty() { name.to_owned() } else { format!("{name}|#{}", tags.join(",")) }
}
