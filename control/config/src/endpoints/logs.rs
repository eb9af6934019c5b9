//! Where logs go. spec: logs §4

use std::net::Ipv6Addr;

use serde_json::{Map, Value};

use super::{Endpoint, EndpointKey, Role, key_list, site_from_url, with_scheme};
use crate::config::Config;
use crate::{keys, parse, secrets};

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
        let is_alone = worker.is_some() && !self.bool(keys::OPW_LOGS_DUAL_SHIP);
        // What an endpoint does that does not say it. One that is made from the site, or a stand-in
        // for all data, says nothing about others.
        let main_url = worker.filter(|_| is_alone).or_else(|| self.text(keys::LOGS_DD_URL));
        let main_is_tls = match main_url {
            Some(url) => self.log_base(url).starts_with("https://"),
            None => !self.bool(keys::LOGS_NO_SSL),
        };
        let worker = worker.map(|url| endpoint(self.log_base(url), key.clone(), Role::Main));
        let main = (!is_alone).then(|| endpoint(self.main_log_base(), key, Role::Main));
        let mut endpoints: Vec<Endpoint> = main.into_iter().chain(worker).collect();
        for item in self.json(keys::LOGS_ADDITIONAL_ENDPOINTS).as_array().into_iter().flatten() {
            let Ok(additional) = additional(item) else { continue };
            let key = Value::from(additional.api_key.as_str());
            let keys = key_list(&key, "logs_config.additional_endpoints");
            endpoints.push(endpoint(additional.url(main_is_tls), keys, Role::Additional));
        }
        endpoints.retain(|endpoint| !endpoint.keys.is_empty());
        endpoints
    }

    /// What is wrong with `additional_endpoints` now that secrets are in their place.
    pub(crate) fn log_endpoint_faults(&self) -> Vec<String> {
        let items = self.json(keys::LOGS_ADDITIONAL_ENDPOINTS).as_array();
        items.into_iter().flat_map(|items| endpoint_faults(items)).collect()
    }

    fn main_log_base(&self) -> String {
        match (self.text(keys::LOGS_DD_URL), self.text(keys::DD_URL)) {
            (Some(url), _) => self.log_base(url),
            // A stand-in for the service takes all of its data.
            (None, Some(url)) if site_from_url(&with_scheme(url)).is_empty() => with_scheme(url),
            (None, _) => self.absolute_site_url("agent-http-intake.logs.", self.str(keys::SITE)),
        }
    }

    /// The base of an address or URL as people write it: without what is appended anyway.
    fn log_base(&self, url: &str) -> String {
        let url = url.trim();
        let (scheme, rest) = url.split_once("://").unwrap_or_else(|| (self.log_scheme(), url));
        let rest = rest.trim_end_matches('/');
        let known = KNOWN_PATHS.iter().find_map(|path| rest.strip_suffix(path));
        let rest = known.unwrap_or(rest).trim_end_matches('/');
        format!("{}://{rest}", scheme.to_ascii_lowercase())
    }

    /// Scheme of an address that names none.
    fn log_scheme(&self) -> &'static str {
        if self.bool(keys::LOGS_NO_SSL) { "http" } else { "https" }
    }

    /// Whether `logs_dd_url` has a scheme that says the contrary of `logs_no_ssl`; the scheme wins.
    pub(crate) fn log_schemes_disagree(&self) -> bool {
        let url = self.text(keys::LOGS_DD_URL).unwrap_or_default();
        let scheme = url.trim().split_once("://").map(|(scheme, _)| scheme);
        scheme.is_some_and(|scheme| !scheme.eq_ignore_ascii_case(self.log_scheme()))
    }
}

/// One of `additional_endpoints`. `is_reliable` is checked alone: each destination has a queue of
/// its own, so that none waits for another.
struct Additional {
    api_key: String,
    /// Host and port.
    authority: String,
    /// None is as the main endpoint.
    is_tls: Option<bool>,
    /// Empty, or begins with a slash.
    prefix: String,
}

impl Additional {
    fn url(&self, main_is_tls: bool) -> String {
        let scheme = if self.is_tls.unwrap_or(main_is_tls) { "https" } else { "http" };
        format!("{scheme}://{}{}", self.authority, self.prefix)
    }
}

/// What is wrong with `additional_endpoints`. One that waits for a secret is looked at later.
pub(crate) fn endpoint_faults(items: &[Value]) -> impl Iterator<Item = String> {
    let is_handle = |value: &Value| value.as_str().and_then(secrets::handle).is_some();
    let waits = move |item: &Value| item.as_object().is_some_and(|m| m.values().any(is_handle));
    let indexed = items.iter().enumerate().filter(move |(_, item)| !waits(item));
    indexed.filter_map(|(index, item)| {
        additional(item).err().map(|wrong| format!("item {} {wrong}", index + 1))
    })
}

