//! What the agent itself reads. spec: remote-config §7
//!
//! Each product is a pure function from its configurations to what they mean; the agent applies
//! that.

pub mod agent_config;
pub mod agent_task;
pub mod apm_sampling;

use bytes::Bytes;

/// One configuration of a product, verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configuration {
    /// `datadog/<org>/<product>/<id>/<name>`.
    pub path: String,
    /// The id in the path.
    pub id: String,
    /// Version of the file.
    pub version: u64,
    /// The content.
    pub content: Bytes,
}

/// What became of a configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ApplyState {
    /// Nothing is known.
    #[default]
    Unknown,
    /// It has arrived, and is being applied.
    Unacknowledged,
    /// It is in effect.
    Acknowledged,
    /// It is not, for this reason.
    Error(String),
}

impl ApplyState {
    /// The number on the wire.
    #[must_use]
    pub const fn code(&self) -> u64 {
        match self {
            Self::Unknown => 0,
            Self::Unacknowledged => 1,
            Self::Acknowledged => 2,
            Self::Error(_) => 3,
        }
    }

    /// The reason of an error, else nothing.
    #[must_use]
    pub fn error(&self) -> &str {
        match self {
            Self::Error(reason) => reason,
            Self::Unknown | Self::Unacknowledged | Self::Acknowledged => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Documents that are nearly right: what a typing error, or another version, makes of them.
    fn content() -> impl Strategy<Value = String> {
        let word = prop::sample::select(vec![
            "{",
            "}",
            "[",
            "]",
            ":",
            ",",
            "null",
            "true",
            "1e400",
            "-1",
            "11",
            "\"\"",
            "\"debug\"",
            "\"order\"",
            "\"internal_order\"",
            "\"a\"",
            "\"config\"",
            "\"log_level\"",
            "\"all_envs\"",
            "\"by_env\"",
            "\"env\"",
            "\"priority_sampler_target_TPS\"",
            "\"rare_sampler_enabled\"",
            "\"task_type\"",
            "\"uuid\"",
            "\"args\"",
        ]);
        prop::collection::vec(word, 0..24).prop_map(|words| words.concat())
    }

    proptest! {
        #[test]
        fn any_document_is_read_or_refused(
            contents in prop::collection::vec((content(), any::<bool>()), 0..4)
        ) {
            let one = |(number, (content, is_order)): (usize, (String, bool))| {
                let id = if is_order { "configuration_order".to_owned() } else { format!("a{number}") };
                Configuration {
                    path: format!("datadog/2/P/{id}/config"),
                    id,
                    version: 1,
                    content: content.into(),
                }
            };
            let all: Vec<Configuration> = contents.into_iter().enumerate().map(one).collect();
            if let Err(faults) = agent_config::merge(&all) {
                prop_assert!(!faults.is_empty(), "a refusal says why");
            }
            if let Ok(Some(sampling)) = apm_sampling::read(&all) {
                let targets = sampling.of("a");
                prop_assert!(targets.priority_tps.is_none_or(f64::is_finite));
            }
            for configuration in &all {
                if let Ok(task) = agent_task::Task::parse(configuration) {
                    prop_assert!(!task.uuid.is_empty());
                }
            }
        }
    }
}
