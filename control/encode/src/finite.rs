//! What the intake cannot take: NaN and infinities.

use signal::{Point, SketchPoint};
use sketch::Sketch;

/// How many points can be sent.
pub(crate) fn count_finite_points(points: &[Point]) -> u64 {
    points.iter().filter(|point| point.value.is_finite()).count() as u64
}

/// How many points of a distribution can be sent.
pub(crate) fn count_finite_sketches(points: &[SketchPoint<'_>]) -> u64 {
    points.iter().filter(|point| is_finite_sketch(point.sketch)).count() as u64
}

/// Whether every number of the summary is finite; a sum may overflow although no sample did.
pub(crate) fn is_finite_sketch(sketch: &Sketch) -> bool {
    sketch.sum().is_finite()
        && sketch.min().is_finite()
        && sketch.max().is_finite()
        && sketch.avg().is_finite()
}
