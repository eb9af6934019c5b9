//! One attempt over HTTP: headers, timeout, reading the answer.
//!
//! Spec: metrics-intake §1.1, config-and-embedding §7. [`Transport`] is the seam between the
//! delivery rules, which are tested on a fake clock, and real sockets.

use std::error::Error as StdError;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use http::header::{
    CONTENT_ENCODING, CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue, PROXY_AUTHORIZATION,
    RETRY_AFTER, USER_AGENT,
};
use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::timeout;

use crate::connect::{ConnectError, Connector, Plan};
use crate::keys::ApiKey;
use crate::payload::Payload;
use crate::settings::Identity;
use crate::verdict::{Answer, Reply};

const DD_API_KEY: HeaderName = HeaderName::from_static("dd-api-key");
const DD_AGENT_VERSION: HeaderName = HeaderName::from_static("dd-agent-version");
const DD_AGENT_PAYLOAD: HeaderName = HeaderName::from_static("dd-agent-payload");
const ALLOW_ARBITRARY_TAG_VALUE: HeaderName = HeaderName::from_static("allow-arbitrary-tag-value");
const PROTOBUF: &str = "application/x-protobuf";

/// Bytes of an error answer that are kept for the log (spec: metrics-intake §10.5).
const EXCERPT_BYTES_MAX: usize = 1000;

/// Bytes of an answer read so that its connection can be used again.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// An answer whose body takes longer counts by its status alone.
const ANSWER_BODY_TIMEOUT: Duration = Duration::from_secs(2);

/// HTTP/2 pings tell a dead connection from a slow answer.
#[cfg(feature = "http2")]
const H2_PING_INTERVAL: Duration = Duration::from_secs(15);

/// What is put on the wire.
#[derive(Clone, Debug)]
pub(crate) enum Outgoing {
    /// Deliver a payload.
    Post { payload: Payload, key: ApiKey },
    /// Ask whether a key is good.
    Validate { key: ApiKey, timeout: Duration },
}

/// Carries one request to an endpoint and brings the reply back. Never fails otherwise.
pub(crate) trait Transport: Send + Sync + 'static {
    /// Sends one request; ends within the request timeout.
    fn send(&self, outgoing: Outgoing) -> impl Future<Output = Reply> + Send;

    /// Forgets idle connections, so that DNS changes are followed.
    fn reset(&self);
}

pub(crate) type HttpClient = Client<Connector, Full<Bytes>>;

/// The real thing.
pub(crate) struct HttpTransport {
    plan: Arc<Plan>,
    validation_plan: Arc<Plan>,
    client: Mutex<HttpClient>,
    headers: HeaderMap,
    payload_version: Option<HeaderValue>,
    request_timeout: Duration,
}

impl HttpTransport {
    /// `plan` leads to the base URL, `validation_plan` to where its keys are validated.
    pub(crate) fn new(
        plan: Arc<Plan>,
        validation_plan: Arc<Plan>,
        identity: &Identity,
        request_timeout: Duration,
    ) -> Self {
        let mut headers = HeaderMap::new();
        let texts =
            [(USER_AGENT, &identity.user_agent), (DD_AGENT_VERSION, &identity.agent_version)];
        for (name, text) in texts {
            if let Ok(value) = HeaderValue::from_str(text) {
                headers.insert(name, value);
            }
        }
        if identity.allows_arbitrary_tags {
            headers.insert(ALLOW_ARBITRARY_TAG_VALUE, HeaderValue::from_static("true"));
        }
        let payload_version = identity.payload_version.as_deref().map(HeaderValue::from_str);
        Self {
            client: Mutex::new(new_client(&plan)),
            plan,
            validation_plan,
            headers,
            payload_version: payload_version.and_then(Result::ok),
            request_timeout,
        }
    }

