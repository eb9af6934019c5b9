//! Signatures of spans and chunks for the score and rare samplers. spec: apm §7.4.

use crate::Spans;
use crate::hash::Fnv;

/// Hash of what tells spans apart, begun with the hash of the environment.
pub(crate) fn span_hash<S: Spans>(spans: &S, span: usize, env: Fnv, with_resource: bool) -> u32 {
    // One byte of the error flag is on the wire of the hash; flags are 0 or 1 in practice.
    let [error, ..] = spans.error(span).to_le_bytes();
    let mut hash = env.text(spans.service(span)).text(spans.name(span)).byte(error);
    if with_resource {
        hash = hash.text(spans.resource(span));
    }
    if let Some(status) = spans.http_status_code(span) {
        hash = hash.text(status);
    }
    if let Some(kind) = spans.error_type(span) {
        hash = hash.text(kind);
    }
    hash.0
}

/// Signature of a chunk: its root with resource, and the distinct spans without. The order of spans
/// does not matter. `scratch` is reused between chunks.
pub(crate) fn chunk_signature<S: Spans>(
    spans: &S,
    root: usize,
    env: &str,
    scratch: &mut Vec<u32>,
) -> u32 {
    let env = Fnv::new().text(env);
    scratch.clear();
    scratch.extend((0..spans.count()).map(|span| span_hash(spans, span, env, false)));
    scratch.sort_unstable();
    scratch.dedup();
    scratch.iter().fold(span_hash(spans, root, env, true), |all, hash| all ^ hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Span, Trace};

    #[test]
    fn example_of_the_spec() {
        let web =
            Span { service: "web", name: "http.request", resource: "GET /", ..Span::default() };
        let db = Span { service: "db", name: "pg.query", ..Span::default() };
        let trace = Trace(vec![web, db]);
        let prod = Fnv::new().text("prod");
        assert_eq!(span_hash(&trace, 0, prod, true), 1_175_778_668);
        assert_eq!(span_hash(&trace, 0, prod, false), 604_909_519);
        assert_eq!(span_hash(&trace, 1, prod, false), 259_497_843);
        let mut scratch = Vec::new();
        assert_eq!(chunk_signature(&trace, 0, "prod", &mut scratch), 1_835_877_840);
        let doubled = Trace(vec![db, web, db, web]);
        assert_eq!(chunk_signature(&doubled, 1, "prod", &mut scratch), 1_835_877_840);
    }

    #[test]
    fn status_and_error_tell_apart() {
        let ok = Span { service: "web", name: "http.request", ..Span::default() };
        let bad = Span { error: 1, ..ok };
        let missing = Span { http_status_code: Some("404"), ..ok };
        let kind = Span { error_type: Some("IOError"), ..ok };
        let trace = Trace(vec![ok, bad, missing, kind]);
        let mut hashes: Vec<_> =
            (0..4).map(|span| span_hash(&trace, span, Fnv::new(), true)).collect();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), 4);
    }
}
