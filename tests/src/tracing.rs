//! Real tracers: what they are told to make, and what must arrive for it.

mod arrived;
mod expected;
mod plan;
mod shapes;
mod tracer;

pub use expected::check_traces;
pub use plan::{
    Counting, Decision, Library, PlannedError, PlannedEvent, PlannedLink, PlannedSpan,
    PlannedTrace, TracePlan, Wording,
};
pub use shapes::{Names, TraceFeatures};
pub use tracer::{Made, MadeTrace, Tracer, TracerOptions, TracerRun};
