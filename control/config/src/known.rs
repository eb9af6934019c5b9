//! Names that exist somewhere: corelane's own table, and every key of the Agent.
//!
//! The Agent's keys tell a misspelt name from one that is right but not used here. They come from
//! `known_keys.txt`, which a test generates from `config_keys.jsonl`.

use std::collections::{BTreeSet, HashSet};

use crate::entry::env_name;
use crate::keys;
use crate::nearest::nearest;

/// Sections `[parent]`, then one key per line: the name, and its variables if they are not the
/// one of the naming rule (`=` stands for that one, `-` for none).
pub(crate) const TEXT: &str = include_str!("known_keys.txt");

/// Variables of tracers, serverless parts and installers: not ours, and no mistake either.
/// spec: config §1
const FOREIGN_ENV: &[&str] = &[
    "DD_AAS_*",
    "DD_ADP_ENABLED",
    "DD_AGENT_HOST",
    "DD_AGENT_PIPE_NAME",
    "DD_API_KEY_SECRET_ARN",
    "DD_APM_FLUSH_DEADLINE_MILLISECONDS",
    "DD_APPSEC_ENABLED",
    "DD_AZURE_APP_SERVICES",
    "DD_DOGSTATSD_ARGS",
    "DD_DOGSTATSD_PATH",
    "DD_DOGSTATSD_URL",
    "DD_DOGSTATSD_WINDOWS_PIPE_NAME",
    "DD_DOTNET_TRACER_HOME",
    "DD_EXTENSION_PATH",
    "DD_FLUSH_TO_LOG",
    "DD_GIT_COMMIT_SHA",
    "DD_GIT_REPOSITORY_URL",
    "DD_INSIDE_CI",
    "DD_INSTRUMENTATION_TELEMETRY_ENABLED",
    "DD_INTEGRATIONS",
    "DD_INTERNAL_*",
    "DD_KMS_API_KEY",
    "DD_LAMBDA_HANDLER",
    "DD_LOGS_INJECTION",
    "DD_MERGE_XRAY_TRACES",
    "DD_POD_NAME",
    "DD_PROFILER_EXCLUDE_PROCESSES",
    "DD_PROFILING_LOG_DIR",
    "DD_RUNTIME_METRICS_ENABLED",
    "DD_SERVERLESS_*",
    "DD_SERVICE",
    "DD_TRACE_AGENT_ARGS",
    "DD_TRACE_AGENT_PATH",
    "DD_TRACE_AGENT_URL",
    "DD_TRACE_LOG_*",
    "DD_TRACE_METRICS_ENABLED",
    "DD_TRACE_PIPE_NAME",
    "DD_TRACE_TRANSPORT",
    "DD_VERSION",
];

/// Keys of the Agent whose job something of ours does.
const REPLACED: &[(&str, &str)] = &[
    ("aggregator_buffer_size", "lanes share no channel that it could size"),
    ("dogstatsd_packet_buffer_size", "see corelane.batch_packets"),
    ("dogstatsd_packet_buffer_flush_timeout", "see corelane.receive_latency_ms"),
    ("dogstatsd_pipeline_autoadjust", "see corelane.lanes"),
    ("dogstatsd_pipeline_count", "see corelane.lanes"),
    ("dogstatsd_queue_size", "packets wait in the socket: see corelane.receive_buffer_bytes"),
    ("dogstatsd_string_interner_size", "see corelane.contexts_max"),
    ("dogstatsd_workers_count", "see corelane.lanes"),
    ("forwarder_high_prio_buffer_size", "see forwarder_retry_queue_payloads_max_size"),
    ("forwarder_low_prio_buffer_size", "see forwarder_retry_queue_payloads_max_size"),
    ("forwarder_requeue_buffer_size", "see forwarder_retry_queue_payloads_max_size"),
    ("forwarder_retry_queue_max_size", "see forwarder_retry_queue_payloads_max_size"),
];

/// The names, for one load; dropped afterwards, because a running agent has no use for them.
pub(crate) struct Known {
    /// Lower-case dotted paths.
    keys: BTreeSet<String>,
    env: HashSet<String>,
}

impl Known {
    pub(crate) fn new() -> Self {
        let mut known = Self { keys: BTreeSet::new(), env: HashSet::new() };
        let mut section = String::new();
        for line in TEXT.lines() {
            if let Some(path) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                section.clear();
                section.push_str(path);
                continue;
            }
            let mut words = line.split(' ');
            let name = words.next().unwrap_or_default();
            let path =
                if section.is_empty() { name.to_owned() } else { format!("{section}.{name}") };
            let mut has_names = false;
            for word in words {
                has_names = true;
                match word {
                    "-" => {}
                    "=" => drop(known.env.insert(env_name(&path))),
                    name => drop(known.env.insert(name.to_owned())),
                }
            }
            if !has_names {
                known.env.insert(env_name(&path));
            }
            known.keys.insert(path.to_ascii_lowercase());
        }
        for entry in keys::all() {
            known.keys.insert(entry.name.to_ascii_lowercase());
            known.keys.extend(entry.aliases.iter().map(|alias| (*alias).to_owned()));
        }
        known
    }

    pub(crate) fn has_key(&self, path: &str) -> bool {
        self.keys.contains(path)
    }

    /// Whether some key lies below this path.
    pub(crate) fn has_section(&self, path: &str) -> bool {
        let prefix = format!("{path}.");
        self.keys.range(prefix.clone()..).next().is_some_and(|key| key.starts_with(&prefix))
    }

    /// Whether a variable is the Agent's, or one that other programs own.
    pub(crate) fn has_env(&self, name: &str) -> bool {
        self.env.contains(name)
            || FOREIGN_ENV.iter().any(|foreign| match foreign.strip_suffix('*') {
                Some(prefix) => name.starts_with(prefix),
                None => name == *foreign,
            })
    }

    /// A hint for an unknown key: the nearest name, our own table first.
    pub(crate) fn key_hint(&self, path: &str) -> Option<String> {
        let by_env = || {
            let upper = path.to_ascii_uppercase().replace('.', "_");
            keys::all().find(|entry| entry.env_names().contains(&upper)).map(|entry| entry.name)
        };
        let by_leaf = || {
            let leaf = path.rsplit('.').next()?;
            keys::all().map(|entry| entry.name).find(|name| *name == leaf)
        };
        nearest(path, keys::all().map(|entry| entry.name))
            .or_else(|| nearest(path, self.keys.iter().map(String::as_str)))
            .or_else(by_env)
            .or_else(by_leaf)
            .map(|name| format!("did you mean {name}?"))
    }

    /// A hint for an unknown variable.
    pub(crate) fn env_hint(&self, name: &str) -> Option<String> {
        let ours: Vec<String> = keys::all().flat_map(crate::Entry::env_names).collect();
        nearest(name, ours.iter().map(String::as_str))
            .or_else(|| {
                // A sorted order makes the answer the same every time.
                let mut theirs: Vec<&str> = self.env.iter().map(String::as_str).collect();
                theirs.sort_unstable();
                nearest(name, theirs.into_iter())
            })
            .map(|name| format!("did you mean {name}?"))
    }
}

/// What does the job of an unused key of the Agent here, if anything.
pub(crate) fn replacement(path: &str) -> Option<&'static str> {
    REPLACED.iter().find(|(key, _)| *key == path).map(|(_, hint)| *hint)
}

#[cfg(test)]
mod tests;
