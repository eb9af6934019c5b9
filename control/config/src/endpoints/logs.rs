//! Where logs go. spec: logs §4

use serde_json::Value;

use super::{Endpoint, EndpointKey, Role, key_list, site_from_url, with_scheme};
use crate::config::Config;
use crate::keys;

/// Paths that people write into a base URL, and that are added anyway.
const KNOWN_PATHS: [&str; 2] = ["/api/v2/logs", "/v1/input"];

impl Config {
    /// Path of the intake of logs below each of [`Config::log_endpoints`].
    #[must_use]
    pub fn log_path(&self) -> &'static str {
        let [v2, v1] = KNOWN_PATHS;
        if self.bool(keys::LOGS_USE_V2_API) { v2 } else { v1 }
    }

    /// All destinations of logs that have keys, the main one first, as base URLs without the path.
    #[must_use]
    pub fn log_endpoints(&self) -> Vec<Endpoint> {
        let key = match self.str(keys::LOGS_API_KEY).trim() {
            "" => key_list(&Value::from(self.api_key()), "api_key"),
            key => key_list(&Value::from(key), "logs_config.api_key"),
        };
        let endpoint = |url: String, keys: Vec<EndpointKey>, role| Endpoint {
            configured: url.clone(),
            url,
            keys,
            role,
        };
        let worker = self.text(keys::OPW_LOGS_URL).filter(|_| self.bool(keys::OPW_LOGS_ENABLED));
        let worker = worker.map(|url| endpoint(self.log_base(url), key.clone(), Role::Main));
        let is_alone = worker.is_some() && !self.bool(keys::OPW_LOGS_DUAL_SHIP);
        let main = (!is_alone).then(|| endpoint(self.main_log_base(), key, Role::Main));
        let mut endpoints: Vec<Endpoint> = main.into_iter().chain(worker).collect();
        for item in self.json(keys::LOGS_ADDITIONAL_ENDPOINTS).as_array().into_iter().flatten() {
            let additional = additional(item, !self.bool(keys::LOGS_NO_SSL));
            endpoints.extend(additional.map(|(url, key)| {
                let keys = key_list(&Value::from(key), "logs_config.additional_endpoints");
                endpoint(url, keys, Role::Additional)
            }));
        }
        endpoints.retain(|endpoint| !endpoint.keys.is_empty());
        endpoints
    }

    fn main_log_base(&self) -> String {
        match (self.text(keys::LOGS_DD_URL), self.text(keys::DD_URL)) {
            (Some(url), _) => self.log_base(url),
            // A stand-in for the service takes all of its data.
            (None, Some(url)) if site_from_url(&with_scheme(url)).is_empty() => with_scheme(url),
            (None, _) => self.absolute_site_url("agent-http-intake.logs.", self.str(keys::SITE)),
        }
    }

    /// The base of an address or URL as people write it.
    fn log_base(&self, url: &str) -> String {
        let url = match self.bool(keys::LOGS_NO_SSL) && !url.contains("://") {
            true => with_scheme(&format!("http://{}", url.trim())),
            false => with_scheme(url),
        };
        let known = KNOWN_PATHS.iter().find_map(|path| url.strip_suffix(path));
        known.map_or_else(|| url.clone(), str::to_owned)
    }
}

/// Base URL and key of an additional endpoint; none when it has no host. Its names are matched
/// without regard to case. spec: logs §4.3
fn additional(item: &Value, is_tls: bool) -> Option<(String, String)> {
    let held = |name: &str| {
        let mut members = item.as_object()?.iter();
        members.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    };
    let text = |name: &str| held(name).and_then(Value::as_str).map(str::trim);
    let host = text("Host").filter(|host| !host.is_empty())?;
    let is_tls = held("use_ssl").and_then(Value::as_bool).unwrap_or(is_tls);
    let port = match held("Port") {
        Some(Value::String(port)) => port.trim().parse().ok(),
        port => port.and_then(Value::as_u64),
    };
    let port = port.filter(|port| *port != 0).map(|port| format!(":{port}")).unwrap_or_default();
    let prefix = text("path_prefix").unwrap_or_default().trim_matches('/');
    let prefix = if prefix.is_empty() { String::new() } else { format!("/{prefix}") };
    let scheme = if is_tls { "https" } else { "http" };
    Some((format!("{scheme}://{host}{port}{prefix}"), text("api_key")?.to_owned()))
}
