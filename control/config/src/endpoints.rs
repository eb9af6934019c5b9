//! Where data goes: sites, URLs and keys. spec: config §8, metrics-intake §1.2, §6.6

mod logs;

use std::collections::HashSet;
use std::fmt;

use crate::config::Config;
use crate::entry::MapKey;
use crate::keys;
use crate::parse;
use crate::scrub;

pub(crate) use logs::{check_address as check_log_address, endpoint_faults as log_endpoint_faults};

/// Domains of the service; a region may stand in front.
const DOMAINS: &[&str] =
    &["datadoghq.com", "datadoghq.eu", "datad0g.com", "datad0g.eu", "ddog-gov.com", "ddog-gov.mil"];

const SITE_DEFAULT: &str = "datadoghq.com";

/// One intake with its keys. The same data goes to every endpoint, once per key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Base URL to send to, without a slash at the end. A host of the service may end in a dot
    /// (`convert_dd_site_fqdn.enabled`): leave that out of the `Host` header and of SNI.
    pub url: String,
    /// The URL as configured, or made from the site, which is the name per-endpoint settings use.
    pub configured: String,
    /// Keys, at least one, each once.
    pub keys: Vec<EndpointKey>,
    /// What it is for.
    pub role: Role,
}

/// An API key and where it is written, so that a rotated secret replaces the right one.
#[derive(Clone, PartialEq, Eq)]
pub struct EndpointKey {
    /// The key, trimmed.
    pub key: String,
    /// Configuration key that holds it.
    pub path: &'static str,
    /// Position in the list of its URL, counting empty ones.
    pub index: usize,
}

impl fmt::Debug for EndpointKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}[{}])", scrub::secret(&self.key), self.path, self.index)
    }
}

/// What an endpoint is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Gets everything, unless a pipelines worker takes the metrics.
    Main,
    /// Gets a copy of everything.
    Additional,
    /// Gets metrics while `multi_region_failover.failover_metrics` is on.
    Failover,
}

/// Wire form of series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeriesProtocol {
    /// JSON.
    V1,
    /// Protobuf.
    V2,
    /// Columns.
    V3,
}

impl Config {
    /// URL of the main intake. `version` is the Agent version to report, such as `7.80.1`.
    #[must_use]
    pub fn main_endpoint(&self, version: &str) -> String {
        let url = match self.text(keys::DD_URL) {
            Some(url) => with_scheme(url),
            None => self.absolute_site_url("app.", self.str(keys::SITE)),
        };
        version_prefix(&url, version, "app")
    }

    /// Base URL that flares go to, without path. spec: config §8.2
    #[must_use]
    pub fn flare_url(&self, version: &str) -> String {
        let url = match self.text(keys::DD_URL) {
            Some(url) => with_scheme(url),
            None => site_url("app.", self.str(keys::SITE)),
        };
        version_prefix(&url, version, "flare")
    }

    /// All intakes that have keys, the main one first. An endpoint with the URL of an earlier one
    /// adds its keys to that.
    #[must_use]
    pub fn endpoints(&self, version: &str) -> Vec<Endpoint> {
        let mut endpoints: Vec<Endpoint> = Vec::new();
        let mut add = |new: Endpoint| {
            let known = endpoints.iter_mut().find(|known| known.url == new.url);
            match known {
                Some(known) => add_keys(known, new.keys),
                None => endpoints.push(new),
            }
        };
        let configured = self.text(keys::DD_URL).map(str::to_owned);
        add(Endpoint {
            url: self.main_endpoint(version),
            configured: configured.unwrap_or_else(|| site_url("app.", self.str(keys::SITE))),
            keys: key_list(&serde_json::Value::from(self.api_key()), "api_key"),
            role: Role::Main,
        });
        for (configured, list) in self.map(keys::ADDITIONAL_ENDPOINTS) {
            let url = version_prefix(&with_scheme(configured), version, "app");
            let keys = key_list(list, "additional_endpoints");
            add(Endpoint { url, configured: configured.clone(), keys, role: Role::Additional });
        }
        if self.bool(keys::MRF_ENABLED) {
            let site = self.str(keys::MRF_SITE);
            let (url, configured) = match self.text(keys::MRF_DD_URL) {
                Some(url) => (with_scheme(url), url.to_owned()),
                None => (self.absolute_site_url("app.mrf.", site), site_url("app.mrf.", site)),
            };
            let key = serde_json::Value::from(self.str(keys::MRF_API_KEY));
            add(Endpoint {
                url: version_prefix(&url, version, "app"),
                configured,
                keys: key_list(&key, "multi_region_failover.api_key"),
                role: Role::Failover,
            });
        }
        endpoints.retain(|endpoint| !endpoint.keys.is_empty());
        endpoints
    }

