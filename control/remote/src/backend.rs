//! What goes to the backend and what its answers mean. spec: remote-config §3.1, §3.2

use bytes::Bytes;
use prost::Message;

use crate::message::{LatestConfigsResponse, OrgDataResponse, OrgStatusResponse};

/// The three calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// The latest configurations.
    Configurations,
    /// The organisation of the key.
    Org,
    /// What organisation and key may do.
    Status,
}

impl Call {
    /// Path below the base URL.
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Configurations => "/api/v0.1/configurations",
            Self::Org => "/api/v0.1/org",
            Self::Status => "/api/v0.1/status",
        }
    }
}

/// How a call failed; decides what is logged, and how loud.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// 401.
    Unauthorized,
    /// Another 4xx, which the backend itself does not send.
    Proxy,
    /// 503 or 504.
    Transient,
    /// Another status.
    Status,
    /// No answer.
    Network,
    /// An answer that cannot be read.
    Malformed,
}

/// A call that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub(crate) struct CallError {
    /// The class.
    pub(crate) failure: Failure,
    /// For people.
    pub(crate) detail: String,
}

impl CallError {
    pub(crate) fn new(failure: Failure, detail: impl Into<String>) -> Self {
        Self { failure, detail: detail.into() }
    }
}

/// The body of a good answer.
pub(crate) fn body_of(status: u16, body: Bytes) -> Result<Bytes, CallError> {
    let failed = |failure, text: &str| {
        Err(CallError::new(failure, format!("the backend answered with status {status}: {text}")))
    };
    match status {
        200 => Ok(body),
        401 => failed(
            Failure::Unauthorized,
            "the API key must be valid and have the scope \"Remote Configuration Read\"",
        ),
        400..=499 => failed(
            Failure::Proxy,
            "a proxy or firewall probably intercepts the request; let it pass to this host",
        ),
        503 | 504 => failed(Failure::Transient, "it is not available for the moment"),
        _ => failed(Failure::Status, "that is not 200"),
    }
}

/// Reads an answer.
pub(crate) fn decode<M: Message + Default>(body: Bytes) -> Result<M, CallError> {
    M::decode(body).map_err(|error| {
        let detail = format!("the backend's answer cannot be read: {error}");
        CallError::new(Failure::Malformed, detail)
    })
}

/// Fuzz target: any answer is read or refused, and nothing of it becomes trusted.
///
/// # Panics
/// When something of it does.
pub fn check_answer(bytes: &[u8]) {
    drop(decode::<OrgDataResponse>(Bytes::copy_from_slice(bytes)));
    drop(decode::<OrgStatusResponse>(Bytes::copy_from_slice(bytes)));
    let Ok(answer) = decode::<LatestConfigsResponse>(Bytes::copy_from_slice(bytes)) else { return };
    let anchors = crate::anchors::anchors_of_site("datadoghq.com");
    let empty = crate::uptane::Repositories::new(&anchors);
    assert!(empty.stage(answer, 0).is_err(), "nobody but the backend can sign");
}

/// Who gets loud how often. spec: remote-config §3.1
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Loudness {
    last: Option<Failure>,
    count: u32,
}

/// Failures of a class that are logged as errors.
const LOUD_MAX: u32 = 5;

impl Loudness {
    /// The level for one more failure. `is_wanted` says that organisation and key are known to be
    /// good, so that a failure is news.
    pub(crate) fn level(&mut self, failure: Failure, is_wanted: bool) -> log::Level {
        if self.last != Some(failure) {
            *self = Self { last: Some(failure), count: 0 };
        }
        self.count = self.count.saturating_add(1);
        match failure {
            Failure::Transient if self.count < LOUD_MAX => log::Level::Warn,
            Failure::Unauthorized | Failure::Proxy if self.count > LOUD_MAX => log::Level::Debug,
            Failure::Transient
            | Failure::Unauthorized
            | Failure::Proxy
            | Failure::Status
            | Failure::Network
            | Failure::Malformed => match is_wanted {
                true => log::Level::Error,
                // Endless errors of an organisation without the feature help nobody.
                false => log::Level::Debug,
            },
        }
    }

    /// A call went well.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn statuses_have_their_class() {
        let failure = |status| body_of(status, Bytes::new()).unwrap_err().failure;
        assert!(body_of(200, Bytes::new()).is_ok());
        assert_eq!(failure(401), Failure::Unauthorized);
        for status in [400, 403, 404, 407, 429] {
            assert_eq!(failure(status), Failure::Proxy, "{status}");
        }
        assert_eq!((failure(503), failure(504)), (Failure::Transient, Failure::Transient));
        for status in [204, 302, 500, 502] {
            assert_eq!(failure(status), Failure::Status, "{status}");
        }
        assert!(body_of(403, Bytes::new()).unwrap_err().detail.contains("proxy or firewall"));
    }

    #[test]
    fn the_fifth_is_loud_or_the_sixth_silent() {
        use log::Level::{Debug, Error, Warn};
        let levels = |failure, wanted| {
            let mut loudness = Loudness::default();
            (0..6).map(|_| loudness.level(failure, wanted)).collect::<Vec<_>>()
        };
        assert_eq!(levels(Failure::Transient, true), [Warn, Warn, Warn, Warn, Error, Error]);
        assert_eq!(levels(Failure::Unauthorized, true), [Error, Error, Error, Error, Error, Debug]);
        assert_eq!(levels(Failure::Proxy, false), [Debug; 6]);
        let mut loudness = Loudness::default();
        for _ in 0..5 {
            loudness.level(Failure::Proxy, true);
        }
        loudness.level(Failure::Unauthorized, true);
        assert_eq!(loudness.level(Failure::Proxy, true), Error, "another class starts anew");
    }

    proptest! {
        #[test]
        fn any_answer(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            check_answer(&bytes);
        }
    }
}
