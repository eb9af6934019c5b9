//! What the event platform is asked for, validated. spec: proxies §3.4.

use http::HeaderMap;
use http::uri::{Authority, PathAndQuery};

use crate::tags::{form_decode, percent_decode};

/// Why a request is not passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invalid {
    /// No subdomain is named.
    NoSubdomain,
    /// The subdomain has characters that a name has not.
    Subdomain,
    /// The path has characters that are not allowed.
    Path,
    /// The query has characters that are not allowed, or does not decode.
    Query,
}

/// Where a request goes, beside the site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvpDestination {
    /// What stands before the site.
    pub subdomain: String,
    /// Path and query.
    pub path: PathAndQuery,
}

/// Headers of a request that are passed on, in the spelling and order of `/info`.
pub const EVP_HEADERS: [&str; 7] = [
    "Content-Type",
    "Accept-Encoding",
    "Content-Encoding",
    "User-Agent",
    "DD-CI-PROVIDER-NAME",
    "DD-EVP-ORIGIN",
    "DD-EVP-ORIGIN-VERSION",
];

/// Header with the subdomain.
const SUBDOMAIN: &str = "x-datadog-evp-subdomain";
/// Begins paths of which the rest is the intake's.
const PREFIX: &str = "/evp_proxy/v";
/// Length of `/evp_proxy/vN`.
const PREFIX_BYTES: usize = PREFIX.len() + 1;
/// Path of spans of language models, which goes to one place if the client names none.
/// spec: proxies §8
const LLM_SPANS: (&str, &str) = ("/api/v2/llmobs", "llmobs-intake");
/// Where paths without the prefix go, those of evaluations of language models.
const LLM_EVALUATIONS: &str = "api";

/// The subdomain that a client names.
pub(crate) fn subdomain(headers: &HeaderMap) -> Result<&str, Invalid> {
    let subdomain = headers.get(SUBDOMAIN).map_or(&b""[..], |value| value.as_bytes());
    if subdomain.is_empty() {
        return Err(Invalid::NoSubdomain);
    }
    let is_name = |&byte: &u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    let subdomain = std::str::from_utf8(subdomain).map_err(|_| Invalid::Subdomain)?;
    let is_valid = subdomain.as_bytes().iter().all(is_name);
    if is_valid { Ok(subdomain) } else { Err(Invalid::Subdomain) }
}

/// Reads where a request is to go. `path` begins with `/evp_proxy/vN/`, or is that of evaluations.
///
/// # Errors
/// What makes it invalid.
pub fn evp_destination(
    headers: &HeaderMap,
    path: &str,
    query: Option<&str>,
) -> Result<EvpDestination, Invalid> {
    let (subdomain, path) = if path.starts_with(PREFIX) {
        let path = path.get(PREFIX_BYTES..).filter(|path| path.starts_with('/'));
        let path = path.ok_or(Invalid::Path)?;
        let subdomain = match subdomain(headers) {
            Err(Invalid::NoSubdomain) if path == LLM_SPANS.0 => LLM_SPANS.1,
            named => named?,
        };
        (subdomain, path)
    } else {
        (LLM_EVALUATIONS, path)
    };
    let decoded = percent_decode(path).ok_or(Invalid::Path)?;
    let is_path = |&byte: &u8| byte.is_ascii_alphanumeric() || b"/_+-".contains(&byte);
    if !decoded.iter().all(is_path) {
        return Err(Invalid::Path);
    }
    let mut whole = path.to_owned();
    if let Some(query) = query {
        let decoded = form_decode(query).ok_or(Invalid::Query)?;
        let is_query =
            |&byte: &u8| byte.is_ascii_alphanumeric() || b"/_-+@?&=.:\"[]".contains(&byte);
        if !decoded.iter().all(is_query) {
            return Err(Invalid::Query);
        }
        whole.push('?');
        whole.push_str(query);
    }
    let path = PathAndQuery::try_from(whole).map_err(|_| Invalid::Path)?;
    Ok(EvpDestination { subdomain: subdomain.to_owned(), path })
}

impl EvpDestination {
    /// The host of a site; none when the name is no host.
    pub(crate) fn host(&self, site: &Authority) -> Option<Authority> {
        Authority::try_from(format!("{}.{site}", self.subdomain)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn read(subdomain: &str, target: &str) -> Result<String, Invalid> {
        let mut headers = HeaderMap::new();
        headers.insert(SUBDOMAIN, HeaderValue::from_str(subdomain).unwrap());
        let (path, query) = target.split_once('?').map_or((target, None), |(p, q)| (p, Some(q)));
        let destination = evp_destination(&headers, path, query)?;
        let host = destination.host(&Authority::from_static("us3.datadoghq.com")).unwrap();
        Ok(format!("{host}{}", destination.path))
    }

    #[test]
    fn vectors() {
        let sub = "my.subdomain";
        for (subdomain, target, outcome) in [
            (
                sub,
                "/evp_proxy/v2/mypath/mysubpath?arg=test",
                Ok("my.subdomain.us3.datadoghq.com/mypath/mysubpath?arg=test"),
            ),
            (sub, "/evp_proxy/v1/", Ok("my.subdomain.us3.datadoghq.com/")),
            ("", "/evp_proxy/v2/a", Err(Invalid::NoSubdomain)),
            (
                "",
                "/evp_proxy/v4/api/v2/llmobs",
                Ok("llmobs-intake.us3.datadoghq.com/api/v2/llmobs"),
            ),
            (
                sub,
                "/evp_proxy/v2/api/v2/llmobs",
                Ok("my.subdomain.us3.datadoghq.com/api/v2/llmobs"),
            ),
            ("a@b", "/evp_proxy/v2/api/v2/llmobs", Err(Invalid::Subdomain)),
            (
                "",
                "/api/intake/llm-obs/v2/eval-metric?a=1",
                Ok("api.us3.datadoghq.com/api/intake/llm-obs/v2/eval-metric?a=1"),
            ),
            ("/google.com%3Fattack=", "/evp_proxy/v2/a", Err(Invalid::Subdomain)),
            ("a@b", "/evp_proxy/v2/a", Err(Invalid::Subdomain)),
            ("a:1", "/evp_proxy/v2/a", Err(Invalid::Subdomain)),
            (sub, "/evp_proxy/v2/mypath/my%20subpath", Err(Invalid::Path)),
            (sub, "/evp_proxy/v2/a.b", Err(Invalid::Path)),
            (sub, "/evp_proxy/v2/../b", Err(Invalid::Path)),
            (sub, "/evp_proxy/v2/%2Fa", Ok("my.subdomain.us3.datadoghq.com/%2Fa")),
            (sub, "/evp_proxy/v2/%2", Err(Invalid::Path)),
            (sub, "/evp_proxy/v2/a?test=bad%20arg", Err(Invalid::Query)),
            (sub, "/evp_proxy/v2/a?test=bad+arg", Err(Invalid::Query)),
            (
                sub,
                "/evp_proxy/v2/a?filter%5Bid%5D=a",
                Ok("my.subdomain.us3.datadoghq.com/a?filter%5Bid%5D=a"),
            ),
            (sub, "/evp_proxy/v2/a?a=%zz", Err(Invalid::Query)),
            (sub, "/evp_proxy/v2/a?a=%", Err(Invalid::Query)),
        ] {
            assert_eq!(read(subdomain, target), outcome.map(str::to_owned), "{subdomain} {target}");
        }
    }
}
