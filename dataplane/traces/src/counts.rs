//! What became of every trace and span.

/// Totals of one lane. At any time, for traces and for spans: received = kept + dropped, added up
/// over its reasons.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Payloads that were begun.
    pub payloads_received: u64,
    /// Payloads of these that had no chunk.
    pub payloads_empty: u64,
    /// Chunks that were worked on.
    pub traces_received: u64,
    /// Chunks that leave, whole or in part.
    pub traces_kept: u64,
    /// Chunks of these of which only sampled spans or events leave.
    pub traces_kept_in_part: u64,
    /// Spans that were worked on.
    pub spans_received: u64,
    /// Spans that leave.
    pub spans_kept: u64,
    /// Traces that their client says it dropped itself; not among those received.
    pub traces_dropped_by_client: u64,
    /// Spans that their client says it dropped itself; not among those received.
    pub spans_dropped_by_client: u64,
    traces_dropped: [u64; Dropped::ALL.len()],
    spans_dropped: [u64; Dropped::ALL.len()],
    malformed: [u64; Malformed::ALL.len()],
}

/// Why a trace was dropped. Spans that a kept trace lost have the reason of their trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Dropped {
    /// The chunk had no span.
    Empty,
    /// A span had another trace id than the first one.
    ForeignSpan,
    /// The trace id was 0.
    TraceIdZero,
    /// The id of a span was 0.
    SpanIdZero,
    /// The resource of the root is ignored by configuration.
    IgnoredResource,
    /// The tags of the root are refused by configuration.
    Filtered,
    /// Its priority said so, or its user did.
    ByPriority,
    /// No sampler kept it.
    SampledOut,
    /// It has no error, and only errors are tracked.
    NoError,
    /// It would take more than 40 MiB on the wire.
    TooLarge,
}

/// What was wrong with a span that was kept and put right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Malformed {
    /// Another span of the chunk has the same id.
    DuplicateSpanId,
    /// No service.
    ServiceEmpty,
    /// The service was cut.
    ServiceTruncated,
    /// Nothing of the service could be kept.
    ServiceInvalid,
    /// The service of the peer was cut.
    PeerServiceTruncated,
    /// Nothing of the service of the peer could be kept.
    PeerServiceInvalid,
    /// The base service was cut.
    BaseServiceTruncated,
    /// Nothing of the base service could be kept.
    BaseServiceInvalid,
    /// No operation name.
    NameEmpty,
    /// The operation name was cut.
    NameTruncated,
    /// Nothing of the operation name could be kept.
    NameInvalid,
    /// No resource.
    ResourceEmpty,
    /// The type was cut.
    TypeTruncated,
    /// It began before the year 2000.
    InvalidStart,
    /// Its duration was negative or too long.
    InvalidDuration,
    /// Its HTTP status is none.
    InvalidHttpStatus,
    /// A text of it was longer than is read.
    ValueCut,
}

impl Dropped {
    /// All reasons, in the order of their discriminants.
    pub const ALL: [Self; 10] = [
        Self::Empty,
        Self::ForeignSpan,
        Self::TraceIdZero,
        Self::SpanIdZero,
        Self::IgnoredResource,
        Self::Filtered,
        Self::ByPriority,
        Self::SampledOut,
        Self::NoError,
        Self::TooLarge,
    ];

    /// Its name as a tag `reason`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty_trace",
            Self::ForeignSpan => "foreign_span",
            Self::TraceIdZero => "trace_id_zero",
            Self::SpanIdZero => "span_id_zero",
            Self::IgnoredResource => "ignored_resource",
            Self::Filtered => "filtered",
            Self::ByPriority => "priority",
            Self::SampledOut => "sampled_out",
            Self::NoError => "no_error",
            Self::TooLarge => "too_large",
        }
    }
}

impl Malformed {
    /// All reasons, in the order of their discriminants.
    pub const ALL: [Self; 17] = [
        Self::DuplicateSpanId,
        Self::ServiceEmpty,
        Self::ServiceTruncated,
        Self::ServiceInvalid,
        Self::PeerServiceTruncated,
        Self::PeerServiceInvalid,
        Self::BaseServiceTruncated,
        Self::BaseServiceInvalid,
        Self::NameEmpty,
        Self::NameTruncated,
        Self::NameInvalid,
        Self::ResourceEmpty,
        Self::TypeTruncated,
        Self::InvalidStart,
        Self::InvalidDuration,
        Self::InvalidHttpStatus,
        Self::ValueCut,
    ];