    fn client(&self) -> HttpClient {
        self.client.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn post(&self, payload: Payload, key: HeaderValue) -> Reply {
        let request = match self.build_post(payload, key) {
            Ok(request) => request,
            Err(error) => return Reply::Unsendable { error: error.to_owned() },
        };
        let reply = exchange(self.client(), request, self.request_timeout).await;
        if matches!(reply, Reply::Failed { is_timeout: true, .. }) {
            // A connection that went silent would swallow every following request too.
            self.reset();
        }
        reply
    }

    fn build_post(
        &self,
        payload: Payload,
        key: HeaderValue,
    ) -> Result<Request<Full<Bytes>>, &'static str> {
        let uri = self.plan.target.join(&payload.path).ok_or("the path is no valid url path")?;
        let mut request = Request::new(Full::new(payload.body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri;
        let headers = request.headers_mut();
        headers.clone_from(&self.headers);
        let text = |text: &str| HeaderValue::from_str(text).map_err(|_| "a header holds bad bytes");
        headers.insert(CONTENT_TYPE, text(&payload.content_type)?);
        if let Some(encoding) = &payload.encoding {
            headers.insert(CONTENT_ENCODING, text(encoding)?);
        }
        for (name, value) in &payload.headers {
            let name = HeaderName::try_from(&**name).map_err(|_| "a header has a bad name")?;
            headers.insert(name, text(value)?);
        }
        if let Some(version) = &self.payload_version
            && payload.content_type == PROTOBUF
        {
            headers.insert(DD_AGENT_PAYLOAD, version.clone());
        }
        authorize(headers, &self.plan, key);
        Ok(request)
    }

    fn build_validation(&self, key: HeaderValue) -> Option<Request<Full<Bytes>>> {
        // The key goes into a header, not into the query, where proxies would log it.
        let uri = self.validation_plan.target.join("/api/v1/validate")?;
        let mut request = Request::new(Full::default());
        *request.uri_mut() = uri;
        request.headers_mut().clone_from(&self.headers);
        authorize(request.headers_mut(), &self.validation_plan, key);
        Some(request)
    }
}

impl Transport for HttpTransport {
    async fn send(&self, outgoing: Outgoing) -> Reply {
        let key = match &outgoing {
            Outgoing::Post { key, .. } | Outgoing::Validate { key, .. } => key.clone(),
        };
        let Some(header) = key.header_value() else { return Reply::KeyUnusable };
        let reply = match outgoing {
            Outgoing::Post { payload, .. } => self.post(payload, header).await,
            Outgoing::Validate { timeout, .. } => match self.build_validation(header) {
                Some(request) => {
                    exchange(new_client(&self.validation_plan), request, timeout).await
                }
                None => Reply::Unsendable { error: "the base url is no url".to_owned() },
            },
        };
        scrub(reply, &key)
    }

    fn reset(&self) {
        let fresh = new_client(&self.plan);
        *self.client.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
    }
}

pub(crate) fn new_client(plan: &Arc<Plan>) -> HttpClient {
    let mut builder = Client::builder(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(plan.settings.idle_timeout)
        .pool_max_idle_per_host(plan.settings.idle_max);
    #[cfg(feature = "http2")]
    builder
        .http2_keep_alive_interval(H2_PING_INTERVAL)
        .http2_keep_alive_timeout(plan.settings.handshake_timeout);
    builder.build(Connector::new(Arc::clone(plan)))
}

fn authorize(headers: &mut HeaderMap, plan: &Plan, key: HeaderValue) {
    headers.insert(DD_API_KEY, key);
    if let Some(proxy) = &plan.proxy
        && plan.forwards_plain_http()
        && let Some(credentials) = &proxy.authorization
    {
        headers.insert(PROXY_AUTHORIZATION, credentials.clone());
    }
}

async fn exchange(client: HttpClient, request: Request<Full<Bytes>>, limit: Duration) -> Reply {
    let exchanged = async {
        match client.request(request).await {
            Ok(response) => Reply::Answered(read_answer(response).await),
            Err(err) => {
                let is_timeout = is_connect_timeout(&err);
                Reply::Failed { error: error_chain(&err), is_timeout }
            }
        }
    };
    match timeout(limit, exchanged).await {
        Ok(reply) => reply,
        Err(_elapsed) => {
            let error = format!("no answer within {} s", limit.as_secs_f32());
            Reply::Failed { error, is_timeout: true }
        }
    }
}

/// Reads head and body; once the status is known, a body that stops half-way changes nothing.
async fn read_answer(response: Response<Incoming>) -> Answer {
    let (head, mut body) = response.into_parts();
    let mut excerpt = Vec::new();
    let read = async {
        let mut read_bytes = 0;
        while read_bytes <= ANSWER_BYTES_MAX {
            let Some(Ok(frame)) = body.frame().await else { break };
            let Some(chunk) = frame.data_ref() else { continue };
            read_bytes += chunk.len();
            let room = EXCERPT_BYTES_MAX - excerpt.len();
            excerpt.extend(chunk.iter().take(room));
        }
    };
    if timeout(ANSWER_BODY_TIMEOUT, read).await.is_err() {
        log::debug!("the body of an answer with status {} did not end", head.status);
    }
    let status = head.status.as_u16();
    Answer {
        status,
        retry_after: retry_after(&head.headers),
        date_secs: date_secs(&head.headers),
        excerpt: match status {
            0..400 => String::new(),
            _ => String::from_utf8_lossy(&excerpt).into_owned(),
        },
    }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

fn date_secs(headers: &HeaderMap) -> Option<u64> {
    let date = httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()?;
    date.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs())
}

/// Intakes and proxies may echo the key; it never reaches a log or the status page.
fn scrub(reply: Reply, key: &ApiKey) -> Reply {
    match reply {
        Reply::Answered(answer) => {
            let excerpt = key.scrub(&answer.excerpt);
            Reply::Answered(Answer { excerpt, ..answer })
        }
        Reply::Failed { error, is_timeout } => {
            Reply::Failed { error: key.scrub(&error), is_timeout }
        }
        other @ (Reply::Unsendable { .. } | Reply::KeyUnusable) => other,
    }
}

fn connect_error<'a>(err: &'a (dyn StdError + 'static)) -> Option<&'a ConnectError> {
    std::iter::successors(Some(err), |&err| err.source()).find_map(|err| err.downcast_ref())
}

fn is_connect_timeout(err: &(dyn StdError + 'static)) -> bool {
    matches!(
        connect_error(err),
        Some(ConnectError::DialTimeout { .. } | ConnectError::TlsTimeout { .. })
    )
}

/// Our own connect error if there is one, else the library's causes joined.
pub(crate) fn error_chain(err: &(dyn StdError + 'static)) -> String {
    if let Some(own) = connect_error(err) {
        return own.to_string();
    }
    let causes = std::iter::successors(Some(err), |&err| err.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
