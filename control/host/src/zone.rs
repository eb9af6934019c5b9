//! Abbreviation of the local time zone.

/// Abbreviation of standard time in a compiled zone file (`/etc/localtime`): the start of the POSIX
/// rule in its last line. `UTC` when there is none. Summer time is not looked at.
pub(crate) fn abbreviation(zone: &[u8]) -> String {
    from_footer(zone).unwrap_or("UTC").to_owned()
}

fn from_footer(zone: &[u8]) -> Option<&str> {
    let body = zone.strip_prefix(b"TZif")?.strip_suffix(b"\n")?;
    let start = body.iter().rposition(|&byte| byte == b'\n')? + 1;
    let rule = std::str::from_utf8(body.get(start..)?).ok()?;
    // `CET-1CEST,M3.5.0,M10.5.0/3`, or `<-03>3` for zones without a name.
    let name = match rule.strip_prefix('<') {
        Some(quoted) => quoted.split_once('>')?.0,
        None => rule.split(|c: char| !c.is_ascii_alphabetic()).next()?,
    };
    (3..=10).contains(&name.len()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_in_the_footer_names_the_zone() {
        for (footer, expected) in [
            ("UTC0", "UTC"),
            ("CET-1CEST,M3.5.0,M10.5.0/3", "CET"),
            ("<-03>3", "-03"),
            ("", "UTC"),
            ("<broken", "UTC"),
        ] {
            let zone = format!("TZif2\0\0data\0\n{footer}\n");
            assert_eq!(abbreviation(zone.as_bytes()), expected, "{footer}");
        }
        assert_eq!(abbreviation(b""), "UTC");
        assert_eq!(abbreviation(b"TZif\n"), "UTC");
        assert_eq!(abbreviation(&[0xff; 50]), "UTC");
    }
}
