//! Addresses of peers, which would make every statistic its own group. spec: apm-obfuscation §10.

mod address;

use std::collections::BTreeSet;

use crate::change::{Change, settle};
use address::{address_end, split_port};

const REPLACEMENT: &str = "blocked-ip-address";
/// Addresses that are the same on every host, and so say something.
const SHOWN: [&str; 5] = ["127.0.0.1", "::1", "169.254.169.254", "fd00:ec2::254", "169.254.170.2"];
const SCHEMES: [&str; 5] = ["dnspoll", "ftp", "file", "http", "https"];
/// Begins the host names of cloud machines: `ip-10-1-2-3.ec2.internal`.
const MACHINE_PREFIX: &str = "ip-";

/// Replaces the IP addresses in a list of peers, separated by commas, by one word; ports, prefixes
/// and suffixes stay. Of equal items only the first one is kept.
pub fn quantize(peers: &str, out: &mut String) -> Change {
    if !may_change(peers.as_bytes()) {
        return Change::Unchanged;
    }
    let start = out.len();
    if !peers.contains(',') {
        out.extend(parts(peers));
        return settle(peers.as_bytes(), out, start);
    }
    let mut seen = BTreeSet::new();
    for item in peers.split(',') {
        let quantized = parts(item).concat();
        if seen.contains(&quantized) {
            continue;
        }
        if !seen.is_empty() {
            out.push(',');
        }
        out.push_str(&quantized);
        seen.insert(quantized);
    }
    settle(peers.as_bytes(), out, start)
}

/// Whether there is a list, or something that every address has. Most names of services have none.
fn may_change(peers: &[u8]) -> bool {
    match peers.first() {
        Some(b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F' | b':' | b'[' | b'i') => {
            peers.iter().any(|byte| matches!(byte, b',' | b'.' | b':' | b'_' | b'-'))
        }
        _ => peers.iter().any(|byte| matches!(byte, b',' | b':')),
    }
}

/// What is written of one item, in pieces.
fn parts(peer: &str) -> [&str; 5] {
    let unchanged = [peer, "", "", "", ""];
    let (prefix, rest) = split_prefix(peer);
    let (host, port) = split_port(rest).unwrap_or((rest, ""));
    let Some((address, suffix)) = address_end(host).and_then(|end| host.split_at_checked(end))
    else {
        return unchanged;
    };
    if SHOWN.contains(&address) {
        return unchanged;
    }
    let colon = if port.is_empty() { "" } else { ":" };
    [prefix, REPLACEMENT, colon, port, suffix]
}

/// Splits off `ip-`, or a scheme with two or three slashes and whatever stands before it. What is
/// before the scheme is no part of the prefix.
fn split_prefix(peer: &str) -> (&str, &str) {
    if let Some(rest) = peer.strip_prefix(MACHINE_PREFIX) {
        return (MACHINE_PREFIX, rest);
    }
    for (colon, _) in peer.match_indices("://") {
        let (before, after) = peer.split_at_checked(colon).unwrap_or((peer, ""));
        let Some(scheme) = SCHEMES.iter().find(|scheme| before.ends_with(**scheme)) else {
            continue;
        };
        let slashes = if after.starts_with(":///") { ":///" } else { "://" };
        let prefix = peer.get(colon - scheme.len()..colon + slashes.len()).unwrap_or_default();
        return (prefix, after.strip_prefix(slashes).unwrap_or_default());
    }
    ("", peer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quantized(peers: &str) -> String {
        let mut out = String::new();
        quantize(peers, &mut out).select(peers, &out).to_owned()
    }

    #[test]
    fn equal_items_are_kept_once() {
        assert_eq!(quantized("b,a,b"), "b,a");
        assert_eq!(quantized(",,a"), ",a");
        assert_eq!(quantized("a,b"), "a,b");
    }

    #[test]
    fn addresses_in_other_notations() {
        assert_eq!(quantized("fe80::1%eth0"), "blocked-ip-address");
        assert_eq!(quantized("::ffff:10.0.0.1"), "blocked-ip-address");
        assert_eq!(quantized("[::1]:80"), "[::1]:80");
        assert_eq!(quantized("jdbc:http://10.0.0.1:80"), "http://blocked-ip-address:80");
        assert_eq!(quantized("1.2.3.4."), "blocked-ip-address.");
        assert_eq!(quantized("01.2.3.4"), "01.2.3.4");
        assert_eq!(quantized("1.2.3.4:"), "blocked-ip-address");
        assert_eq!(quantized("1.2.3.4é"), "blocked-ip-addressé");
    }
}
