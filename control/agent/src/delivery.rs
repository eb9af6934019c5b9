//! Where payloads go: endpoints grouped by the form they take, one forwarder for each group.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use config::{Config, Role, SeriesProtocol, keys};
use encode::{EncodeStats, MetricsEncoder, SeriesForm, SketchesForm};
use forward::{
    Accepts, BackoffSettings, ConnectSettings, Endpoint, ForwardStats, Forwarder, HostPrefix,
    HttpProtocol, Identity, Kind, Priority, ProxySettings, SpoolSettings, TlsSettings, TlsVersion,
};
use signal::{Series, SeriesSink, SketchSeries};

use crate::settings::{self, AGENT_VERSION, AGENT_VERSION_NUMBERS};

/// All endpoints.
#[derive(Debug)]
pub(crate) struct Delivery {
    groups: Vec<Group>,
}

/// Endpoints that take the same forms.
#[derive(Debug)]
struct Group {
    forms: Forms,
    /// The metrics it takes (`multi_region_failover.metric_allowlist`); `None` takes all.
    allowlist: RwLock<Option<Arc<HashSet<String>>>>,
    /// Whether any endpoint takes metrics now.
    takes_metrics: AtomicBool,
    encode: encode::Settings,
    forwarder: Arc<Forwarder>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Forms {
    series: SeriesForm,
    sketches: SketchesForm,
    /// Whether it is the second region: it takes metrics on the allow list, and only in need.
    is_failover: bool,
}

impl Delivery {
    /// Starts a forwarder for each group of endpoints.
    pub(crate) fn start(config: &Config) -> Result<Self, forward::StartError> {
        let encode = settings::encode(config);
        let mut groups = Vec::new();
        for (index, (forms, endpoints)) in grouped(config).into_iter().enumerate() {
            let takes_metrics = AtomicBool::new(takes_metrics(&endpoints));
            let forwarder = Forwarder::start(forward_settings(config, endpoints, index))?;
            let encode = encode::Settings {
                series_form: forms.series,
                sketches_form: forms.sketches,
                ..encode
            };
            let allowlist = RwLock::new(allowlist(config, forms));
            let forwarder = Arc::new(forwarder);
            groups.push(Group { forms, allowlist, takes_metrics, encode, forwarder });
        }
        Ok(Self { groups })
    }

    /// An encoder for one flush, feeding every group.
    pub(crate) fn metrics_sink(&self) -> MetricsSink {
        let encoder = |group: &Group| {
            let forwarder = Arc::clone(&group.forwarder);
            let out: Out = Box::new(move |payload| submit(&forwarder, &payload));
            Filtered {
                allowlist: group.allowlist.read().unwrap_or_else(PoisonError::into_inner).clone(),
                encoder: MetricsEncoder::new(&group.encode, out),
            }
        };
        // A region that takes no metrics now costs nothing.
        let is_wanted = |group: &&Group| {
            !group.forms.is_failover || group.takes_metrics.load(Ordering::Relaxed)
        };
        MetricsSink { encoders: self.groups.iter().filter(is_wanted).map(encoder).collect() }
    }

    /// Encodes something that has no series form, and sends it to every group.
    pub(crate) fn send_each<R>(
        &self,
        mut encode: impl FnMut(&encode::Settings, &mut dyn FnMut(encode::Payload)) -> R,
    ) -> Option<R> {
        let mut last = None;
        for group in self.groups.iter().filter(|group| !group.forms.is_failover) {
            last = Some(encode(&group.encode, &mut |payload| submit(&group.forwarder, &payload)));
        }
        last
    }

