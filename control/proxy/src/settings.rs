//! What the proxies are told: plain values, replaced whole when the configuration changes.

use std::fmt;
use std::time::Duration;

use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, Uri};

use crate::Kind;

/// Everything that may change while the process runs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What each proxy does, by [`Kind::ALL`].
    pub routes: Vec<RouteSettings>,
    /// Version of the agent that is reported.
    pub agent_version: String,
    /// Name of this host.
    pub hostname: String,
    /// Environment of clients that name none.
    pub default_env: String,
    /// `fargate_ecs` or `fargate_eks`, where that is so.
    pub orchestrator: Option<String>,
    /// Whether errors are all that is traced (`apm_config.error_tracking_standalone.enabled`).
    pub is_error_tracking_standalone: bool,
    /// Who installed this agent: id, type, Unix seconds.
    pub install: Option<(String, String, String)>,
    /// Tags of the platform this process runs on, as `key:value`.
    pub global_tags: Vec<String>,
    /// Log files, as paths and patterns, that are read without the tracers' help.
    pub tailed_files: Vec<String>,
    /// Longest time without a piece of a body (`apm_config.receiver_timeout`), where the proxy's
    /// own deadline is not longer.
    pub receiver_timeout: Duration,
    /// Longest upload or answer that makes progress.
    pub exchange_time_max: Duration,
}

/// What one proxy does.
#[derive(Clone, Debug)]
pub struct RouteSettings {
    /// Where its requests go, or why nowhere.
    pub targets: Targets,
    /// Longest time without progress.
    pub deadline: Duration,
    /// Most bytes of a body, where that is limited.
    pub body_bytes_max: Option<u64>,
}

/// Where the requests of a proxy go.
#[derive(Clone, Debug)]
pub enum Targets {
    /// To these, whose first answers.
    To(Vec<Target>),
    /// Nowhere else: what is read is taken or dropped here, and answered 200.
    Here,
    /// Nowhere: answered with this.
    Off {
        /// HTTP status.
        status: u16,
        /// Text of the answer.
        text: String,
    },
}

/// One destination with one key.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    /// `https`, or `http` where that was configured.
    pub scheme: Scheme,
    /// Host and port; for the event platform, what follows the subdomain.
    pub authority: Authority,
    /// Path and query; for the event platform and telemetry, not used.
    pub path: PathAndQuery,
    /// The key as a header value.
    pub key: HeaderValue,
    /// The application key, where one is configured.
    pub app_key: Option<HeaderValue>,
}

impl Target {
    /// A target of a whole URL. A URL without a scheme is none.
    ///
    /// # Errors
    /// What is wrong with URL or key, without naming the key.
    pub fn new(url: &str, key: &str) -> Result<Self, String> {
        let uri: Uri =
            url.trim().parse().map_err(|error: http::uri::InvalidUri| error.to_string())?;
        let parts = uri.into_parts();
        let scheme = parts.scheme.ok_or("no scheme")?;
        if scheme != Scheme::HTTP && scheme != Scheme::HTTPS {
            return Err(format!("scheme {scheme}"));
        }
        let authority = without_root(&parts.authority.ok_or("no host")?)?;
        let path = parts.path_and_query.unwrap_or_else(|| PathAndQuery::from_static("/"));
        Ok(Self { scheme, authority, path, key: key_value(key)?, app_key: None })
    }

    /// A target of a host alone, over https.
    ///
    /// # Errors
    /// What is wrong with host or key, without naming the key.
    pub fn of_host(host: &str, key: &str) -> Result<Self, String> {
        Self::new(&format!("https://{}", host.trim()), key)
    }

    /// The same with an application key.
    #[must_use]
    pub fn with_app_key(mut self, key: &str) -> Self {
        self.app_key = key_value(key).ok();
        self
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({}://{}{})", self.scheme, self.authority, self.path.path())
    }
}

/// The host without the dot of an absolute name, which no intake wants in `Host`.
fn without_root(authority: &Authority) -> Result<Authority, String> {
    let host = authority.host();
    let Some(relative) = host.strip_suffix('.') else { return Ok(authority.clone()) };
    let text = authority.as_str().replacen(host, relative, 1);
    Authority::try_from(text).map_err(|error| error.to_string())
}

fn key_value(key: &str) -> Result<HeaderValue, String> {
    let mut value =
        HeaderValue::from_str(key.trim()).map_err(|_| "the key is no header value".to_owned())?;
    value.set_sensitive(true);
    Ok(value)
}

impl Settings {
    /// What a proxy does.
    pub(crate) fn route(&self, kind: Kind) -> Option<&RouteSettings> {
        self.routes.get(kind.index())
    }

    /// Paths that `/info` lists: of proxies that are of use.
    #[must_use]
    pub fn paths(&self) -> Vec<&'static str> {
        let is_usable = |kind: &Kind| match self.route(*kind).map(|route| &route.targets) {
            Some(Targets::To(targets)) => !targets.is_empty(),
            Some(Targets::Here) => true,
            Some(Targets::Off { .. }) | None => false,
        };
        // In the order of the Agent. spec: apm §2
        const ORDER: [Kind; Kind::ALL.len()] = [
            Kind::Profiling,
            Kind::Telemetry,
            Kind::PipelineStats,
            Kind::OpenLineage,
            Kind::Evp,
            Kind::DebuggerLogs,
            Kind::DebuggerDiagnostics,
            Kind::Debugger,
            Kind::Symdb,
            Kind::DogStatsD,
            Kind::TracerFlare,
            Kind::Logs,
        ];
        let usable = ORDER.into_iter().filter(is_usable);
        usable.flat_map(|kind| kind.paths().iter().copied()).collect()
    }
}
