//! Configuration keys to the settings of the proxies. spec: proxies §3, §4.

mod install;
mod status;

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ::status::ProxyStatus;
use config::{Config, MapKey, Role, StrKey, keys};
use forward::OutboundSettings;
use lane::SubmitError;
use proxy::{
    FixedSettings, Kind, Proxies, RouteSettings, Settings, SubmitLines, Submitted, Target, Targets,
    flare_url,
};
use server::Exchange;

use crate::apm::platform_tags;
use crate::delivery::forward_settings;
use crate::fargate;
use crate::self_metrics::TraceSeries;
use crate::settings::{AGENT_VERSION, default_env};
use crate::submissions::Submissions;

/// The proxies, and what their settings are made of beside the configuration.
#[derive(Debug)]
pub(crate) struct ProxyRoutes {
    proxies: Arc<Proxies>,
    fixed: Fixed,
}

/// What stays as it was at the start.
#[derive(Debug)]
struct Fixed {
    hostname: Arc<str>,
    orchestrator: Option<&'static str>,
    install: Option<(String, String, String)>,
}

/// Headers that the proxy of events passes on, for `/info`.
pub(crate) const EVP_HEADERS: &[&str] = &proxy::EVP_HEADERS;
/// Seconds, where a key says 0.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The same for events.
const EVP_TIMEOUT: Duration = Duration::from_secs(30);
/// Path of stats of data streams.
const PIPELINE_STATS_PATH: &str = "/api/v0.1/pipeline_stats";
/// What begins like this stands for a key that is still to be had. spec: proxies §2.5.
const DELEGATED: &str = "DELA(";

impl ProxyRoutes {
    /// Starts the proxies.
    pub(crate) fn start(
        config: &Config,
        hostname: &Arc<str>,
        way_in: &Arc<OnceLock<Arc<Submissions>>>,
    ) -> Result<Self, forward::TlsError> {
        // What was handed over as text has a name, but no place.
        let directory = config.file().filter(|file| file.is_file()).and_then(Path::parent);
        let fixed = Fixed {
            hostname: Arc::clone(hostname),
            orchestrator: fargate::orchestrator(config),
            install: install::signature(config, directory),
        };
        let common = forward_settings(config, Vec::new(), 0);
        let bytes = |key| usize::try_from(config.bytes(key)).unwrap_or(usize::MAX);
        let outbound = OutboundSettings {
            tls: common.tls,
            proxy: common.proxy,
            connect: common.connect,
            user_agent: common.identity.user_agent,
            resolves_absolute: common.identity.resolves_absolute,
        };
        let limits = FixedSettings {
            outbound,
            exchanges_max: config.count(keys::PROXY_EXCHANGES_MAX),
            copy_bytes_max: bytes(keys::PROXY_COPY_BYTES),
        };
        let proxies = Proxies::new(limits, settings(config, &fixed), submit_lines(config, way_in))?;
        Ok(Self { proxies, fixed })
    }

    /// Uses the destinations and keys of a new configuration from the next request on.
    pub(crate) fn reload(&self, config: &Config) {
        self.proxies.set_settings(settings(config, &self.fixed));
    }

    /// Paths that `/info` lists.
    pub(crate) fn paths(&self) -> Vec<&'static str> {
        self.proxies.settings().paths()
    }

    /// Answers a request that is for a proxy, and gives back one that is not.
    pub(crate) async fn answer(&self, exchange: Exchange) -> Option<Exchange> {
        let Some(kind) = Kind::of(exchange.head.proxy, exchange.head.uri.path()) else {
            return Some(exchange);
        };
        Arc::clone(&self.proxies).answer(kind, exchange).await;
        None
    }

    /// Waits for copies that are under way.
    pub(crate) async fn finish(&self) {
        self.proxies.finish().await;
    }

    /// What `status` says.
    pub(crate) fn status(&self) -> Vec<ProxyStatus> {
        status::status(&self.proxies)
    }

    /// What is reported to the intake, over the time since the last flush.
    pub(crate) fn series(&self, interval_secs: u32) -> Vec<TraceSeries> {
        self.proxies.series(interval_secs).into_iter().map(TraceSeries::from).collect()
    }
}

