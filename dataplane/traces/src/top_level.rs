//! Top-level and measured spans. spec: apm §6.7.

use span::{Batch, Key, KeySet, Span};

use crate::access::{is_one, number_of, set_number};
use crate::index::SpanIndex;

const MARKS: KeySet = KeySet::of(&[Key::TopLevel, Key::DdTopLevel]);

/// Whether a span is marked as top-level.
pub(crate) fn is_top_level(batch: &Batch, span: &Span) -> bool {
    span.keys.has_any(MARKS)
        && (is_one(batch, span, Key::TopLevel) || is_one(batch, span, Key::DdTopLevel))
}

/// Whether a span is measured.
pub(crate) fn is_measured(batch: &Batch, span: &Span) -> bool {
    is_one(batch, span, Key::DdMeasured)
}

/// Whether a span is a snapshot of one that still runs.
pub(crate) fn is_partial(batch: &Batch, span: &Span) -> bool {
    number_of(batch, span, Key::DdPartialVersion).is_some_and(|version| version >= 0.0)
}

/// Marks the span at a place if it has no parent in its chunk, or one of another service. A mark
/// that is there stays. `index` holds the spans of the chunk, which begins at `start`.
pub(crate) fn mark(batch: &mut Batch, at: usize, start: usize, index: &SpanIndex) {
    let Some(span) = batch.spans.get(at) else { return };
    let parent = (span.parent_id != 0).then(|| index.at(span.parent_id)).flatten();
    let parent = parent.and_then(|parent| batch.spans.get(start + parent));
    let is_inner = parent.is_some_and(|parent| {
        parent.service == span.service
            || batch.strings.bytes(parent.service) == batch.strings.bytes(span.service)
    });
    if !is_inner {
        let name = batch.strings.name(Key::TopLevel);
        set_number(batch, at, Key::TopLevel, name, 1.0);
    }
}

/// Marks what the client marked in its own way.
pub(crate) fn adopt(batch: &mut Batch, at: usize) {
    let Some(span) = batch.spans.get(at) else { return };
    if span.keys.has(Key::DdTopLevel) && is_one(batch, span, Key::DdTopLevel) {
        let name = batch.strings.name(Key::TopLevel);
        set_number(batch, at, Key::TopLevel, name, 1.0);
    }
}
