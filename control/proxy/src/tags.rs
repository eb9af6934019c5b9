//! Texts of tags, and queries that carry them. spec: proxies §2.3, §2.4, §3.2.

use std::collections::BTreeMap;

use http::HeaderValue;

use crate::Settings;

/// Longest `ddtags` in bytes. spec: proxies §3.2.
const TAGS_BYTES_MAX: usize = 4001;

/// Tags of this host, with commas between.
pub(crate) fn host_tags(settings: &Settings, with_orchestrator: bool) -> String {
    let mut tags = format!(
        "host:{},default_env:{},agent_version:{}",
        settings.hostname, settings.default_env, settings.agent_version
    );
    if with_orchestrator && let Some(orchestrator) = &settings.orchestrator {
        tags.push_str(",orchestrator:");
        tags.push_str(orchestrator);
    }
    tags
}

/// Tags as a header value: line ends become underscores.
pub(crate) fn header_value(tags: &str) -> Option<HeaderValue> {
    let line = tags.replace("\r\n", "_").replace(['\r', '\n'], "_");
    HeaderValue::from_bytes(line.as_bytes()).ok()
}

/// Texts that are not empty, with commas between.
pub(crate) fn join(parts: &[&str]) -> String {
    let parts: Vec<&str> = parts.iter().copied().filter(|part| !part.is_empty()).collect();
    parts.join(",")
}

/// The query with the parameter `ddtags` set to `tags`, which are cut.
pub(crate) fn tagged_query(query: &str, tags: &str) -> String {
    let mut values = parse(query);
    let tags = tags.get(..tags.floor_char_boundary(TAGS_BYTES_MAX)).unwrap_or(tags);
    values.insert(b"ddtags".to_vec(), vec![tags.as_bytes().to_vec()]);
    let mut encoded = String::new();
    for (name, values) in &values {
        for value in values {
            if !encoded.is_empty() {
                encoded.push('&');
            }
            encode(name, &mut encoded);
            encoded.push('=');
            encode(value, &mut encoded);
        }
    }
    encoded
}

/// The first value of a parameter.
pub(crate) fn parameter(query: &str, name: &str) -> String {
    let values = parse(query);
    let first = values.get(name.as_bytes()).and_then(|values| values.first());
    first.map_or_else(String::new, |value| String::from_utf8_lossy(value).into_owned())
}

/// Undoes form encoding: `+` is a space, `%XX` a byte; none when a `%` leads nowhere.
pub(crate) fn form_decode(text: &str) -> Option<Vec<u8>> {
    decode(text, true)
}

/// Undoes percent-encoding; none when a `%` leads nowhere.
pub(crate) fn percent_decode(text: &str) -> Option<Vec<u8>> {
    decode(text, false)
}

fn decode(text: &str, is_form: bool) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' if is_form => b' ',
            b'%' => hex(bytes.next()?)? << 4 | hex(bytes.next()?)?,
            byte => byte,
        });
    }
    Some(decoded)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// Parameters by name, in the order of their bytes. Those that do not decode are left out, as are
/// those with a semicolon, which some readers take for a separator.
fn parse(query: &str) -> BTreeMap<Vec<u8>, Vec<Vec<u8>>> {
    let mut values = BTreeMap::<_, Vec<_>>::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty() && !pair.contains(';')) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if let (Some(name), Some(value)) = (form_decode(name), form_decode(value)) {
            values.entry(name).or_default().push(value);
        }
    }
    values
}

fn encode(bytes: &[u8], encoded: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for &byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(char::from(byte));
            }
            b' ' => encoded.push('+'),
            _ => {
                encoded.push('%');
                for digit in [byte >> 4, byte & 15] {
                    encoded.push(char::from(DIGITS[usize::from(digit)]));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOST: &str = "host:myhost,default_env:test,agent_version:v1";

    #[test]
    fn tags_of_queries() {
        let wire = "ddtags=host%3Amyhost%2Cdefault_env%3Atest%2Cagent_version%3Av1";
        assert_eq!(tagged_query("", HOST), wire);
        assert_eq!(tagged_query("ddtags=a:b", HOST), wire, "the old value is gone");
        assert_eq!(parameter("x=1&ddtags=a%3Ab", "ddtags"), "a:b");
        assert_eq!(
            tagged_query("", "host:my host,k:a+b&c=d#é"),
            "ddtags=host%3Amy+host%2Ck%3Aa%2Bb%26c%3Dd%23%C3%A9"
        );
        assert_eq!(tagged_query("z=1&b=2&b=1&a=~*", "t"), "a=~%2A&b=2&b=1&ddtags=t&z=1");
        assert_eq!(tagged_query("bad=%zz&a;b=1&ok", "t"), "ddtags=t&ok=");
        let long = join(&[HOST, "", &"x".repeat(10_000)]);
        let value = parameter(&tagged_query("", &long), "ddtags");
        assert_eq!((value.len(), value.matches('x').count()), (4001, 3955));
    }

    #[test]
    fn line_ends_become_underscores() {
        let value = header_value("container:cid,key:\nval,a:\r\nb,c:\rd").unwrap();
        assert_eq!(value, "container:cid,key:_val,a:_b,c:_d");
        assert_eq!(header_value("é").unwrap().as_bytes(), "é".as_bytes());
        assert_eq!(header_value("\0"), None);
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_read_back(
            name in "[^\\x00]{0,8}",
            value in any::<String>(),
            query in "[a-z0-9=&%+;.é]{0,30}",
        ) {
            let mut pair = String::new();
            encode(name.as_bytes(), &mut pair);
            pair.push('=');
            encode(value.as_bytes(), &mut pair);
            prop_assert!(pair.bytes().all(|byte| byte.is_ascii_graphic()));
            if !name.is_empty() || !value.is_empty() {
                prop_assert_eq!(parameter(&pair, &name), value.clone());
            }
            // The same again: nothing is added twice.
            let once = tagged_query(&query, &value);
            prop_assert_eq!(tagged_query(&once, &value), once);
        }
    }
}
