//! Where an endpoint is: a web server, a Unix socket, or a file.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use http::Uri;
use http::uri::{Authority, PathAndQuery, Scheme};
use thiserror::Error;

/// A parsed endpoint URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Url {
    /// `http://` or `https://`.
    Web {
        /// `http` or `https`.
        scheme: Scheme,
        /// Host and port.
        authority: Authority,
        /// Path and query; `/` if there is none.
        path: PathAndQuery,
    },
    /// `unix://` and the absolute path of the socket of an agent.
    Unix {
        /// The socket.
        socket: PathBuf,
        /// Path and query of requests.
        path: PathAndQuery,
    },
    /// `file://` and an absolute path, for tests: bodies are appended to the file.
    File(PathBuf),
    /// A path without scheme and host. It can be configured, not sent to.
    Bare(PathAndQuery),
}

/// Why a text is no endpoint URL.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum UrlError {
    /// It does not parse.
    #[error("endpoint url is malformed ({reason}); write it as https://host[:port]")]
    Malformed {
        /// What the parser objected to.
        reason: String,
    },
    /// A scheme that nothing is sent with.
    #[error("endpoint url has scheme {scheme:?}; use https, http, unix or file")]
    Scheme {
        /// The scheme found.
        scheme: String,
    },
    /// A relative path after `unix://` or `file://`.
    #[error("endpoint path {path:?} is relative; write unix:// or file:// and an absolute path")]
    Relative {
        /// The path found.
        path: PathBuf,
    },
}

impl Url {
    /// The same place with another path and without a query. Files and bare paths stay.
    #[must_use]
    pub fn with_path(self, path: &'static str) -> Self {
        let path = PathAndQuery::from_static(path);
        match self {
            Self::Web { scheme, authority, path: _ } => Self::Web { scheme, authority, path },
            Self::Unix { socket, path: _ } => Self::Unix { socket, path },
            other @ (Self::File(_) | Self::Bare(_)) => other,
        }
    }

    /// Path of requests; empty for files.
    #[must_use]
    pub fn path(&self) -> &str {
        match self {
            Self::Web { path, .. } | Self::Unix { path, .. } | Self::Bare(path) => path.path(),
            Self::File(_) => "",
        }
    }

    /// The request URI with this query, which replaces the URL's own. `None` for what is no
    /// address, and for a query that is too long or has bytes that no URI may hold.
    pub(crate) fn request_uri(&self, query: Option<&str>) -> Option<Uri> {
        let (scheme, authority, path) = match self {
            Self::Web { scheme, authority, path } => (scheme.clone(), authority.clone(), path),
            Self::Unix { socket, path } => (unix_scheme()?, socket_authority(socket)?, path),
            Self::File(_) | Self::Bare(_) => return None,
        };
        let target = match query {
            Some(query) => PathAndQuery::try_from(format!("{}?{query}", path.path())).ok()?,
            None => path.clone(),
        };
        let builder = Uri::builder().scheme(scheme).authority(authority);
        builder.path_and_query(target).build().ok()
    }

    /// Value for `Host`, where it is not what the URI says.
    pub(crate) const fn host_header(&self) -> Option<&'static str> {
        match self {
            Self::Unix { .. } => Some("localhost"),
            Self::Web { .. } | Self::File(_) | Self::Bare(_) => None,
        }
    }
}

/// Scheme of a Unix socket's URI. The HTTP client keeps connections by scheme and authority.
pub(crate) const UNIX: &str = "unix";

fn unix_scheme() -> Option<Scheme> {
    UNIX.parse().ok()
}

/// The path of a socket as an authority: hexadecimal digits, as it may hold any byte.
fn socket_authority(socket: &Path) -> Option<Authority> {
    let bytes = socket.as_os_str().as_encoded_bytes();
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.parse().ok()
}

