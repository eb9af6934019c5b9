//! Remote configuration as a status page shows it.

use std::collections::BTreeMap;

use remote::{AppliedReport, ClientReport, Counts, Report, Versions};
use status::{RemoteApplied, RemoteClient, RemoteConfiguration, RemoteStatus};

/// The report as plain data.
pub(super) fn status(report: &Report) -> RemoteStatus {
    RemoteStatus {
        disabled_reason: String::new(),
        url: report.url.clone(),
        org_enabled: report.org_status.map(|status| status.is_enabled),
        api_key_scoped: report.org_status.map(|status| status.is_authorized),
        org_error: report.org_error.clone(),
        last_error: report.last_error.clone(),
        updated_unix_secs: report.updated_unix_secs,
        interval_secs: report.interval_secs,
        errors: report.errors,
        is_expired: report.is_expired,
        is_on_disk: report.is_on_disk,
        bytes: report.bytes,
        versions: versions(&report.versions),
        products: report.products.clone(),
        clients: report.clients.iter().map(client).collect(),
        configurations: report
            .configurations
            .iter()
            .map(|one| RemoteConfiguration {
                path: one.path.clone(),
                version: one.version,
                bytes: one.bytes,
            })
            .collect(),
        counts: counts(&report.counts),
    }
}

fn versions(versions: &Versions) -> BTreeMap<String, u64> {
    [
        ("director_root", versions.director_root),
        ("director_timestamp", versions.director_timestamp),
        ("director_snapshot", versions.director_snapshot),
        ("director_targets", versions.director_targets),
        ("config_root", versions.config_root),
        ("config_timestamp", versions.config_timestamp),
        ("config_snapshot", versions.config_snapshot),
        ("config_targets", versions.config_targets),
    ]
    .into_iter()
    .map(|(role, version)| (role.to_owned(), version))
    .collect()
}

fn client(client: &ClientReport) -> RemoteClient {
    RemoteClient {
        id: client.id.clone(),
        kind: client.kind.to_owned(),
        name: client.name.clone(),
        language: client.language.clone(),
        version: client.version.clone(),
        products: client.products.clone(),
        seen_unix_ms: client.seen_unix_ms,
        targets_version: client.targets_version,
        error: client.error.clone(),
        configurations: client.configurations.iter().map(applied).collect(),
    }
}

fn applied(applied: &AppliedReport) -> RemoteApplied {
    let state = match applied.apply_state {
        0 => "unknown",
        1 => "unacknowledged",
        2 => "acknowledged",
        3 => "error",
        _ => "odd",
    };
    RemoteApplied {
        product: applied.product.clone(),
        id: applied.id.clone(),
        version: applied.version,
        state: state.to_owned(),
        error: applied.apply_error.clone(),
    }
}

fn counts(counts: &Counts) -> BTreeMap<String, u64> {
    let mut all: BTreeMap<String, u64> = [
        ("updates", counts.updates),
        ("store_failures", counts.store_failures),
        ("store_distrusted", counts.store_distrusted),
        ("request_ms", counts.request_ms),
        ("bypasses", counts.bypasses),
        ("bypasses_limited", counts.bypasses_limited),
        ("bypasses_late", counts.bypasses_late),
        ("clients_refused", counts.clients_refused),
        ("products_refused", counts.products_refused),
    ]
    .into_iter()
    .map(|(name, count)| (name.to_owned(), count))
    .collect();
    for (group, counted) in [
        ("call_failed", &counts.call_failures),
        ("refused", &counts.refused),
        ("requests", &counts.requests),
    ] {
        all.extend(counted.iter().map(|(name, count)| (format!("{group}_{name}"), *count)));
    }
    all
}
