//! Base URLs: default site, version prefix, absolute DNS names, key validation host.
//!
//! Spec: metrics-intake §1.2 and §10.7, config-and-embedding §8.2.

use http::Uri;
use http::uri::{Authority, PathAndQuery, Scheme};
use thiserror::Error;

/// Site used when none is configured.
pub const DEFAULT_SITE: &str = "datadoghq.com";

const REGISTERED_DOMAINS: [&str; 6] =
    ["datadoghq.com", "datadoghq.eu", "datad0g.com", "datad0g.eu", "ddog-gov.com", "ddog-gov.mil"];

/// Why a configured URL cannot be an endpoint.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum UrlError {
    /// It does not parse.
    #[error("endpoint url {url:?} is malformed ({reason}); write it as https://host[:port][/path]")]
    Malformed {
        /// The URL without user information.
        url: String,
        /// What the parser objected to.
        reason: String,
    },
    /// Neither `http` nor `https`.
    #[error("endpoint url {url:?} has scheme {scheme:?}; use http or https")]
    Scheme {
        /// The URL without user information.
        url: String,
        /// The scheme found.
        scheme: String,
    },
}

/// The agent version written into Datadog host names, `7.82.0` with label `app`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPrefix {
    /// Major, minor and patch version.
    pub version: (u32, u32, u32),
    /// Label after the version: `app` for metrics and metadata.
    pub app: &'static str,
}

/// A parsed base URL, ready to be joined with paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BaseUrl {
    pub(crate) scheme: Scheme,
    /// Host without trailing dot and without brackets around IPv6: for matching and for SNI.
    pub(crate) host: String,
    /// Port, explicit or by scheme.
    pub(crate) port: u16,
    /// Host and explicit port as they appear in requests; never with a trailing dot.
    pub(crate) authority: Authority,
    /// Path prefix without trailing slash; often empty.
    pub(crate) path: String,
    /// Whether DNS should take the host as an absolute name, skipping search domains.
    pub(crate) is_absolute: bool,
}

/// `https://app.<site>`, the metrics intake of a site; an empty site means the default one.
pub fn intake_url(site: &str) -> String {
    let site = site.trim().trim_end_matches('.');
    format!("https://app.{}", if site.is_empty() { DEFAULT_SITE } else { site })
}

/// Replaces the first label of an eligible Datadog host by version and application.
///
/// `https://app.us5.datadoghq.com` becomes `https://7-82-0-app.agent.us5.datadoghq.com`; any
/// other URL comes back unchanged. Spec: metrics-intake §1.2 rule 2.
pub fn with_host_prefix(url: &str, prefix: &HostPrefix) -> String {
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) => (Some(scheme), rest),
        None => (None, url),
    };
    let host_end = rest.find(['/', ':', '?']).unwrap_or(rest.len());
    let (host, tail) = rest.split_at(host_end);
    let Some(site) = prefixable_rest(host) else { return url.to_owned() };
    let (major, minor, patch) = prefix.version;
    let host = format!("{major}-{minor}-{patch}-{}.agent.{site}", prefix.app);
    match scheme {
        Some(scheme) => format!("{scheme}://{host}{tail}"),
        None => format!("{host}{tail}"),
    }
}

/// The text by which an endpoint is known across restarts and upgrades: lower-case URL as
/// configured, without trailing dots and slashes. The version prefix is not part of it.
pub(crate) fn endpoint_identity(url: &str) -> String {
    let url = with_scheme(url).to_ascii_lowercase();
    let url = url.trim_end_matches('/');
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let host_end = rest.find(['/', ':']).unwrap_or(rest.len());
            let (host, tail) = rest.split_at(host_end);
            format!("{scheme}://{}{tail}", host.trim_end_matches('.'))
        }
        None => url.to_owned(),
    }
}

