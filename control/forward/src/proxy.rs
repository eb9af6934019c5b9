//! Which proxy, if any, a target is reached through. Spec: config-and-embedding §6.

pub(crate) mod bypass;

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, Uri};

use crate::base_url::{BaseUrl, without_userinfo};
use bypass::BypassList;

/// Proxy configuration after environment and file were merged. The default is no proxy.
#[derive(Clone, Default)]
pub struct ProxySettings {
    /// Proxy URL for `http` targets; empty means direct.
    pub http: String,
    /// Proxy URL for `https` targets; empty means direct.
    pub https: String,
    /// Hosts reached directly.
    pub no_proxy: Vec<String>,
    /// `no_proxy_nonexact_match`: domain suffixes, CIDR ranges and `*` count.
    pub matches_nonexact: bool,
    /// `use_proxy_for_cloud_metadata`: do not exempt the cloud metadata addresses.
    pub includes_cloud_metadata: bool,
}

impl fmt::Debug for ProxySettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxySettings")
            .field("http", &without_userinfo(&self.http))
            .field("https", &without_userinfo(&self.https))
            .field("no_proxy", &self.no_proxy)
            .field("matches_nonexact", &self.matches_nonexact)
            .field("includes_cloud_metadata", &self.includes_cloud_metadata)
            .finish()
    }
}

/// A proxy to connect through.
#[derive(Clone)]
pub(crate) struct Proxy {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) is_https: bool,
    /// Value for `Proxy-Authorization`, from the user information of the URL.
    pub(crate) authorization: Option<HeaderValue>,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({}:{})", self.host, self.port)
    }
}

impl ProxySettings {
    /// The proxy for requests to `target`, `None` for a direct connection.
    ///
    /// An unparseable proxy URL is logged without its user information and means direct.
    pub(crate) fn choose(&self, target: &BaseUrl) -> Option<Proxy> {
        let text = if target.is_https() { &self.https } else { &self.http };
        if text.trim().is_empty() {
            return None;
        }
        let list =
            BypassList::parse(&self.no_proxy, self.matches_nonexact, !self.includes_cloud_metadata);
        if bypass::is_loopback(&target.host) || list.matches(&target.host, Some(target.port)) {
            return None;
        }
        let proxy = parse_proxy(text);
        if proxy.is_none() {
            log::error!(
                "proxy url {:?} is malformed, connecting directly; write it as http://host:port",
                without_userinfo(text)
            );
        }
        proxy
    }
}

fn parse_proxy(text: &str) -> Option<Proxy> {
    let text = text.trim();
    let full = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let uri: Uri = full.parse().ok()?;
    let is_https = match uri.scheme_str()? {
        "http" => false,
        "https" => true,
        _ => return None,
    };
    let authority = uri.authority()?;
    let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
    if host.is_empty() {
        return None;
    }
    let authorization = match authority.as_str().rsplit_once('@') {
        Some((userinfo, _)) => Some(basic_authorization(userinfo)?),
        None => None,
    };
    let port = authority.port_u16().unwrap_or(if is_https { 443 } else { 80 });
    Some(Proxy { host, port, is_https, authorization })
}

/// `Basic` credentials from percent-encoded `user:password`.
fn basic_authorization(userinfo: &str) -> Option<HeaderValue> {
    let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
    let mut plain = percent_decode(user);
    plain.push(b':');
    plain.extend(percent_decode(password));
    let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(plain))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Undoes `%XX`; anything else is kept.
fn percent_decode(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let pair = (byte == b'%').then(|| Some((hex(ahead.next()?)?, hex(ahead.next()?)?)));
        if let Some(Some((high, low))) = pair {
            out.push(high << 4 | low);
            bytes = ahead;
        } else {
            out.push(byte);
        }
    }
    out
}

fn hex(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> BaseUrl {
        BaseUrl::parse(url, None, true).unwrap()
    }

    #[test]
    fn target_scheme_picks_the_proxy() {
        let settings = ProxySettings {
            http: "http://plain:3128".to_owned(),
            https: "https://us%40er:p%3aw@secure".to_owned(),
            ..ProxySettings::default()
        };
        let plain = settings.choose(&target("http://intake.example.test")).unwrap();
        assert_eq!((plain.host.as_str(), plain.port, plain.is_https), ("plain", 3128, false));
        assert!(plain.authorization.is_none());
        let secure = settings.choose(&target("https://intake.example.test")).unwrap();
        assert_eq!((secure.host.as_str(), secure.port, secure.is_https), ("secure", 443, true));
        let expected = format!("Basic {}", STANDARD.encode("us@er:p:w"));
        assert_eq!(secure.authorization.unwrap(), expected.as_str());
    }

    #[test]
    fn loopback_and_bypassed_hosts_go_direct() {
        let settings = ProxySettings {
            https: "http://proxy:3128".to_owned(),
            no_proxy: vec!["intake.example.test".to_owned()],
            ..ProxySettings::default()
        };
        for url in [
            "https://localhost:1",
            "https://127.0.0.1",
            "https://[::1]",
            "https://intake.example.test.",
        ] {
            assert!(settings.choose(&target(url)).is_none(), "{url}");
        }
        assert!(settings.choose(&target("https://other.example.test")).is_some());
        assert!(settings.choose(&target("http://other.example.test")).is_none());
    }

    #[test]
    fn malformed_proxy_means_direct() {
        for text in ["http://", "socks5://x:1", "http://a b"] {
            let settings = ProxySettings { https: text.to_owned(), ..ProxySettings::default() };
            assert!(settings.choose(&target("https://x.test")).is_none(), "{text}");
        }
    }

    #[test]
    fn debug_hides_the_password() {
        let settings =
            ProxySettings { https: "http://u:hunter2@p:1".to_owned(), ..ProxySettings::default() };
        assert!(!format!("{settings:?}").contains("hunter2"));
        let proxy = settings.choose(&target("https://x.test")).unwrap();
        assert!(!format!("{proxy:?}").contains("hunter2"));
    }

    #[test]
    fn percent_decoding_keeps_what_is_not_encoded() {
        assert_eq!(percent_decode("a%2Fb%zz%4"), b"a/b%zz%4");
    }
}
