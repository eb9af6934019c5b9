//! The tags that go along with every payload. spec: proxies §5.4.

use std::fmt::Write as _;
use std::fs;

/// Custom tags are added as long as all tags together are shorter than this many bytes, as the
/// agent cuts there.
pub const TAGS_BYTES_MAX: usize = 4001;

/// Tags of a process, percent-encoded: `debugger_version`, `env`, `version`, `runtime_id`, the
/// host name if it is known, and custom tags as long as there is room ([`TAGS_BYTES_MAX`]).
pub fn generate_tags<Tag: AsRef<str>>(
    debugger_version: &str,
    env: &str,
    version: &str,
    runtime_id: &str,
    custom_tags: impl IntoIterator<Item = Tag>,
) -> String {
    let host = host_name();
    tags_with_host(host.as_deref(), [debugger_version, env, version, runtime_id], custom_tags)
}

/// Percent-encodes tags that the caller joined.
#[must_use]
pub fn tags_from_raw(tags: &str) -> String {
    percent_encode(tags)
}

/// Encodes every byte but unreserved ones and `:`, `,`, `/`, so that no tag can break or alter the
/// query it is put into.
#[must_use]
pub fn percent_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(char::from(byte));
            }
            b':' | b',' | b'/' => encoded.push(char::from(byte)),
            // Writing to a string cannot fail.
            _ => drop(write!(encoded, "%{byte:02X}")),
        }
    }
    encoded
}

fn tags_with_host<Tag: AsRef<str>>(
    host: Option<&str>,
    [debugger_version, env, version, runtime_id]: [&str; 4],
    custom_tags: impl IntoIterator<Item = Tag>,
) -> String {
    let mut tags = format!(
        "debugger_version:{debugger_version},env:{env},version:{version},runtime_id:{runtime_id}"
    );
    if let Some(host) = host {
        tags.push_str(",host_name:");
        tags.push_str(host);
    }
    for tag in custom_tags {
        let tag = tag.as_ref();
        if tags.len() + tag.len() >= TAGS_BYTES_MAX {
            break;
        }
        tags.push(',');
        tags.push_str(tag);
    }
    percent_encode(&tags)
}

/// As the kernel knows it, in the process' own namespace.
fn host_name() -> Option<String> {
    let text = fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    let name = text.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tags_stand_in_their_order() {
        let tags = tags_with_host(Some("box"), ["1.2", "prod", "v 1", "rid"], ["a:b", "c/d:e&f"]);
        assert_eq!(
            tags,
            "debugger_version:1.2,env:prod,version:v%201,runtime_id:rid,host_name:box,a:b,c/d:e%26f"
        );
        let bare = tags_with_host(None, ["", "", "", ""], [""; 0]);
        assert_eq!(bare, "debugger_version:,env:,version:,runtime_id:");
    }

    #[test]
    fn nothing_can_break_a_query() {
        assert_eq!(percent_encode("version:v é\n#&+?%"), "version:v%20%C3%A9%0A%23%26%2B%3F%25");
    }

    #[test]
    fn custom_tags_end_before_the_agent_cuts() {
        let long = "x".repeat(1000);
        let tags = tags_with_host(None, ["", "", "", ""], [long.as_str(); 10]);
        assert!(tags.len() <= TAGS_BYTES_MAX, "{}", tags.len());
        assert_eq!(tags.matches(&long).count(), 3);
        let fits =
            "y".repeat(TAGS_BYTES_MAX - 1 - "debugger_version:,env:,version:,runtime_id:".len());
        let tags = tags_with_host(None, ["", "", "", ""], [fits.as_str()]);
        assert_eq!(tags.len(), TAGS_BYTES_MAX);
    }

    #[test]
    fn the_host_is_named() {
        let tags = generate_tags("1", "e", "v", "r", [""; 0]);
        assert!(tags.contains(",host_name:"), "{tags}");
    }

    proptest! {
        #[test]
        fn encoded_tags_are_always_a_query(text in ".*") {
            let target = format!("/x?ddtags={}", percent_encode(&text));
            let uri = target.parse::<http::Uri>().expect("a target");
            prop_assert!(uri.query().is_some_and(|query| !query.contains(['&', '#', '+', ' '])));
        }
    }
}