/// Hands lines of DogStatsD to the lanes, once there are any, with their container where origins
/// are wanted.
fn submit_lines(config: &Config, way_in: &Arc<OnceLock<Arc<Submissions>>>) -> SubmitLines {
    let way_in = Arc::clone(way_in);
    let is_origin_used = config.bool(keys::DOGSTATSD_ORIGIN_DETECTION);
    SubmitLines::new(move |container, lines| {
        let container = if is_origin_used { container } else { "" };
        let submit = |to: &Arc<Submissions>| to.submit_dogstatsd_from(container, lines);
        match way_in.get().map(submit) {
            // What is too long is counted by its lane.
            Some(Ok(()) | Err(SubmitError::TooLong | SubmitError::Malformed)) => Submitted::Taken,
            None | Some(Err(SubmitError::Full)) => Submitted::Full,
            Some(Err(SubmitError::Stopped)) => Submitted::Stopped,
        }
    })
}

fn settings(config: &Config, fixed: &Fixed) -> Settings {
    Settings {
        routes: Kind::ALL.into_iter().map(|kind| route(config, kind)).collect(),
        agent_version: AGENT_VERSION.to_owned(),
        hostname: (*fixed.hostname).to_owned(),
        default_env: default_env(config),
        orchestrator: fixed.orchestrator.map(str::to_owned),
        is_error_tracking_standalone: config.bool(keys::APM_ERROR_TRACKING_STANDALONE),
        install: fixed.install.clone(),
        global_tags: platform_tags(),
        tailed_files: config.list(keys::PROXY_TAILED_FILES).to_vec(),
        receiver_timeout: or_default(config.secs(keys::APM_RECEIVER_TIMEOUT), TIMEOUT),
        exchange_time_max: config.secs(keys::PROXY_EXCHANGE_SECS_MAX),
    }
}

fn route(config: &Config, kind: Kind) -> RouteSettings {
    let general = or_default(config.secs(keys::APM_RECEIVER_TIMEOUT), TIMEOUT);
    let deadline = if kind == Kind::Evp {
        or_default(config.secs(keys::EVP_RECEIVER_TIMEOUT), EVP_TIMEOUT)
    } else if kind == Kind::Profiling {
        or_default(config.secs(keys::PROFILING_RECEIVER_TIMEOUT), TIMEOUT)
    } else {
        general
    };
    let limit = |key| Some(config.count(key) as u64);
    let body_bytes_max = match kind {
        Kind::Profiling => limit(keys::PROFILING_MAX_REQUEST_BYTES),
        Kind::Evp => limit(keys::EVP_MAX_PAYLOAD_SIZE),
        Kind::DebuggerLogs
        | Kind::DebuggerDiagnostics
        | Kind::Debugger
        | Kind::Symdb
        | Kind::OpenLineage => limit(keys::APM_MAX_PAYLOAD_SIZE),
        Kind::Telemetry
        | Kind::PipelineStats
        | Kind::DogStatsD
        | Kind::TracerFlare
        | Kind::Logs => None,
    };
    RouteSettings { targets: targets(config, kind), deadline, body_bytes_max }
}

