//! Proxy and TLS settings, and which hosts go without proxy. spec: config §6, §7

use std::fmt;
use std::net::IpAddr;

use crate::config::Config;
use crate::keys;
use crate::scrub;

/// Cloud metadata services, which no proxy can reach on our behalf.
const METADATA_HOSTS: &[&str] = &["169.254.169.254", "100.100.100.200"];

/// How intakes are reached.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Proxy {
    /// Proxy URL for `http://` targets; may hold a password.
    pub http: Option<String>,
    /// Proxy URL for `https://` targets; may hold a password.
    pub https: Option<String>,
    /// Hosts reached directly, as written, and the cloud metadata services.
    pub no_proxy: Vec<String>,
    /// Whether entries also match subdomains, address ranges and `*`.
    pub is_nonexact: bool,
    /// An entry equal to this site covers its subdomains in exact mode too.
    pub site: String,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clean =
            |url: &Option<String>| url.as_deref().map(|url| scrub::log_line(url).into_owned());
        f.debug_struct("Proxy")
            .field("http", &clean(&self.http))
            .field("https", &clean(&self.https))
            .field("no_proxy", &self.no_proxy)
            .field("is_nonexact", &self.is_nonexact)
            .finish_non_exhaustive()
    }
}

/// Oldest TLS version accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// 1.0, which our TLS cannot do: treat as 1.2.
    V1_0,
    /// 1.1, which our TLS cannot do: treat as 1.2.
    V1_1,
    /// 1.2.
    V1_2,
    /// 1.3.
    V1_3,
}

/// Reads `min_tls_version`; anything unknown is 1.2.
#[must_use]
pub fn tls_version(text: &str) -> TlsVersion {
    match text.trim().to_ascii_lowercase().as_str() {
        "tlsv1.0" => TlsVersion::V1_0,
        "tlsv1.1" => TlsVersion::V1_1,
        "tlsv1.3" => TlsVersion::V1_3,
        _ => TlsVersion::V1_2,
    }
}

impl Config {
    /// The proxy settings in effect.
    #[must_use]
    pub fn proxy(&self) -> Proxy {
        let url = |key| {
            self.text(key).map(|url| match url.contains("://") {
                true => url.to_owned(),
                false => format!("http://{url}"),
            })
        };
        let mut no_proxy = self.comma_list(keys::PROXY_NO_PROXY).to_vec();
        if !self.bool(keys::USE_PROXY_FOR_CLOUD_METADATA) {
            no_proxy.extend(METADATA_HOSTS.iter().map(|host| (*host).to_owned()));
        }
        Proxy {
            http: url(keys::PROXY_HTTP),
            https: url(keys::PROXY_HTTPS),
            no_proxy,
            is_nonexact: self.bool(keys::NO_PROXY_NONEXACT_MATCH),
            site: self.text(keys::SITE).unwrap_or_default().to_owned(),
        }
    }

    /// Oldest TLS version to accept.
    #[must_use]
    pub fn min_tls_version(&self) -> TlsVersion {
        tls_version(self.str(keys::MIN_TLS_VERSION))
    }
}

impl Proxy {
    /// Whether a host is reached directly. `port` is the one written in the URL, if any; `host`
    /// has no brackets.
    #[must_use]
    pub fn bypasses(&self, host: &str, port: Option<u16>) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        self.no_proxy.iter().any(|entry| self.matches(&entry.to_ascii_lowercase(), &host, port))
    }

    fn matches(&self, entry: &str, host: &str, port: Option<u16>) -> bool {
        let entry = entry.trim();
        if self.is_nonexact && entry == "*" {
            return true;
        }
        if self.is_nonexact
            && let Some(is_inside) = in_range(entry, host)
        {
            return is_inside;
        }
        let (name, entry_port) = split_port(entry);
        if name.is_empty() || entry_port.is_some() && entry_port != port {
            return false;
        }
        let is_same_ip = || Some(name.parse::<IpAddr>().ok()? == host.parse::<IpAddr>().ok()?);
        if name == host || is_same_ip().unwrap_or(false) {
            return true;
        }
        let covers_subdomains = self.is_nonexact || name.eq_ignore_ascii_case(&self.site);
        let domain = name.strip_prefix('.').unwrap_or(name);
        covers_subdomains
            && host
                .strip_suffix(domain)
                .is_some_and(|before| before.len() > 1 && before.ends_with('.'))
    }
}

/// Host and port of an entry: `host`, `host:port`, `[v6]:port`, `v6`.
fn split_port(entry: &str) -> (&str, Option<u16>) {
    if let Some((address, after)) = entry.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (address, after.strip_prefix(':').and_then(|port| port.parse().ok()));
    }
    match entry.split_once(':') {
        Some((host, port)) if !port.contains(':') => (host, port.parse().ok()),
        Some(_) | None => (entry, None),
    }
}

/// Whether a host is inside an address range such as `10.0.0.0/8`; nothing if it is no range.
fn in_range(entry: &str, host: &str) -> Option<bool> {
    let (network, length) = entry.split_once('/')?;
    let length: u32 = length.parse().ok()?;
    let network: IpAddr = network.parse().ok()?;
    let Ok(host) = host.parse::<IpAddr>() else { return Some(false) };
    let is_inside = match (network, host) {
        (IpAddr::V4(network), IpAddr::V4(host)) if length <= 32 => {
            let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
            network.to_bits() & mask == host.to_bits() & mask
        }
        (IpAddr::V6(network), IpAddr::V6(host)) if length <= 128 => {
            let mask = u128::MAX.checked_shl(128 - length).unwrap_or(0);
            network.to_bits() & mask == host.to_bits() & mask
        }
        _ => false,
    };
    Some(is_inside)
}

#[cfg(test)]
mod tests;
