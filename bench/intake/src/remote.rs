//! A backend of remote configuration that signs with keys of its own. spec: remote-config §3, §10
//!
//! Whoever is to believe it is told its roots: `remote_configuration.config_root` and
//! `director_root`. It serves what it was given, with every document signed anew at each change,
//! and can be told to tamper with them, to answer badly, or not at all.
//!
//! Like the rest of the intake it shares no code with what it tests.

mod documents;
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use prost::Message as _;
use serde_json::{Map, Value, json};

use documents::{Keys, product_of};
pub use wire::{Client, ClientAgent, ClientState, ClientTracer, ConfigState, LatestConfigsRequest};
use wire::{ConfigMetas, DelegatedMeta, DirectorMetas, File, LatestConfigsResponse, TopMeta};
use wire::{OrgDataResponse, OrgStatusResponse};

/// The organisation that its repositories belong to.
pub const ORG_UUID: &str = "11111111-2222-4333-8444-555555555555";
/// Requests that are remembered.
const REQUESTS_MAX: usize = 10_000;
/// First version of the director's documents.
const VERSION_FIRST: u64 = 1_700_000_000;

/// The backend.
pub struct Backend {
    state: Mutex<State>,
    changed: Condvar,
}

/// What a request is answered with instead of the truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// A status without a body.
    Status(u16),
    /// Nothing, ever.
    Hang,
    /// Bytes that are no message.
    Garbage,
}

/// How the documents lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Tamper {
    /// The content of every file differs from its hash.
    Content,
    /// The director's targets are signed by a stranger.
    Signature,
    /// The director goes back to its first version.
    Rollback,
    /// Everything expired in 2020.
    Expired,
    /// The config repository lists nothing.
    Unlisted,
    /// The repository belongs to somebody else.
    Organisation,
    /// The next root of the director is not signed by the one before.
    Root,
}

impl Tamper {
    /// Every one.
    pub const ALL: [Self; 7] = [
        Self::Content,
        Self::Signature,
        Self::Rollback,
        Self::Expired,
        Self::Unlisted,
        Self::Organisation,
        Self::Root,
    ];
}

/// A configuration to serve.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Configuration {
    /// `datadog/<org>/<product>/<id>/<name>`.
    pub path: String,
    /// The content.
    pub content: Vec<u8>,
    /// `tracer_predicates_v1`: whom it is for; empty is everybody.
    pub predicates: Vec<Value>,
}

struct State {
    keys: Keys,
    files: BTreeMap<String, (u64, Configuration)>,
    /// Delegated roles; a snapshot never takes one back.
    products: BTreeSet<String>,
    version: u64,
    refresh_secs: Option<u64>,
    is_enabled: bool,
    is_authorized: bool,
    fault: Option<Fault>,
    tamper: Option<Tamper>,
    requests: Vec<LatestConfigsRequest>,
    calls: u64,
}

impl fmt::Debug for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backend").field("calls", &self.locked().calls).finish_non_exhaustive()
    }
}

impl Default for Backend {
    fn default() -> Self {
        Self {
            state: Mutex::new(State {
                keys: Keys::new(),
                files: BTreeMap::new(),
                products: BTreeSet::new(),
                version: VERSION_FIRST,
                refresh_secs: None,
                is_enabled: true,
                is_authorized: true,
                fault: None,
                tamper: None,
                requests: Vec::new(),
                calls: 0,
            }),
            changed: Condvar::new(),
        }
    }
}

impl Backend {
    /// First root of the config repository, for `remote_configuration.config_root`.
    #[must_use]
    pub fn config_root(&self) -> String {
        text(self.locked().keys.config_root(1))
    }

    /// First root of the director, for `remote_configuration.director_root`.
    #[must_use]
    pub fn director_root(&self) -> String {
        text(self.locked().keys.director_root(1))
    }

    /// Serves these configurations and no others. A content that changed gets the next version.
    pub fn set(&self, configurations: Vec<Configuration>) {
        let mut state = self.locked();
        state.version += 1;
        let mut files = BTreeMap::new();
        for configuration in configurations {
            state.products.extend(product_of(&configuration.path).map(str::to_owned));
            let before = state.files.get(&configuration.path);
            let version = match before {
                Some((version, held)) if held.content == configuration.content => *version,
                Some((version, _)) => version + 1,
                None => 1,
            };
            files.insert(configuration.path.clone(), (version, configuration));
        }
        state.files = files;
    }

    /// Serves one more configuration for everybody, or another content of it.
    pub fn put(&self, path: &str, content: &Value) {
        let mut all: Vec<Configuration> =
            self.locked().files.values().map(|(_, held)| held.clone()).collect();
        all.retain(|held| held.path != path);
        let content = content.to_string().into_bytes();
        all.push(Configuration { path: path.to_owned(), content, predicates: Vec::new() });
        self.set(all);
    }

