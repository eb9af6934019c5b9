//! Settings of all samplers. The caller knows the keys; these are the values. spec: apm §12.

/// Settings of lanes and control; both get the same.
#[derive(Clone, Debug, PartialEq)]
pub struct SamplingSettings {
    /// Environment of the agent: stands in for an empty one, and is published without its name too.
    pub agent_env: String,
    /// Traces per second of the priority sampler, and of the no-priority one. 0 keeps nothing that
    /// the tracers may drop.
    pub target_tps: f64,
    /// Traces per second of the errors sampler; 0 turns it off.
    pub errors_tps: f64,
    /// Most traces per second that remote configuration may ask for.
    pub remote_tps_max: f64,
    /// Factor on every rate of a known signature.
    pub extra_rate: f64,
    /// Most services whose rates are published; the least recently seen give way.
    pub catalog_entries_max: usize,
    /// Error tracking standalone: only chunks with errors are kept. spec: apm §6.8.
    pub is_error_tracking_standalone: bool,
    /// Feature `error_rare_sample_tracer_drop`: the errors and rare samplers also see what a tracer
    /// dropped, unless its user did.
    pub is_tracer_drop_sampled: bool,
    /// Rare sampler.
    pub rare: RareSettings,
    /// Probabilistic sampler.
    pub probabilistic: ProbabilisticSettings,
    /// Analytics events.
    pub events: EventSettings,
}

impl Default for SamplingSettings {
    fn default() -> Self {
        Self {
            agent_env: String::from("none"),
            target_tps: 10.0,
            errors_tps: 10.0,
            remote_tps_max: 100.0,
            extra_rate: 1.0,
            catalog_entries_max: 5000,
            is_error_tracking_standalone: false,
            is_tracer_drop_sampled: false,
            rare: RareSettings::default(),
            probabilistic: ProbabilisticSettings::default(),
            events: EventSettings::default(),
        }
    }
}

/// Settings of the rare sampler. spec: apm §7.5.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RareSettings {
    /// Off by default; remote configuration may turn it on.
    pub is_enabled: bool,
    /// Chunks per second over all lanes.
    pub tokens_per_sec: f64,
    /// Chunks at once over all lanes.
    pub burst: u32,
    /// How long a span counts as seen.
    pub cooldown_secs: u64,
    /// Most distinct spans of one service; 0 counts as 1.
    pub cardinality: u32,
}

impl Default for RareSettings {
    fn default() -> Self {
        Self {
            is_enabled: false,
            tokens_per_sec: 5.0,
            burst: 50,
            cooldown_secs: 300,
            cardinality: 200,
        }
    }
}

/// Settings of the probabilistic sampler. spec: apm §7.6.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ProbabilisticSettings {
    /// Off by default. When on, clients must not drop traces themselves (`/info`).
    pub is_enabled: bool,
    /// Share to keep, 0 to 100.
    pub percentage: f32,
    /// Agents with the same seed keep the same traces.
    pub hash_seed: u32,
    /// Feature `probabilistic_sampler_full_trace_id`: decide by 128 bits.
    pub is_full_trace_id: bool,
}

/// Settings of analytics events. spec: apm §7.7.
#[derive(Clone, Debug, PartialEq)]
pub struct EventSettings {
    /// Most events per second over all lanes.
    pub per_sec_max: f64,
    /// Rate by service and operation, in any case.
    pub analyzed_spans: Vec<AnalyzedSpans>,
    /// Rate by service for top-level spans; used only without `analyzed_spans`.
    pub analyzed_services: Vec<(String, f64)>,
}

impl Default for EventSettings {
    fn default() -> Self {
        Self { per_sec_max: 200.0, analyzed_spans: Vec::new(), analyzed_services: Vec::new() }
    }
}

/// One entry of `analyzed_spans`.
#[derive(Clone, Debug, PartialEq)]
pub struct AnalyzedSpans {
    /// Service.
    pub service: String,
    /// Operation name.
    pub operation: String,
    /// Share of these spans that become events.
    pub rate: f64,
}

/// Targets by remote configuration (product `APM_SAMPLING`). spec: apm §7.8.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RemoteSampling {
    /// For every environment.
    pub all_envs: RemoteTargets,
    /// For single environments; a value here wins.
    pub by_env: Vec<(String, RemoteTargets)>,
}

/// Remote values; `None` leaves the local one.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RemoteTargets {
    /// Traces per second of the priority sampler; at most `remote_tps_max`.
    pub target_tps: Option<f64>,
    /// Traces per second of the errors sampler.
    pub errors_tps: Option<f64>,
    /// Whether the rare sampler is on.
    pub is_rare_enabled: Option<bool>,
}

/// A target as the samplers use it: what is no number, or negative, is 0.
pub(crate) fn target_or_zero(tps: f64) -> f64 {
    if tps.is_finite() { tps.max(0.0) } else { 0.0 }
}
