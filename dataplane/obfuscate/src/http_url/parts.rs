//! The parts of a URL. spec: RFC 3986 §3, as Go reads it.

use super::escape::{Part, is_valid};

/// A parsed URL without its user; all parts as they were written, escapes included and sound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Url<'a> {
    pub(super) scheme: Option<&'a str>,
    /// What follows a scheme without a slash: `mailto:a@b`.
    pub(super) opaque: Option<&'a str>,
    /// False for `file:/path`, which is written without `//`.
    pub(super) has_authority: bool,
    /// With its port.
    pub(super) host: &'a str,
    pub(super) path: &'a str,
    /// Without its `?`; `Some` also when there is nothing but the `?`.
    pub(super) query: Option<&'a str>,
    pub(super) fragment: &'a str,
}

impl<'a> Url<'a> {
    /// Parses a URL or a relative reference. `None` when it is neither.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        if text.bytes().any(|byte| byte.is_ascii_control()) {
            return None;
        }
        let (text, fragment) = text.split_once('#').unwrap_or((text, ""));
        let (scheme, rest) = split_scheme(text)?;
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query)),
            None => (rest, None),
        };
        let mut url = Url { scheme, query, fragment, ..Url::default() };
        if !is_valid(fragment, Part::Fragment) {
            return None;
        }
        if !rest.starts_with('/') {
            if scheme.is_some() {
                url.opaque = Some(rest);
                return Some(url);
            }
            if rest.split('/').next().is_some_and(|segment| segment.contains(':')) {
                return None;
            }
        }
        url.path = rest;
        if let Some(authority) = rest.strip_prefix("//")
            && (scheme.is_some() || !authority.starts_with('/'))
        {
            let path = authority.find('/').unwrap_or(authority.len());
            let (authority, path) = authority.split_at_checked(path)?;
            url.host = without_user(authority)?;
            url.path = path;
            url.has_authority = true;
        }
        is_valid(url.path, Part::Path).then_some(url)
    }
}

/// Splits a scheme off. `None` for a colon without anything before it.
fn split_scheme(text: &str) -> Option<(Option<&str>, &str)> {
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if at > 0 => {}
            b':' if at == 0 => return None,
            b':' => {
                let (scheme, rest) = text.split_at_checked(at)?;
                return Some((Some(scheme), rest.strip_prefix(':')?));
            }
            _ => break,
        }
    }
    Some((None, text))
}

/// The host and port of an authority. `None` when host, port or user is malformed.
fn without_user(authority: &str) -> Option<&str> {
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let is_user = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&byte);
    // Escapes of users follow the rules of paths: any byte.
    if !user.bytes().all(is_user) || !is_valid(user, Part::Path) {
        return None;
    }
    is_host(host).then_some(host)
}

fn is_host(host: &str) -> bool {
    if !host.starts_with('[') {
        let has_port = host.rfind(':').and_then(|colon| host.get(colon..)).is_none_or(is_port);
        return has_port && is_valid(host, Part::Host);
    }
    let Some((address, port)) = host.rsplit_once(']') else { return false };
    if !is_port(port) {
        return false;
    }
    match address.find("%25").and_then(|zone| address.split_at_checked(zone)) {
        Some((address, zone)) => is_valid(address, Part::Host) && is_valid(zone, Part::Zone),
        None => is_valid(address, Part::Host),
    }
}

/// Whether this is nothing, or a colon and digits.
fn is_port(port: &str) -> bool {
    port.is_empty()
        || port
            .strip_prefix(':')
            .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
}
