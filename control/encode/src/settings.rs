//! What the encoders need to know: compression, limits and forms. spec: metrics-intake §2.1.

use crate::Encoding;

/// Settings of the encoders. Every combination is valid; limits that are too small to hold an item
/// drop the item and count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Compression of every body (`serializer_compressor_kind`).
    pub compression: Encoding,
    /// Level of zstd, 1 to 22; 0 means 3, less trades size for speed, more counts as 22
    /// (`serializer_zstd_compressor_level`).
    pub zstd_level: i32,
    /// Level of zlib and gzip, 0 to 9; more counts as 9.
    pub deflate_level: u32,
    /// Limits of everything but series v2 and v3 (`serializer_max_payload_size`,
    /// `serializer_max_uncompressed_payload_size`).
    pub limits: Limits,
    /// Limits of series v2 and v3 (`serializer_max_series_payload_size`,
    /// `serializer_max_series_uncompressed_payload_size`).
    pub series_limits: Limits,
    /// Most points in one payload of series v2 or v3; a series with more is dropped
    /// (`serializer_max_series_points_per_payload`).
    pub series_points_max: u64,
    /// Form of series.
    pub series_form: SeriesForm,
    /// Form of distributions.
    pub sketches_form: SketchesForm,
    /// Form of events.
    pub events_form: EventsForm,
    /// Whether series are sent at all (`enable_payloads.series`).
    pub series_enabled: bool,
    /// Whether distributions are sent at all (`enable_payloads.sketches`).
    pub sketches_enabled: bool,
    /// Whether events are sent at all (`enable_payloads.events`).
    pub events_enabled: bool,
    /// Whether service checks are sent at all (`enable_payloads.service_checks`).
    pub service_checks_enabled: bool,
    /// Whether host metadata is sent at all (`enable_payloads.json_to_v1_intake`).
    pub metadata_enabled: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            compression: Encoding::Zstd,
            zstd_level: 1,
            deflate_level: 6,
            limits: Limits { compressed_bytes_max: 2_621_440, uncompressed_bytes_max: 4_194_304 },
            series_limits: Limits {
                compressed_bytes_max: 512_000,
                uncompressed_bytes_max: 5_242_880,
            },
            series_points_max: 10_000,
            series_form: SeriesForm::V3,
            sketches_form: SketchesForm::V2,
            events_form: EventsForm::Intake,
            series_enabled: true,
            sketches_enabled: true,
            events_enabled: true,
            service_checks_enabled: true,
            metadata_enabled: true,
        }
    }
}

/// Size limits of one body, inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes after compression.
    pub compressed_bytes_max: usize,
    /// Most bytes before compression.
    pub uncompressed_bytes_max: usize,
}

/// Form of series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SeriesForm {
    /// JSON (`use_v2_api.series: false`).
    V1,
    /// Protobuf, one message per series.
    V2,
    /// Columnar protobuf, the default of the newest agent.
    V3,
}

/// Form of distributions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SketchesForm {
    /// Protobuf, one message per distribution.
    V2,
    /// Columnar protobuf, opt-in.
    V3,
}

/// Form of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventsForm {
    /// JSON to `/intake/`.
    Intake,
    /// Protobuf to `/api/v1/events_batch`.
    Batch,
}