    /// Its name as a tag `reason`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DuplicateSpanId => "duplicate_span_id",
            Self::ServiceEmpty => "service_empty",
            Self::ServiceTruncated => "service_truncate",
            Self::ServiceInvalid => "service_invalid",
            Self::PeerServiceTruncated => "peer_service_truncate",
            Self::PeerServiceInvalid => "peer_service_invalid",
            Self::BaseServiceTruncated => "base_service_truncate",
            Self::BaseServiceInvalid => "base_service_invalid",
            Self::NameEmpty => "span_name_empty",
            Self::NameTruncated => "span_name_truncate",
            Self::NameInvalid => "span_name_invalid",
            Self::ResourceEmpty => "resource_empty",
            Self::TypeTruncated => "type_truncate",
            Self::InvalidStart => "invalid_start_date",
            Self::InvalidDuration => "invalid_duration",
            Self::InvalidHttpStatus => "invalid_http_status_code",
            Self::ValueCut => "value_cut",
        }
    }
}

impl Counts {
    /// Traces dropped for a reason.
    #[must_use]
    pub const fn traces_dropped(&self, reason: Dropped) -> u64 {
        self.traces_dropped[reason as usize]
    }

    /// Spans dropped for a reason, with their trace or out of a kept one.
    #[must_use]
    pub const fn spans_dropped(&self, reason: Dropped) -> u64 {
        self.spans_dropped[reason as usize]
    }

    /// Spans put right for a reason; one span may have several.
    #[must_use]
    pub const fn malformed(&self, reason: Malformed) -> u64 {
        self.malformed[reason as usize]
    }

    /// Adds the counts of another lane or time.
    pub fn add(&mut self, other: &Self) {
        self.payloads_received += other.payloads_received;
        self.payloads_empty += other.payloads_empty;
        self.traces_received += other.traces_received;
        self.traces_kept += other.traces_kept;
        self.traces_kept_in_part += other.traces_kept_in_part;
        self.spans_received += other.spans_received;
        self.spans_kept += other.spans_kept;
        self.note_client(other.traces_dropped_by_client, other.spans_dropped_by_client);
        add_all(&mut self.traces_dropped, &other.traces_dropped);
        add_all(&mut self.spans_dropped, &other.spans_dropped);
        add_all(&mut self.malformed, &other.malformed);
    }

    /// Whether everything that was received is kept or dropped for a reason.
    #[must_use]
    pub fn is_balanced(&self) -> bool {
        let traces = self.traces_kept + self.traces_dropped.iter().sum::<u64>();
        let spans = self.spans_kept + self.spans_dropped.iter().sum::<u64>();
        self.traces_received == traces && self.spans_received == spans
    }

    /// Adds what a client says, which may be anything.
    pub(crate) const fn note_client(&mut self, traces: u64, spans: u64) {
        self.traces_dropped_by_client = self.traces_dropped_by_client.saturating_add(traces);
        self.spans_dropped_by_client = self.spans_dropped_by_client.saturating_add(spans);
    }

    pub(crate) const fn drop_trace(&mut self, reason: Dropped, spans: u64) {
        self.traces_dropped[reason as usize] += 1;
        self.drop_spans(reason, spans);
    }

    pub(crate) const fn drop_spans(&mut self, reason: Dropped, spans: u64) {
        self.spans_dropped[reason as usize] += spans;
    }

    pub(crate) const fn note(&mut self, reason: Malformed, spans: u64) {
        self.malformed[reason as usize] += spans;
    }
}

fn add_all<const N: usize>(sums: &mut [u64; N], others: &[u64; N]) {
    for (sum, other) in sums.iter_mut().zip(others) {
        *sum += other;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_listed_in_order_and_named_once() {
        for (n, reason) in Dropped::ALL.iter().enumerate() {
            assert_eq!(*reason as usize, n);
        }
        for (n, reason) in Malformed::ALL.iter().enumerate() {
            assert_eq!(*reason as usize, n);
        }
        let mut names: Vec<&str> = Dropped::ALL.iter().map(|reason| reason.as_str()).collect();
        names.extend(Malformed::ALL.iter().map(|reason| reason.as_str()));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Dropped::ALL.len() + Malformed::ALL.len());
    }

    #[test]
    fn counts_of_lanes_add_up() {
        let mut one = Counts { traces_received: 2, spans_received: 9, ..Counts::default() };
        one.drop_trace(Dropped::Filtered, 4);
        assert!(!one.is_balanced());
        one.traces_kept = 1;
        one.spans_kept = 5;
        assert!(one.is_balanced());
        one.note(Malformed::NameEmpty, 3);
        let mut sum = one;
        sum.add(&one);
        assert!(sum.is_balanced());
        assert_eq!(sum.traces_dropped(Dropped::Filtered), 2);
        assert_eq!(sum.spans_dropped(Dropped::Filtered), 8);
        assert_eq!(sum.malformed(Malformed::NameEmpty), 6);
    }
}
