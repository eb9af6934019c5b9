//! The counters of one lane: written by the lane alone, read by anyone.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($(#[doc = $doc:literal])+ $variant:ident => $name:literal,)+) => {
        /// What a lane counts. Names are those of `status` and of the Prometheus telemetry.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(usize)]
        pub enum Counter { $($(#[doc = $doc])+ $variant,)+ }

        impl Counter {
            /// Every counter, in order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Name in `status`: snake case, unit or kind last.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// What the counter counts, one sentence.
            #[must_use]
            pub const fn help(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc,)+),)+ }
            }
        }
    };
}

counters! {
    /// Datagrams received over UDP.
    UdpPackets => "udp_packets",
    /// Bytes received over UDP.
    UdpBytes => "udp_bytes",
    /// Datagrams that the kernel dropped because a UDP receive buffer was full.
    UdpKernelDrops => "udp_kernel_drops",
    /// Datagrams received over the Unix datagram socket.
    UdsPackets => "uds_packets",
    /// Bytes received over the Unix datagram socket.
    UdsBytes => "uds_bytes",
    /// Frames received over Unix stream sockets.
    StreamPackets => "stream_packets",
    /// Bytes received over Unix stream sockets, without length prefixes.
    StreamBytes => "stream_bytes",
    /// Stream connections accepted.
    StreamConnections => "stream_connections",
    /// Stream connections closed, by either side.
    StreamClosed => "stream_closed",
    /// Stream connections refused because the limit was reached.
    StreamRefused => "stream_refused",
    /// Stream connections closed because a frame was longer than the limit.
    StreamTooLong => "stream_too_long",
    /// Stream connections that ended inside a frame.
    StreamCut => "stream_cut",
    /// Packets handed over without a socket.
    SubmittedPackets => "submitted_packets",
    /// Bytes handed over without a socket.
    SubmittedBytes => "submitted_bytes",
    /// Payloads of traces handed over without a socket.
    SubmittedPayloads => "submitted_payloads",
    /// Texts not taken without a socket: the ring of the lane was full.
    SubmissionsFull => "submissions_full",
    /// Texts not taken without a socket: a line or the whole was too long.
    SubmissionsTooLong => "submissions_too_long",
    /// Datagrams cut by the kernel because they were longer than the buffer.
    Truncated => "truncated",
    /// Reads that failed.
    ReadErrors => "read_errors",
    /// Packets that came without usable credentials while origin detection was on.
    OriginErrors => "origin_errors",
    /// Batches of Unix datagrams handed to another lane.
    BatchesHandedOver => "batches_handed_over",
    /// Messages received: metric lines, events and service checks, empty lines excluded.
    Messages => "messages",
    /// Events accepted.
    Events => "events",
    /// Service checks accepted.
    ServiceChecks => "service_checks",
    /// Metric lines parsed.
    MetricLines => "metric_lines",
    /// Last lines dropped because they did not end in a newline.
    Unterminated => "refused_unterminated",
    /// Lines refused: no pipe.
    RefusedFormat => "refused_format",
    /// Lines refused: no colon, or an empty name or value.
    RefusedNameOrValue => "refused_name_or_value",
    /// Lines refused: unknown metric type.
    RefusedType => "refused_type",
    /// Lines refused: a value is not a number.
    RefusedValue => "refused_value",
    /// Lines refused: the sample rate is not a number.
    RefusedRate => "refused_rate",
    /// Lines refused: the timestamp is not a positive integer.
    RefusedTimestamp => "refused_timestamp",
    /// Events refused.
    RefusedEvent => "refused_event",
    /// Service checks refused.
    RefusedCheck => "refused_check",
    /// Samples (values) carried by the metric lines that were parsed.
    Samples => "samples",
    /// Samples aggregated into a bucket.
    Recorded => "recorded",
    /// Samples taken by the path for timestamped values.
    RecordedTimed => "recorded_timed",
    /// Samples dropped: NaN or infinite.
    DroppedNotFinite => "dropped_not_finite",
    /// Samples dropped: the name is on the filter list.
    DroppedFiltered => "dropped_filtered",
    /// Samples dropped: the limit of contexts was reached.
    DroppedContextLimit => "dropped_context_limit",
    /// Samples dropped: the context already has another type in this bucket.
    DroppedTypeConflict => "dropped_type_conflict",
    /// Samples dropped: a timestamp on a type other than gauge and count.
    DroppedTimedType => "dropped_timed_type",
    /// Samples dropped: the limit of timestamped samples between two flushes was reached.
    DroppedTimedLimit => "dropped_timed_limit",
    /// Samples dropped: the limit of members or samples in one cell was reached.
    DroppedCellLimit => "dropped_cell_limit",
    /// Events and service checks dropped: the limit between two flushes was reached.
    DroppedEventLimit => "dropped_event_limit",
    /// Samples copied to a distribution of the same name.
    CopiedToDistribution => "copied_to_distribution",
    /// Lookups that had to resolve a line in full.
    ContextMisses => "context_misses",
    /// Contexts made.
    ContextsCreated => "contexts_created",
    /// Contexts forgotten.
    ContextsExpired => "contexts_expired",
    /// Lines copied to the configured statsd server.
    ForwardedPackets => "forwarded_packets",
    /// Packets that could not be copied to the configured statsd server.
    ForwardErrors => "forward_errors",
    /// Packets written to a capture.
    CapturedPackets => "captured_packets",
    /// Packets a capture lost because its queue was full.
    CaptureDrops => "capture_drops",
    /// Turns of the lane.
    Turns => "turns",
    /// Turns that took more than 5 ms.
    Stalls => "stalls",
    /// Times the lane was restarted after a panic.
    Restarts => "restarts",
    /// Samples of the open bucket, dropped at stop because flushing it is off.
    DroppedAtStop => "dropped_at_stop",
    /// Samples that were aggregated and not flushed when a lane panicked.
    LostInRestart => "lost_in_restart",
    /// Gauge: contexts alive.
    ContextsAlive => "contexts_alive",
    /// Gauge: distinct tags interned.
    TagsAlive => "tags_alive",
    /// Gauge: estimated bytes of tables and shard.
    TableBytes => "table_bytes",
    /// Gauge: stream connections open.
    StreamsOpen => "streams_open",
}

