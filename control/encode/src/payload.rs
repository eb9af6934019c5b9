//! One finished request body and what the forwarder needs to know about it.

use bytes::Bytes;

/// What a payload holds, which decides its path, content type and endpoint name.
/// spec: metrics-intake §1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PayloadKind {
    /// Series, JSON.
    SeriesV1,
    /// Series, protobuf.
    SeriesV2,
    /// Series, columnar protobuf.
    SeriesV3,
    /// Distributions, protobuf.
    SketchesV2,
    /// Distributions, columnar protobuf.
    SketchesV3,
    /// Events, JSON.
    EventsIntake,
    /// Events, protobuf.
    EventsBatch,
    /// Service checks, JSON.
    ServiceChecks,
    /// Host metadata, JSON.
    HostMetadata,
    /// Inventory metadata, JSON.
    InventoryMetadata,
    /// Traces, protobuf. spec: apm §10.1.
    Traces,
    /// Stats of traces, msgpack. spec: apm §10.2.
    TraceStats,
    /// Logs, JSON. spec: logs §2.
    Logs,
}

impl PayloadKind {
    /// Path and query of the request.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::SeriesV1 => "/api/v1/series",
            Self::SeriesV2 => "/api/v2/series",
            Self::SeriesV3 => "/api/intake/metrics/v3/series",
            Self::SketchesV2 => "/api/beta/sketches",
            Self::SketchesV3 => "/api/intake/metrics/v3/sketches",
            Self::EventsIntake | Self::HostMetadata => "/intake/",
            Self::EventsBatch => "/api/v1/events_batch",
            Self::ServiceChecks => "/api/v1/check_run",
            Self::InventoryMetadata => "/api/v1/metadata",
            Self::Traces => "/api/v0.2/traces",
            Self::TraceStats => "/api/v0.2/stats",
            Self::Logs => "/api/v2/logs",
        }
    }

    /// Value of the `endpoint` label in telemetry. spec: metrics-intake §10.9.
    #[must_use]
    pub const fn endpoint_name(self) -> &'static str {
        match self {
            Self::SeriesV1 => "series_v1",
            Self::SeriesV2 => "series_v2",
            Self::SeriesV3 => "series_v3",
            Self::SketchesV2 => "sketches_v2",
            Self::SketchesV3 => "sketches_v3",
            Self::EventsIntake | Self::HostMetadata => "intake",
            Self::EventsBatch => "events_v2",
            Self::ServiceChecks => "check_run_v1",
            Self::InventoryMetadata => "metadata_v1",
            Self::Traces => "traces_v0.2",
            Self::TraceStats => "stats_v0.2",
            Self::Logs => "logs",
        }
    }

    /// Value of the `Content-Type` header.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        if matches!(self, Self::TraceStats) {
            "application/msgpack"
        } else if self.is_protobuf() {
            "application/x-protobuf"
        } else {
            "application/json"
        }
    }

    /// Whether the body is protobuf, so that `DD-Agent-Payload` belongs in the headers.
    #[must_use]
    pub const fn is_protobuf(self) -> bool {
        match self {
            Self::SeriesV2
            | Self::SeriesV3
            | Self::SketchesV2
            | Self::SketchesV3
            | Self::EventsBatch
            | Self::Traces => true,
            Self::SeriesV1
            | Self::EventsIntake
            | Self::ServiceChecks
            | Self::HostMetadata
            | Self::InventoryMetadata
            | Self::TraceStats
            | Self::Logs => false,
        }
    }

    /// Whether the payload is series or sketches: the kinds that a pipelines worker takes over and
    /// that failover settings govern. spec: metrics-intake §10.2.
    #[must_use]
    pub const fn is_metrics(self) -> bool {
        match self {
            Self::SeriesV1
            | Self::SeriesV2
            | Self::SeriesV3
            | Self::SketchesV2
            | Self::SketchesV3 => true,
            Self::EventsIntake
            | Self::EventsBatch
            | Self::ServiceChecks
            | Self::HostMetadata
            | Self::InventoryMetadata
            | Self::Traces
            | Self::TraceStats
            | Self::Logs => false,
        }
    }

    /// Delivery priority. spec: metrics-intake §10.2.
    #[must_use]
    pub const fn priority(self) -> Priority {
        if matches!(self, Self::HostMetadata) { Priority::High } else { Priority::Normal }
    }

    /// Whether the payload may wait on disk. spec: metrics-intake §10.2.
    #[must_use]
    pub const fn is_storable(self) -> bool {
        !matches!(self, Self::HostMetadata)
    }
}

/// Which payloads go first when an endpoint is slow, and are dropped last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Everything but host metadata.
    #[default]
    Normal,
    /// Host metadata.
    High,
}

/// Compression of a body, as the `Content-Encoding` header names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// Zstandard.
    #[default]
    Zstd,
    /// A zlib stream (RFC 1950).
    Deflate,
    /// gzip.
    Gzip,
    /// Not compressed.
    Identity,
}

impl Encoding {
    /// Value of the `Content-Encoding` header; `None` when the header is left out.
    #[must_use]
    pub const fn header(self) -> Option<&'static str> {
        match self {
            Self::Zstd => Some("zstd"),
            Self::Deflate => Some("deflate"),
            Self::Gzip => Some("gzip"),
            Self::Identity => None,
        }
    }
}

/// One request body, never empty and never over the limits of its settings.
///
/// Cloning shares the body, so that every endpoint queues the same bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    /// What the payload holds.
    pub kind: PayloadKind,
    /// Compression of the body.
    pub encoding: Encoding,
    /// The body, compressed.
    pub body: Bytes,
    /// Size of the body before compression.
    pub uncompressed_bytes: u64,
    /// Series, sketches, events or checks in the body; 1 for metadata.
    pub items: u64,
    /// Points in the body; 0 for anything but metrics.
    pub points: u64,
}

impl Payload {
    /// Path of the request, see [`PayloadKind::path`].
    #[must_use]
    pub const fn path(&self) -> &'static str {
        self.kind.path()
    }

    /// Value of the `Content-Type` header.
    #[must_use]
    pub const fn content_type(&self) -> &'static str {
        self.kind.content_type()
    }

    /// Delivery priority.
    #[must_use]
    pub const fn priority(&self) -> Priority {
        self.kind.priority()
    }

    /// Whether the payload may wait on disk.
    #[must_use]
    pub const fn is_storable(&self) -> bool {
        self.kind.is_storable()
    }
}
