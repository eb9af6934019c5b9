//! Which span of a chunk is its root. spec: apm §6.3.

use span::Span;

use crate::index::SpanIndex;

/// The place of the root: the last span without a parent; else the first whose parent is elsewhere;
/// else, in a circle, the last span. `index` holds `spans`, of which there is at least one.
pub(crate) fn root(spans: &[Span], index: &SpanIndex) -> usize {
    if let Some(at) = spans.iter().rposition(|span| span.parent_id == 0) {
        return at;
    }
    let orphan = spans.iter().position(|span| index.at(span.parent_id).is_none());
    orphan.unwrap_or_else(|| spans.len().saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pairs of span id and parent id.
    fn root_of(spans: &[(u64, u64)]) -> usize {
        let spans: Vec<Span> = spans
            .iter()
            .map(|&(span_id, parent_id)| Span { span_id, parent_id, ..Span::default() })
            .collect();
        let mut index = SpanIndex::new(1);
        index.fill(&spans);
        root(&spans, &index)
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
