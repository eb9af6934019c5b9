//! Sending an archive to support. spec: config §12.2
//!
//! The intake names the place where it wants the archive: a `HEAD` is redirected until somebody
//! answers, and there the archive goes, once. Nothing is repeated: a second flare of one cause is
//! worse than a person who asks again.

use std::time::Duration;

use bytes::Bytes;
use forward::{Outbound, OutboundError, OutboundSettings, TlsError};
use http::header::{CONTENT_TYPE, HeaderValue, LOCATION, USER_AGENT};
use http::{Method, Request, Response, Uri};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use serde_json::Value;
use tokio::time::timeout;

use crate::form::{Form, Pieces};

/// Who wants the flare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asker {
    /// A person at this host.
    Local,
    /// A task of remote configuration.
    RemoteConfig {
        /// The task.
        task_uuid: String,
    },
}

/// What the flare belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Case {
    /// Number of the case; without one a new case is opened.
    pub id: Option<String>,
    /// Address of whoever waits for an answer.
    pub email: Option<String>,
}

/// Everything that an upload needs.
#[derive(Clone)]
pub struct Upload {
    /// Base URL; the path is added.
    pub base_url: String,
    /// API key.
    pub api_key: String,
    /// What it belongs to.
    pub case: Case,
    /// Who wants it.
    pub asker: Asker,
    /// Name of this host.
    pub hostname: String,
    /// Version of the Agent whose behaviour is reported.
    pub agent_version: String,
    /// Name of the archive.
    pub file_name: String,
    /// The archive.
    pub archive: Bytes,
}

impl std::fmt::Debug for Upload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upload")
            .field("base_url", &self.base_url)
            .field("case", &self.case)
            .field("bytes", &self.archive.len())
            .finish_non_exhaustive()
    }
}

/// What the intake made of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// The case it belongs to; empty if the intake names none.
    pub case_id: String,
    /// How the intake calls the request.
    pub request_uuid: String,
}

/// Why an archive did not arrive. No text holds a key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UploadError {
    /// The URL, or one that the intake named, is no good.
    #[error("{url} cannot be sent to: {reason}")]
    Url {
        /// The URL without user information.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The network, or what is on it.
    #[error("the flare did not get to {host}: {source}")]
    Network {
        /// Where it was sent.
        host: String,
        /// What went wrong.
        source: OutboundError,
    },
    /// No answer in time.
    #[error("{host} did not answer within {} s", TIME_MAX.as_secs())]
    Timeout {
        /// Where it was sent.
        host: String,
    },
    /// The API key is refused.
    #[error("the API key ending with {key_end} is refused (403): check `api_key` and `site`")]
    Key {
        /// The last five characters.
        key_end: String,
    },
    /// Another status than success.
    #[error("{host} answers with status {status}{}", shown(detail))]
    Status {
        /// Who answers.
        host: String,
        /// The status.
        status: u16,
        /// What the intake says, if anything.
        detail: String,
    },
    /// A success that says it is none.
    #[error("the flare is refused: {0}")]
    Refused(String),
    /// A success that says nothing that could be read.
    #[error("the answer to the flare cannot be read: {0}")]
    Answer(String),
}

impl UploadError {
    /// A short name for counters.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Url { .. } => "url",
            Self::Tls(_) => "tls",
            Self::Network { .. } => "network",
            Self::Timeout { .. } => "timeout",
            Self::Key { .. } => "key",
            Self::Status { .. } => "status",
            Self::Refused(_) => "refused",
            Self::Answer(_) => "answer",
        }
    }
}

fn shown(detail: &str) -> String {
    if detail.is_empty() { String::new() } else { format!(": {detail}") }
}

/// Path of the flare intake.
const PATH: &str = "/support/flare";
/// Time for the way to the place, and again for the archive.
const TIME_MAX: Duration = Duration::from_secs(60);
/// Redirects that are followed.
const REDIRECTS_MAX: usize = 10;
/// Longest answer that is read.
const ANSWER_BYTES_MAX: usize = 64 << 10;
/// What is quoted of an answer.
const DETAIL_CHARS_MAX: usize = 200;

/// A case of support: digits, not just zero, with what the Agent adds to some.
///
/// # Errors
/// What is wrong with it. spec: remote-config §7.2
pub fn check_case(id: &str) -> Result<(), String> {
    let digits = id.strip_suffix("-with-debug").or_else(|| id.strip_suffix("-with-content"));
    let digits = digits.unwrap_or(id);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_number && id != "0" { Ok(()) } else { Err(format!("{id:?} is no case of support")) }
}