/// Undoes [`socket_authority`].
pub(crate) fn socket_of_authority(authority: &str) -> Option<PathBuf> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let byte = |pair: &[u8]| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    };
    let bytes: Option<Vec<u8>> = authority.as_bytes().chunks(2).map(byte).collect();
    String::from_utf8(bytes?).ok().map(PathBuf::from)
}

fn absolute(path: &str) -> Result<PathBuf, UrlError> {
    let path = PathBuf::from(path);
    if path.is_absolute() { Ok(path) } else { Err(UrlError::Relative { path }) }
}

impl FromStr for Url {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let text = text.trim();
        if let Some(path) = text.strip_prefix("file://") {
            return absolute(path).map(Self::File);
        }
        if let Some(path) = text.strip_prefix("unix://") {
            let path = absolute(path)?;
            return Ok(Self::Unix { socket: path, path: PathAndQuery::from_static("/") });
        }
        let malformed =
            |reason: &dyn fmt::Display| UrlError::Malformed { reason: reason.to_string() };
        let uri: Uri = text.parse().map_err(|error: http::uri::InvalidUri| malformed(&error))?;
        let parts = uri.into_parts();
        let path = parts.path_and_query.unwrap_or_else(|| PathAndQuery::from_static("/"));
        match (parts.scheme, parts.authority) {
            (Some(scheme), Some(authority)) => {
                if scheme != Scheme::HTTP && scheme != Scheme::HTTPS {
                    return Err(UrlError::Scheme { scheme: scheme.to_string() });
                }
                if authority.host().is_empty() {
                    return Err(malformed(&"no host"));
                }
                if authority.as_str().contains('@') {
                    return Err(malformed(&"user information in it"));
                }
                Ok(Self::Web { scheme, authority, path })
            }
            (None, None) => Ok(Self::Bare(path)),
            (_, _) => Err(malformed(&"no scheme")),
        }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Web { scheme, authority, path } => write!(f, "{scheme}://{authority}{path}"),
            Self::Unix { socket, path } => write!(f, "unix://{}{path}", socket.display()),
            Self::File(path) => write!(f, "file://{}", path.display()),
            Self::Bare(path) => write!(f, "{path}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().expect(text)
    }

    #[test]
    fn a_path_replaces_path_and_query() {
        let replaced = url("http://localhost:8126/old?x=1").with_path("/new");
        assert_eq!(replaced.to_string(), "http://localhost:8126/new");
        assert_eq!(url("file:///tmp/x").with_path("/new"), url("file:///tmp/x"));
        assert_eq!(url("/bare").with_path("/new"), url("/bare"));
    }

    #[test]
    fn a_query_is_added_to_the_path_alone() {
        let uri = url("https://intake.test/api?old=1").request_uri(Some("ddtags=a:b"));
        assert_eq!(uri.expect("a uri"), "https://intake.test/api?ddtags=a:b");
        assert!(url("https://intake.test").request_uri(Some("a b")).is_none());
        assert!(url("https://intake.test").request_uri(Some(&"x".repeat(70_000))).is_none());
    }

    #[test]
    fn the_path_of_a_socket_survives_being_an_authority() {
        let place = url("unix:///var/run/datadog/apm.socket").with_path("/symdb/v1/input");
        let uri = place.request_uri(None).expect("a uri");
        assert_eq!(uri.path(), "/symdb/v1/input");
        let authority = uri.authority().expect("an authority");
        let socket = socket_of_authority(authority.as_str()).expect("a path");
        assert_eq!(socket, Path::new("/var/run/datadog/apm.socket"));
        assert_eq!(place.to_string(), "unix:///var/run/datadog/apm.socket/symdb/v1/input");
    }

    #[test]
    fn what_cannot_be_an_endpoint_is_refused() {
        for text in
            ["https://", "ftp://host", "host:80", "http://a b", "unix://relative", "file://"]
        {
            assert!(text.parse::<Url>().is_err(), "{text}");
        }
        let refused = "https://user:hunter2@host".parse::<Url>().expect_err("user information");
        assert!(!refused.to_string().contains("hunter2"));
    }
}
