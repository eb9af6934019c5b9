//! How much of each kind of item a request may have. Spans, their attributes and their parts have
//! the limits of the other trace formats (`span::decode`).

/// Spans of one request.
pub(super) const ITEMS_MAX: usize = 1 << 20;
/// Lists of spans of one resource, each with its scope: exporters may send one for each span.
pub(super) const SCOPES_MAX: usize = 1 << 18;
/// Attributes that one span ends up with, those of its resource and its scope included.
pub(super) const SPAN_ATTRIBUTES_MAX: usize = 1 << 14;
/// Links or events of one span.
pub(super) const PARTS_MAX: usize = 1 << 14;
/// Bytes of one span, resource or scope: a lane works on each in one go.
pub(super) const PART_BYTES_MAX: usize = 4 << 20;
/// Attributes of all scopes of one resource.
pub(super) const SCOPE_ATTRIBUTES_MAX: usize = 1 << 18;
/// Bytes of the events or links of one span as JSON; of texts no more is read either.
pub(super) const JSON_BYTES_MAX: usize = span::decode::TEXT_BYTES_MAX - 1;
/// Attributes of a batch behind which it ends with the chunk in work.
pub(super) const BATCH_ATTRIBUTES: usize = 1 << 20;
/// Attributes of a batch behind which it ends within a chunk.
pub(super) const BATCH_ATTRIBUTES_MAX: usize = 1 << 21;
/// Attributes that the spans of one request take over from their resources and scopes: a few bytes
/// for an empty span must not become work without end.
pub(super) const SHARED_MAX: usize = 1 << 24;
