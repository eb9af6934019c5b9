//! What a tracer hands over may be anything: checks for fuzzing.

use bytes::Bytes;
use http::HeaderValue;

use crate::body::{Framing, elements};
use crate::endpoint::{Endpoint, debugger_intake_endpoint, derive_track};
use crate::payload::debugger_type_of_json;
use crate::tags::{TAGS_BYTES_MAX, generate_tags, percent_encode, tags_from_raw};
use crate::track::{DebuggerType, Track};
use crate::url::{Url, socket_of_authority};

/// Reads any bytes as everything that comes from a tracer: the URL and the site of an endpoint, the
/// path of a file, tags, a payload. Nothing panics; a URL that is taken leads where it says and
/// keeps no user information; tags cannot leave their query; a payload stays inside its frame.
pub fn check_sender_bytes(bytes: &[u8]) {
    check_payload(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    check_url(text);
    check_url(&format!("file://{text}"));
    check_url(&format!("unix:///{text}"));
    if let Ok(endpoint) = debugger_intake_endpoint(text, "zqkey") {
        assert!(matches!(endpoint.url, Url::Web { .. }), "a site is a host");
        check_endpoint(endpoint);
    }
    check_tags(text);
}

fn check_url(text: &str) {
    let Ok(url) = text.parse::<Url>() else { return };
    if let Url::Web { authority, .. } = &url {
        assert!(!authority.as_str().contains('@'), "user information is refused");
    }
    if let Url::File(path) = &url {
        assert!(path.is_absolute(), "a file has one place");
    }
    check_endpoint(Endpoint::new(url.clone(), None));
    check_endpoint(Endpoint::new(url, Some("zqkey")));
}

fn check_endpoint(endpoint: Endpoint) {
    for track in [Track::Diagnostics, Track::Snapshots, Track::Logs, Track::SymDb] {
        let derived = derive_track(endpoint.clone(), track);
        let is_sent_to = matches!(derived.url, Url::Web { .. } | Url::Unix { .. });
        let Some(uri) = derived.url.request_uri(Some("ddtags=a:b")) else {
            // A path of a socket may be too long for an authority.
            assert!(!matches!(derived.url, Url::Web { .. }), "a web address can be asked");
            continue;
        };
        assert!(is_sent_to, "nothing else is an address");
        assert_eq!(uri.query(), Some("ddtags=a:b"), "the query is ours alone");
        assert_eq!(uri.path(), derived.url.path(), "the path is that of the track");
        if let Url::Unix { socket, .. } = &derived.url {
            let authority = uri.authority().map_or("", http::uri::Authority::as_str);
            assert_eq!(socket_of_authority(authority).as_ref(), Some(socket), "the same socket");
        }
        assert!(!format!("{derived:?}").contains("zqkey"), "keys are not shown");
    }
}

fn check_tags(text: &str) {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~:,/%".contains(&byte);
    let encoded = percent_encode(text);
    assert!(encoded.bytes().all(is_plain), "nothing ends or alters a query");
    assert_eq!(tags_from_raw(text), encoded);
    let parts: Vec<&str> = text.splitn(5, ',').collect();
    let part = |index: usize| parts.get(index).copied().unwrap_or_default();
    let custom = part(4).split(',');
    let generated = generate_tags(part(0), part(1), part(2), part(3), custom);
    assert!(generated.bytes().all(is_plain), "nothing ends or alters a query");
    assert!(HeaderValue::from_str(&generated).is_ok(), "and a header can hold it");
    // Percent-encoding makes three bytes of one at most; the named tags have no limit.
    let named: usize = (0..4).map(|index| part(index).len()).sum();
    assert!(generated.len() <= 3 * (TAGS_BYTES_MAX + named + 400), "custom tags are bounded");
}

fn check_payload(bytes: &[u8]) {
    let payload = Bytes::copy_from_slice(bytes);
    let kind = debugger_type_of_json(bytes).unwrap_or(DebuggerType::Logs);
    let Some(inner) = elements(&payload) else { return };
    assert!(inner.len() <= bytes.len() && inner.trim_ascii().len() == inner.len());
    // Two of them make one array, whose elements are those of both, if they are JSON at all.
    let array: Result<Vec<serde_json::Value>, _> =
        serde_json::from_slice(&[b"[", &inner[..], b"]"].concat());
    let Ok(alone) = array else { return };
    if inner.is_empty() {
        return;
    }
    let framing = Framing::of(kind);
    let framed = [framing.opening, &inner[..], b",", &inner[..], framing.closing].concat();
    let opens = framing.opening.len() - 1;
    let closes = framed.len() + 1 - framing.closing.len();
    let both: Vec<serde_json::Value> = framed
        .get(opens..closes)
        .and_then(|array| serde_json::from_slice(array).ok())
        .expect("two payloads in one frame are an array");
    assert_eq!(both.len(), 2 * alone.len(), "no element is lost or made");
}