fn targets(config: &Config, kind: Kind) -> Targets {
    let site = site(config);
    match kind {
        Kind::Profiling => profiling(config, &site),
        Kind::DebuggerLogs | Kind::Debugger | Kind::Logs if !takes_logs(config) => Targets::Here,
        Kind::DebuggerLogs => Named {
            url: (keys::DEBUGGER_DD_URL, format!("https://http-intake.logs.{site}/api/v2/logs")),
            key: keys::DEBUGGER_API_KEY,
            additional: keys::DEBUGGER_ADDITIONAL_ENDPOINTS,
            off: "Debugger Proxy is OFF: error parsing debugger intake URL",
        }
        .targets(config, Target::new),
        Kind::DebuggerDiagnostics | Kind::Debugger => Named {
            url: (
                keys::DEBUGGER_DIAGNOSTICS_DD_URL,
                format!("https://debugger-intake.{site}/api/v2/debugger"),
            ),
            key: keys::DEBUGGER_DIAGNOSTICS_API_KEY,
            additional: keys::DEBUGGER_DIAGNOSTICS_ADDITIONAL_ENDPOINTS,
            off: "Debugger Proxy is OFF: error parsing debugger intake URL",
        }
        .targets(config, Target::new),
        Kind::Symdb => Named {
            url: (keys::SYMDB_DD_URL, format!("https://debugger-intake.{site}/api/v2/debugger")),
            key: keys::SYMDB_API_KEY,
            additional: keys::SYMDB_ADDITIONAL_ENDPOINTS,
            off: "SymDB Proxy is OFF: error parsing symbol database intake URL",
        }
        .targets(config, Target::new),
        Kind::Evp if !config.bool(keys::EVP_ENABLED) => {
            off(405, "EVPProxy is disabled: Has been disabled in config")
        }
        Kind::Evp => evp(config, &site),
        Kind::OpenLineage if !config.bool(keys::OL_ENABLED) => {
            off(500, "OpenLineage forwarder is OFF: Has been disabled in config")
        }
        Kind::OpenLineage => {
            let version = config.count(keys::OL_API_VERSION);
            Named {
                url: (keys::OL_DD_URL, site),
                key: keys::OL_API_KEY,
                additional: keys::OL_ADDITIONAL_ENDPOINTS,
                off: "OpenLineage forwarder is OFF: [openlineage] error parsing intake URL",
            }
            .targets(config, |url, key| Target::new(&openlineage_url(url, version), key))
        }
        Kind::Telemetry if !config.bool(keys::APM_TELEMETRY_ENABLED) => off(404, ""),
        Kind::Telemetry => telemetry(config, &site),
        Kind::PipelineStats => pipeline_stats(config),
        Kind::DogStatsD => dogstatsd(config),
        Kind::TracerFlare => {
            let own = config.text(keys::TRACER_FLARE_URL).map(str::to_owned);
            alone(config, "Tracer flare", own.unwrap_or_else(|| flare_url(&site, AGENT_VERSION)))
        }
        Kind::Logs => {
            let own = config.text(keys::PROXY_LOGS_URL).map(str::to_owned);
            let default = || format!("https://http-intake.logs.{site}/v1/input");
            alone(config, "Logs proxy", own.unwrap_or_else(default))
        }
    }
}

/// One destination, with the main key.
fn alone(config: &Config, what: &str, url: String) -> Targets {
    Target::new(&url, config.api_key()).map_or_else(
        |error| off(500, &format!("{what} is OFF: error parsing URL {url}: {error}")),
        |target| Targets::To(vec![target]),
    )
}

/// The keys of a proxy that has a main URL, and further ones.
struct Named {
    /// Where the URL is configured, and what it is by default.
    url: (StrKey, String),
    key: StrKey,
    additional: MapKey,
    /// Begins the answer when the main URL is none.
    off: &'static str,
}

impl Named {
    fn targets(
        self,
        config: &Config,
        make: impl Fn(&str, &str) -> Result<Target, String>,
    ) -> Targets {
        let url = config.text(self.url.0).map_or(self.url.1, str::to_owned);
        let key = config.text(self.key).unwrap_or_else(|| config.api_key());
        match make(&url, key) {
            Ok(main) => {
                let mut targets = vec![main];
                targets.extend(additional(config, self.additional, make));
                Targets::To(targets)
            }
            Err(error) => off(500, &format!("{} {url}: {error}", self.off)),
        }
    }
}

/// Additional destinations, one for each URL and key. Those that are no URL are left out.
fn additional(
    config: &Config,
    key: MapKey,
    make: impl Fn(&str, &str) -> Result<Target, String>,
) -> Vec<Target> {
    let mut targets = Vec::new();
    for (url, key) in config.url_keys(key) {
        if key.starts_with(DELEGATED) {
            log::warn!("a delegated key for additional endpoint {url} is not supported, skipped");
            continue;
        }
        match make(&url, &key) {
            Ok(target) => targets.push(target),
            Err(error) => log::warn!("additional endpoint {url} is skipped: {error}"),
        }
    }
    targets
}

fn profiling(config: &Config, site: &str) -> Targets {
    let mut further =
        additional(config, keys::PROFILING_ADDITIONAL_ENDPOINTS, Target::new).into_iter();
    if !config.bool(keys::PROFILING_SEND_TO_MAIN) {
        let targets: Vec<Target> = further.collect();
        if targets.is_empty() {
            let text = "profiling proxy has no valid endpoints configured";
            return off(500, &format!("Profile forwarder is OFF: {text}"));
        }
        return Targets::To(targets);
    }
    let own = config.text(keys::PROFILING_DD_URL);
    if own.is_some_and(|url| url.ends_with("v1/input")) {
        log::warn!("`apm_config.profiling_dd_url` ends in v1/input, which is deprecated");
    }
    let url =
        own.map_or_else(|| format!("https://intake.profile.{site}/api/v2/profile"), str::to_owned);
    match Target::new(&url, config.api_key()) {
        Ok(main) => Targets::To(std::iter::once(main).chain(further.by_ref()).collect()),
        Err(error) => {
            let text = "Profile forwarder is OFF: error parsing main profiling intake URL";
            off(500, &format!("{text} {url}: {error}"))
        }
    }
}