    /// All intakes of traces and stats that have keys, the main one first. spec: apm §10.1, §10.3.
    #[must_use]
    pub fn trace_endpoints(&self) -> Vec<Endpoint> {
        let mut endpoints: Vec<Endpoint> = Vec::new();
        let main = self.text(keys::APM_DD_URL);
        let key = serde_json::Value::from(self.api_key());
        let url = match (main, self.text(keys::DD_URL)) {
            (Some(url), _) => with_scheme(url),
            // A stand-in for the service takes all of its data.
            (None, Some(url)) if site_from_url(&with_scheme(url)).is_empty() => with_scheme(url),
            (None, _) => self.absolute_site_url("trace.agent.", self.str(keys::SITE)),
        };
        endpoints.push(Endpoint {
            configured: main.map_or_else(|| url.clone(), str::to_owned),
            url,
            keys: key_list(&key, "api_key"),
            role: Role::Main,
        });
        for (configured, list) in self.map(keys::APM_ADDITIONAL_ENDPOINTS) {
            let url = with_scheme(configured);
            let keys = key_list(list, "apm_config.additional_endpoints");
            match endpoints.iter_mut().find(|known| known.url == url) {
                Some(known) => add_keys(known, keys),
                None => endpoints.push(Endpoint {
                    url,
                    configured: configured.clone(),
                    keys,
                    role: Role::Additional,
                }),
            }
        }
        if self.bool(keys::MRF_ENABLED) {
            let site = self.str(keys::MRF_SITE);
            let url = match self.text(keys::MRF_DD_URL) {
                Some(url) => with_scheme(url),
                None => self.absolute_site_url("trace.agent.mrf.", site),
            };
            let key = serde_json::Value::from(self.str(keys::MRF_API_KEY));
            endpoints.push(Endpoint {
                configured: url.clone(),
                url,
                keys: key_list(&key, "multi_region_failover.api_key"),
                role: Role::Failover,
            });
        }
        endpoints.retain(|endpoint| !endpoint.keys.is_empty());
        endpoints
    }

    /// The URLs, or sites, of a map that leads to keys, in the order of their texts: once for each
    /// key.
    #[must_use]
    pub fn url_keys(&self, key: MapKey) -> Vec<(String, String)> {
        let mut pairs = Vec::new();
        for (url, list) in self.map(key) {
            let keys = key_list(list, key.entry().name());
            pairs.extend(keys.into_iter().map(|key| (url.trim().to_owned(), key.key)));
        }
        pairs
    }

    /// Configured URLs of additional endpoints that have no keys and so get nothing.
    pub(crate) fn endpoints_without_keys(&self) -> Vec<&str> {
        let lists = self.map(keys::ADDITIONAL_ENDPOINTS).iter();
        lists
            .filter(|(_, list)| key_list(list, "").is_empty())
            .map(|(url, _)| url.as_str())
            .collect()
    }

    /// URL that keys of the main endpoint are validated at, without path.
    #[must_use]
    pub fn validation_url(&self) -> String {
        let main = self.text(keys::DD_URL).map(with_scheme);
        match main.as_deref().map(|url| (url, site_from_url(url))) {
            None => format!("https://api.{}", normal_site(self.str(keys::SITE))),
            Some((_, site)) if !site.is_empty() => format!("https://api.{site}"),
            // A stand-in for the service answers for all of it.
            Some((url, _)) => url.to_owned(),
        }
    }