    /// Makes a new root of both repositories, with new keys in the director's.
    pub fn rotate(&self) {
        let mut state = self.locked();
        state.version += 1;
        state.keys.rotate();
    }

    /// The interval that the director asks for.
    pub fn set_refresh_secs(&self, secs: Option<u64>) {
        let mut state = self.locked();
        state.version += 1;
        state.refresh_secs = secs;
    }

    /// What organisation and key may do.
    pub fn set_org_status(&self, is_enabled: bool, is_authorized: bool) {
        let mut state = self.locked();
        (state.is_enabled, state.is_authorized) = (is_enabled, is_authorized);
    }

    /// Answers badly from now on, or well again.
    pub fn set_fault(&self, fault: Option<Fault>) {
        self.locked().fault = fault;
    }

    /// Lies from now on, or tells the truth again.
    pub fn set_tamper(&self, tamper: Option<Tamper>) {
        let mut state = self.locked();
        state.version += 1;
        state.tamper = tamper;
    }

    /// What was asked, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<LatestConfigsRequest> {
        self.locked().requests.clone()
    }

    /// Waits until `find` gives something of what was asked, looking again after each request.
    pub fn wait_for<T>(
        &self,
        time_max: Duration,
        mut find: impl FnMut(&[LatestConfigsRequest]) -> Option<T>,
    ) -> Option<T> {
        let end = Instant::now() + time_max;
        let mut state = self.locked();
        loop {
            if let Some(found) = find(&state.requests) {
                return Some(found);
            }
            let left = end.checked_duration_since(Instant::now())?;
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The whole answer to somebody who has nothing, as the wire has it.
    #[must_use]
    pub fn response(&self) -> Vec<u8> {
        self.locked().response(&LatestConfigsRequest::default()).encode_to_vec()
    }

    /// Status and body for a call; `None` never answers.
    pub(crate) fn answer(&self, path: &str, body: &[u8]) -> Option<(u16, Vec<u8>)> {
        let mut state = self.locked();
        state.calls += 1;
        let request = LatestConfigsRequest::decode(body);
        let is_poll = path == "/api/v0.1/configurations";
        if let (true, Ok(request)) = (is_poll, &request) {
            if state.requests.len() == REQUESTS_MAX {
                state.requests.remove(0);
            }
            state.requests.push(request.clone());
            self.changed.notify_all();
        }
        match state.fault {
            Some(Fault::Status(status)) => return Some((status, Vec::new())),
            Some(Fault::Hang) => return None,
            Some(Fault::Garbage) => return Some((200, b"\xff\xff\xff".to_vec())),
            None => {}
        }
        Some(match (path, request) {
            ("/api/v0.1/org", _) => {
                (200, OrgDataResponse { uuid: ORG_UUID.to_owned() }.encode_to_vec())
            }
            ("/api/v0.1/status", _) => {
                let (enabled, authorized) = (state.is_enabled, state.is_authorized);
                (200, OrgStatusResponse { enabled, authorized }.encode_to_vec())
            }
            ("/api/v0.1/configurations", Ok(request)) => {
                (200, state.response(&request).encode_to_vec())
            }
            ("/api/v0.1/configurations", Err(_)) => (400, Vec::new()),
            _ => (404, Vec::new()),
        })
    }

    /// Roots and requests, for tests in other languages.
    pub(crate) fn describe(&self) -> Value {
        let (director_root, config_root) = (self.director_root(), self.config_root());
        let state = self.locked();
        let last = state.requests.last().map(|request| format!("{request:?}"));
        json!({
            "director_root": director_root,
            "config_root": config_root,
            "paths": state.files.keys().collect::<Vec<_>>(),
            "polls": state.requests.len(),
            "last_poll": last,
        })
    }

    /// Takes `{"<path>": <content>}`: these configurations and no others.
    pub(crate) fn set_json(&self, value: &Value) -> Result<(), String> {
        let map = value.as_object().ok_or("an object of contents by path is needed")?;
        let configuration = |(path, content): (&String, &Value)| {
            product_of(path).ok_or_else(|| format!("{path} is no path of a configuration"))?;
            let content = content.to_string().into_bytes();
            Ok(Configuration { path: path.clone(), content, predicates: Vec::new() })
        };
        let all = map.iter().map(configuration).collect::<Result<Vec<_>, String>>()?;
        self.set(all);
        Ok(())
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a path belongs to this backend.
pub(crate) fn is_path(path: &str) -> bool {
    matches!(path, "/api/v0.1/configurations" | "/api/v0.1/org" | "/api/v0.1/status")
}

impl State {
    fn response(&self, request: &LatestConfigsRequest) -> LatestConfigsResponse {
        let keys = &self.keys;
        let is = |tamper| self.tamper == Some(tamper);
        let expires = if is(Tamper::Expired) { "2020-01-01T00:00:00Z" } else { documents::EXPIRES };
        let version = if is(Tamper::Rollback) { 1 } else { self.version };

        let mut targets = Map::new();
        let mut by_product: BTreeMap<&str, Map<String, Value>> =
            self.products.iter().map(|product| (product.as_str(), Map::new())).collect();
        let mut files = Vec::new();
        for (path, (file_version, configuration)) in &self.files {
            let entry = documents::target(&configuration.content);
            let mut custom = json!({ "v": file_version });
            if !configuration.predicates.is_empty() {
                custom["tracer-predicates"] =
                    json!({ "tracer_predicates_v1": configuration.predicates });
            }
            let mut own = entry.clone();
            own["custom"] = custom;
            targets.insert(path.clone(), own);
            if let Some(listed) = product_of(path).and_then(|product| by_product.get_mut(product))
                && !is(Tamper::Unlisted)
            {
                listed.insert(path.clone(), entry);
            }
            let mut raw = configuration.content.clone();
            if is(Tamper::Content) {
                raw.push(b' ');
            }
            // As the real one names files.
            let name = documents::hashed_name(path, &configuration.content);
            files.push(File { path: name, raw });
        }
        let mut custom = json!({ "opaque_backend_state": documents::base64(b"state") });
        if let Some(secs) = self.refresh_secs {
            custom["agent_refresh_interval"] = json!(secs);
        }
        let head = |kind: &str, version: u64| documents::head(kind, version, expires);
        let director = {
            let signers = keys.director();
            let stranger = [documents::key(99)];
            let targets_by = if is(Tamper::Signature) { &stranger[..] } else { signers };
            let mut signed = head("targets", version);
            signed["targets"] = Value::Object(targets);
            signed["custom"] = custom;
            let targets = documents::sign(&signed, targets_by);
            let mut signed = head("snapshot", version);
            signed["meta"] = json!({ "targets.json": documents::meta(version, &targets) });
            let snapshot = documents::sign(&signed, signers);
            let mut signed = head("timestamp", version);
            signed["meta"] = json!({ "snapshot.json": documents::meta(version, &snapshot) });
            let timestamp = documents::sign(&signed, signers);
            let known = request.current_director_root_version.max(1);
            let mut roots: Vec<TopMeta> = (known + 1..=keys.version())
                .map(|version| top(version, keys.director_root(version)))
                .collect();
            if is(Tamper::Root) {
                roots.push(top(keys.version() + 1, keys.usurped_root()));
            }
            DirectorMetas {
                roots,
                timestamp: Some(top(version, timestamp)),
                snapshot: Some(top(version, snapshot)),
                targets: Some(top(version, targets)),
            }
        };
        let config = {
            // The config repository counts by itself.
            let version = self.version - VERSION_FIRST + 1;
            let delegate = documents::key(documents::DELEGATE);
            let signers = keys.config();
            let mut delegated = Vec::new();
            let mut meta = Map::new();
            for (product, listed) in by_product {
                let mut signed = head("targets", version);
                signed["targets"] = Value::Object(listed);
                let raw = documents::sign(&signed, std::slice::from_ref(&delegate));
                meta.insert(format!("{product}.json"), documents::meta(version, &raw));
                delegated.push(DelegatedMeta { version, role: product.to_owned(), raw });
            }
            let mut signed = head("targets", version);
            signed["targets"] = json!({});
            signed["delegations"] = documents::delegations(&self.products, &delegate);
            let targets = documents::sign(&signed, signers);
            meta.insert("targets.json".to_owned(), documents::meta(version, &targets));
            let mut signed = head("snapshot", version);
            signed["meta"] = Value::Object(meta);
            let foreign = "99999999-2222-4333-8444-555555555555";
            let org_uuid = if is(Tamper::Organisation) { foreign } else { ORG_UUID };
            signed["custom"] = json!({ "org_uuid": org_uuid });
            let snapshot = documents::sign(&signed, signers);
            let mut signed = head("timestamp", version);
            signed["meta"] = json!({ "snapshot.json": documents::meta(version, &snapshot) });
            let timestamp = documents::sign(&signed, signers);
            let known = request.current_config_root_version.max(1);
            ConfigMetas {
                roots: (known + 1..=keys.version())
                    .map(|version| top(version, keys.config_root(version)))
                    .collect(),
                timestamp: Some(top(version, timestamp)),
                snapshot: Some(top(version, snapshot)),
                top_targets: Some(top(version, targets)),
                delegated_targets: delegated,
            }
        };
        LatestConfigsResponse {
            config_metas: Some(config),
            director_metas: Some(director),
            target_files: files,
        }
    }
}

const fn top(version: u64, raw: Vec<u8>) -> TopMeta {
    TopMeta { version, raw }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_default()
}