    /// Whether [`Delivery::reload`] can follow a new configuration.
    ///
    /// Endpoints move between groups only at a restart.
    pub(crate) fn check(&self, config: &Config) -> Result<(), String> {
        for (forms, endpoints) in &grouped(config) {
            let group = self.groups.iter().find(|group| group.forms == *forms);
            let group = group.ok_or("endpoints of another form need a restart")?;
            group.forwarder.check_endpoints(endpoints).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// Points the forwarders to the endpoints and keys of a new configuration.
    pub(crate) fn reload(&self, config: &Config) -> Result<(), String> {
        self.check(config)?;
        let wanted = grouped(config);
        for group in &self.groups {
            let endpoints = wanted.iter().find(|(forms, _)| group.forms == *forms);
            let endpoints = endpoints.map_or(&[] as &[_], |(_, endpoints)| endpoints);
            *group.allowlist.write().unwrap_or_else(PoisonError::into_inner) =
                allowlist(config, group.forms);
            group.takes_metrics.store(takes_metrics(endpoints), Ordering::Relaxed);
            group.forwarder.set_endpoints(endpoints).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// Counters of all endpoints.
    pub(crate) fn stats(&self) -> Vec<ForwardStats> {
        self.groups.iter().map(|group| group.forwarder.stats()).collect()
    }

    /// Delivers or spools what waits, within the stop budget.
    pub(crate) fn stop(&self) {
        for group in &self.groups {
            group.forwarder.stop();
        }
    }
}

type Out = Box<dyn FnMut(encode::Payload) + Send>;

/// Encodes each series once for each group that takes it.
pub(crate) struct MetricsSink {
    encoders: Vec<Filtered>,
}

/// The encoder of a group, behind its allow list.
struct Filtered {
    allowlist: Option<Arc<HashSet<String>>>,
    encoder: MetricsEncoder<Out>,
}

impl Filtered {
    fn takes(&self, name: &str, suffix: &str) -> bool {
        self.allowlist.as_ref().is_none_or(|list| match suffix {
            "" => list.contains(name),
            _ => list.contains(&format!("{name}{suffix}")),
        })
    }
}

impl MetricsSink {
    /// Sends what is left. The accounts are those of the first group: the others differ in form
    /// only.
    pub(crate) fn finish(&mut self) -> EncodeStats {
        let stats: Vec<EncodeStats> =
            self.encoders.iter_mut().map(|filtered| filtered.encoder.finish()).collect();
        stats.into_iter().next().unwrap_or_default()
    }
}

impl SeriesSink for MetricsSink {
    fn series(&mut self, series: Series<'_>) {
        for filtered in &mut self.encoders {
            if filtered.takes(&series.context.name, series.suffix) {
                filtered.encoder.series(series);
            }
        }
    }

    fn sketch(&mut self, sketch: SketchSeries<'_>) {
        for filtered in &mut self.encoders {
            if filtered.takes(&sketch.context.name, "") {
                filtered.encoder.sketch(sketch);
            }
        }
    }
}

fn submit(forwarder: &Forwarder, payload: &encode::Payload) {
    let kind = payload.kind;
    forwarder.submit(&forward::Payload {
        path: kind.path().into(),
        endpoint_name: kind.endpoint_name().into(),
        content_type: kind.content_type().into(),
        encoding: payload.encoding.header().map(Into::into),
        headers: Vec::new(),
        body: payload.body.clone(),
        points: payload.points,
        is_storable: kind.is_storable(),
        priority: match kind.priority() {
            encode::Priority::High => Priority::High,
            encode::Priority::Normal => Priority::Normal,
        },
        kind: if kind.is_metrics() { Kind::Metrics } else { Kind::Other },
    });
}

fn allowlist(config: &Config, forms: Forms) -> Option<Arc<HashSet<String>>> {
    let names = config.list(keys::MRF_METRIC_ALLOWLIST);
    let is_filtered = forms.is_failover && !names.is_empty();
    is_filtered.then(|| Arc::new(names.iter().cloned().collect()))
}

fn takes_metrics(endpoints: &[Endpoint]) -> bool {
    endpoints.iter().any(|endpoint| endpoint.accepts.covers(Kind::Metrics))
}

/// The configured endpoints by the forms they take, in order of first appearance.
fn grouped(config: &Config) -> Vec<(Forms, Vec<Endpoint>)> {
    let mut groups: Vec<(Forms, Vec<Endpoint>)> = Vec::new();
    let mut add = |forms: Forms, endpoint: Endpoint| match groups
        .iter_mut()
        .find(|(known, _)| *known == forms)
    {
        Some((_, endpoints)) => endpoints.push(endpoint),
        None => groups.push((forms, vec![endpoint])),
    };
    let series_form = |protocol| match protocol {
        SeriesProtocol::V1 => SeriesForm::V1,
        SeriesProtocol::V2 => SeriesForm::V2,
        SeriesProtocol::V3 => SeriesForm::V3,
    };
    let has_pipeline = config.opw_is_enabled() && config.opw_metrics_url().is_some();
    let mut main_keys = Vec::new();
    for endpoint in config.endpoints(AGENT_VERSION) {
        let forms = Forms {
            series: series_form(config.series_protocol(&endpoint.configured)),
            sketches: if config.sketches_use_v3(&endpoint.configured) {
                SketchesForm::V3
            } else {
                SketchesForm::V2
            },
            is_failover: endpoint.role == Role::Failover,
        };
        let accepts = match endpoint.role {
            Role::Main if has_pipeline => Accepts::ExceptMetrics,
            Role::Main | Role::Additional => Accepts::All,
            Role::Failover if config.bool(keys::MRF_FAILOVER_METRICS) => Accepts::Metrics,
            Role::Failover => Accepts::Nothing,
        };
        let keys: Vec<String> = endpoint.keys.into_iter().map(|key| key.key).collect();
        if endpoint.role == Role::Main {
            main_keys.clone_from(&keys);
        }
        // As configured: the forwarder adds the version, and names its spool by what stays.
        add(forms, Endpoint { url: endpoint.configured, keys, accepts });
    }
    if let Some(url) = config.opw_metrics_url().filter(|_| has_pipeline) {
        let forms = Forms {
            series: series_form(config.opw_series_protocol()),
            sketches: SketchesForm::V2,
            is_failover: false,
        };
        add(forms, Endpoint { url, keys: main_keys, accepts: Accepts::Metrics });
    }
    groups
}

pub(crate) fn forward_settings(
    config: &Config,
    endpoints: Vec<Endpoint>,
    group: usize,
) -> forward::Settings {
    let defaults = forward::Settings::default();
    let days = |days: u64| Duration::from_secs(days * 24 * 3600);
    let spool_bytes = config.bytes(keys::FORWARDER_STORAGE_MAX_SIZE_IN_BYTES);
    let spool = (spool_bytes > 0).then(|| {
        let path = config.spool_path();
        // Each forwarder owns its directory; the first keeps the configured one.
        let path = if group == 0 { path } else { path.join(format!("group-{group}")) };
        SpoolSettings {
            disk_ratio_max: config.float(keys::FORWARDER_STORAGE_MAX_DISK_RATIO),
            flush_ratio: config.float(keys::FORWARDER_FLUSH_TO_DISK_MEM_RATIO),
            age_max: days(config.count(keys::FORWARDER_OUTDATED_FILE_IN_DAYS) as u64),
            ..SpoolSettings::new(path, spool_bytes)
        }
    });
    let in_flight = config.count(keys::FORWARDER_NUM_WORKERS).max(1)
        * config.count(keys::FORWARDER_MAX_CONCURRENT_REQUESTS).max(1);
    let proxy = config.proxy();
    let reset = config.secs(keys::FORWARDER_CONNECTION_RESET_INTERVAL);
    let validation = config.count(keys::FORWARDER_APIKEY_VALIDATION_INTERVAL) as u64;
    forward::Settings {
        endpoints,
        identity: Identity {
            user_agent: format!("datadog-agent/{AGENT_VERSION}"),
            agent_version: AGENT_VERSION.to_owned(),
            allows_arbitrary_tags: config.bool(keys::ALLOW_ARBITRARY_TAGS),
            host_prefix: Some(HostPrefix { version: AGENT_VERSION_NUMBERS, app: "app" }),
            resolves_absolute: config.bool(keys::CONVERT_DD_SITE_FQDN),
            ..Identity::default()
        },
        request_timeout: config.secs(keys::FORWARDER_TIMEOUT),
        in_flight_max: u32::try_from(in_flight).unwrap_or(defaults.in_flight_max),
        protocol: match config.str(keys::FORWARDER_HTTP_PROTOCOL) {
            "http1" => HttpProtocol::Http1,
            _ => HttpProtocol::Auto,
        },
        backoff: BackoffSettings {
            base: config.secs(keys::FORWARDER_BACKOFF_BASE),
            factor: u32::try_from(config.count(keys::FORWARDER_BACKOFF_FACTOR))
                .map_or(defaults.backoff.factor, f64::from),
            max: config.secs(keys::FORWARDER_BACKOFF_MAX),
            recovery_interval: u32::try_from(config.count(keys::FORWARDER_RECOVERY_INTERVAL))
                .unwrap_or(defaults.backoff.recovery_interval),
            recovery_reset: config.bool(keys::FORWARDER_RECOVERY_RESET),
        },
        refused_keys: defaults.refused_keys,
        memory_bytes_max: config.bytes(keys::FORWARDER_RETRY_QUEUE_PAYLOADS_MAX_SIZE),
        spool,
        tls: TlsSettings {
            skips_validation: config.bool(keys::SKIP_SSL_VALIDATION),
            version_min: match config.min_tls_version() {
                config::TlsVersion::V1_3 => TlsVersion::Tls13,
                config::TlsVersion::V1_0 | config::TlsVersion::V1_1 | config::TlsVersion::V1_2 => {
                    TlsVersion::Tls12
                }
            },
            extra_ca_path: config.text(keys::TLS_CERT_FILE).map(Into::into),
            key_log_path: config.text(keys::SSLKEYLOGFILE).map(Into::into),
        },
        proxy: ProxySettings {
            http: proxy.http.unwrap_or_default(),
            https: proxy.https.unwrap_or_default(),
            no_proxy: proxy.no_proxy,
            matches_nonexact: proxy.is_nonexact,
            // The configuration has put them on the list already.
            includes_cloud_metadata: true,
        },
        connect: ConnectSettings {
            handshake_timeout: config.duration(keys::TLS_HANDSHAKE_TIMEOUT),
            fallback_delay: config.duration(keys::HTTP_DIAL_FALLBACK_DELAY),
            reset_interval: (!reset.is_zero()).then_some(reset),
            ..defaults.connect
        },
        key_validation_interval: Some(Duration::from_secs(validation * 60)),
        stop_timeout: config.secs(keys::FORWARDER_STOP_TIMEOUT),
        success_log_every: config.count(keys::LOGGING_FREQUENCY) as u64,
        seed: None,
    }
}