    /// Whether metrics are meant for a pipelines worker.
    #[must_use]
    pub fn opw_is_enabled(&self) -> bool {
        self.bool(keys::OPW_METRICS_ENABLED) || self.bool(keys::VECTOR_METRICS_ENABLED)
    }

    /// URL of the pipelines worker that takes metrics in place of the main intake, if any.
    #[must_use]
    pub fn opw_metrics_url(&self) -> Option<String> {
        let enabled_and_url = [
            (keys::OPW_METRICS_ENABLED, keys::OPW_METRICS_URL),
            (keys::VECTOR_METRICS_ENABLED, keys::VECTOR_METRICS_URL),
        ];
        let mut urls = enabled_and_url
            .into_iter()
            .filter(|(enabled, _)| self.bool(*enabled))
            .filter_map(|(_, url)| self.text(url));
        urls.next().map(with_scheme)
    }

    /// Wire form of series for the pipelines worker.
    #[must_use]
    pub fn opw_series_protocol(&self) -> SeriesProtocol {
        let wants_v3 = (self.bool(keys::OPW_METRICS_ENABLED)
            && self.bool(keys::OPW_METRICS_USE_V3))
            || (self.bool(keys::VECTOR_METRICS_ENABLED) && self.bool(keys::VECTOR_METRICS_USE_V3));
        match (self.bool(keys::USE_V2_API_SERIES), wants_v3) {
            (false, _) => SeriesProtocol::V1,
            (true, true) => SeriesProtocol::V3,
            (true, false) => SeriesProtocol::V2,
        }
    }

    /// Wire form of series for an endpoint, named by its configured URL.
    #[must_use]
    pub fn series_protocol(&self, configured: &str) -> SeriesProtocol {
        if !self.bool(keys::USE_V2_API_SERIES) {
            return SeriesProtocol::V1;
        }
        let is_listed = |key| self.list(key).iter().any(|url| url == configured);
        if is_listed(keys::EXPERIMENTAL_V3_SERIES_ENDPOINTS) {
            return SeriesProtocol::V3;
        }
        let own_mode = self.map(keys::USE_V3_API_SERIES_ENDPOINTS).get(configured);
        let own_mode =
            own_mode.map(|mode| mode.as_str().map_or_else(|| mode.to_string(), str::to_owned));
        let mode = own_mode.unwrap_or_else(|| self.str(keys::USE_V3_API_SERIES).to_owned());
        let is_v3 = match mode.trim().to_ascii_lowercase().replace('-', "_").as_str() {
            "datadog_only" => prefix_place(&with_scheme(configured)).is_some(),
            other => parse::bool(other).unwrap_or(false),
        };
        if is_v3 { SeriesProtocol::V3 } else { SeriesProtocol::V2 }
    }

    /// Whether an endpoint, named by its configured URL, gets sketches in columns (v3).
    #[must_use]
    pub fn sketches_use_v3(&self, configured: &str) -> bool {
        self.list(keys::EXPERIMENTAL_V3_SKETCHES_ENDPOINTS).iter().any(|url| url == configured)
    }

    /// The URL of a site, with a dot at the end of the host where that is wanted.
    /// Base URL of the remote configuration backend. spec: remote-config §3.1
    #[must_use]
    pub fn remote_config_url(&self) -> String {
        match self.text(keys::REMOTE_CONFIG_URL) {
            Some(url) => with_scheme(url),
            None => site_url("config.", self.str(keys::SITE)),
        }
    }

    /// Key for remote configuration; empty if there is none.
    #[must_use]
    pub fn remote_config_key(&self) -> &str {
        self.text(keys::REMOTE_CONFIG_API_KEY).unwrap_or_else(|| self.api_key())
    }

    fn absolute_site_url(&self, prefix: &str, site: &str) -> String {
        let url = site_url(prefix, site);
        let is_known = !site_of(site).is_empty() || site.trim().is_empty();
        if is_known && self.bool(keys::CONVERT_DD_SITE_FQDN) { format!("{url}.") } else { url }
    }
}

