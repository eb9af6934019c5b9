//! Which span of a chunk is its root. spec: apm §6.3.

//! The last span without a parent; else the first whose parent is elsewhere; else, in a circle, the
//! last span.

use span::Span;

use crate::index::SpanIndex;

/// The search for the root of a chunk, a span at a time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RootSearch {
    without_parent: Option<usize>,
}

impl RootSearch {
    /// Looks at a span, in their order.
    pub(crate) const fn note(&mut self, at: usize, span: &Span) {
        if span.parent_id == 0 {
            self.without_parent = Some(at);
        }
    }

    /// The place of the root, once all were looked at: if there is none without a parent, an orphan
    /// is to be looked for.
    pub(crate) const fn found(self) -> Option<usize> {
        self.without_parent
    }
}

/// Whether the parent of a span is elsewhere. `index` holds the whole chunk.
pub(crate) fn is_orphan(span: &Span, index: &SpanIndex) -> bool {
    index.at(span.parent_id).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pairs of span id and parent id.
    fn root_of(spans: &[(u64, u64)]) -> usize {
        let (mut index, mut search) = (SpanIndex::new(1), RootSearch::default());
        index.begin(spans.len());
        let span =
            |&(span_id, parent_id): &(u64, u64)| Span { span_id, parent_id, ..Span::default() };
        for (at, span) in spans.iter().map(span).enumerate() {
            index.add(span.span_id, at);
            search.note(at, &span);
        }
        let orphan = || spans.iter().position(|pair| is_orphan(&span(pair), &index));
        search.found().or_else(orphan).unwrap_or(spans.len() - 1)
    }

    #[test]
    fn the_last_span_without_a_parent() {
        assert_eq!(root_of(&[(1, 0), (2, 1), (3, 0), (4, 3)]), 2);
    }

    #[test]
    fn the_first_span_whose_parent_is_elsewhere() {
        assert_eq!(root_of(&[(2, 1), (3, 2), (1, 9), (4, 8), (5, 9)]), 2);
    }

    #[test]
    fn the_last_span_of_a_circle() {
        assert_eq!(root_of(&[(1, 3), (2, 1), (3, 2)]), 2);
        assert_eq!(root_of(&[(1, 1)]), 0);
    }
}
