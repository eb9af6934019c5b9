//! Spans for unit tests.

use crate::{Chunk, PRIORITY_NONE, Spans};

/// A span with only what samplers ask for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Span {
    pub(crate) service: &'static str,
    pub(crate) name: &'static str,
    pub(crate) resource: &'static str,
    pub(crate) error: i32,
    pub(crate) http_status_code: Option<&'static str>,
    pub(crate) error_type: Option<&'static str>,
    pub(crate) is_top_level: bool,
    pub(crate) is_measured: bool,
    pub(crate) is_sampled_alone: bool,
    pub(crate) event_rate: Option<f64>,
    pub(crate) has_exception_event: bool,
}

/// Spans of a chunk.
#[derive(Clone, Debug)]
pub(crate) struct Trace(pub(crate) Vec<Span>);

impl Spans for Trace {
    fn count(&self) -> usize {
        self.0.len()
    }
    fn service(&self, span: usize) -> &str {
        self.0[span].service
    }
    fn name(&self, span: usize) -> &str {
        self.0[span].name
    }
    fn resource(&self, span: usize) -> &str {
        self.0[span].resource
    }
    fn error(&self, span: usize) -> i32 {
        self.0[span].error
    }
    fn http_status_code(&self, span: usize) -> Option<&str> {
        self.0[span].http_status_code
    }
    fn error_type(&self, span: usize) -> Option<&str> {
        self.0[span].error_type
    }
    fn is_top_level(&self, span: usize) -> bool {
        self.0[span].is_top_level
    }
    fn is_measured(&self, span: usize) -> bool {
        self.0[span].is_measured
    }
    fn is_sampled_alone(&self, span: usize) -> bool {
        self.0[span].is_sampled_alone
    }
    fn event_rate(&self, span: usize) -> Option<f64> {
        self.0[span].event_rate
    }
    fn has_exception_event(&self, span: usize) -> bool {
        self.0[span].has_exception_event
    }
}

/// A chunk of environment `prod` that nobody has anything to say about.
pub(crate) fn chunk(trace_id: u64) -> Chunk<'static> {
    Chunk {
        env: "prod",
        priority: PRIORITY_NONE,
        decision_maker: None,
        trace_id,
        trace_id_high: 0,
        otel_trace_id: None,
        root: 0,
        has_remote_parent: false,
        has_priority_rate: false,
        client_rate: 1.0,
        pre_rate: 1.0,
        dropped_p0s_weight: 0.0,
        has_error: false,
        may_have_sampled_spans: true,
        may_have_event_rates: true,
    }
}

/// A web request and the query it makes.
pub(crate) fn request() -> Trace {
    Trace(vec![
        Span {
            service: "web",
            name: "http.request",
            resource: "GET /",
            is_top_level: true,
            ..Span::default()
        },
        Span {
            service: "db",
            name: "pg.query",
            resource: "select ?",
            is_top_level: true,
            ..Span::default()
        },
    ])
}
