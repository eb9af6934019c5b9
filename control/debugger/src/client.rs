//! One request to one endpoint: headers, exchange, what the answer means.

use std::error::Error as StdError;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use forward::{LogGate, TlsSettings};
use http::header::{CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use http::{Method, Request};
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::Instant;

use crate::answer::read_answer;
use crate::body::RequestBody;
use crate::connect::Connector;
use crate::endpoint::Endpoint;
use crate::error::{PayloadRejected, SendError};
use crate::file;
use crate::identity;
use crate::track::Track;
use crate::url::Url;

const DD_API_KEY: HeaderName = HeaderName::from_static("dd-api-key");
const DD_EVP_ORIGIN: HeaderName = HeaderName::from_static("dd-evp-origin");
const TEST_SESSION_TOKEN: HeaderName = HeaderName::from_static("x-datadog-test-session-token");
const AGENT: &str = concat!("Tracer/", env!("CARGO_PKG_VERSION"));

/// How long a connection is kept. Agents close idle ones after 5 s; what is sent into a closing
/// connection would be lost.
const IDLE_TIMEOUT: Duration = Duration::from_secs(3);

/// Idle connections to one endpoint.
const IDLE_MAX: usize = 4;

/// How connections are made.
#[derive(Clone, Debug, Default)]
pub struct ClientSettings {
    /// How they are secured.
    pub tls: TlsSettings,
}

/// Connections of a configuration, shared by its clones.
///
/// They belong to the runtime that opened them; on another one a new one is opened.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    http: HttpClient<Connector, RequestBody>,
    identity: OnceLock<HeaderMap>,
    failures: Mutex<LogGate>,
}

/// What differs between requests.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) track: Track,
    pub(crate) query: Option<String>,
    pub(crate) content_type: HeaderValue,
    pub(crate) tags: Option<HeaderValue>,
    pub(crate) body: RequestBody,
}

impl Default for Client {
    fn default() -> Self {
        Self::new(ClientSettings::default())
    }
}

impl Client {
    pub(crate) fn new(settings: ClientSettings) -> Self {
        let http = HttpClient::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(IDLE_MAX)
            .build(Connector::new(settings.tls));
        let shared =
            Shared { http, identity: OnceLock::new(), failures: Mutex::new(LogGate::default()) };
        Self { shared: Arc::new(shared) }
    }

    /// Sends and reads the answer. Without a time limit; dropped, it aborts the request.
    pub(crate) async fn exchange(
        &self,
        endpoint: &Endpoint,
        outgoing: Outgoing,
    ) -> Result<(), SendError> {
        if let Url::File(path) = &endpoint.url {
            return file::append(path, outgoing.body).await;
        }
        let url = || endpoint.url.to_string();
        let track = outgoing.track;
        let request = self.request(endpoint, outgoing)?;
        let failed = |reason: String| SendError::Failed { url: url(), reason };
        let response = self.shared.http.request(request).await;
        let response = response.map_err(|error| failed(causes(&error)))?;
        let status = response.status().as_u16();
        let body = read_answer(response.into_body(), endpoint.key()).await;
        if status < 400 {
            return Ok(());
        }
        Err(PayloadRejected { status, body, kind: track.kind() }.into())
    }

    /// Logs what an endpoint whose result nobody sees did not take, once a minute.
    pub(crate) fn log_failure(&self, what: &str, error: &SendError) {
        let mut gate = self.shared.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = gate.pass(Instant::now());
        drop(gate);
        if let Some(left_out) = passed {
            log::warn!("{what} not sent: {error} ({left_out} more since the last line)");
        }
    }

    fn request(
        &self,
        endpoint: &Endpoint,
        outgoing: Outgoing,
    ) -> Result<Request<RequestBody>, SendError> {
        let unsendable = |reason| SendError::Unsendable { url: endpoint.url.to_string(), reason };
        let uri = endpoint.url.request_uri(outgoing.query.as_deref());
        let uri = uri.ok_or_else(|| unsendable("no host, or tags too long or not encoded"))?;
        let mut request = Request::new(outgoing.body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri;
        let headers = request.headers_mut();
        headers.clone_from(self.shared.identity.get_or_init(identity::of_this_process));
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        headers.insert(CONTENT_TYPE, outgoing.content_type);
        if let Some(host) = endpoint.url.host_header() {
            headers.insert(HOST, HeaderValue::from_static(host));
        }
        if let Some(tags) = outgoing.tags {
            headers.insert(ADDITIONAL_TAGS, tags);
        }
        if let Some(token) = &endpoint.test_token {
            let token = HeaderValue::from_str(token);
            let token = token.map_err(|_bytes| unsendable("a test token with bad bytes"))?;
            headers.insert(TEST_SESSION_TOKEN, token);
        }
        if let Some(key) = endpoint.key() {
            if key.starts_with("DELA(") {
                return Err(SendError::KeyUnresolved { url: endpoint.url.to_string() });
            }
            let key = HeaderValue::from_str(key);
            let mut key = key.map_err(|_bytes| unsendable("an api key with bad bytes"))?;
            key.set_sensitive(true);
            headers.insert(DD_API_KEY, key);
            let origin = HeaderValue::from_static(outgoing.track.origin());
            headers.insert(DD_EVP_ORIGIN, origin);
        }
        Ok(request)
    }
}

/// Tags of a symbol database.
const ADDITIONAL_TAGS: HeaderName = HeaderName::from_static("x-datadog-additional-tags");

/// An error and what caused it, in one line.
fn causes(error: &(dyn StdError + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
