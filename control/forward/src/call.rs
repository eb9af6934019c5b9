//! Asking a service and reading its whole answer, for parts of control that deliver no payloads.
//!
//! The same connections, proxies and certificates as delivery, without queue and retry: the caller
//! decides what a failure means.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{HeaderName, HeaderValue, PROXY_AUTHORIZATION, USER_AGENT};
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full};
use thiserror::Error;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::base_url::{BaseUrl, UrlError};
use crate::connect::{LOOKUPS_MAX, Plan};
use crate::proxy::ProxySettings;
use crate::settings::ConnectSettings;
use crate::tls::{TlsError, TlsSettings, client_config};
use crate::transport::{HttpClient, error_chain, new_client};

/// How to reach a service.
#[derive(Clone, Debug)]
pub struct CallerSettings {
    /// Base URL; paths of calls are appended to its path.
    pub url: String,
    /// `User-Agent`.
    pub user_agent: String,
    /// One whole call, connection included.
    pub timeout: Duration,
    /// Longest answer that is read.
    pub answer_bytes_max: usize,
    /// Resolve Datadog hosts as absolute names.
    pub resolves_absolute: bool,
    /// Certificates and versions.
    pub tls: TlsSettings,
    /// Proxies.
    pub proxy: ProxySettings,
    /// Connection timing.
    pub connect: ConnectSettings,
}

/// Why a service cannot be called at all.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CallerError {
    /// The URL is bad.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// Why a call brought no answer. No text holds a header.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallFault {
    /// The network, or what is on it.
    #[error("{0}")]
    Network(String),
    /// No whole answer in time.
    #[error("no answer within {} s", .0.as_secs_f32())]
    Timeout(Duration),
    /// The answer is longer than what is read.
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
    /// A header or path that cannot be sent.
    #[error("{0}")]
    Unsendable(&'static str),
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallAnswer {
    /// Status.
    pub status: u16,
    /// The whole body.
    pub body: Bytes,
}

/// A service that can be called.
pub struct Caller {
    plan: Arc<Plan>,
    client: HttpClient,
    timeout: Duration,
    answer_bytes_max: usize,
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Caller({})", self.plan.target)
    }
}

impl Caller {
    /// Prepares calls; connects at the first.
    ///
    /// # Errors
    /// [`CallerError`] for a bad URL or unusable certificates.
    pub fn new(settings: CallerSettings) -> Result<Self, CallerError> {
        let target = BaseUrl::parse(&settings.url, None, settings.resolves_absolute)?;
        let plan = Arc::new(Plan {
            proxy: settings.proxy.choose(&target),
            target,
            tls: Arc::new(client_config(&settings.tls, true)?),
            settings: settings.connect,
            user_agent: settings.user_agent,
            lookups: Arc::new(Semaphore::new(LOOKUPS_MAX)),
        });
        Ok(Self {
            client: new_client(&plan),
            plan,
            timeout: settings.timeout,
            answer_bytes_max: settings.answer_bytes_max,
        })
    }

    /// One call. Values of headers are kept out of logs.
    ///
    /// # Errors
    /// [`CallFault`] when there is no whole answer; any status is an answer.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        headers: &[(&'static str, &str)],
        body: Bytes,
    ) -> Result<CallAnswer, CallFault> {
        let request = self.request(method, path, headers, body).map_err(CallFault::Unsendable)?;
        let exchanged = async {
            let response = self.client.request(request).await;
            let response = response.map_err(|error| CallFault::Network(error_chain(&error)))?;
            let (head, mut body) = response.into_parts();
            let mut whole = BytesMut::new();
            while let Some(frame) = body.frame().await {
                let frame = frame.map_err(|error| CallFault::Network(error_chain(&error)))?;
                let Some(chunk) = frame.data_ref() else { continue };
                if whole.len() + chunk.len() > self.answer_bytes_max {
                    return Err(CallFault::TooLong(self.answer_bytes_max));
                }
                whole.extend_from_slice(chunk);
            }
            Ok(CallAnswer { status: head.status.as_u16(), body: whole.freeze() })
        };
        let answer = timeout(self.timeout, exchanged).await;
        answer.map_err(|_elapsed| CallFault::Timeout(self.timeout))?
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&'static str, &str)],
        body: Bytes,
    ) -> Result<Request<Full<Bytes>>, &'static str> {
        let uri = self.plan.target.join(path).ok_or("the path is no valid url path")?;
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        let value = |text: &str| {
            HeaderValue::from_str(text).map_err(|_| "a header holds bytes that no header may hold")
        };
        let map = request.headers_mut();
        map.insert(USER_AGENT, value(&self.plan.user_agent)?);
        for (name, text) in headers {
            let name = HeaderName::try_from(*name).map_err(|_| "a header has a bad name")?;
            let mut value = value(text)?;
            value.set_sensitive(true);
            map.insert(name, value);
        }
        if let Some(proxy) = &self.plan.proxy
            && self.plan.forwards_plain_http()
            && let Some(credentials) = &proxy.authorization
        {
            map.insert(PROXY_AUTHORIZATION, credentials.clone());
        }
        Ok(request)
    }
}
