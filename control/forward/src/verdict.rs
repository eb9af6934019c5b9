//! What an attempt's result means: delivered, lost, or to be tried again.
//!
//! Spec: metrics-intake §10.5. Where the sources differ: 401 is retried; 403 marks the key
//! invalid and is retried within the queue bounds (config-and-embedding §8.4), because a rotated
//! key must find the data still there. `Retry-After` in seconds is honoured. For logs the Agent
//! drops both (spec: logs §3.1), which [`RefusedKeys`] can ask for.

use std::time::Duration;

use crate::settings::RefusedKeys;
use crate::stats::DropReason;

/// What came back from one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// The intake answered.
    Answered(Answer),
    /// Nothing came back: name, connection, TLS, proxy, time.
    Failed {
        /// For the status page; never contains a key.
        error: String,
        /// Whether pooled connections are suspect.
        is_timeout: bool,
    },
    /// The request cannot be put on the wire at all: bad path or header bytes.
    Unsendable { error: String },
    /// The key cannot be a header value.
    KeyUnusable,
}

/// The head of an answer and the start of its body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// `Retry-After` in seconds; the date form is ignored.
    pub(crate) retry_after: Option<Duration>,
    /// `Date` header as Unix seconds.
    pub(crate) date_secs: Option<u64>,
    /// Start of the body of an error answer.
    pub(crate) excerpt: String,
}

/// What to do with the transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Delivered,
    Lost(DropReason),
    Retry { scope: Scope, wait_min: Option<Duration>, is_key_refused: bool },
}

impl Verdict {
    /// Whether the key is at fault.
    pub(crate) fn is_key_refused(&self) -> bool {
        match self {
            Self::Delivered => false,
            Self::Lost(reason) => *reason == DropReason::KeyRefused,
            Self::Retry { is_key_refused, .. } => *is_key_refused,
        }
    }
}

/// How much a failure says about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The whole endpoint: outage, overload, key.
    Endpoint,
    /// Only this path: a proxy or an older intake that does not know it.
    Path,
}

/// Judges one reply.
pub(crate) fn judge(reply: &Reply, refused_keys: RefusedKeys) -> Verdict {
    let answer = match reply {
        Reply::Answered(answer) => answer,
        Reply::Failed { .. } => return retry(Scope::Endpoint, None),
        Reply::Unsendable { .. } => return Verdict::Lost(DropReason::Unsendable),
        Reply::KeyUnusable => return refuse_key(None),
    };
    match answer.status {
        0..400 => Verdict::Delivered,
        400 => Verdict::Lost(DropReason::BadRequest),
        413 => Verdict::Lost(DropReason::TooLarge),
        401 | 403 if refused_keys == RefusedKeys::Drop => Verdict::Lost(DropReason::KeyRefused),
        403 => refuse_key(answer.retry_after),
        401 | 407 | 408 | 429 | 500.. => retry(Scope::Endpoint, answer.retry_after),
        _ => retry(Scope::Path, answer.retry_after),
    }
}

fn retry(scope: Scope, wait_min: Option<Duration>) -> Verdict {
    Verdict::Retry { scope, wait_min, is_key_refused: false }
}

fn refuse_key(wait_min: Option<Duration>) -> Verdict {
    Verdict::Retry { scope: Scope::Endpoint, wait_min, is_key_refused: true }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_vectors::logs_vectors;

    fn answer(status: u16) -> Reply {
        Reply::Answered(Answer { status, ..Answer::default() })
    }

    fn status(status: u16) -> Verdict {
        judge(&answer(status), RefusedKeys::Keep)
    }

    #[test]
    fn answers_to_logs_match_their_vectors() {
        let vectors = logs_vectors("status");
        assert_eq!(vectors.len(), 18);
        let failed = |is_timeout| Reply::Failed { error: "failed".to_owned(), is_timeout };
        for vector in vectors {
            let reply = match (vector["response"].as_u64(), vector["response"].as_str()) {
                (Some(code), _) => answer(u16::try_from(code).unwrap()),
                (_, Some("network_error")) => failed(false),
                (_, Some("timeout")) => failed(true),
                // The status was read, and is what counts: this is no loss, and is not repeated.
                (_, Some("response_body_read_error")) => {
                    assert_eq!(vector["action"], "drop");
                    assert_eq!(judge(&answer(202), RefusedKeys::Drop), Verdict::Delivered);
                    continue;
                }
                // No reply: the route takes the transaction back, `RouteState::on_vanished`.
                (_, other) => {
                    assert_eq!(other, Some("cancelled"), "{vector}");
                    continue;
                }
            };
            let action = match judge(&reply, RefusedKeys::Drop) {
                Verdict::Delivered => "success",
                Verdict::Lost(_) => "drop",
                Verdict::Retry { .. } => "retry",
            };
            assert_eq!(vector["action"], action, "{vector}");
        }
    }

    #[test]
    fn refused_keys_lose_data_only_if_asked() {
        for code in [401, 403] {
            assert!(matches!(status(code), Verdict::Retry { .. }), "{code}");
            let verdict = judge(&answer(code), RefusedKeys::Drop);
            assert_eq!(verdict, Verdict::Lost(DropReason::KeyRefused), "{code}");
        }
        // It was not the intake that refused this one.
        assert_eq!(judge(&Reply::KeyUnusable, RefusedKeys::Drop), refuse_key(None));
    }

    #[test]
    fn every_status_has_its_rule() {
        for code in [200, 202, 204, 302] {
            assert_eq!(status(code), Verdict::Delivered, "{code}");
        }
        assert_eq!(status(400), Verdict::Lost(DropReason::BadRequest));
        assert_eq!(status(413), Verdict::Lost(DropReason::TooLarge));
        for code in [401, 408, 429, 500, 502, 503, 504, 599] {
            assert_eq!(status(code), retry(Scope::Endpoint, None), "{code}");
        }
        for code in [402, 404, 405, 415, 422] {
            assert_eq!(status(code), retry(Scope::Path, None), "{code}");
        }
        assert_eq!(status(403), refuse_key(None));
        assert_eq!(judge(&Reply::KeyUnusable, RefusedKeys::Keep), refuse_key(None));
    }

    #[test]
    fn failures_without_answer_are_retried() {
        let reply = Reply::Failed { error: "refused".to_owned(), is_timeout: false };
        assert_eq!(judge(&reply, RefusedKeys::Keep), retry(Scope::Endpoint, None));
        let reply = Reply::Unsendable { error: "bad path".to_owned() };
        assert_eq!(judge(&reply, RefusedKeys::Keep), Verdict::Lost(DropReason::Unsendable));
    }

    #[test]
    fn retry_after_is_carried() {
        let wait = Some(Duration::from_secs(7));
        let answer = Answer { status: 429, retry_after: wait, ..Answer::default() };
        assert_eq!(
            judge(&Reply::Answered(answer), RefusedKeys::Keep),
            retry(Scope::Endpoint, wait)
        );
    }
}