impl Upload {
    /// Sends the archive.
    ///
    /// # Errors
    /// [`UploadError`]; the archive has not arrived then, or nobody said so.
    pub async fn send(&self, settings: OutboundSettings) -> Result<Receipt, UploadError> {
        let user_agent = settings.user_agent.clone();
        let client: Outbound<Pieces> = Outbound::new(settings)?;
        let mut url = format!("{}{PATH}", self.base_url.trim_end_matches('/'));
        if let Some(case) = &self.case.id {
            url.push('/');
            url.push_str(case);
        }
        let first: Uri = url.parse().map_err(|error| bad_url(&url, &error))?;
        let finding = self.place(&client, &user_agent, first.clone());
        let place = timeout(TIME_MAX, finding)
            .await
            .map_err(|_| UploadError::Timeout { host: host_of(&first) })??;
        let sending = self.post(&client, &user_agent, &place);
        timeout(TIME_MAX, sending)
            .await
            .map_err(|_| UploadError::Timeout { host: host_of(&place) })?
    }

    /// Where the intake wants the archive.
    async fn place(
        &self,
        client: &Outbound<Pieces>,
        user_agent: &str,
        first: Uri,
    ) -> Result<Uri, UploadError> {
        let mut uri = first;
        for _ in 0..=REDIRECTS_MAX {
            let head = self.request(Method::HEAD, &uri, user_agent, Pieces::default())?;
            let answer = send(client, head, &uri).await?;
            match answer.status().as_u16() {
                // The intake has no HEAD of its own everywhere.
                200 | 404 => return Ok(uri),
                301 | 302 | 303 | 307 | 308 => uri = redirected(&uri, &answer)?,
                _ => return Err(self.refused(&uri, answer).await),
            }
        }
        Err(UploadError::Url { url: shown_url(&uri), reason: "it is redirected for ever".into() })
    }

    async fn post(
        &self,
        client: &Outbound<Pieces>,
        user_agent: &str,
        place: &Uri,
    ) -> Result<Receipt, UploadError> {
        let (content_type, body) = self.form().finish();
        let mut request = self.request(Method::POST, place, user_agent, body)?;
        let value = HeaderValue::from_str(&content_type);
        request.headers_mut().insert(CONTENT_TYPE, value.map_err(|error| bad_url("", &error))?);
        let answer = send(client, request, place).await?;
        if !answer.status().is_success() {
            return Err(self.refused(place, answer).await);
        }
        let body = read(answer).await.map_err(UploadError::Answer)?;
        let told: Value = serde_json::from_slice(&body)
            .map_err(|error| UploadError::Answer(error.to_string()))?;
        match error_of(&told) {
            Some(error) => Err(UploadError::Refused(error)),
            None => Ok(Receipt {
                case_id: text_of(told.get("case_id")),
                request_uuid: text_of(told.get("request_uuid")),
            }),
        }
    }

    /// The fields in the order of the spec.
    fn form(&self) -> Form {
        let mut form = Form::new(boundary());
        if let Some(id) = &self.case.id {
            form = form.field("case_id", id);
        }
        if let Some(email) = &self.case.email {
            form = form.field("email", email);
        }
        form = match &self.asker {
            Asker::Local => form.field("source", "local"),
            Asker::RemoteConfig { task_uuid } => {
                form.field("source", "remote-config").field("rc_task_uuid", task_uuid)
            }
        };
        form.file("flare_file", &self.file_name, &self.archive)
            .field("agent_version", &self.agent_version)
            .field("hostname", &self.hostname)
    }

    fn request(
        &self,
        method: Method,
        uri: &Uri,
        user_agent: &str,
        body: Pieces,
    ) -> Result<Request<Pieces>, UploadError> {
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = uri.clone();
        let bad = |reason: &str| UploadError::Url { url: shown_url(uri), reason: reason.into() };
        let mut key = HeaderValue::from_str(&self.api_key)
            .map_err(|_| bad("the API key holds bytes that no header may hold"))?;
        key.set_sensitive(true);
        let user_agent = HeaderValue::from_str(user_agent)
            .map_err(|_| bad("the user agent holds bytes that no header may hold"))?;
        let headers = request.headers_mut();
        headers.insert("dd-api-key", key);
        headers.insert(USER_AGENT, user_agent);
        Ok(request)
    }

    async fn refused(&self, uri: &Uri, answer: Response<Incoming>) -> UploadError {
        let status = answer.status().as_u16();
        if status == 403 {
            let skipped = self.api_key.chars().count().saturating_sub(5);
            return UploadError::Key { key_end: self.api_key.chars().skip(skipped).collect() };
        }
        let body = read(answer).await.unwrap_or_default();
        let told: Value = serde_json::from_slice(&body).unwrap_or_default();
        let detail = error_of(&told).unwrap_or_default();
        UploadError::Status { host: host_of(uri), status, detail }
    }
}

