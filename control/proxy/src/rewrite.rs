//! Heads on their way to an intake and back. spec: proxies §2.2, §3.

use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, EXPECT, HOST, HeaderName, HeaderValue, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE, VIA,
};
use http::uri::{Authority, PathAndQuery};
use http::{HeaderMap, Method, Request, Uri};
use ring::rand::{SecureRandom as _, SystemRandom};
use server::{ExchangeHead, Peer};

use crate::body::RequestBody;
use crate::evp::{EVP_HEADERS, EvpDestination, Invalid, evp_destination};
use crate::kind::{KeyHeader, TagsIn};
use crate::tags::{header_value, host_tags, join, parameter, tagged_query};
use crate::{Kind, Settings, Target};

const API_KEY: HeaderName = HeaderName::from_static("dd-api-key");
const APP_KEY: HeaderName = HeaderName::from_static("dd-application-key");
const NEEDS_APP_KEY: HeaderName = HeaderName::from_static("x-datadog-needsappkey");
const REQUEST_ID: HeaderName = HeaderName::from_static("dd-request-id");
const EVP_ORIGIN: HeaderName = HeaderName::from_static("dd-evp-origin");
const ADDITIONAL_TAGS: HeaderName = HeaderName::from_static("x-datadog-additional-tags");
const CONTAINER_TAGS: HeaderName = HeaderName::from_static("x-datadog-container-tags");
const CONTAINER_ID: HeaderName = HeaderName::from_static("datadog-container-id");
const HOSTNAME: HeaderName = HeaderName::from_static("x-datadog-hostname");
const DEFAULT_ENV: HeaderName = HeaderName::from_static("x-datadog-agentdefaultenv");
const TIMEOUT: HeaderName = HeaderName::from_static("x-datadog-timeout");
const ERROR_TRACKING: HeaderName = HeaderName::from_static("x-datadog-error-tracking-standalone");
const AGENT_HOSTNAME: HeaderName = HeaderName::from_static("dd-agent-hostname");
const AGENT_ENV: HeaderName = HeaderName::from_static("dd-agent-env");
const INSTALL: [HeaderName; 3] = [
    HeaderName::from_static("dd-agent-install-id"),
    HeaderName::from_static("dd-agent-install-type"),
    HeaderName::from_static("dd-agent-install-time"),
];
const CLOUD: [HeaderName; 3] = [
    HeaderName::from_static("dd-cloud-provider"),
    HeaderName::from_static("dd-cloud-resource-type"),
    HeaderName::from_static("dd-cloud-resource-identifier"),
];
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_AUTHENTICATE: HeaderName = HeaderName::from_static("proxy-authenticate");
const PROXY_AUTHORIZATION: HeaderName = HeaderName::from_static("proxy-authorization");
const TELEMETRY_PREFIX: &str = "/telemetry/proxy";

/// A head that is the same for every target but for the key and the host.
#[derive(Debug)]
pub(crate) struct Rewritten {
    method: Method,
    headers: HeaderMap,
    key: KeyHeader,
    needs_app_key: bool,
    to: To,
}

/// Where below a target.
#[derive(Debug)]
enum To {
    /// As configured.
    Configured,
    /// The configured path, with this query in place of its own.
    Query(Option<String>),
    /// Another path.
    Path(PathAndQuery),
    /// Another path of a host below the configured one.
    Evp(EvpDestination),
}

/// What of a request is needed to rewrite it.
#[derive(Debug)]
pub(crate) struct Rewriter<'s> {
    pub(crate) kind: Kind,
    pub(crate) settings: &'s Settings,
    /// Seconds that the intake is told it has.
    pub(crate) deadline_secs: u64,
}

