//! Remote configuration at one moment, and its page.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::format::{Table, bytes, count, utc, visible};
use crate::text::{Page, reasons};

/// Remote configuration, counters since the start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RemoteStatus {
    /// Why it is off; empty while it is on.
    pub disabled_reason: String,
    /// Base URL of the backend.
    pub url: String,
    /// Whether it is on for the organisation; `None` while that is not known.
    pub org_enabled: Option<bool>,
    /// Whether the key may read it.
    pub api_key_scoped: Option<bool>,
    /// Why the two cannot be told; empty if they can.
    pub org_error: String,
    /// The last failure of a poll; empty after a success.
    pub last_error: String,
    /// Unix seconds of the last verified update; 0 before the first.
    pub updated_unix_secs: u64,
    /// Seconds between polls.
    pub interval_secs: u64,
    /// Failures that are not made up for.
    pub errors: u32,
    /// Whether what is in force has expired.
    pub is_expired: bool,
    /// Whether it survives a restart.
    pub is_on_disk: bool,
    /// Bytes of documents and files.
    pub bytes: u64,
    /// Versions by repository and role, such as `director_targets`.
    pub versions: BTreeMap<String, u64>,
    /// Products that were asked for.
    pub products: Vec<String>,
    /// Clients that are there, this agent first.
    pub clients: Vec<RemoteClient>,
    /// Configurations that are served.
    pub configurations: Vec<RemoteConfiguration>,
    /// What was polled, refused and asked.
    pub counts: BTreeMap<String, u64>,
}

/// A client of remote configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RemoteClient {
    /// Its id.
    pub id: String,
    /// `tracer`, `agent` or `updater`.
    pub kind: String,
    /// Service of a tracer, name of an agent.
    pub name: String,
    /// Language of a tracer.
    pub language: String,
    /// Its version.
    pub version: String,
    /// What it asks for.
    pub products: Vec<String>,
    /// Unix milliseconds of its last request.
    pub seen_unix_ms: u64,
    /// Version of the director's targets that it has.
    pub targets_version: u64,
    /// Its last error.
    pub error: String,
    /// What became of its configurations.
    pub configurations: Vec<RemoteApplied>,
}

/// A configuration at a client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RemoteApplied {
    /// Its product.
    pub product: String,
    /// Its id.
    pub id: String,
    /// Version of the file.
    pub version: u64,
    /// `unknown`, `unacknowledged`, `acknowledged` or `error`.
    pub state: String,
    /// Why it is not in effect.
    pub error: String,
}

/// A configuration that is served.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RemoteConfiguration {
    /// Its path.
    pub path: String,
    /// Version of the file.
    pub version: u64,
    /// Bytes of the file.
    pub bytes: u64,
}

/// Rows of the longer tables.
const ROWS_MAX: usize = 50;

/// Remote configuration as text for people.
#[must_use]
pub fn remote_text(remote: &RemoteStatus) -> String {
    let mut text = Page::new();
    page(&mut text, remote);
    if remote.disabled_reason.is_empty() {
        clients(&mut text, remote);
        configurations(&mut text, remote);
    }
    text.into_text()
}

/// The section of the status page.
pub(crate) fn page(page: &mut Page, remote: &RemoteStatus) {
    page.title("Remote configuration", '-');
    if !remote.disabled_reason.is_empty() {
        page.field("state", &format!("off: {}", remote.disabled_reason));
        return;
    }
    page.field("backend", &remote.url);
    let organisation = match (remote.org_enabled, remote.api_key_scoped) {
        (Some(true), Some(true)) => "on, and the API key may read it".to_owned(),
        (Some(true), _) => "on, but the API key lacks the scope to read it".to_owned(),
        (Some(false), _) => "off".to_owned(),
        (None, _) if remote.org_error.is_empty() => "not known yet".to_owned(),
        (None, _) => format!("not known: {}", remote.org_error),
    };
    page.field("organisation", &organisation);
    let updated = match remote.updated_unix_secs {
        0 => "never since the start".to_owned(),
        secs => utc(secs),
    };
    page.field("last update", &format!("{updated}, every {} s", remote.interval_secs));
    if !remote.last_error.is_empty() {
        let error = format!("{} ({} not made up for)", remote.last_error, remote.errors);
        page.field("last error", &error);
    }
    if remote.is_expired {
        page.field("expired", "what is in force ran out; check the clock and the last error");
    }
    let version = |name: &str| remote.versions.get(name).copied().unwrap_or(0);
    for (name, repository) in [("director", "director"), ("config", "config")] {
        let of = |role: &str| version(&format!("{repository}_{role}"));
        let (root, targets, snapshot) = (of("root"), of("targets"), of("snapshot"));
        page.field(name, &format!("root {root}, snapshot {snapshot}, targets {targets}"));
    }
    let place = if remote.is_on_disk { "on disk" } else { "in memory alone" };
    let held = remote.configurations.len() as u64;
    page.field(
        "configurations",
        &format!("{}, {} with their documents, {place}", count(held), bytes(remote.bytes)),
    );
    let products = remote.products.join(", ");
    page.field("products", if products.is_empty() { "none" } else { &products });
    page.field("clients", &count(remote.clients.len() as u64));
    let counted = reasons(&remote.counts, "");
    if !counted.is_empty() {
        page.field("counted", &counted);
    }
}