async fn send(
    client: &Outbound<Pieces>,
    request: Request<Pieces>,
    uri: &Uri,
) -> Result<Response<Incoming>, UploadError> {
    let network = |source| UploadError::Network { host: host_of(uri), source };
    client.send(request).await.map_err(network)
}

async fn read(answer: Response<Incoming>) -> Result<Bytes, String> {
    let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
    Ok(body.map_err(|error| error.to_string())?.to_bytes())
}

/// Where a redirect leads: a whole URL, or a path on the same host.
fn redirected(from: &Uri, answer: &Response<Incoming>) -> Result<Uri, UploadError> {
    let location = answer.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    next_place(from, location.unwrap_or_default())
}

fn next_place(from: &Uri, location: &str) -> Result<Uri, UploadError> {
    let bad = |reason: &str| UploadError::Url { url: shown_url(from), reason: reason.to_owned() };
    let scheme = from.scheme_str().unwrap_or("https");
    let url = match location {
        "" => return Err(bad("it is redirected to nowhere")),
        path if path.starts_with("//") => format!("{scheme}:{path}"),
        path if path.starts_with('/') => {
            let authority = from.authority().map_or("", http::uri::Authority::as_str);
            format!("{scheme}://{authority}{path}")
        }
        url => url.to_owned(),
    };
    let next: Uri = url.parse().map_err(|error| bad_url(&url, &error))?;
    match (scheme, next.scheme_str()) {
        (_, Some("https")) | ("http", Some("http")) => Ok(next),
        _ => Err(bad("it is redirected to where the API key would not be safe")),
    }
}

fn bad_url(url: &str, error: &dyn std::fmt::Display) -> UploadError {
    let shown = url.rsplit_once('@').map_or(url, |(_, rest)| rest);
    UploadError::Url { url: shown.to_owned(), reason: error.to_string() }
}

fn shown_url(uri: &Uri) -> String {
    format!("{}://{}{}", uri.scheme_str().unwrap_or_default(), host_of(uri), uri.path())
}

/// The host without user information.
fn host_of(uri: &Uri) -> String {
    let host = uri.host().unwrap_or_default();
    uri.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// What an answer says went wrong: `error` of flares, or `errors` of the rest of the intake.
fn error_of(told: &Value) -> Option<String> {
    let first = told.get("errors").and_then(|errors| errors.get(0));
    let error = text_of(told.get("error").or(first));
    let error: String = error.chars().filter(|c| !c.is_control()).take(DETAIL_CHARS_MAX).collect();
    (!error.is_empty()).then_some(error)
}

/// A text or a number; the intake sends cases as either.
fn text_of(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

/// Sixty random hexadecimal digits: they do not occur in an archive.
fn boundary() -> String {
    use std::hash::{BuildHasher as _, RandomState};
    (0..4_u8).map(|part| format!("{:015x}", RandomState::new().hash_one(part) >> 4)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// spec: remote-config §7.2
    #[test]
    fn cases_are_numbers() {
        for good in ["1", "123456", "10-with-debug", "10-with-content"] {
            assert_eq!(check_case(good), Ok(()), "{good}");
        }
        for bad in ["", "0", "abc", "1/2", "-with-debug", "1-with-everything", "1 ", "../1"] {
            assert!(check_case(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn redirects_lead_anywhere_but_out_of_tls() {
        let from: Uri = "https://a.example/support/flare/1".parse().expect("a URL");
        let next = |location: &str| next_place(&from, location).map(|uri| uri.to_string());
        assert_eq!(next("/x/y").expect("same host"), "https://a.example/x/y");
        assert_eq!(next("//b.example/z").expect("other host"), "https://b.example/z");
        assert_eq!(next("https://b.example:8/z").expect("other host"), "https://b.example:8/z");
        for bad in ["", "http://a.example/x", "ftp://a.example/x", "x y", "mailto:a@b"] {
            assert!(next(bad).is_err(), "{bad}");
        }
        let plain: Uri = "http://127.0.0.1:1/x".parse().expect("a URL");
        assert!(next_place(&plain, "http://127.0.0.1:2/x").is_ok());
    }

    #[test]
    fn answers_are_read_in_both_forms() {
        assert_eq!(text_of(Some(&Value::from(12))), "12");
        let error = serde_json::json!({"error": "no\u{7} such case"});
        assert_eq!(error_of(&error).as_deref(), Some("no such case"));
        assert_eq!(
            error_of(&serde_json::json!({"errors": ["Forbidden"]})).as_deref(),
            Some("Forbidden")
        );
        assert_eq!(error_of(&serde_json::json!({"error": ""})), None);
        assert_eq!(boundary().len(), 60);
        assert_ne!(boundary(), boundary());
    }
}
