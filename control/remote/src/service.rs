//! The state of remote configuration, as a machine that is told the time and does no I/O.
//!
//! ```text
//! request() --> backend --> repositories.stage() --> finish() --> commit() --> dispatch
//!                                  | refused                          |
//!                                  '--> failed(): all stays       clients: ask() -> answer()
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use crate::backend::{CallError, Failure, Loudness};
use crate::client::{Answer, ClientRequest, Registry, RequestError, Seen, build, matching};
use crate::counts::{Counts, OrgStatus, count};
use crate::message::{Client, ClientTracer, LatestConfigsRequest};
use crate::own::Own;
use crate::product::Configuration;
use crate::refused::Refused;
use crate::schedule::{BypassLimit, Schedule};
use crate::settings::Settings;
use crate::uptane::{Organisation, Repositories};

pub(crate) mod report;
#[cfg(test)]
mod tests;

/// The moment of an event, on both clocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    /// For intervals.
    pub(crate) instant: Instant,
    /// For what expires.
    pub(crate) unix_ms: u64,
}

impl Now {
    pub(crate) fn secs(self) -> i64 {
        i64::try_from(self.unix_ms / 1000).unwrap_or(i64::MAX)
    }
}

/// An answer to a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Status.
    pub status: u16,
    /// JSON for status 200, else a text to which the one who sends it adds a line feed.
    pub body: Bytes,
}

/// A request that was read.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) client: Client,
    cached: Vec<crate::client::CachedFile>,
    /// Whether a refresh is worth waiting for.
    pub(crate) wants_refresh: bool,
}

/// Everything but sockets, files and threads.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) settings: Arc<Settings>,
    pub(crate) repositories: Arc<Repositories>,
    /// Organisation by version of the config root.
    pub(crate) org_uuids: BTreeMap<u64, String>,
    pub(crate) schedule: Schedule,
    pub(crate) own: Own,
    pub(crate) counts: Counts,
    pub(crate) is_on_disk: bool,
    registry: Registry,
    bypass: BypassLimit,
    /// Whether an update went well since the start.
    has_updated: bool,
    updated_secs: i64,
    /// Unix seconds at which the repositories were last checked.
    verified_secs: i64,
    /// Products that the backend has told about.
    products: BTreeSet<String>,
    last_error: String,
    loudness: Loudness,
    pub(crate) org_status: Option<OrgStatus>,
    pub(crate) org_error: String,
}

/// Time for which a check of the repositories holds.
const VERIFIED_SECS: i64 = 60;
/// Products that are asked for, and the longest name of one.
const PRODUCTS_MAX: usize = 500;
const PRODUCT_BYTES_MAX: usize = 200;

impl Service {
    pub(crate) fn new(
        settings: Arc<Settings>,
        own: Own,
        repositories: Repositories,
        now: Now,
    ) -> Self {
        let limits = settings.limits;
        Self {
            repositories: Arc::new(repositories),
            org_uuids: BTreeMap::new(),
            schedule: Schedule::new(settings.refresh_interval, settings.backoff_max, now.instant),
            own,
            counts: Counts::default(),
            is_on_disk: false,
            registry: Registry::new(
                settings.client_time_to_live,
                limits.clients_max,
                limits.clients_bytes_max,
            ),
            bypass: BypassLimit::new(settings.bypass_max),
            has_updated: false,
            updated_secs: 0,
            verified_secs: i64::MIN,
            products: BTreeSet::new(),
            last_error: String::new(),
            loudness: Loudness::default(),
            org_status: None,
            org_error: String::new(),
            settings,
        }
    }

    /// Who the repositories must belong to, under a version of the config root.
    pub(crate) fn organisation(&self, config_root_version: u64) -> Organisation {
        Organisation {
            uuid: self.org_uuids.get(&config_root_version).cloned(),
            id: self.settings.legacy_key.as_ref().map(|key| key.org),
        }
    }

