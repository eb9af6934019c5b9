//! Where payloads are sent. spec: logs §4.1.

use std::net::Ipv6Addr;

use thiserror::Error;

/// Site that is used when none is configured.
const SITE_DEFAULT: &str = "datadoghq.com";

const PATH_V1: &str = "/v1/input";
const PATH_V2: &str = "/api/v2/logs";

/// What the URL of the intake is made from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UrlSettings {
    /// `logs_dd_url`: `host`, `host:port` or a URL. Empty: the host of the site.
    pub logs_dd_url: String,
    /// `logs_no_ssl`: plain HTTP, for a `logs_dd_url` without a scheme.
    pub logs_no_ssl: bool,
    /// The path of `use_v2_api`.
    pub path: ApiPath,
    /// `site`; empty is `datadoghq.com`.
    pub site: String,
    /// The host of a site.
    pub host: SiteHost,
}

/// `use_v2_api`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ApiPath {
    /// `/v1/input`.
    V1,
    /// `/api/v2/logs`.
    #[default]
    V2,
}

/// What stands around a site in the name of its intake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SiteHost {
    /// `agent-http-intake.logs.<site>`.
    #[default]
    Agent,
    /// The same with a dot after it, an absolute name, as the newest Agents have it.
    AgentAbsolute,
    /// `http-intake.logs.<site>`, that of serverless.
    Serverless,
}

/// A URL of an intake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntakeUrl {
    /// All of it, with the path.
    pub url: String,
    /// The scheme of `logs_dd_url` says the contrary of `logs_no_ssl`, and wins; worth a warning.
    pub overrides_no_ssl: bool,
}

/// Why a configured URL cannot be an intake. Credentials in it are not shown.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum UrlError {
    /// Neither `http` nor `https`.
    #[error("logs url has scheme {scheme:?}; use http or https")]
    Scheme {
        /// What is before `://`.
        scheme: String,
    },
    /// The host is missing or is none.
    #[error("logs url has host {host:?}; write it as https://host[:port][/path]")]
    Host {
        /// What stands in the host's place.
        host: String,
    },
    /// The port is no number from 1 to 65535.
    #[error("logs url has port {port:?}; use 1 to 65535")]
    Port {
        /// What stands in the port's place.
        port: String,
    },
    /// There are credentials, a query or a fragment, or characters that no URL has.
    #[error("logs url may have a host, a port and a path only")]
    Other,
}

/// The URL that payloads are sent to.
///
/// # Errors
/// `logs_dd_url` or the site is wrong.
pub fn intake_url(settings: &UrlSettings) -> Result<IntakeUrl, UrlError> {
    let path = path_of(settings.path);
    let configured = settings.logs_dd_url.trim();
    if configured.is_empty() {
        let host = site_host(settings.site.trim().trim_end_matches('.'), settings.host);
        let url = join("https", &host, "", path)?;
        return Ok(IntakeUrl { url, overrides_no_ssl: false });
    }
    let plain_scheme = if settings.logs_no_ssl { "http" } else { "https" };
    let (scheme, rest) = match configured.split_once("://") {
        None => (plain_scheme, configured),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => ("https", rest),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => ("http", rest),
        Some((scheme, _)) => return Err(UrlError::Scheme { scheme: scheme.to_owned() }),
    };
    let (authority, prefix) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let url = join(scheme, authority, without_known_path(prefix), path)?;
    Ok(IntakeUrl { url, overrides_no_ssl: scheme != plain_scheme })
}

pub(crate) const fn path_of(path: ApiPath) -> &'static str {
    match path {
        ApiPath::V1 => PATH_V1,
        ApiPath::V2 => PATH_V2,
    }
}

/// Joins checked parts.
pub(crate) fn join(
    scheme: &str,
    authority: &str,
    prefix: &str,
    path: &str,
) -> Result<String, UrlError> {
    check_authority(authority)?;
    if prefix.bytes().any(|byte| !byte.is_ascii_graphic() || matches!(byte, b'?' | b'#')) {
        return Err(UrlError::Other);
    }
    let prefix = prefix.trim_end_matches('/');
    let slash = if prefix.is_empty() || prefix.starts_with('/') { "" } else { "/" };
    Ok(format!("{scheme}://{authority}{slash}{prefix}{path}"))
}

