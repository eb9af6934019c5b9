//! What users decide about spans of OTLP. spec: otlp §8.

use std::collections::HashMap;

/// Settings of the translation.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Share of the traces that are kept, in percent: `probabilistic_sampler.sampling_percentage`.
    /// What is not above 0 and at most 100 counts as 100, which is the default.
    pub sampling_percentage: f64,
    /// Whether the sampler of the agent decides instead (`apm_config.probabilistic_sampler`): then
    /// chunks get no priority. Default: false.
    pub is_sampled_by_agent: bool,
    /// Whether spans of servers and consumers are top-level, and those of clients and producers
    /// measured: the feature `enable_otlp_compute_top_level_by_span_kind`. Default: false.
    pub is_top_level_by_kind: bool,
    /// Whether operations are named in the old way even without the two settings below: the feature
    /// `disable_operation_and_resource_name_logic_v2`. Default: false.
    pub is_naming_v1: bool,
    /// Whether the operation is the name of the span: `span_name_as_resource_name`; it implies the
    /// old way. Default: false.
    pub is_operation_span_name: bool,
    /// Names of operations to others: `span_name_remappings`; any implies the old way. Default:
    /// none.
    pub remappings: HashMap<String, String>,
    /// Whether spans have `otel.scope.name` and `otel.scope.version` beside `otel.library.*`; the
    /// feature `disable_otel_scope_convention` says no. Default: true.
    pub is_scope_convention: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            sampling_percentage: 100.0,
            is_sampled_by_agent: false,
            is_top_level_by_kind: false,
            is_naming_v1: false,
            is_operation_span_name: false,
            remappings: HashMap::new(),
            is_scope_convention: true,
        }
    }
}

impl Settings {
    /// Share of the traces that are kept, above 0 and up to 1.
    pub(super) fn rate(&self) -> f64 {
        let rate = self.sampling_percentage / 100.0;
        if rate > 0.0 && rate < 1.0 { rate } else { 1.0 }
    }

    /// Whether names and resources are found in the old way.
    pub(super) fn is_old_naming(&self) -> bool {
        self.is_naming_v1 || self.is_operation_span_name || !self.remappings.is_empty()
    }
}
