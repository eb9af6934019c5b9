//! URLs: credentials out, on request also queries and numbers in paths. spec: apm-obfuscation §5.
//!
//! Parsing and writing follow the generic syntax as Go's standard library reads it, since that is
//! what the intake has always been sent: escapes stay as they were written as long as they are
//! sound, and a reader of another school (WHATWG) would accept and rewrite other URLs.

mod escape;
mod parts;

use crate::change::{Change, settle};
use escape::{Part, has_only_sound_bytes, push_escaped, unescaped_bytes};
use parts::Url;

/// Stands for a URL that cannot be parsed, for a query, and for a segment with digits.
const REPLACEMENT: &str = "?";

/// What is taken out besides user and password.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UrlOptions {
    /// Leaves a bare `?` of the query.
    pub remove_query_string: bool,
    /// Replaces every segment of the path with a digit in it.
    pub remove_path_digits: bool,
}

/// Takes user and password, and what `options` name, out of a URL. One that cannot be parsed stays
/// as it is without options, and is hidden whole with them.
pub fn obfuscate(url: &str, options: UrlOptions, out: &mut String) -> Change {
    if options == UrlOptions::default() && is_plain(url.as_bytes()) {
        return Change::Unchanged;
    }
    let start = out.len();
    match Url::parse(url) {
        Some(parts) => write(&parts, options, out),
        None if options == UrlOptions::default() => return Change::Unchanged,
        None => out.push_str(REPLACEMENT),
    }
    settle(url.as_bytes(), out, start)
}

/// Whether a URL certainly stays as it is without options: an ordinary one without user, fragment
/// and unusual bytes before its query. Most are.
fn is_plain(url: &[u8]) -> bool {
    let Some(rest) = url.strip_prefix(b"http").map(|rest| rest.strip_prefix(b"s").unwrap_or(rest))
    else {
        return false;
    };
    let Some(rest) = rest.strip_prefix(b"://") else { return false };
    // An empty host would be written differently.
    if !rest.first().is_some_and(u8::is_ascii_alphanumeric) {
        return false;
    }
    let mut wanted = PLAIN_PLACE;
    let mut missing = 0;
    for &byte in rest {
        if byte == b'?' {
            wanted = PLAIN_QUERY;
        }
        missing |= !PLAIN[usize::from(byte)] & wanted;
    }
    missing == 0
}

/// A byte that is plain before the query, and one that is in it.
const PLAIN_PLACE: u8 = 1;
const PLAIN_QUERY: u8 = 2;
static PLAIN: [u8; 256] = plain_bytes();

const fn plain_bytes() -> [u8; 256] {
    const MARKS: &[u8] = b"-._~/:,;&=+$";
    let mut classes = [0; 256];
    let mut byte = 0_u8;
    loop {
        if !byte.is_ascii_control() && byte != b'#' {
            classes[byte as usize] |= PLAIN_QUERY;
        }
        if byte.is_ascii_alphanumeric() {
            classes[byte as usize] |= PLAIN_PLACE;
        }
        if byte == u8::MAX {
            break;
        }
        byte += 1;
    }
    let mut at = 0;
    while at < MARKS.len() {
        classes[MARKS[at] as usize] |= PLAIN_PLACE;
        at += 1;
    }
    classes
}

fn write(url: &Url<'_>, options: UrlOptions, out: &mut String) {
    let start = out.len();
    if let Some(scheme) = url.scheme {
        out.push_str(scheme);
        if let Some(written) = out.get_mut(start..) {
            written.make_ascii_lowercase();
        }
        out.push(':');
    }
    if let Some(opaque) = url.opaque {
        out.push_str(opaque);
    } else {
        let is_hosted = !url.host.is_empty();
        if is_hosted || (url.scheme.is_some() && url.has_authority && !url.path.is_empty()) {
            out.push_str("//");
            push_escaped(unescaped_bytes(url.host), Part::Host, out);
        }
        write_path(url.path, start, options.remove_path_digits, out);
    }
    match url.query {
        Some(_) if options.remove_query_string => out.push_str(REPLACEMENT),
        Some(query) => {
            out.push('?');
            out.push_str(query);
        }
        None => {}
    }
    if !url.fragment.is_empty() {
        out.push('#');
        push_sound(url.fragment, Part::Fragment, out);
    }
}

fn write_path(path: &str, url_start: usize, remove_digits: bool, out: &mut String) {
    let start = out.len();
    if !(remove_digits && write_path_without_digits(path, out)) {
        push_sound(path, Part::Path, out);
    }
    // A colon in the first segment of a URL without scheme would make a scheme of it.
    let first = out.get(start..).and_then(|path| path.split('/').next());
    if start == url_start && first.is_some_and(|segment| segment.contains(':')) {
        out.insert_str(start, "./");
    }
}

/// Writes the path when a segment has to be replaced, else nothing. Segments are those of the
/// unescaped path, so that neither `%2F` nor the digits of an escape deceive.
fn write_path_without_digits(path: &str, out: &mut String) -> bool {
    let start = out.len();
    let mut segment_start = start;
    let mut has_digit = false;
    let mut is_replaced = false;
    for byte in unescaped_bytes(path).map(Some).chain([None]) {
        let is_end = byte.is_none_or(|byte| byte == b'/');
        if is_end && has_digit {
            out.truncate(segment_start);
            out.push_str(REPLACEMENT);
            is_replaced = true;
            has_digit = false;
        }
        let Some(byte) = byte else { break };
        has_digit |= byte.is_ascii_digit();
        push_escaped([byte], Part::Path, out);
        if is_end {
            segment_start = out.len();
        }
    }
    if !is_replaced {
        out.truncate(start);
    }
    is_replaced
}

/// Writes text as it is, or escaped anew when it holds bytes that should have been escaped.
fn push_sound(text: &str, part: Part, out: &mut String) {
    if has_only_sound_bytes(text, part) {
        out.push_str(text);
    } else {
        push_escaped(unescaped_bytes(text), part, out);
    }
}

#[cfg(test)]
mod tests;
