//! How much a step may do, counted in work instead of time.

use span::Span;

/// Work that is left of a step. A unit is about what one pass spends on an attribute, or an
/// obfuscator on a byte: some 2 to 4 ns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget(usize);

/// What a span costs a pass besides its lists.
const SPAN_UNITS: usize = 16;

impl Budget {
    pub(crate) const fn new(units: usize) -> Self {
        Self(units)
    }

    pub(crate) const fn spend(&mut self, units: usize) {
        self.0 = self.0.saturating_sub(units);
    }

    pub(crate) const fn is_used_up(self) -> bool {
        self.0 == 0
    }
}

/// What a pass over all that a span has costs.
pub(crate) fn span_units(span: &Span) -> usize {
    let parts = span.attributes.len() + (span.links.len + span.events.len) as usize;
    SPAN_UNITS + parts + span.nested_count as usize
}