    /// What the backend is asked, and the products in it that are new. spec: remote-config §3.2
    pub(crate) fn request(&mut self, now: Now) -> (LatestConfigsRequest, Vec<String>) {
        let versions = self.repositories.versions();
        let state = self.backend_state();
        let own = self.own.client(
            versions.director_root,
            versions.director_targets,
            state.clone(),
            now.unix_ms,
        );
        let mut clients = vec![own];
        clients.extend(self.registry.active(now.instant).into_iter().cloned());
        let wanted = clients.iter().flat_map(|client| &client.products);
        let mut new = BTreeSet::new();
        for product in wanted.filter(|product| !self.products.contains(*product)) {
            if self.products.len() + new.len() >= PRODUCTS_MAX || product.len() > PRODUCT_BYTES_MAX
            {
                self.counts.products_refused += 1;
                continue;
            }
            new.insert(product.clone());
        }
        let new_products: Vec<String> = new.into_iter().collect();
        // The backend sends everything to those who say that they have nothing.
        let known = |version| if self.has_updated { version } else { 0 };
        let identity = &self.settings.identity;
        let request = LatestConfigsRequest {
            hostname: identity.hostname.clone(),
            agent_version: identity.agent_version.clone(),
            current_config_snapshot_version: known(versions.config_snapshot),
            products: self.products.iter().cloned().collect(),
            new_products: new_products.clone(),
            active_clients: clients,
            current_director_root_version: known(versions.director_root),
            current_config_root_version: known(versions.config_root),
            backend_client_state: state,
            has_error: !self.last_error.is_empty(),
            error: self.last_error.clone(),
            trace_agent_env: identity.trace_agent_env.clone(),
            org_uuid: self.org_uuids.get(&versions.config_root).cloned().unwrap_or_default(),
            tags: identity.tags.clone(),
            agent_uuid: identity.agent_uuid.clone(),
        };
        (request, new_products)
    }

    /// The state that the backend wants back.
    fn backend_state(&self) -> Vec<u8> {
        let state = self.repositories.director_custom("opaque_backend_state");
        let text = state.and_then(serde_json::Value::as_str).unwrap_or_default();
        STANDARD.decode(text).unwrap_or_default()
    }

    /// Uses a verified state.
    pub(crate) fn commit(
        &mut self,
        repositories: Repositories,
        new_products: Vec<String>,
        now: Now,
        random: f64,
    ) {
        self.repositories = Arc::new(repositories);
        self.products.extend(new_products);
        self.has_updated = true;
        self.updated_secs = now.secs();
        self.verified_secs = now.secs();
        if !self.last_error.is_empty() {
            log::info!("remote configuration is up to date again");
        }
        self.last_error.clear();
        self.loudness.reset();
        self.counts.updates += 1;
        let wish = self.repositories.director_custom("agent_refresh_interval");
        let wish = wish.and_then(serde_json::Value::as_u64);
        self.schedule.succeeded(now.instant, wish, random);
    }

    /// A poll without a usable answer.
    pub(crate) fn call_failed(&mut self, error: &CallError, now: Now, random: f64) {
        let name = match error.failure {
            Failure::Unauthorized => "unauthorized",
            Failure::Proxy => "proxy",
            Failure::Transient => "transient",
            Failure::Status => "status",
            Failure::Network => "network",
            Failure::Malformed => "malformed",
        };
        count(&mut self.counts.call_failures, name);
        let is_wanted =
            self.org_status.is_some_and(|status| status.is_enabled && status.is_authorized);
        let level = self.loudness.level(error.failure, is_wanted);
        log::log!(level, "remote configuration cannot be polled: {error}");
        self.last_error = format!("api: {error}");
        self.schedule.failed(now.instant, random);
    }

    /// An answer that is not trusted. What was in effect stays.
    pub(crate) fn refused(&mut self, refused: &Refused, now: Now, random: f64) {
        count(&mut self.counts.refused, refused.cause.name());
        log::error!("an answer of the remote configuration backend is refused: {refused}");
        self.last_error = format!("tuf: {refused}");
        self.schedule.failed(now.instant, random);
    }

    /// Unix seconds of the last update; two never fall into one second, since the versions of the
    /// director count seconds.
    pub(crate) const fn updated_secs(&self) -> i64 {
        self.updated_secs
    }