/// Puts the version in place of the first label of an intake host: `app.<site>` becomes
/// `7-80-1-app.agent.<site>`. Other hosts stay as they are.
#[must_use]
pub fn version_prefix(url: &str, version: &str, app: &str) -> String {
    let Some((scheme, rest)) = prefix_place(url) else { return url.to_owned() };
    let release = version.split(['-', '+']).next().unwrap_or_default();
    let numbers = release.split('.').take(3).collect::<Vec<_>>().join("-");
    format!("{scheme}{numbers}-{app}.agent.{rest}")
}

/// Site of the service that a URL belongs to, or nothing.
#[must_use]
pub fn site_from_url(url: &str) -> String {
    let (_, rest) = split_scheme(url);
    site_of(host_of(rest))
}

/// The site at the end of a host name, or nothing.
pub(crate) fn site_of(host: &str) -> String {
    let host = normal_site(host).to_ascii_lowercase();
    for domain in DOMAINS {
        let Some(before) = host.strip_suffix(domain) else { continue };
        let Some(before) = before.strip_suffix('.') else {
            // Either the domain itself, or one that only ends alike.
            return if before.is_empty() { (*domain).to_owned() } else { String::new() };
        };
        let region = before.rsplit('.').next().unwrap_or_default();
        return if is_region(region) { format!("{region}.{domain}") } else { (*domain).to_owned() };
    }
    String::new()
}

/// `us3`, `ap1`: letters, then one or two digits.
fn is_region(label: &str) -> bool {
    let letters = label.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = label.len() - letters.len();
    letters.len() >= 2
        && letters.bytes().all(|c| c.is_ascii_lowercase())
        && (1..=2).contains(&digits)
}

/// A URL whose host takes the version, split after the scheme and after the first label.
fn prefix_place(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = split_scheme(url);
    let after_app = rest.strip_prefix("app.")?;
    let host = host_of(after_app);
    let host = host.strip_suffix('.').unwrap_or(host);
    let site = host.strip_prefix("mrf.").unwrap_or(host);
    (!site.is_empty() && site_of(site) == site).then_some((scheme, after_app))
}

fn split_scheme(url: &str) -> (&str, &str) {
    match url.find("://") {
        Some(at) => url.split_at(at + 3),
        None => ("", url),
    }
}

/// The host at the start of what follows a scheme.
fn host_of(rest: &str) -> &str {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    match host.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|c| c.is_ascii_digit()) => host,
        Some(_) | None => host,
    }
}

fn with_scheme(url: &str) -> String {
    let url = url.trim().trim_end_matches('/');
    if url.contains("://") { url.to_owned() } else { format!("https://{url}") }
}

fn site_url(prefix: &str, site: &str) -> String {
    format!("https://{prefix}{}", normal_site(site))
}

/// A site as people write it, reduced to the domain; nothing means the default.
fn normal_site(site: &str) -> String {
    let (_, site) = split_scheme(site.trim());
    let site = site.trim_end_matches(['/', '.']);
    if site.is_empty() { SITE_DEFAULT.to_owned() } else { site.to_owned() }
}

/// Keys of one URL: trimmed, empty ones left out, each once.
fn key_list(list: &serde_json::Value, path: &'static str) -> Vec<EndpointKey> {
    let texts = match list.as_array() {
        Some(items) => items.iter().map(serde_json::Value::as_str).collect(),
        None => vec![list.as_str()],
    };
    let mut seen = HashSet::new();
    texts
        .into_iter()
        .enumerate()
        .map(|(index, text)| (index, text.unwrap_or_default().trim()))
        .filter(|(_, key)| !key.is_empty() && seen.insert(*key))
        .map(|(index, key)| EndpointKey { key: key.to_owned(), path, index })
        .collect()
}

fn add_keys(endpoint: &mut Endpoint, new: Vec<EndpointKey>) {
    for key in new {
        if !endpoint.keys.iter().any(|known| known.key == key.key) {
            endpoint.keys.push(key);
        }
    }
}

#[cfg(test)]
mod tests;
