//! What an attempt's result means: delivered, lost, or to be tried again.
//!
//! Spec: metrics-intake §10.5. Where the sources differ: 401 is retried; 403 marks the key
//! invalid and is retried within the queue bounds (config-and-embedding §8.4), because a rotated
//! key must find the data still there. `Retry-After` in seconds is honoured.

use std::time::Duration;

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

/// How much a failure says about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The whole endpoint: outage, overload, key.
    Endpoint,
    /// Only this path: a proxy or an older intake that does not know it.
    Path,
}

/// Judges one reply.
pub(crate) fn judge(reply: &Reply) -> Verdict {
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

    fn status(status: u16) -> Verdict {
        judge(&Reply::Answered(Answer { status, ..Answer::default() }))
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
        assert_eq!(judge(&Reply::KeyUnusable), refuse_key(None));
    }

    #[test]
    fn failures_without_answer_are_retried() {
        let reply = Reply::Failed { error: "refused".to_owned(), is_timeout: false };
        assert_eq!(judge(&reply), retry(Scope::Endpoint, None));
        let reply = Reply::Unsendable { error: "bad path".to_owned() };
        assert_eq!(judge(&reply), Verdict::Lost(DropReason::Unsendable));
    }

    #[test]
    fn retry_after_is_carried() {
        let wait = Some(Duration::from_secs(7));
        let answer = Answer { status: 429, retry_after: wait, ..Answer::default() };
        assert_eq!(judge(&Reply::Answered(answer)), retry(Scope::Endpoint, wait));
    }
}
