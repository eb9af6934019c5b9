//! What holds for the head of any request: for properties and for fuzzing.

use std::time::Duration;

use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Uri};
use server::{ExchangeHead, Origin, Peer, Proxy};

use crate::body::RequestBody;
use crate::kind::KeyHeader;
use crate::rewrite::Rewriter;
use crate::{Kind, Settings, Target};

/// Key of the configuration. No input holds it, as each is cut where it would begin.
const OURS: &str = "0f1e2d3c4b5a";
/// Headers that concern one connection alone.
const HOPS: [&str; 8] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Rewrites a head for every proxy: a line with path and query, then lines of headers.
///
/// # Panics
/// When a key of the client leaves, when a header of its connection does, or when the request goes
/// to another host than was configured.
#[doc(hidden)]
pub fn check_head_bytes(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let text = text.split(OURS).next().unwrap_or_default();
    let mut lines = text.lines();
    let Some(Ok(uri)) = lines.next().map(str::parse::<Uri>) else { return };
    let mut headers = HeaderMap::new();
    for line in lines {
        let Some((name, value)) = line.split_once(':') else { continue };
        let pair = (HeaderName::try_from(name), HeaderValue::try_from(value.trim()));
        if let (Ok(name), Ok(value)) = pair {
            headers.append(name, value);
        }
    }
    let head = ExchangeHead {
        proxy: Proxy::Evp,
        lane: 0,
        method: Method::POST,
        uri,
        headers,
        peer: Peer::Unix(None),
        origin: Origin::default(),
    };
    for kind in Kind::ALL {
        check_kind(kind, &head);
    }
}

fn check_kind(kind: Kind, head: &ExchangeHead) {
    let settings = settings();
    let rewriter = Rewriter { kind, settings: &settings, deadline_secs: 1 };
    let Ok(rewritten) = rewriter.rewrite(head) else { return };
    let Ok(target) = Target::new("https://intake.example:8443/path?own=1", OURS) else { return };
    let Some(request) = rewritten.request(&target, RequestBody::Whole(None)) else { return };
    let authority = request.uri().authority().map_or("", http::uri::Authority::as_str);
    if kind == Kind::Evp {
        let below = authority.strip_suffix(".intake.example:8443");
        assert!(below.is_some_and(|below| !below.contains(['@', '/', ':'])), "{authority}");
    } else {
        assert_eq!(authority, "intake.example:8443");
    }
    for hop in HOPS {
        assert!(!request.headers().contains_key(hop), "{hop}");
    }
    let of = |name: &str| -> Vec<HeaderValue> {
        request.headers().get_all(name).iter().cloned().collect()
    };
    let (keys, bearers) = match kind.rules().key {
        KeyHeader::ApiKey => (vec![OURS.to_owned()], Vec::new()),
        KeyHeader::Bearer => (Vec::new(), vec![format!("Bearer {OURS}")]),
    };
    assert_eq!(of("dd-api-key"), keys);
    assert_eq!(of(AUTHORIZATION.as_str()), bearers);
}

fn settings() -> Settings {
    Settings {
        routes: Vec::new(),
        agent_version: "7.82.0".to_owned(),
        hostname: "host".to_owned(),
        default_env: "none".to_owned(),
        orchestrator: None,
        is_error_tracking_standalone: false,
        install: None,
        global_tags: Vec::new(),
        tailed_files: Vec::new(),
        receiver_timeout: Duration::ZERO,
        exchange_time_max: Duration::ZERO,
    }
}
