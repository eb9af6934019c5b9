//! Which traces come when, and on which lane.

use corelane_sampling::{Chunk, PRIORITY_NONE, Spans};

/// How the connections of tracers are spread over the lanes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Spread {
    /// One trace after the other to the next lane.
    Even,
    /// Nine of ten traces to one lane.
    Skewed,
    /// Each source has a lane.
    PerSource,
    /// Each source has a lane, another one each second.
    Moving,
}

impl Spread {
    pub(crate) const ALL: [Self; 4] = [Self::Even, Self::Skewed, Self::PerSource, Self::Moving];

    pub(crate) fn lane(self, trace: &Trace, lanes: usize) -> usize {
        let turn = match self {
            Self::Even => trace.number,
            Self::Skewed if trace.number.is_multiple_of(10) => trace.number / 10,
            Self::Skewed => 0,
            Self::PerSource => trace.source,
            Self::Moving => trace.source + trace.ms / 1000,
        };
        usize::try_from(turn).expect("64 bits") % lanes
    }
}

/// One chunk of one span.
#[derive(Clone, Debug)]
pub(crate) struct Trace {
    /// Milliseconds since the start.
    pub(crate) ms: u64,
    pub(crate) source: u64,
    pub(crate) number: u64,
    pub(crate) id: u64,
    pub(crate) service: String,
    pub(crate) resource: String,
    pub(crate) error: i32,
    pub(crate) event_rate: Option<f64>,
}

impl Trace {
    /// The chunk, without a priority.
    pub(crate) fn chunk(&self) -> Chunk<'_> {
        Chunk {
            env: "prod",
            priority: PRIORITY_NONE,
            decision_maker: None,
            trace_id: self.id,
            trace_id_high: 0,
            otel_trace_id: None,
            root: 0,
            has_remote_parent: false,
            has_priority_rate: false,
            client_rate: 1.0,
            pre_rate: 1.0,
            dropped_p0s_weight: 0.0,
            has_error: self.error != 0,
            may_have_sampled_spans: false,
            may_have_event_rates: self.event_rate.is_some(),
        }
    }
}

impl Spans for Trace {
    fn count(&self) -> usize {
        1
    }
    fn service(&self, _: usize) -> &str {
        &self.service
    }
    fn name(&self, _: usize) -> &str {
        "http.request"
    }
    fn resource(&self, _: usize) -> &str {
        &self.resource
    }
    fn error(&self, _: usize) -> i32 {
        self.error
    }
    fn http_status_code(&self, _: usize) -> Option<&str> {
        None
    }
    fn error_type(&self, _: usize) -> Option<&str> {
        None
    }
    fn is_top_level(&self, _: usize) -> bool {
        true
    }
    fn is_measured(&self, _: usize) -> bool {
        false
    }
    fn is_sampled_alone(&self, _: usize) -> bool {
        false
    }
    fn event_rate(&self, _: usize) -> Option<f64> {
        self.event_rate
    }
    fn has_exception_event(&self, _: usize) -> bool {
        false
    }
}

/// Traces of all sources, in order of time. `per_sec` gives a source's traces in a second; the
/// first one of a second is at its beginning.
pub(crate) fn traces(
    sources: u64,
    secs: u64,
    per_sec: impl Fn(u64, u64) -> u64,
) -> impl Iterator<Item = Trace> {
    let mut number = 0;
    let mut id = 7;
    (0..secs).flat_map(move |sec| {
        let mut second: Vec<_> = (0..sources)
            .flat_map(|source| {
                let count = per_sec(source, sec);
                (0..count).map(move |turn| (turn * 1000 / count, source))
            })
            .collect();
        second.sort_unstable();
        let second: Vec<_> = second
            .into_iter()
            .map(|(ms, source)| {
                number += 1;
                id = mixed(id);
                Trace {
                    ms: sec * 1000 + ms,
                    source,
                    number,
                    id,
                    service: format!("service-{source}"),
                    resource: format!("GET /{source}"),
                    error: 0,
                    event_rate: None,
                }
            })
            .collect();
        second.into_iter()
    })
}

/// The next of a sequence of trace ids (splitmix64).
fn mixed(id: u64) -> u64 {
    let id = id.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (id ^ (id >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