/// Reads one of `additional_endpoints`. Names are matched without regard to case, numbers and
/// booleans may be texts, null is as good as nothing.
///
/// # Errors
/// What is wrong with it. Values are not shown, since they may be keys.
fn additional(item: &Value) -> Result<Additional, String> {
    let members = Members(item.as_object().ok_or("is no object with `api_key` and `Host`")?);
    let (api_key, host) = (members.needed("api_key")?, members.needed("Host")?);
    let host = match host.parse::<Ipv6Addr>() {
        Ok(address) => format!("[{address}]"),
        Err(_) => host.to_owned(),
    };
    let authority = match members.port()? {
        Some(port) => format!("{host}:{port}"),
        None => host,
    };
    check_authority(&authority).map_err(|_| bad("Host"))?;
    members.flag("is_reliable")?;
    let prefix = members.text("path_prefix")?.unwrap_or_default().trim_matches('/');
    check_prefix(prefix).map_err(|_| bad("path_prefix"))?;
    Ok(Additional {
        api_key: api_key.to_owned(),
        authority,
        is_tls: members.flag("use_ssl")?,
        prefix: if prefix.is_empty() { String::new() } else { format!("/{prefix}") },
    })
}

struct Members<'a>(&'a Map<String, Value>);

impl<'a> Members<'a> {
    fn held(&self, name: &str) -> Option<&'a Value> {
        let held = self.0.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        held.map(|(_, value)| value).filter(|value| !value.is_null())
    }

    fn text(&self, name: &str) -> Result<Option<&'a str>, String> {
        let text = |value: &'a Value| value.as_str().map(str::trim).ok_or_else(|| bad(name));
        self.held(name).map(text).transpose()
    }

    fn needed(&self, name: &str) -> Result<&'a str, String> {
        let text = self.text(name)?.filter(|text| !text.is_empty());
        text.ok_or_else(|| format!("lacks `{name}`"))
    }

    fn flag(&self, name: &str) -> Result<Option<bool>, String> {
        let flag = |value: &Value| {
            let flag = value.as_str().map_or_else(|| value.as_bool(), parse::bool);
            flag.ok_or_else(|| bad(name))
        };
        self.held(name).map(flag).transpose()
    }

    /// The port; 0 is none.
    fn port(&self) -> Result<Option<u16>, String> {
        let Some(value) = self.held("Port") else { return Ok(None) };
        let number = || u16::try_from(value.as_u64()?).ok();
        let port = value.as_str().map_or_else(number, |text| text.trim().parse().ok());
        port.map(|port| (port != 0).then_some(port)).ok_or_else(|| bad("Port"))
    }
}

fn bad(name: &str) -> String {
    format!("has a bad value for `{name}`")
}

/// Checks what `logs_dd_url` holds: `host`, `host:port` or a URL. spec: logs §4.1
///
/// # Errors
/// What is wrong with it, without credentials.
pub(crate) fn check_address(text: &str) -> Result<(), String> {
    let text = text.trim();
    let rest = match text.split_once("://") {
        None => text,
        Some((scheme, rest))
            if ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) =>
        {
            rest
        }
        Some(_) => return Err("only http:// and https:// URLs are spoken".to_owned()),
    };
    let (authority, prefix) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    check_authority(authority)?;
    check_prefix(prefix)
}

/// Whether it is `host`, `host:port`, `[address]` or `[address]:port`.
fn check_authority(authority: &str) -> Result<(), String> {
    if authority.contains(['@', '?', '#']) {
        return Err(MORE_THAN_ADDRESS.to_owned());
    }
    let wrong_host = |host: &str| format!("`{host}` is no host; write https://host:port/path");
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']').ok_or_else(|| wrong_host(authority))?;
            host.parse::<Ipv6Addr>().map_err(|_| wrong_host(host))?;
            (host, after)
        }
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    if host.is_empty() || host.starts_with('.') || !host.bytes().all(is_name) {
        return Err(wrong_host(host));
    }
    match port.strip_prefix(':') {
        None if port.is_empty() => Ok(()),
        None => Err(wrong_host(authority)),
        Some(port) => match port.parse::<u16>() {
            Ok(1..) if port.bytes().all(|byte| byte.is_ascii_digit()) => Ok(()),
            _ => Err(format!("`{port}` is no port, a number from 1 to 65535")),
        },
    }
}

fn check_prefix(prefix: &str) -> Result<(), String> {
    if prefix.bytes().any(|byte| !byte.is_ascii_graphic() || matches!(byte, b'?' | b'#')) {
        return Err(MORE_THAN_ADDRESS.to_owned());
    }
    Ok(())
}

const MORE_THAN_ADDRESS: &str = "there may be a host, a port and a path only";