fn clients(page: &mut Page, remote: &RemoteStatus) {
    page.title("Clients", '-');
    let mut table = Table::new(&["id", "kind", "name", "language", "version", "products", "error"]);
    for client in remote.clients.iter().take(ROWS_MAX) {
        let RemoteClient { id, kind, name, language, version, products, error, .. } = client;
        table.row([
            visible(id),
            kind.clone(),
            visible(name),
            visible(language),
            visible(version),
            visible(&products.join(",")),
            visible(error),
        ]);
    }
    page.table(&table);
    let applied: Vec<_> = remote
        .clients
        .iter()
        .flat_map(|client| client.configurations.iter().map(move |applied| (client, applied)))
        .collect();
    if !applied.is_empty() {
        page.title("Applied", '-');
        let mut table = Table::new(&["client", "product", "configuration", ">version", "state"]);
        for (client, applied) in applied.into_iter().take(ROWS_MAX) {
            let state = match applied.error.as_str() {
                "" => applied.state.clone(),
                error => format!("{}: {error}", applied.state),
            };
            table.row([
                visible(&client.id),
                visible(&applied.product),
                visible(&applied.id),
                applied.version.to_string(),
                visible(&state),
            ]);
        }
        page.table(&table);
    }
}

fn configurations(page: &mut Page, remote: &RemoteStatus) {
    page.title("Configurations", '-');
    if remote.configurations.is_empty() {
        page.line("none");
        return;
    }
    let mut table = Table::new(&["path", ">version", ">bytes"]);
    for one in remote.configurations.iter().take(ROWS_MAX) {
        table.row([visible(&one.path), one.version.to_string(), count(one.bytes)]);
    }
    page.table(&table);
    if let Some(more) = remote.configurations.len().checked_sub(ROWS_MAX).filter(|n| *n > 0) {
        page.line(&format!("and {more} more (see --json)"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_versions_clients_states_and_the_last_error() {
        let applied = RemoteApplied {
            product: "AGENT_CONFIG".to_owned(),
            id: "layer".to_owned(),
            version: 3,
            state: "error".to_owned(),
            error: "no level".to_owned(),
        };
        let client = RemoteClient {
            id: "c-1".to_owned(),
            kind: "tracer".to_owned(),
            name: "shop".to_owned(),
            configurations: vec![applied],
            ..RemoteClient::default()
        };
        let remote = RemoteStatus {
            url: "https://config.example.test".to_owned(),
            org_enabled: Some(true),
            api_key_scoped: Some(false),
            last_error: "tuf: too old".to_owned(),
            versions: [("director_root".to_owned(), 7), ("config_targets".to_owned(), 9)].into(),
            clients: vec![client],
            ..RemoteStatus::default()
        };
        let text = remote_text(&remote);
        for part in
            ["root 7", "targets 9", "tuf: too old", "lacks the scope", "shop", "error: no level"]
        {
            assert!(text.contains(part), "`{part}` is not in:\n{text}");
        }
    }

    #[test]
    fn what_is_off_says_why() {
        let remote = RemoteStatus {
            disabled_reason: "`remote_configuration.enabled` is false".to_owned(),
            ..RemoteStatus::default()
        };
        let text = remote_text(&remote);
        assert!(text.contains("off: `remote_configuration.enabled` is false"), "{text}");
        assert!(!text.contains("Clients"), "{text}");
    }
}
