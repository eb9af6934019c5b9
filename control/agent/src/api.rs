//! The local API of a running agent: where it listens, and what it asks. Without the feature
//! `local-api` there is `without/api.rs` in its place, which has the same face.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use config::{Config, ShowScope, keys};
use status::{
    Api, ApiOptions, CaptureKind, CaptureRequest, DebugOptions, Snapshot, Source, TopRow,
};

use crate::agent::{Agent, Role, StartError};
use crate::coordinator::Request;
use crate::flare;
use crate::products::Product;
use crate::source::{Shared, top_row};

/// The running API.
pub(crate) type LocalApi = Api;

impl Agent {
    /// The agent as its local API sees it.
    #[must_use]
    pub fn source(&self) -> Arc<dyn Source> {
        Arc::clone(&self.shared) as Arc<dyn Source>
    }
}

/// Starts what the configuration asks for; a guest without a wish has none.
pub(crate) fn start(
    config: &Config,
    role: Role,
    shared: &Arc<Shared>,
) -> Result<Option<LocalApi>, StartError> {
    let is_own_path = config.is_set(keys::API_SOCKET);
    let options = ApiOptions {
        socket: config.text(keys::API_SOCKET).map(Into::into),
        listen: config.api_listen(),
        health_port: Some(config.port(keys::HEALTH_PORT)).filter(|&port| port > 0),
        is_remote_allowed: config.bool(keys::API_ALLOW_REMOTE),
        expvar_port: config
            .is_set(keys::EXPVAR_PORT)
            .then(|| config.port(keys::EXPVAR_PORT))
            .filter(|&port| port > 0),
        debug: debug_options(config, role),
        has_metrics: config.bool(keys::TELEMETRY_ENABLED),
    };
    let ports = (options.health_port, options.expvar_port);
    let is_silent = options.socket.is_none() && options.listen.is_none();
    let is_closed = is_silent && ports == (None, None) && options.debug.is_none();
    if role == Role::Guest && is_closed {
        return Ok(None);
    }
    let source: Arc<dyn Source> = Arc::clone(shared) as Arc<dyn Source>;
    let api = match Api::start(options.clone(), Arc::clone(&source)) {
        Ok(api) => api,
        // Nobody asked for this path: the agent works without it.
        Err(error) if !is_own_path => {
            log::warn!("{error}; `corelane status` will not find this agent");
            note(shared, error.to_string());
            let options = ApiOptions { socket: None, ..options };
            let api = Api::start(options, source);
            api.map_err(|error| StartError::Api(error.to_string()))?
        }
        Err(error) => return Err(StartError::Api(error.to_string())),
    };
    for warning in api.warnings() {
        log::warn!("{warning}");
        note(shared, warning.clone());
    }
    Ok(Some(api))
}

fn note(shared: &Shared, note: String) {
    shared.notes.lock().unwrap_or_else(PoisonError::into_inner).push(note);
}

/// The debug port of traces, with the certificate of the Agent's processes. A guest opens none that
/// its host did not ask for.
fn debug_options(config: &Config, role: Role) -> Option<DebugOptions> {
    let port = config.port(keys::APM_DEBUG_PORT);
    let is_wanted = role != Role::Guest || config.is_set(keys::APM_DEBUG_PORT);
    if !is_wanted || port == 0 || !Product::Traces.is_on(config) {
        return None;
    }
    let certificate = config.text(keys::IPC_CERT_FILE_PATH).map(Into::into);
    Some(DebugOptions { port, certificate })
}

impl Source for Shared {
    fn snapshot(&self) -> Snapshot {
        Self::snapshot(self)
    }

    fn is_live(&self) -> bool {
        Self::is_live(self)
    }

    fn is_ready(&self) -> Result<(), String> {
        Self::is_ready(self)
    }

    fn top(&self) -> Result<Vec<TopRow>, String> {
        let contexts = self.ask(Request::Top)?;
        Ok(contexts.into_iter().map(top_row).collect())
    }

    fn config_yaml(&self) -> String {
        self.config().show(ShowScope::All)
    }

    fn start_capture(&self, kind: CaptureKind, request: CaptureRequest) -> Result<String, String> {
        let request = capture::Request {
            dir: request.dir.map(Into::into),
            duration: Duration::from_secs(request.duration_secs),
            compression: if request.is_compressed {
                capture::Compression::Zstd
            } else {
                capture::Compression::None
            },
            bytes_max: request.bytes_max,
        };
        self.ask(|reply| Request::StartCapture(kind, request, reply))?
    }

    fn stop_capture(&self, kind: CaptureKind) -> Result<String, String> {
        self.ask(|reply| Request::StopCapture(kind, reply))?
    }

    fn load_replay_state(&self, state: Vec<u8>) -> Result<usize, String> {
        let state = capture::decode_state(&state, capture::ReadLimits::default())
            .map_err(|error| error.to_string())?;
        self.ask(|reply| Request::LoadReplay(state, reply))
    }

    fn reload(&self) -> Result<String, String> {
        self.reload_config()
    }

    fn flush(&self) -> Result<(), String> {
        self.ask(Request::Flush)
    }

    fn flare(&self) -> Result<Vec<u8>, String> {
        let collected = flare::collect(self, flare::COMMAND_TIME_MAX, || false)?;
        self.flares.made_locally(&collected);
        Ok(collected.bytes.into())
    }

    fn dogstatsd_stats(&self) -> Result<serde_json::Value, String> {
        let counted = self.ask(Request::ContextTotals)?;
        let counted = counted.ok_or("not enabled: set `dogstatsd_metrics_stats_enable`")?;
        let mut stats = serde_json::Map::new();
        for total in counted {
            let tags: Vec<&str> = total.context.tags.tags.iter().map(AsRef::as_ref).collect();
            let entry = serde_json::json!({
                "name": total.context.name,
                "count": total.count,
                "last_seen": status::format::rfc3339(total.last_seen_secs),
                "tags": tags.join(" "),
            });
            stats.insert(format!("{:032x}", total.context.key.0), entry);
        }
        Ok(stats.into())
    }
}
