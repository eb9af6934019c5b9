//! `APM_SAMPLING`: targets of the samplers. spec: remote-config §7.3

use serde::Deserialize;

use super::Configuration;

/// Name of the product.
pub const PRODUCT: &str = "APM_SAMPLING";

/// What the configuration wants; `None` leaves the local value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Targets {
    /// Traces to keep per second.
    #[serde(rename = "priority_sampler_target_TPS")]
    pub priority_tps: Option<f64>,
    /// Traces with errors to keep per second.
    #[serde(rename = "errors_sampler_target_TPS")]
    pub errors_tps: Option<f64>,
    /// Whether the rare sampler works.
    pub rare_sampler_enabled: Option<bool>,
}

/// Targets everywhere, and in single environments.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Sampling {
    /// In every environment.
    pub all_envs: Option<Targets>,
    /// In single ones; the last of an environment counts.
    pub by_env: Option<Vec<EnvTargets>>,
}

/// Targets in an environment.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct EnvTargets {
    /// Its name.
    pub env: String,
    /// Its targets.
    pub config: Option<Targets>,
}

/// Reads the configurations. `None` leaves everything as it is: removing a configuration does not
/// bring back local values before a restart.
///
/// # Errors
/// More than one configuration, or one that cannot be read.
pub fn read(configurations: &[Configuration]) -> Result<Option<Sampling>, String> {
    match configurations {
        [] => Ok(None),
        [one] => serde_json::from_slice(&one.content)
            .map(Some)
            .map_err(|error| format!("{}: {error}", one.path)),
        several => Err(format!("{} configurations of sampling, instead of one", several.len())),
    }
}

impl Sampling {
    /// What it means for an agent of an environment.
    #[must_use]
    pub fn of(&self, env: &str) -> Targets {
        let all = self.all_envs.unwrap_or_default();
        let own = self.by_env.iter().flatten().rfind(|own| own.env == env);
        let own = own.and_then(|own| own.config).unwrap_or_default();
        Targets {
            priority_tps: own.priority_tps.or(all.priority_tps),
            errors_tps: own.errors_tps.or(all.errors_tps),
            rare_sampler_enabled: own.rare_sampler_enabled.or(all.rare_sampler_enabled),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configuration(content: &'static str) -> Configuration {
        Configuration {
            path: "datadog/2/APM_SAMPLING/dynamic_rates/config".to_owned(),
            id: "dynamic_rates".to_owned(),
            version: 3,
            content: content.into(),
        }
    }

    const WORKED: &str = r#"{"all_envs":{"priority_sampler_target_TPS":11,"errors_sampler_target_TPS":12,"rare_sampler_enabled":true},"by_env":[{"env":"prod","config":{"priority_sampler_target_TPS":21}}]}"#;

    /// spec: remote-config §7.3, vector.
    #[test]
    fn vector_of_the_spec() {
        let sampling = read(&[configuration(WORKED)]).unwrap().unwrap();
        let of = |env| {
            let targets = sampling.of(env);
            (targets.priority_tps, targets.errors_tps, targets.rare_sampler_enabled)
        };
        assert_eq!(of("prod"), (Some(21.0), Some(12.0), Some(true)));
        assert_eq!(of("dev"), (Some(11.0), Some(12.0), Some(true)));
    }

    #[test]
    fn none_changes_nothing_and_several_are_refused() {
        assert_eq!(read(&[]), Ok(None));
        assert!(read(&[configuration(WORKED), configuration(WORKED)]).is_err());
        assert!(read(&[configuration("{")]).is_err());
        let empty = read(&[configuration("{}")]).unwrap().unwrap();
        assert_eq!(empty.of("x"), Targets::default());
    }
}
