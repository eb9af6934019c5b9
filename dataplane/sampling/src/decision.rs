//! What the samplers answer: plain data that the caller applies to the chunk.

/// Root metric of a chunk that the errors sampler kept: its rate.
pub const ERRORS_RATE: &str = "_dd.errors_sr";
/// Root metric of a chunk that the no-priority sampler kept: its rate.
pub const NO_PRIORITY_RATE: &str = "_dd.no_p_sr";
/// Root metric of a chunk that the probabilistic sampler kept: its rate.
pub const PROBABILISTIC_RATE: &str = "_dd.prob_sr";
/// Root metric of a chunk whose tracer does not say which rate it applied.
pub const PRIORITY_RATE: &str = "_sampling_priority_rate_v1";
/// Metric with value 1 of the span that made the rare sampler keep its chunk.
pub const RARE: &str = "_dd.rare";
/// Chunk tag with value `true` of a chunk kept for error tracking alone. spec: apm §6.8.
pub const ERROR_TRACKING: &str = "_dd.error_tracking_standalone.error";
/// Metric of an event: rate of the limit on events per second.
pub const EVENT_LIMIT_RATE: &str = "_dd1.sr.eamax";
/// Metric of an event: rate of the client.
pub const EVENT_CLIENT_RATE: &str = "_dd1.sr.rcusr";
/// Metric of an event: rate of the sampler before.
pub const EVENT_PRE_RATE: &str = "_dd1.sr.rapre";
/// Metric of an event: rate of extraction.
pub const EVENT_EXTRACTION_RATE: &str = "_dd1.sr.eausr";
/// Metric with value 1 of a span that is an event.
pub const ANALYZED: &str = "_dd.analyzed";

/// Sampling mechanism of the probabilistic sampler: chunk tag `_dd.p.dm` = `-9` up to v0.7,
/// `samplingMechanism` = 9 in v1.
pub const MECHANISM_PROBABILISTIC: u32 = 9;

/// Outcome for one chunk. The caller sets what is said here and nothing else.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decision {
    /// The sampler that keeps the trace; `None` is a dropped trace.
    pub kept_by: Option<Sampler>,
    /// Which spans leave.
    pub leaving: Leaving,
    /// `droppedTrace` of the chunk.
    pub is_dropped_trace: bool,
    /// New priority of the chunk; `None` leaves it.
    pub priority: Option<i32>,
    /// New sampling mechanism, see [`MECHANISM_PROBABILISTIC`]; `None` leaves it.
    pub mechanism: Option<u32>,
    /// Whether the chunk gets the tag [`ERROR_TRACKING`].
    pub is_error_tracking: bool,
    /// Metric to set on the root.
    pub root_metric: Option<(&'static str, f64)>,
    /// The span that gets metric [`RARE`].
    pub rare_span: Option<usize>,
}

impl Decision {
    /// Whether the whole trace is kept.
    pub const fn is_kept(&self) -> bool {
        self.kept_by.is_some()
    }
}

/// Which spans of a chunk leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaving {
    /// All. Those in [`crate::LaneSamplers::events`] get the metrics of an event.
    All,
    /// Those with metric `_dd.span_sampling.mechanism`.
    SampledSpans,
    /// Those in [`crate::LaneSamplers::events`].
    Events,
    /// None: the chunk goes.
    Nothing,
}

/// Who keeps traces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Sampler {
    /// Follows the decision of the tracer.
    Priority,
    /// For chunks without a priority.
    NoPriority,
    /// For chunks with an error that nobody else keeps.
    Errors,
    /// For what was not seen lately.
    Rare,
    /// A fixed share by trace id.
    Probabilistic,
}

impl Sampler {
    /// All samplers, in the order of their discriminants.
    pub const ALL: [Self; 5] =
        [Self::Priority, Self::NoPriority, Self::Errors, Self::Rare, Self::Probabilistic];

    /// Name as in the Agent's metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Priority => "priority",
            Self::NoPriority => "no_priority",
            Self::Errors => "error",
            Self::Rare => "rare",
            Self::Probabilistic => "probabilistic",
        }
    }
}

/// An analytics event: a span that leaves even if its trace does not. spec: apm §7.7.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Event {
    /// Index of the span, which gets metric [`ANALYZED`].
    pub span: usize,
    /// [`EVENT_LIMIT_RATE`] to set.
    pub limit_rate: Option<f64>,
    /// [`EVENT_CLIENT_RATE`] to set.
    pub client_rate: Option<f64>,
    /// [`EVENT_PRE_RATE`] to set.
    pub pre_rate: Option<f64>,
    /// [`EVENT_EXTRACTION_RATE`] to set; `None` removes it.
    pub extraction_rate: Option<f64>,
}

/// How many chunks each sampler was asked about and kept. Adds up over lanes and time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tallies {
    seen: [u64; 5],
    kept: [u64; 5],
    /// Chunks of a signature for which a lane or control had no room; their weight is counted in
    /// the total alone.
    pub overflowed: u64,
    /// Counts that came too late for the window.
    pub late: u64,
}

impl Tallies {
    /// Chunks that the sampler was asked about.
    pub const fn seen(&self, sampler: Sampler) -> u64 {
        self.seen[sampler as usize]
    }

    /// Chunks that the sampler kept.
    pub const fn kept(&self, sampler: Sampler) -> u64 {
        self.kept[sampler as usize]
    }

    /// Adds the tallies of another lane or time.
    pub fn add(&mut self, other: &Self) {
        for (sum, value) in self.seen.iter_mut().zip(other.seen) {
            *sum += value;
        }
        for (sum, value) in self.kept.iter_mut().zip(other.kept) {
            *sum += value;
        }
        self.overflowed += other.overflowed;
        self.late += other.late;
    }

    #[inline]
    pub(crate) const fn record(&mut self, sampler: Sampler, is_kept: bool) {
        self.seen[sampler as usize] += 1;
        self.kept[sampler as usize] += is_kept as u64;
    }
}