impl BaseUrl {
    /// Parses a configured URL; without a scheme it is taken as `https`.
    ///
    /// `absolute_datadog_hosts` is `convert_dd_site_fqdn.enabled`.
    ///
    /// # Errors
    /// [`UrlError`] if the text is no absolute http or https URL.
    pub(crate) fn parse(
        url: &str,
        prefix: Option<&HostPrefix>,
        absolute_datadog_hosts: bool,
    ) -> Result<Self, UrlError> {
        let full = with_scheme(url);
        let shown = without_userinfo(&full);
        let prefixed = prefix.map_or_else(|| full.clone(), |p| with_host_prefix(&full, p));
        let malformed =
            |reason: &str| UrlError::Malformed { url: shown.clone(), reason: reason.to_owned() };
        let uri: Uri =
            prefixed.parse().map_err(|err: http::uri::InvalidUri| malformed(&err.to_string()))?;
        let scheme = uri.scheme().cloned().ok_or_else(|| malformed("no scheme"))?;
        if scheme != Scheme::HTTP && scheme != Scheme::HTTPS {
            return Err(UrlError::Scheme { url: shown, scheme: scheme.to_string() });
        }
        let raw_host = uri.host().ok_or_else(|| malformed("no host"))?;
        let host = raw_host.trim_end_matches('.').to_ascii_lowercase();
        let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        if bare.is_empty() {
            return Err(malformed("no host"));
        }
        let explicit_port = uri.port_u16();
        let default_port = if scheme == Scheme::HTTPS { 443 } else { 80 };
        let authority = match explicit_port {
            Some(port) => format!("{host}:{port}"),
            None => host,
        };
        Ok(Self {
            is_absolute: raw_host.ends_with('.')
                || (absolute_datadog_hosts && site_of_host(&bare).is_some()),
            host: bare,
            port: explicit_port.unwrap_or(default_port),
            authority: authority.parse().map_err(|_| malformed("bad host or port"))?,
            path: uri.path().trim_end_matches('/').to_owned(),
            scheme,
        })
    }

    pub(crate) fn is_https(&self) -> bool {
        self.scheme == Scheme::HTTPS
    }

    /// The request URI for a path under this base; `None` if the path is no valid URI path.
    pub(crate) fn join(&self, path: &str) -> Option<Uri> {
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        let joined = format!("{}{path}", self.path);
        parts.path_and_query = Some(PathAndQuery::from_maybe_shared(joined).ok()?);
        Uri::from_parts(parts).ok()
    }

    /// Where keys of this endpoint are validated: `https://api.<site>` for Datadog hosts, the
    /// host itself otherwise. Spec: metrics-intake §10.7.
    pub(crate) fn validation_base(&self) -> Self {
        let Some(site) = validation_site(&self.host) else { return self.clone() };
        let host = format!("api.{site}");
        match host.parse() {
            Ok(authority) => Self {
                scheme: Scheme::HTTPS,
                host,
                port: 443,
                authority,
                path: String::new(),
                is_absolute: self.is_absolute,
            },
            Err(_) => self.clone(),
        }
    }
}

impl std::fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority, self.path)
    }
}

fn with_scheme(url: &str) -> String {
    let url = url.trim();
    if url.contains("://") { url.to_owned() } else { format!("https://{url}") }
}

/// The URL without `user:password@`, for messages.
pub(crate) fn without_userinfo(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let end = rest.find('/').unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://*****@{host}{tail}"),
        None => url.to_owned(),
    }
}

/// For `app[.mrf].<site>[.]` the part that follows `app.`.
fn prefixable_rest(host: &str) -> Option<&str> {
    let rest = host.strip_prefix("app.")?;
    let site = rest.strip_prefix("mrf.").unwrap_or(rest);
    let site = site.strip_suffix('.').unwrap_or(site);
    is_site(site).then_some(rest)
}

/// The Datadog site a host name ends with: registered domain and, if there, the region label.
fn site_of_host(host: &str) -> Option<&str> {
    REGISTERED_DOMAINS.iter().find_map(|domain| region_and_domain(host, domain))
}

/// Whether the name is a Datadog site itself, such as `us5.datadoghq.com`.
pub(crate) fn is_site(host: &str) -> bool {
    site_of_host(host) == Some(host)
}

/// The longest of `<region>.<domain>` and `<domain>` that `host` ends with at a label boundary.
fn region_and_domain<'a>(host: &'a str, domain: &str) -> Option<&'a str> {
    let before = host.strip_suffix(domain)?;
    if before.is_empty() {
        return Some(host);
    }
    let labels = before.strip_suffix('.')?;
    let start = labels.rfind('.').map_or(0, |dot| dot + 1);
    let region_start = if is_region(labels.get(start..)?) { start } else { before.len() };
    host.get(region_start..)
}

/// `[a-z]{2,}\d{1,2}`: us3, ap1, uk1.
fn is_region(label: &str) -> bool {
    let letters = label.trim_end_matches(|ch: char| ch.is_ascii_digit());
    let digits = label.len() - letters.len();
    letters.len() >= 2
        && letters.bytes().all(|byte| byte.is_ascii_lowercase())
        && (1..=2).contains(&digits)
}

/// `([a-z]{2,}\d{1,2}\.)?(datadoghq\.[a-z]+|ddog-gov\.com)` at the end of the host.
fn validation_site(host: &str) -> Option<&str> {
    if let Some(site) = region_and_domain(host, "ddog-gov.com") {
        return Some(site);
    }
    let tld_start = host.rfind('.')? + 1;
    let tld = host.get(tld_start..)?;
    if tld.is_empty() || !tld.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return None;
    }
    region_and_domain(host, &format!("datadoghq.{tld}"))
}

#[cfg(test)]
mod tests;
