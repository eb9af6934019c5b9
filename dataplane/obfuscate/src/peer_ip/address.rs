//! Where an address ends. spec: apm-obfuscation §10.

use std::net::Ipv6Addr;

/// Splits `host:port` or `[host]:port`. `None` without a port, or when it is unclear which colon
/// begins it.
pub(super) fn split_port(text: &str) -> Option<(&str, &str)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(bracketed) => bracketed.split_once("]:")?,
        None => text.split_once(':')?,
    };
    let is_clear = !port.contains([':', '[', ']']) && !host.contains(['[', ']']);
    is_clear.then_some((host, port))
}

/// Length of the address that a host begins with; an IPv6 address is the whole host.
pub(super) fn address_end(host: &str) -> Option<usize> {
    let is_number = |byte: &u8| byte.is_ascii_hexdigit() || *byte == b':';
    host.as_bytes().first().filter(|byte| is_number(byte))?;
    match host.bytes().find(|byte| matches!(byte, b'.' | b'_' | b'-' | b':' | b'%'))? {
        b':' => is_ipv6(host).then_some(host.len()),
        b'%' => None,
        separator => ipv4_end(host.as_bytes(), separator),
    }
}

fn is_ipv6(host: &str) -> bool {
    let (address, zone) = host.split_once('%').unwrap_or((host, "zone"));
    !zone.is_empty() && address.parse::<Ipv6Addr>().is_ok()
}

/// End of four numbers up to 255 without leading zeros. What follows the last one is no digit.
fn ipv4_end(host: &[u8], separator: u8) -> Option<usize> {
    let mut end = 0;
    for place in 0..4 {
        if place > 0 {
            host.get(end).filter(|byte| **byte == separator)?;
            end += 1;
        }
        let digits = host.get(end..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let number = str::from_utf8(host.get(end..end + digits)?).ok()?;
        let has_leading_zero = digits > 1 && number.starts_with('0');
        // Parsing refuses no digits and numbers above 255.
        number.parse::<u8>().ok().filter(|_| !has_leading_zero)?;
        end += digits;
    }
    Some(end)
}
