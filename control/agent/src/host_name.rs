//! The host name and the host's metadata.

use std::sync::Arc;

use config::{Config, keys};
use host::{HostFacts, MetadataSettings, NameSettings, Roots, candidates, metadata_payload};

use crate::settings::AGENT_VERSION;

/// What is known about the host.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    /// Name that metrics carry; empty when none could be found.
    pub(crate) name: Arc<str>,
    /// Where the name came from.
    pub(crate) provider: &'static str,
    fqdn: String,
}

impl Host {
    /// A host whose name is known already.
    pub(crate) fn named(name: Arc<str>) -> Self {
        Self { name, provider: "known", fqdn: String::new() }
    }

    /// Resolves the host name. Messages for people go to `notes`.
    pub(crate) fn resolve(config: &Config, notes: &mut Vec<String>) -> Self {
        let settings = NameSettings {
            hostname: config.str(keys::HOSTNAME).to_owned(),
            hostname_file: config.str(keys::HOSTNAME_FILE).to_owned(),
            is_fargate: crate::fargate::orchestrator(config).is_some(),
            is_fqdn_wanted: config.bool(keys::HOSTNAME_FQDN),
            is_uts_trusted: config.bool(keys::HOSTNAME_TRUST_UTS_NAMESPACE),
            ..NameSettings::default()
        };
        let found = candidates(&settings, &roots(config));
        match host::resolve_name(&settings, &found) {
            Ok(name) => {
                notes.extend(name.warnings.iter().map(ToString::to_string));
                Self {
                    name: name.name.into(),
                    provider: name.provider.as_str(),
                    fqdn: found.fqdn.unwrap_or_default(),
                }
            }
            Err(error) => {
                notes.push(format!("{error}; metrics carry no host name"));
                Self { name: Arc::from(""), provider: "none", fqdn: String::new() }
            }
        }
    }

    /// The metadata document. The key of the request authenticates it, so that it holds none and
    /// the same bytes go to every endpoint.
    pub(crate) fn metadata(&self, config: &Config) -> serde_json::Value {
        let settings = MetadataSettings {
            agent_version: AGENT_VERSION.to_owned(),
            host_name: self.name.as_ref().to_owned(),
            fqdn: self.fqdn.clone(),
            host_aliases: config.list(keys::HOST_ALIASES).to_vec(),
            host_tags: config.host_tags(),
            has_gohai: true,
            is_no_proxy_nonexact: config.bool(keys::NO_PROXY_NONEXACT_MATCH),
            ..MetadataSettings::default()
        };
        metadata_payload(&settings, &HostFacts::read(&roots(config)), "")
    }
}

fn roots(config: &Config) -> Roots {
    let defaults = Roots::default();
    let proc = config.text(keys::PROCFS_PATH).map_or(defaults.proc, Into::into);
    Roots { proc, ..defaults }
}
