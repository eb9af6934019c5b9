//! `no_proxy` matching, exact and non-exact. Spec: config-and-embedding §6.

use std::net::IpAddr;

use crate::base_url::is_site;

/// Exempt unless `use_proxy_for_cloud_metadata`.
const CLOUD_METADATA: [&str; 2] = ["169.254.169.254", "100.100.100.200"];

/// A parsed bypass list.
#[derive(Clone, Debug, Default)]
pub(crate) struct BypassList {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
enum Entry {
    All,
    Network { network: IpAddr, prefix_bits: u8 },
    Ip { ip: IpAddr, port: Option<u16> },
    Host { host: String, port: Option<u16>, scope: Scope },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    Itself,
    ItselfAndSubdomains,
    Subdomains,
}

impl BypassList {
    /// Parses list entries; those without a meaning in the chosen mode are ignored.
    pub(crate) fn parse(list: &[String], nonexact: bool, exempts_cloud_metadata: bool) -> Self {
        let fixed = if exempts_cloud_metadata { &CLOUD_METADATA[..] } else { &[] };
        let all = list.iter().map(String::as_str).chain(fixed.iter().copied());
        Self { entries: all.filter_map(|text| parse_entry(text.trim(), nonexact)).collect() }
    }

    /// Whether requests to this host and port go past the proxy.
    ///
    /// An unknown port matches only entries without one.
    pub(crate) fn matches(&self, host: &str, port: Option<u16>) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let ip: Option<IpAddr> = host.parse().ok();
        self.entries.iter().any(|entry| entry.matches(&host, ip, port))
    }
}

impl Entry {
    fn matches(&self, host: &str, ip: Option<IpAddr>, port: Option<u16>) -> bool {
        match self {
            Self::All => true,
            Self::Network { network, prefix_bits } => {
                ip.is_some_and(|ip| is_in_network(ip, *network, *prefix_bits))
            }
            Self::Ip { ip: wanted, port: wanted_port } => {
                ip == Some(*wanted) && (wanted_port.is_none() || *wanted_port == port)
            }
            Self::Host { host: wanted, port: wanted_port, scope } => {
                (wanted_port.is_none() || *wanted_port == port) && scope.covers(wanted, host)
            }
        }
    }
}

impl Scope {
    fn covers(self, wanted: &str, host: &str) -> bool {
        let is_below = || host.strip_suffix(wanted).is_some_and(|rest| rest.ends_with('.'));
        match self {
            Self::Itself => host == wanted,
            Self::ItselfAndSubdomains => host == wanted || is_below(),
            Self::Subdomains => is_below(),
        }
    }
}

/// `localhost` and loopback addresses never go through a proxy.
pub(crate) fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn parse_entry(text: &str, nonexact: bool) -> Option<Entry> {
    if text.is_empty() {
        return None;
    }
    if text == "*" {
        return nonexact.then_some(Entry::All);
    }
    if let Some((address, bits)) = text.split_once('/') {
        return if nonexact { parse_network(address, bits) } else { None };
    }
    let (host, port) = split_port(text)?;
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    if let Ok(ip) = host.parse() {
        return Some(Entry::Ip { ip, port });
    }
    // Go's rules read `*.foo.com` as `.foo.com`.
    let below = host.strip_prefix("*.").or_else(|| host.strip_prefix('.'));
    if let Some(host) = below {
        let entry = Entry::Host { host: host.to_owned(), port, scope: Scope::Subdomains };
        return (nonexact && !host.is_empty()).then_some(entry);
    }
    if host.is_empty() || host.contains('*') {
        return None;
    }
    // Our choice, for users of the serverless agents: naming the site exempts its intakes.
    let scope = if nonexact || is_site(&host) { Scope::ItselfAndSubdomains } else { Scope::Itself };
    Some(Entry::Host { host, port, scope })
}

/// Splits `host`, `host:port`, `v6`, `[v6]` and `[v6]:port`; `None` if the port is no number.
fn split_port(text: &str) -> Option<(&str, Option<u16>)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, tail) = rest.split_once(']')?;
        return match tail.strip_prefix(':') {
            Some(port) => Some((host, Some(port.parse().ok()?))),
            None => tail.is_empty().then_some((host, None)),
        };
    }
    match text.split_once(':') {
        Some((host, port)) if !port.contains(':') => Some((host, Some(port.parse().ok()?))),
        _ => Some((text, None)),
    }
}

fn parse_network(address: &str, bits: &str) -> Option<Entry> {
    let network: IpAddr = address.parse().ok()?;
    let prefix_bits: u8 = bits.parse().ok()?;
    let width = if network.is_ipv4() { 32 } else { 128 };
    (prefix_bits <= width).then_some(Entry::Network { network, prefix_bits })
}

fn is_in_network(ip: IpAddr, network: IpAddr, prefix_bits: u8) -> bool {
    match (ip.to_canonical(), network) {
        (IpAddr::V4(ip), IpAddr::V4(network)) => {
            let shift = 32 - u32::from(prefix_bits);
            (u32::from(ip) ^ u32::from(network)).checked_shr(shift).unwrap_or(0) == 0
        }
        (IpAddr::V6(ip), IpAddr::V6(network)) => {
            let shift = 128 - u32::from(prefix_bits);
            (u128::from(ip) ^ u128::from(network)).checked_shr(shift).unwrap_or(0) == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_vectors::config_vectors;

    #[test]
    fn no_proxy_vectors() {
        let vectors = config_vectors("no_proxy");
        assert!(vectors.len() >= 28);
        for vector in vectors {
            let input = &vector["in"];
            let list: Vec<String> = serde_json::from_value(input["list"].clone()).unwrap();
            let list = BypassList::parse(&list, input["nonexact"].as_bool().unwrap(), true);
            let port = input["port"].as_u64().map(|port| u16::try_from(port).unwrap());
            let host = input["host"].as_str().unwrap();
            assert_eq!(list.matches(host, port), vector["out"].as_bool().unwrap(), "{vector}");
        }
    }

    #[test]
    fn naming_the_site_exempts_its_intakes() {
        let list = BypassList::parse(&["us5.datadoghq.com".to_owned()], false, true);
        assert!(list.matches("7-82-0-app.agent.us5.datadoghq.com", Some(443)));
        assert!(!list.matches("app.datadoghq.com", Some(443)));
    }

    #[test]
    fn cloud_metadata_goes_through_the_proxy_on_request() {
        assert!(!BypassList::parse(&[], false, false).matches("169.254.169.254", Some(80)));
    }

    #[test]
    fn network_edges() {
        let list = ["10.0.0.0/32", "::/0", "1.2.3.4/33", "x/8"].map(str::to_owned);
        let list = BypassList::parse(&list, true, false);
        assert!(list.matches("10.0.0.0", None));
        assert!(!list.matches("10.0.0.1", None));
        assert!(list.matches("2001:db8::1", None));
        assert!(!list.matches("1.2.3.4", None));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_parsed_without_panic(entry in ".*", host in ".*", nonexact: bool) {
            let list = BypassList::parse(&[entry], nonexact, true);
            let _matched = list.matches(&host, Some(1));
        }
    }
}
