//! What holds for any input of any obfuscator; for properties and fuzzing.

use std::sync::LazyLock;

use crate::http_url::UrlOptions;
use crate::{Change, CommandScrubber, JsonBody};
use crate::{cards, http_url, memcached, normalize, peer_ip, redis};

static SCRUBBER: LazyLock<CommandScrubber> = LazyLock::new(CommandScrubber::new);

/// Runs every obfuscator and normalisation over the bytes. Nothing panics, outputs are only
/// appended to, unchanged values leave them alone, and what is normal stays so.
///
/// # Panics
/// One of these is not so.
pub fn check_obfuscators(bytes: &[u8]) {
    check_normalize(bytes);
    let text = String::from_utf8_lossy(bytes);
    let text = text.as_ref();
    run(text, redis::quantize);
    run(text, redis::obfuscate);
    run(text, redis::remove_all_arguments);
    for is_set in [false, true] {
        run(text, |text, out| memcached::obfuscate(text, is_set, out));
        let is_unchecked_card = cards::is_card(text, false);
        assert!(!cards::is_card(text, is_set) || is_unchecked_card, "Luhn only refuses");
        for remove_path_digits in [false, true] {
            let options = UrlOptions { remove_query_string: is_set, remove_path_digits };
            let url = run(text, |text, out| http_url::obfuscate(text, options, out));
            let again =
                run(&url, |text, out| http_url::obfuscate(text, UrlOptions::default(), out));
            // An escaped slash may become one that begins an authority.
            let has_escaped_slash = text.contains("%2F") || text.contains("%2f");
            assert!(
                url == again || has_escaped_slash,
                "an obfuscated URL can be parsed, and has no user"
            );
        }
    }
    let once = run(text, peer_ip::quantize);
    assert_eq!(run(&once, peer_ip::quantize), once, "quantised peers stay");
    check_json(text);
    run(text, |text, out| SCRUBBER.scrub(text, out));
}

fn check_json(text: &str) {
    let mut statement = |text: &str, out: &mut String| {
        out.push_str(text);
        text.len().is_multiple_of(2)
    };
    let mut body = JsonBody::new(["k", "keep"], ["q", "sql"]);
    run(text, |text, out| body.obfuscate(text, &mut statement, out));
}

fn check_normalize(bytes: &[u8]) {
    type Normalization = fn(&[u8], &mut String) -> Change;
    let all: [Normalization; 5] = [
        normalize::tag,
        normalize::tag_value,
        |value, out| normalize::name(value, out).change,
        |value, out| normalize::service(value, "go", out).change,
        |value, out| normalize::peer_service(value, out).change,
    ];
    for normalization in all {
        let once = run_bytes(bytes, normalization);
        assert_eq!(run_bytes(once.as_bytes(), normalization), once, "what is normal stays so");
        assert!(once.chars().count() <= normalize::TAG_CHARS_MAX, "the length is bounded");
    }
    for bytes_max in 0..bytes.len().min(64) {
        assert!(normalize::cut_bytes(bytes, bytes_max).len() <= bytes_max, "a cut is short enough");
    }
}

fn run(value: &str, obfuscation: impl FnOnce(&str, &mut String) -> Change) -> String {
    run_bytes(value.as_bytes(), |_, out| obfuscation(value, out))
}

/// The result of an obfuscation that writes after something else.
fn run_bytes(value: &[u8], obfuscation: impl FnOnce(&[u8], &mut String) -> Change) -> String {
    const BEFORE: &str = "before_";
    let mut out = BEFORE.to_owned();
    let change = obfuscation(value, &mut out);
    let written = out.strip_prefix(BEFORE);
    assert!(written.is_some(), "the output is appended to");
    let written = written.unwrap_or_default();
    match change {
        Change::Unchanged => {
            assert!(written.is_empty(), "an unchanged value leaves the output alone");
            let text = str::from_utf8(value);
            assert!(text.is_ok(), "an unchanged value is UTF-8");
            text.unwrap_or_default().to_owned()
        }
        Change::Written => {
            assert_ne!(written.as_bytes(), value, "a written value is another one");
            written.to_owned()
        }
    }
}
