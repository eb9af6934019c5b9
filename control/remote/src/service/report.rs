//! The service as a status page shows it.

use super::{Now, Service};
use crate::counts::{AppliedReport, ClientReport, ConfigurationReport, Report};
use crate::message::Client;

impl Service {
    /// Everything a status page shows.
    pub(crate) fn report(&mut self, now: Now) -> Report {
        let versions = self.repositories.versions();
        let own = self.own.client(
            versions.director_root,
            versions.director_targets,
            Vec::new(),
            now.unix_ms,
        );
        let mut clients = vec![client_report(&own)];
        clients.extend(self.registry.active(now.instant).into_iter().map(client_report));
        let configurations = self.repositories.served.iter().map(|(path, served)| {
            let bytes = served.content.len() as u64;
            ConfigurationReport { path: path.clone(), version: served.version, bytes }
        });
        Report {
            url: self.settings.url.clone(),
            versions,
            updated_unix_secs: u64::try_from(self.updated_secs).unwrap_or(0),
            interval_secs: self.schedule.interval().as_secs(),
            errors: self.schedule.errors(),
            last_error: self.last_error.clone(),
            org_status: self.org_status,
            org_error: self.org_error.clone(),
            is_on_disk: self.is_on_disk,
            bytes: self.repositories.bytes() as u64,
            is_expired: self.repositories.is_expired(now.secs()),
            products: self.products.iter().cloned().collect(),
            configurations: configurations.collect(),
            clients,
            counts: self.counts.clone(),
        }
    }
}

fn client_report(client: &Client) -> ClientReport {
    let state = client.state.clone().unwrap_or_default();
    let tracer = client.client_tracer.clone().unwrap_or_default();
    let agent = client.client_agent.clone().unwrap_or_default();
    let (kind, name, version) = if client.is_tracer {
        ("tracer", tracer.service, tracer.tracer_version)
    } else if client.is_agent {
        ("agent", agent.name, agent.version)
    } else {
        ("updater", String::new(), String::new())
    };
    ClientReport {
        id: client.id.clone(),
        kind,
        name,
        language: tracer.language,
        version,
        products: client.products.clone(),
        seen_unix_ms: client.last_seen,
        targets_version: state.targets_version,
        error: state.error,
        configurations: state
            .config_states
            .into_iter()
            .map(|state| AppliedReport {
                product: state.product,
                id: state.id,
                version: state.version,
                apply_state: state.apply_state,
                apply_error: state.apply_error,
            })
            .collect(),
    }
}