fn evp(config: &Config, site: &str) -> Targets {
    let app_key = config.text(keys::EVP_APP_KEY).or_else(|| config.text(keys::APP_KEY));
    let app_key = app_key.unwrap_or_default().to_owned();
    Named {
        url: (keys::EVP_DD_URL, site.to_owned()),
        key: keys::EVP_API_KEY,
        additional: keys::EVP_ADDITIONAL_ENDPOINTS,
        off: "EVPProxy is OFF: error parsing site",
    }
    .targets(config, |site, key| {
        let target = Target::of_host(site, key)?;
        Ok(if app_key.is_empty() { target } else { target.with_app_key(&app_key) })
    })
}

fn telemetry(config: &Config, site: &str) -> Targets {
    // Of a URL the host alone counts, and everything goes over https.
    let make = |url: &str, key: &str| {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        Target::of_host(rest.split(['/', '?']).next().unwrap_or(rest), key)
    };
    let main = config
        .text(keys::APM_TELEMETRY_DD_URL)
        .map_or_else(|| format!("instrumentation-telemetry-intake.{site}"), str::to_owned);
    let mut targets: Vec<Target> = make(&main, config.api_key()).into_iter().collect();
    targets.extend(additional(config, keys::APM_TELEMETRY_ADDITIONAL_ENDPOINTS, make));
    if targets.is_empty() { off(404, "") } else { Targets::To(targets) }
}

fn pipeline_stats(config: &Config) -> Targets {
    let is_failed_over = config.bool(keys::MRF_FAILOVER_APM);
    let mut targets = Vec::new();
    for endpoint in config.trace_endpoints() {
        if endpoint.role == Role::Failover && !is_failed_over {
            continue;
        }
        for key in &endpoint.keys {
            let url = format!("{}{PIPELINE_STATS_PATH}", endpoint.url);
            match Target::new(&url, &key.key) {
                Ok(target) => targets.push(target),
                Err(error) => log::warn!("pipeline stats: {}: {error}", endpoint.configured),
            }
        }
    }
    if targets.is_empty() {
        return off(500, "Pipeline stats forwarder is OFF: config was not properly validated");
    }
    Targets::To(targets)
}

fn dogstatsd(config: &Config) -> Targets {
    if !config.bool(keys::USE_DOGSTATSD) {
        return off(503, "503 Status Unavailable");
    }
    if config.port(keys::DOGSTATSD_PORT) == 0 {
        let text = "Agent dogstatsd UDP port not configured, but required for dogstatsd proxy.";
        return off(503, text);
    }
    Targets::Here
}

/// URL of OpenLineage events for a URL or a site.
fn openlineage_url(url: &str, version: usize) -> String {
    let url = url.trim();
    let is_whole = url.starts_with("http://") || url.starts_with("https://");
    let mut url = match is_whole {
        true => url.to_owned(),
        false => format!("https://data-obs-intake.{url}/api/v1/lineage"),
    };
    if version >= 2 {
        url.push(if url.contains('?') { '&' } else { '?' });
        url.push_str(&format!("api-version={version}"));
    }
    url
}

/// Whether logs are passed on. spec: proxies §3.2.
fn takes_logs(config: &Config) -> bool {
    config.bool(keys::LOGS_ENABLED)
        || !config.is_set(keys::LOGS_ENABLED)
        || config.bool(keys::DEBUGGER_LOGS_ENABLED_OVERRIDE)
}

/// The site as it goes into names of hosts.
fn site(config: &Config) -> String {
    let site = config.str(keys::SITE).trim();
    let site = site.split_once("://").map_or(site, |(_, rest)| rest);
    let site = site.trim_end_matches(['/', '.']);
    if site.is_empty() { forward::DEFAULT_SITE.to_owned() } else { site.to_owned() }
}

fn off(status: u16, text: &str) -> Targets {
    Targets::Off { status, text: text.to_owned() }
}

fn or_default(configured: Duration, default: Duration) -> Duration {
    if configured.is_zero() { default } else { configured }
}

#[cfg(test)]
mod tests;
