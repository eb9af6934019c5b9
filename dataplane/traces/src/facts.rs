//! What a chunk is asked after its spans were edited, gathered in one pass over them.

use span::{Batch, Key, Span, Str};

use crate::access::{number_of, str_of};

/// Of texts, the first that is not empty.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Facts {
    /// `env`; looked for if the payload says none.
    pub(crate) env: Str,
    /// `version`; the same.
    pub(crate) version: Str,
    /// `_dd.git.commit.sha`.
    pub(crate) git_commit_sha: Str,
    /// Whether a span is an error.
    pub(crate) has_error: bool,
    /// Whether a span says that it has an exception among its events.
    pub(crate) has_exception: bool,
    /// Whether a span is to be kept alone.
    pub(crate) has_sampled_span: bool,
    /// Whether a span has a rate for analytics events.
    pub(crate) has_event_rate: bool,
}

impl Facts {
    /// Looks at a span, in their order.
    pub(crate) fn note(&mut self, batch: &Batch, span: &Span) {
        let first = |held: &mut Str, key: Key| {
            if held.is_empty() {
                *held = str_of(batch, span, key).unwrap_or_default();
            }
        };
        if batch.header.env.is_empty() {
            first(&mut self.env, Key::Env);
        }
        if batch.header.app_version.is_empty() {
            first(&mut self.version, Key::Version);
        }
        first(&mut self.git_commit_sha, Key::DdGitCommitSha);
        self.has_error |= span.error != 0;
        self.has_event_rate |= span.keys.has(Key::DdEventRate);
        self.has_sampled_span |= is_sampled_alone(batch, span);
        self.has_exception |= span.keys.has(Key::DdSpanEventsHasException)
            && str_of(batch, span, Key::DdSpanEventsHasException)
                .is_some_and(|text| batch.strings.bytes(text) == b"true");
    }
}

/// Whether a span is to be kept even if its trace is not.
pub(crate) fn is_sampled_alone(batch: &Batch, span: &Span) -> bool {
    span.keys.has(Key::DdSpanSamplingMechanism)
        && number_of(batch, span, Key::DdSpanSamplingMechanism).is_some()
}