fn site_host(site: &str, host: SiteHost) -> String {
    let site = if site.is_empty() { SITE_DEFAULT } else { site };
    match host {
        SiteHost::Agent => format!("agent-http-intake.logs.{site}"),
        SiteHost::AgentAbsolute => format!("agent-http-intake.logs.{site}."),
        SiteHost::Serverless => format!("http-intake.logs.{site}"),
    }
}

/// A path that somebody wrote with what is appended anyway.
fn without_known_path(prefix: &str) -> &str {
    let prefix = prefix.trim_end_matches('/');
    let known = [PATH_V2, PATH_V1];
    known.iter().find_map(|path| prefix.strip_suffix(path)).unwrap_or(prefix)
}

/// Whether it is `host`, `host:port`, `[address]` or `[address]:port`.
fn check_authority(authority: &str) -> Result<(), UrlError> {
    if authority.contains(['@', '?', '#']) {
        return Err(UrlError::Other);
    }
    let wrong_host = |host: &str| UrlError::Host { host: host.to_owned() };
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
            _ => Err(UrlError::Port { port: port.to_owned() }),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(logs_dd_url: &str) -> Result<String, UrlError> {
        let settings =
            UrlSettings { logs_dd_url: logs_dd_url.to_owned(), ..UrlSettings::default() };
        intake_url(&settings).map(|intake| intake.url)
    }

    fn error(logs_dd_url: &str) -> String {
        url(logs_dd_url).unwrap_err().to_string()
    }

    #[test]
    fn parts_that_are_right_are_joined() {
        for (configured, joined) in [
            ("HTTP://h:8080", "http://h:8080/api/v2/logs"),
            (" https://h/ ", "https://h/api/v2/logs"),
            ("h/a/b/", "https://h/a/b/api/v2/logs"),
            ("https://h/a/v1/input/", "https://h/a/api/v2/logs"),
            ("[::1]:8080", "https://[::1]:8080/api/v2/logs"),
            ("my_host.", "https://my_host./api/v2/logs"),
        ] {
            assert_eq!(url(configured).as_deref(), Ok(joined));
        }
    }

    #[test]
    fn what_is_wrong_is_said_without_credentials() {
        for port in ["", "0", "65536", "x", "+80", "-1", "80:80"] {
            let expected = format!("logs url has port {port:?}; use 1 to 65535");
            assert_eq!(error(&format!("http://h:{port}")), expected);
        }
        for wrong in
            ["http://", "https:///path", ":8080", "a b", "h\u{e9}", "[::1", "[x]", "[::1]x"]
        {
            assert!(error(wrong).starts_with("logs url has host"), "{wrong}");
        }
        assert!(error("tcp://h:1").starts_with("logs url has scheme \"tcp\""));
        for wrong in ["https://u:5ecret@h", "h?a=b", "h/a?b", "h/a#b", "h/a b", "h/\u{e9}"] {
            assert_eq!(error(wrong), "logs url may have a host, a port and a path only");
        }
    }

    #[test]
    fn a_scheme_wins_over_no_ssl_and_that_is_said() {
        for (logs_dd_url, logs_no_ssl, overrides_no_ssl) in [
            ("http://h", false, true),
            ("http://h", true, false),
            ("https://h", true, true),
            ("https://h", false, false),
            ("h", true, false),
            ("", true, false),
        ] {
            let logs_dd_url = logs_dd_url.to_owned();
            let settings = UrlSettings { logs_dd_url, logs_no_ssl, ..UrlSettings::default() };
            assert_eq!(intake_url(&settings).unwrap().overrides_no_ssl, overrides_no_ssl);
        }
    }

    #[test]
    fn the_site_gives_the_host() {
        let settings = |site: &str, host| UrlSettings {
            site: site.to_owned(),
            host,
            path: ApiPath::V1,
            ..UrlSettings::default()
        };
        let url = |settings| intake_url(&settings).map(|intake| intake.url);
        let expected = "https://agent-http-intake.logs.datadoghq.com/v1/input";
        assert_eq!(url(settings("", SiteHost::Agent)).as_deref(), Ok(expected));
        let expected = "https://http-intake.logs.us3.datadoghq.com/v1/input";
        assert_eq!(
            url(settings("us3.datadoghq.com.", SiteHost::Serverless)).as_deref(),
            Ok(expected)
        );
        assert!(url(settings("a/b", SiteHost::Agent)).is_err());
    }
}
