//! Why something was not sent.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::track::DebuggerType;

/// An endpoint answered with a status of 400 or more.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("Server did not accept {kind} payload ({status}): {body}")]
pub struct PayloadRejected {
    /// Status of the answer. 404 means an agent that does not know the route: see
    /// [`downgrade_to_diagnostics_endpoint`].
    ///
    /// [`downgrade_to_diagnostics_endpoint`]: crate::Config::downgrade_to_diagnostics_endpoint
    pub status: u16,
    /// The first 16 KiB of its body.
    pub body: String,
    /// `debugger` or `symdb`.
    pub kind: &'static str,
}

/// Why a payload was not sent.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SendError {
    /// Nothing is configured for this track.
    #[error("no endpoint configured for {0}")]
    NoEndpoint(DebuggerType),
    /// Nothing is configured for symbol databases.
    #[error("no symdb endpoint configured")]
    NoSymdbEndpoint,
    /// The endpoint answered, but refused.
    #[error(transparent)]
    Rejected(#[from] PayloadRejected),
    /// No answer to a debugger payload within the timeout; the request was aborted.
    #[error("debugger payload request timed out")]
    TimedOut,
    /// No answer to a symbol database within the timeout; the request was aborted.
    #[error("symdb payload request to {url} timed out")]
    SymdbTimedOut {
        /// Where it went.
        url: String,
    },
    /// The endpoint cannot be reached, or broke off.
    #[error("request to {url} failed ({reason})")]
    Failed {
        /// Where it went.
        url: String,
        /// What happened.
        reason: String,
    },
    /// The request cannot be written: a URL without host, or bytes that no header or URL may hold.
    #[error("request to {url} cannot be sent ({reason})")]
    Unsendable {
        /// Where it should have gone.
        url: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// The key is a `DELA(...)` directive of delegated authentication, not a key.
    #[error("the api key of {url} is a directive and not resolved; give the key itself")]
    KeyUnresolved {
        /// Where it should have gone.
        url: String,
    },
    /// What was appended is neither a JSON array nor a JSON object.
    #[error("a debugger payload is a json array; this one does not look like it")]
    NotAnArray,
    /// A `file://` endpoint cannot be written.
    #[error("cannot append to {path:?} ({source})")]
    File {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

impl SendError {
    /// The refusal, if it was one.
    #[must_use]
    pub const fn rejection(&self) -> Option<&PayloadRejected> {
        if let Self::Rejected(rejected) = self { Some(rejected) } else { None }
    }
}
