//! Streaming requests to any host, for proxies: the connections of the forwarder without its queue.
//!
//! Spec: proxies §2.2. HTTP/1.1 only, no redirects, no retries: the client behind the proxy is the
//! one that tries again.

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use http::header::PROXY_AUTHORIZATION;
use http::{Request, Response, Uri};
use hyper::body::{Body, Incoming};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;
use thiserror::Error;
use tokio::sync::Semaphore;
use tower_service::Service;

use crate::base_url::BaseUrl;
use crate::conn::Conn;
use crate::connect::{ConnectError, Plan};
use crate::proxy::ProxySettings;
use crate::settings::ConnectSettings;
use crate::tls::{TlsError, TlsSettings, client_config};
use crate::transport::error_chain;

/// How hosts are reached.
#[derive(Clone, Debug)]
pub struct OutboundSettings {
    /// Certificates and versions.
    pub tls: TlsSettings,
    /// Proxies.
    pub proxy: ProxySettings,
    /// Connection timing; [`ConnectSettings::idle_max`] counts for each host.
    pub connect: ConnectSettings,
    /// How we introduce ourselves to proxies.
    pub user_agent: String,
    /// `convert_dd_site_fqdn.enabled`.
    pub resolves_absolute: bool,
}

/// Sends requests with bodies of type `B`.
pub struct Outbound<B> {
    shared: Arc<Shared>,
    client: Mutex<Client<AnyHost, B>>,
}

/// Why there is no answer. The text names hosts and causes, no key and no path.
#[derive(Debug, Error)]
#[error("{text}")]
pub struct OutboundError {
    text: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl OutboundError {
    /// Whether one of the causes, such as the error of a body, is of a kind.
    #[must_use]
    pub fn is_caused_by<E: StdError + 'static>(&self, is_it: impl Fn(&E) -> bool) -> bool {
        let first = self.source.as_deref().map(|error| error as &(dyn StdError + 'static));
        std::iter::successors(first, |&error| error.source())
            .any(|error| error.downcast_ref::<E>().is_some_and(&is_it))
    }
}

#[derive(Debug)]
struct Shared {
    settings: OutboundSettings,
    tls: Arc<ClientConfig>,
    lookups: Arc<Semaphore>,
}

/// Name lookups at a time.
const LOOKUPS_MAX: usize = 8;
/// What one connection buffers, each way, and the longest head of an answer.
const BUFFER_BYTES_MAX: usize = 64 << 10;

impl<B> Outbound<B>
where
    B: Body + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    /// A client without connections.
    ///
    /// # Errors
    /// When a configured file is unusable.
    pub fn new(settings: OutboundSettings) -> Result<Self, TlsError> {
        let tls = Arc::new(client_config(&settings.tls, false)?);
        let lookups = Arc::new(Semaphore::new(LOOKUPS_MAX));
        let shared = Arc::new(Shared { settings, tls, lookups });
        Ok(Self { client: Mutex::new(new_client(&shared)), shared })
    }

    /// Another client of the same settings, with connections of its own that are kept this long.
    #[must_use]
    pub fn with_idle_timeout(&self, idle_timeout: Duration) -> Self {
        let mut settings = self.shared.settings.clone();
        settings.connect.idle_timeout = idle_timeout;
        let (tls, lookups) = (Arc::clone(&self.shared.tls), Arc::clone(&self.shared.lookups));
        let shared = Arc::new(Shared { settings, tls, lookups });
        Self { client: Mutex::new(new_client(&shared)), shared }
    }

    /// Sends a request with an absolute URI; the body is sent as it comes. Dropped, it ends the
    /// connection.
    ///
    /// # Errors
    /// When no head of an answer came.
    pub async fn send(&self, mut request: Request<B>) -> Result<Response<Incoming>, OutboundError> {
        let plan = self
            .shared
            .plan(request.uri())
            .map_err(|error| OutboundError { text: error.to_string(), source: None })?;
        if let Some(proxy) = &plan.proxy
            && plan.forwards_plain_http()
            && let Some(credentials) = &proxy.authorization
        {
            request.headers_mut().insert(PROXY_AUTHORIZATION, credentials.clone());
        }
        let client = self.client.lock().unwrap_or_else(PoisonError::into_inner).clone();
        client.request(request).await.map_err(|error| OutboundError {
            text: error_chain(&error),
            source: Some(Box::new(error)),
        })
    }

    /// Forgets idle connections.
    pub fn reset(&self) {
        let fresh = new_client(&self.shared);
        *self.client.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
    }
}

impl<B> fmt::Debug for Outbound<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbound").field("settings", &self.shared.settings).finish_non_exhaustive()
    }
}

impl Shared {
    fn plan(&self, uri: &Uri) -> Result<Plan, ConnectError> {
        let scheme = uri.scheme_str().unwrap_or("https");
        let authority = uri.authority().map_or("", http::uri::Authority::as_str);
        let base = format!("{scheme}://{authority}");
        let target = BaseUrl::parse(&base, None, self.settings.resolves_absolute)
            .map_err(|error| ConnectError::Url { reason: error.to_string() })?;
        Ok(Plan {
            proxy: self.settings.proxy.choose(&target),
            target,
            tls: Arc::clone(&self.tls),
            settings: self.settings.connect.clone(),
            user_agent: self.settings.user_agent.clone(),
            lookups: Arc::clone(&self.lookups),
        })
    }
}

fn new_client<B>(shared: &Arc<Shared>) -> Client<AnyHost, B>
where
    B: Body + Send,
    B::Data: Send,
{
    Client::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(shared.settings.connect.idle_timeout)
        .pool_max_idle_per_host(shared.settings.connect.idle_max)
        .http1_title_case_headers(true)
        .http1_max_buf_size(BUFFER_BYTES_MAX)
        .build(AnyHost { shared: Arc::clone(shared) })
}

/// Connects to whatever host a request is for.
#[derive(Clone, Debug)]
struct AnyHost {
    shared: Arc<Shared>,
}

impl Service<Uri> for AnyHost {
    type Response = Conn;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Conn, ConnectError>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let plan = self.shared.plan(&uri);
        Box::pin(async move { plan?.connect().await })
    }
}