impl Rewriter<'_> {
    /// Rewrites a head.
    pub(crate) fn rewrite(&self, head: &ExchangeHead) -> Result<Rewritten, Invalid> {
        let rules = self.kind.rules();
        let query = head.uri.query();
        let to = if self.kind == Kind::Evp {
            To::Evp(evp_destination(&head.headers, head.uri.path(), query)?)
        } else if self.kind == Kind::Telemetry {
            To::Path(telemetry_path(&head.uri)?)
        } else if rules.tags == TagsIn::Query {
            To::Query(Some(tagged_query(query.unwrap_or_default(), &self.merged_tags(head))))
        } else if rules.keeps_query {
            To::Query(query.map(str::to_owned))
        } else {
            To::Configured
        };
        let is_true = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"true");
        let needs_app_key =
            self.kind == Kind::Evp && head.headers.get(NEEDS_APP_KEY).is_some_and(is_true);
        let headers =
            if self.kind == Kind::Evp { self.evp_headers(head) } else { self.headers(head) };
        Ok(Rewritten { method: head.method.clone(), headers, key: rules.key, needs_app_key, to })
    }

    /// The client's headers, with ours.
    fn headers(&self, head: &ExchangeHead) -> HeaderMap {
        let rules = self.kind.rules();
        let settings = self.settings;
        // The client's own keys never leave.
        let is_ours = |name: &HeaderName| {
            [AUTHORIZATION, API_KEY].contains(name)
                || rules.has_via && *name == CONTAINER_TAGS
                || !rules.tells_client && *name == FORWARDED_FOR
        };
        let mut headers = without_hops(&head.headers, is_ours);
        if rules.tells_client {
            add_client(&mut headers, head.peer);
        }
        if rules.has_via {
            headers.insert(VIA, self.via());
            set_tags(&mut headers, CONTAINER_TAGS, &head.origin.container_tags);
        }
        if rules.has_request_id {
            set(&mut headers, REQUEST_ID, &request_id());
        }
        if let Some(origin) = rules.evp_origin {
            headers.insert(EVP_ORIGIN, HeaderValue::from_static(origin));
        }
        match rules.tags {
            TagsIn::Header { with_orchestrator } => {
                let tags = host_tags(settings, with_orchestrator);
                set_tags(&mut headers, ADDITIONAL_TAGS, &tags);
            }
            TagsIn::MergedHeader => {
                set_tags(&mut headers, ADDITIONAL_TAGS, &self.merged_tags(head));
            }
            TagsIn::Query | TagsIn::Nowhere => {}
        }
        if self.kind == Kind::Telemetry {
            self.add_telemetry(&mut headers, head);
        }
        headers
    }

    /// Tags of the host, the container and the client.
    fn merged_tags(&self, head: &ExchangeHead) -> String {
        let client = head.headers.get(ADDITIONAL_TAGS).map(HeaderValue::as_bytes);
        let client = String::from_utf8_lossy(client.unwrap_or_default());
        let query = parameter(head.uri.query().unwrap_or_default(), "ddtags");
        let host = host_tags(self.settings, true);
        join(&[&host, &head.origin.container_tags, &client, &query])
    }

    /// The headers that the event platform gets, and no other.
    fn evp_headers(&self, head: &ExchangeHead) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(VIA, self.via());
        for name in EVP_HEADERS {
            let Ok(name) = HeaderName::try_from(name) else { continue };
            if let Some(value) = head.headers.get(&name).filter(|value| !value.is_empty()) {
                headers.insert(name, value.clone());
            }
        }
        set(&mut headers, CONTAINER_ID, &head.origin.container_id);
        set_tags(&mut headers, CONTAINER_TAGS, &head.origin.container_tags);
        set(&mut headers, HOSTNAME, &self.settings.hostname);
        set(&mut headers, DEFAULT_ENV, &self.settings.default_env);
        set(&mut headers, TIMEOUT, &self.deadline_secs.to_string());
        if self.settings.is_error_tracking_standalone {
            headers.insert(ERROR_TRACKING, HeaderValue::from_static("true"));
        }
        headers
    }

    fn add_telemetry(&self, headers: &mut HeaderMap, head: &ExchangeHead) {
        set(headers, AGENT_HOSTNAME, &self.settings.hostname);
        set(headers, AGENT_ENV, &self.settings.default_env);
        set(headers, CONTAINER_ID, &head.origin.container_id);
        if let Some((id, kind, time)) = &self.settings.install {
            for (name, text) in INSTALL.into_iter().zip([id, kind, time]) {
                set(headers, name, text);
            }
        }
        if let Some(cloud) = self.cloud(&head.origin.container_tags) {
            for (name, text) in CLOUD.into_iter().zip(cloud) {
                set(headers, name, &text);
            }
        }
    }

    /// Provider, type and id of the platform.
    fn cloud(&self, container_tags: &str) -> Option<[String; 3]> {
        let task = container_tags.split(',').find_map(|tag| {
            let (key, value) = tag.split_once(':')?;
            (key == "task_arn").then_some(value)
        });
        if let Some(arn) = task {
            return Some(["AWS", "AWSFargate", arn].map(str::to_owned));
        }
        let tag = |name: &str| {
            let tags = self.settings.global_tags.iter();
            tags.filter_map(|tag| tag.split_once(':'))
                .find_map(|(key, value)| (key == name).then_some(value))
        };
        let (provider, resource, id) = match tag("origin")? {
            "cloudrun" => ("GCP", "GCPCloudRun", "service_name"),
            "cloudfunction" => ("GCP", "GCPCloudFunctions", "service_name"),
            "appservice" => ("Azure", "AzureAppService", "app_name"),
            "containerapp" => ("Azure", "AzureContainerApp", "app_name"),
            _ => return None,
        };
        Some([provider, resource, tag(id)?].map(str::to_owned))
    }

    fn via(&self) -> HeaderValue {
        HeaderValue::from_str(&format!("trace-agent {}", self.settings.agent_version))
            .unwrap_or(HeaderValue::from_static("trace-agent"))
    }
}

impl Rewritten {
    /// Leaves the length of the body to be told anew.
    pub(crate) fn forget_length(&mut self) {
        self.headers.remove(CONTENT_LENGTH);
    }

