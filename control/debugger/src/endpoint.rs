//! One place to send to, with its key.

use std::fmt;
use std::time::Duration;

use crate::track::Track;
use crate::url::{Url, UrlError};

/// How long an endpoint may take by default, in milliseconds.
pub const TIMEOUT_MS: u64 = 3000;

/// One place to send to. spec: proxies §5.1.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Where it is. The setters of [`Config`](crate::Config) choose the path.
    pub url: Url,
    /// With a key, requests go to the intake itself. Without one (`None` or blank), to an agent.
    pub api_key: Option<String>,
    /// Milliseconds that each wait may take: for room while a payload is appended, and from the
    /// end of the body, connecting included, to the end of the answer. 3000.
    pub timeout_ms: u64,
    /// Session of a test agent.
    pub test_token: Option<String>,
}

impl Endpoint {
    /// An endpoint with the default timeout. A blank key is no key.
    #[must_use]
    pub fn new(url: Url, api_key: Option<&str>) -> Self {
        let key = api_key.map(str::trim).filter(|key| !key.is_empty());
        Self { url, api_key: key.map(str::to_owned), timeout_ms: TIMEOUT_MS, test_token: None }
    }

    /// The key without the white space around it that files of secrets end with.
    pub(crate) fn key(&self) -> Option<&str> {
        self.api_key.as_deref().map(str::trim).filter(|key| !key.is_empty())
    }

    pub(crate) const fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }
}

/// The intake of a site, `https://debugger-intake.<site>`; its path is left empty.
///
/// # Errors
/// [`UrlError`] if the site is no host name.
pub fn debugger_intake_endpoint(site: &str, api_key: &str) -> Result<Endpoint, UrlError> {
    let site = site.trim();
    // A path or port in it would be lost or surprising.
    if site.is_empty() || site.contains(['/', '?', '#']) {
        return Err(UrlError::Malformed { reason: format!("{site:?} is no site") });
    }
    let url = format!("https://debugger-intake.{site}").parse()?;
    Ok(Endpoint::new(url, Some(api_key)))
}

/// Replaces path and query: by that of the intake if the endpoint has a key, by the agent's route
/// otherwise. Files and bare paths stay as they are.
#[must_use]
pub fn derive_endpoint_path(
    endpoint: Endpoint,
    direct_path: &'static str,
    agent_path: &'static str,
) -> Endpoint {
    let path = if endpoint.key().is_some() { direct_path } else { agent_path };
    Endpoint { url: endpoint.url.with_path(path), ..endpoint }
}

/// [`derive_endpoint_path`] for a track.
pub(crate) fn derive_track(endpoint: Endpoint, track: Track) -> Endpoint {
    derive_endpoint_path(endpoint, track.direct_path(), track.agent_path())
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("url", &format_args!("{}", self.url))
            .field("api_key", &self.key().map(|_| "***"))
            .field("timeout_ms", &self.timeout_ms)
            .field("test_token", &self.test_token)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_intake_of_a_site_has_host_scheme_and_key() {
        let endpoint = debugger_intake_endpoint(" us3.datadoghq.com ", " key\n").expect("a site");
        assert_eq!(endpoint.url.to_string(), "https://debugger-intake.us3.datadoghq.com/");
        assert_eq!(endpoint.key(), Some("key"));
        assert_eq!(endpoint.timeout_ms, 3000);
        for site in ["", "a b", "evil.test/path", "site?x"] {
            assert!(debugger_intake_endpoint(site, "key").is_err(), "{site}");
        }
    }

    #[test]
    fn a_blank_key_means_an_agent() {
        let url: Url = "http://localhost:8126/x?y".parse().expect("a url");
        for key in [None, Some(""), Some(" \n")] {
            let endpoint =
                Endpoint { api_key: key.map(str::to_owned), ..Endpoint::new(url.clone(), None) };
            assert_eq!(derive_endpoint_path(endpoint, "/direct", "/agent").url.path(), "/agent");
        }
        let endpoint = derive_endpoint_path(Endpoint::new(url, Some("k")), "/direct", "/agent");
        assert_eq!(endpoint.url.to_string(), "http://localhost:8126/direct");
    }

    #[test]
    fn debug_output_hides_the_key() {
        let endpoint = debugger_intake_endpoint("datadoghq.com", "hunter2").expect("a site");
        assert!(!format!("{endpoint:?}").contains("hunter2"));
    }
}