    /// Takes a request of a client. spec: remote-config §6.3 steps 1 to 3
    pub(crate) fn ask(
        &mut self,
        body: &[u8],
        adjust: impl FnOnce(&mut ClientTracer),
        now: Now,
    ) -> Result<Asked, Reply> {
        if body.len() > self.settings.limits.request_bytes_max {
            count(&mut self.counts.requests, "too_large");
            let max = self.settings.limits.request_bytes_max;
            return Err(Reply::text(413, &format!("a request may have {max} bytes")));
        }
        let (mut client, cached) = ClientRequest::parse(body).map_err(|error| {
            let (status, name) = match &error {
                RequestError::Json(_) => (400, "malformed"),
                RequestError::Invalid(_) => (500, "invalid"),
            };
            count(&mut self.counts.requests, name);
            Reply::text(status, &error.to_string())
        })?;
        if let Some(tracer) = &mut client.client_tracer {
            adjust(tracer);
        }
        let seen = self.registry.take(client.clone(), now.instant, now.unix_ms);
        self.counts.clients_refused += u64::from(seen == Seen::Refused);
        let wants_refresh = seen == Seen::New && {
            let is_left = self.bypass.take(now.instant, self.schedule.interval());
            self.counts.bypasses += u64::from(is_left);
            self.counts.bypasses_limited += u64::from(!is_left);
            is_left
        };
        Ok(Asked { client, cached, wants_refresh })
    }

    /// Answers it. spec: remote-config §6.3 steps 4 to 9
    pub(crate) fn answer(&mut self, asked: &Asked, now: Now) -> Reply {
        let answer = match self.usable(now) {
            Usable::Yes => build(&self.repositories, &asked.client, &asked.cached, now.secs())
                .map_err(|error| error.to_string()),
            Usable::NotYet => Ok(Answer::default()),
            Usable::Expired => {
                count(&mut self.counts.requests, "expired");
                return Reply::json(Answer::expired(&self.repositories).body());
            }
            Usable::No(refused) => Err(refused.to_string()),
        };
        match answer {
            Ok(answer) => {
                let name = if answer == Answer::default() { "up_to_date" } else { "news" };
                count(&mut self.counts.requests, name);
                Reply::json(answer.body())
            }
            Err(error) => {
                count(&mut self.counts.requests, "failed");
                Reply::text(500, &error)
            }
        }
    }

    /// The agent's own configurations by product; `None` while they cannot be told.
    pub(crate) fn own_configurations(
        &mut self,
        now: Now,
    ) -> Option<BTreeMap<String, Vec<Configuration>>> {
        let mut by_product: BTreeMap<String, Vec<Configuration>> = BTreeMap::new();
        match self.usable(now) {
            Usable::Yes => {}
            Usable::Expired => return Some(by_product),
            Usable::NotYet => return None,
            Usable::No(refused) => {
                log::warn!("remote configurations of this agent stay as they are: {refused}");
                return None;
            }
        }
        let client = self.own.client(0, 0, Vec::new(), now.unix_ms);
        let matching = match matching(&self.repositories, &client, now.secs()) {
            Ok(matching) => matching,
            Err(error) => {
                log::warn!("remote configurations of this agent stay as they are: {error}");
                return None;
            }
        };
        for (path, served) in matching {
            by_product.entry(served.product.clone()).or_default().push(Configuration {
                path: path.to_owned(),
                id: served.config_id.clone(),
                version: served.version,
                content: served.content.clone(),
            });
        }
        Some(by_product)
    }

    /// Whether what is held may be given out.
    fn usable(&mut self, now: Now) -> Usable {
        if self.repositories.is_expired(now.secs()) {
            // Those who have something from before a restart of ours keep it until an update says
            // what is true now.
            return if self.has_updated { Usable::Expired } else { Usable::NotYet };
        }
        if self.verified_secs.abs_diff(now.secs()) >= VERIFIED_SECS.unsigned_abs() {
            let version = self.repositories.versions().config_root;
            let organisation = self.organisation(version);
            match self.repositories.verify_again(&organisation, now.secs()) {
                Ok(()) => self.verified_secs = now.secs(),
                Err(_) if !self.has_updated => return Usable::NotYet,
                Err(refused) => return Usable::No(refused),
            }
        }
        Usable::Yes
    }
}

enum Usable {
    Yes,
    /// Nothing is known that could be told.
    NotYet,
    /// All has to be forgotten.
    Expired,
    No(Refused),
}

impl Reply {
    fn text(status: u16, text: &str) -> Self {
        Self { status, body: Bytes::copy_from_slice(text.as_bytes()) }
    }

    const fn json(body: Bytes) -> Self {
        Self { status: 200, body }
    }
}