impl Counter {
    /// Messages that were refused, by reason: part of what [`Counter::Messages`] counts.
    pub const REFUSED: &'static [Self] = &[
        Self::Unterminated,
        Self::RefusedFormat,
        Self::RefusedNameOrValue,
        Self::RefusedType,
        Self::RefusedValue,
        Self::RefusedRate,
        Self::RefusedTimestamp,
        Self::RefusedEvent,
        Self::RefusedCheck,
    ];

    /// Samples that were parsed and not recorded, by reason.
    pub const SAMPLES_DROPPED: &'static [Self] = &[
        Self::DroppedNotFinite,
        Self::DroppedFiltered,
        Self::DroppedContextLimit,
        Self::DroppedTypeConflict,
        Self::DroppedTimedType,
        Self::DroppedTimedLimit,
        Self::DroppedCellLimit,
    ];
}

/// The counters of one lane, published once per turn.
///
/// One writer, so that an add is a relaxed load and store without a locked instruction.
#[derive(Debug)]
pub struct LaneCounters {
    values: [AtomicU64; Counter::ALL.len()],
}

impl Default for LaneCounters {
    fn default() -> Self {
        Self { values: [const { AtomicU64::new(0) }; Counter::ALL.len()] }
    }
}

impl LaneCounters {
    /// Adds to a counter. Only the lane that owns the counters calls this.
    #[inline]
    pub fn add(&self, counter: Counter, n: u64) {
        let value = &self.values[counter as usize];
        value.store(value.load(Ordering::Relaxed).wrapping_add(n), Ordering::Relaxed);
    }

    /// Sets a gauge. Only the lane that owns the counters calls this.
    #[inline]
    pub fn set(&self, counter: Counter, n: u64) {
        self.values[counter as usize].store(n, Ordering::Relaxed);
    }

    /// The present value.
    #[must_use]
    pub fn value(&self, counter: Counter) -> u64 {
        self.values[counter as usize].load(Ordering::Relaxed)
    }
}
