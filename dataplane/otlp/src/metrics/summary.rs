//! Points of summaries. spec: otlp §5.8.

use signal::SeriesKind;

use super::counts::Dropped;
use super::cumulative::Step;
use super::float_text::push_float;
use super::histogram::as_f64;
use super::request::SummaryPoint;
use super::run::{Part, Run, Subject, change, part_of};
use super::settings::SummaryMode;

pub(crate) fn translate(
    run: &mut Run<'_>,
    subject: &Subject<'_>,
    point: &SummaryPoint<'_>,
    index: usize,
) -> Result<(), Dropped> {
    let head = &point.head;
    run.fill(subject, head)?;
    let identity = run.identify(subject);
    let (context, stamp) = (run.context(subject), run.stamp(head, false));
    let count = as_f64(point.count);
    let key = part_of(identity, Part::Count);
    let step = run.cumulative.monotonic(key, head.moment(), count, run.now_secs);
    let count =
        if step == Step::First && run.sends_first(head, index) { Ok(count) } else { change(step) };
    let sum = if point.sum.is_finite() {
        run.difference(part_of(identity, Part::Sum), head, point.sum)
    } else {
        Err(Dropped::NotFinite)
    };
    let mut outcome =
        count.and_then(|count| run.send(&context, (".count", SeriesKind::Count, ""), stamp, count));
    let sum = sum
        .and_then(|sum| run.send(&context, (".sum", SeriesKind::Count, subject.unit), stamp, sum));
    outcome = outcome.or(sum);
    if run.settings.summary_mode == SummaryMode::NoQuantiles {
        return outcome;
    }
    for quantile in &point.quantiles {
        if quantile.value.is_finite() {
            run.fill(subject, head)?;
            run.tags.push_with("quantile", |text| push_float(text, quantile.quantile));
            run.identify(subject);
            let series = (".quantile", SeriesKind::Gauge, subject.unit);
            let sent = run.send(&run.context(subject), series, stamp, quantile.value);
            outcome = outcome.or(sent);
        }
    }
    outcome
}
