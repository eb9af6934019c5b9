//! Points of gauges and sums. spec: otlp §5.2, §5.3.

use signal::SeriesKind;

use super::counts::Dropped;
use super::cumulative::Step;
use super::names::is_rate;
use super::request::{Data, Kind, NumberPoint, Temporality};
use super::run::{NANOS_PER_SEC, Run, Subject, change};
use super::settings::CumulativeMode;

pub(crate) fn translate(
    run: &mut Run<'_>,
    subject: &Subject<'_>,
    data: &Data<'_>,
    point: &NumberPoint<'_>,
    index: usize,
) -> Result<(), Dropped> {
    let value = subject.mapping.map_or(point.value, |mapping| mapping.value(point.value)).as_f64();
    if !value.is_finite() {
        return Err(Dropped::NotFinite);
    }
    let is_sum = data.kind == Kind::Sum;
    if is_sum && data.temporality == Temporality::Unspecified {
        return Err(Dropped::Temporality);
    }
    run.fill(subject, &point.head)?;
    let identity = run.identify(subject);
    let is_delta = is_sum && data.temporality == Temporality::Delta;
    let (kind, value) = if is_delta {
        (SeriesKind::Count, value)
    } else if is_sum
        && data.is_monotonic
        && run.settings.cumulative_monotonic_mode == CumulativeMode::ToDelta
    {
        counted(run, subject, point, (identity, value), index)?
    } else {
        (SeriesKind::Gauge, value)
    };
    let stamp = run.stamp(&point.head, is_delta);
    let context = run.context(subject);
    run.send(&context, ("", kind, subject.unit), stamp, value)
}

/// What a cumulative sum grew by, or how fast.
fn counted(
    run: &mut Run<'_>,
    subject: &Subject<'_>,
    point: &NumberPoint<'_>,
    (identity, value): (u128, f64),
    index: usize,
) -> Result<(SeriesKind, f64), Dropped> {
    let step = run.cumulative.monotonic(identity, point.head.moment(), value, run.now_secs);
    match (step, is_rate(subject.name)) {
        #[expect(clippy::cast_precision_loss, reason = "seconds between two points")]
        (Step::Change { value, nanos }, true) => {
            Ok((SeriesKind::Gauge, value / (nanos as f64 / NANOS_PER_SEC as f64)))
        }
        (Step::First, false) if run.sends_first(&point.head, index) => {
            Ok((SeriesKind::Count, value))
        }
        (step, _) => Ok((SeriesKind::Count, change(step)?)),
    }
}