    /// The request for a target; none when that is no URL, or needs a key that there is not.
    pub(crate) fn request(
        &self,
        target: &Target,
        body: RequestBody,
    ) -> Option<Request<RequestBody>> {
        let mut request = Request::new(body);
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri(target)?;
        let headers = request.headers_mut();
        headers.clone_from(&self.headers);
        match self.key {
            KeyHeader::ApiKey => {
                headers.insert(API_KEY, target.key.clone());
            }
            KeyHeader::Bearer => {
                let mut bearer = b"Bearer ".to_vec();
                bearer.extend_from_slice(target.key.as_bytes());
                let mut bearer = HeaderValue::from_bytes(&bearer).ok()?;
                bearer.set_sensitive(true);
                headers.insert(AUTHORIZATION, bearer);
            }
        }
        if self.needs_app_key {
            // Without one the request is passed on as newer agents do, which ignore the wish.
            if let Some(key) = &target.app_key {
                headers.insert(APP_KEY, key.clone());
            }
        }
        Some(request)
    }

    fn uri(&self, target: &Target) -> Option<Uri> {
        let (authority, path): (Authority, PathAndQuery) = match &self.to {
            To::Configured => (target.authority.clone(), target.path.clone()),
            To::Query(query) => {
                let path = target.path.path();
                let path = match query {
                    Some(query) => PathAndQuery::try_from(format!("{path}?{query}")).ok()?,
                    None => PathAndQuery::try_from(path).ok()?,
                };
                (target.authority.clone(), path)
            }
            To::Path(path) => (target.authority.clone(), path.clone()),
            To::Evp(destination) => {
                (destination.host(&target.authority)?, destination.path.clone())
            }
        };
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(target.scheme.clone());
        parts.authority = Some(authority);
        parts.path_and_query = Some(path);
        Uri::from_parts(parts).ok()
    }
}

/// Path and query behind the prefix.
fn telemetry_path(uri: &Uri) -> Result<PathAndQuery, Invalid> {
    let whole = uri.path_and_query().map_or("", PathAndQuery::as_str);
    let rest = whole.strip_prefix(TELEMETRY_PREFIX).filter(|rest| rest.starts_with('/'));
    rest.and_then(|rest| PathAndQuery::try_from(rest).ok()).ok_or(Invalid::Path)
}

/// Headers without those that concern one connection alone, without what is said anew, and without
/// those that are dropped. They keep their order.
pub(crate) fn without_hops(
    headers: &HeaderMap,
    is_dropped: impl Fn(&HeaderName) -> bool,
) -> HeaderMap {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| HeaderName::try_from(name.trim()).ok())
        .collect();
    let is_trailers = |value: &HeaderValue| {
        value.to_str().is_ok_and(|text| {
            text.split(',').any(|coding| coding.trim().eq_ignore_ascii_case("trailers"))
        })
    };
    let mut kept = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let is_hop =
            matches!(*name, CONNECTION | TRAILER | TRANSFER_ENCODING | UPGRADE | HOST | EXPECT)
                || [PROXY_CONNECTION, KEEP_ALIVE, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION]
                    .contains(name);
        if *name == TE {
            if is_trailers(value) {
                kept.insert(TE, HeaderValue::from_static("trailers"));
            }
        } else if !is_hop && !named.contains(name) && !is_dropped(name) {
            kept.append(name.clone(), value.clone());
        }
    }
    kept
}

/// Adds the address of the client to `X-Forwarded-For`.
fn add_client(headers: &mut HeaderMap, peer: Peer) {
    let Peer::Tcp(address) = peer else { return };
    let mut hops: Vec<u8> = Vec::new();
    for hop in headers.get_all(FORWARDED_FOR) {
        hops.extend_from_slice(hop.as_bytes());
        hops.extend_from_slice(b", ");
    }
    hops.extend_from_slice(address.ip().to_canonical().to_string().as_bytes());
    if let Ok(value) = HeaderValue::from_bytes(&hops) {
        headers.insert(FORWARDED_FOR, value);
    }
}

/// Sets a header to a text that is not empty.
fn set(headers: &mut HeaderMap, name: HeaderName, text: &str) {
    if let Ok(value) = HeaderValue::from_str(text)
        && !text.is_empty()
    {
        headers.insert(name, value);
    }
}

/// Sets a header to tags, where there are any.
fn set_tags(headers: &mut HeaderMap, name: HeaderName, tags: &str) {
    if let Some(value) = header_value(tags).filter(|value| !value.is_empty()) {
        headers.insert(name, value);
    }
}

/// A random UUID of version 4; empty when the system has no randomness.
fn request_id() -> String {
    let mut bytes = [0; 16];
    if SystemRandom::new().fill(&mut bytes).is_err() {
        return String::new();
    }
    let random = u128::from_be_bytes(bytes);
    let id = random & !(0xf << 76) & !(0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    let hex = format!("{id:032x}");
    let part = |range| hex.get(range).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0..8), part(8..12), part(12..16), part(16..20), part(20..32))
}

#[cfg(test)]
mod tests;
