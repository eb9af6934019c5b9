//! Changing the configuration of a running agent: all of it, or nothing.

use std::sync::{Arc, PoisonError};

use config::{Config, Layer, Reload, Severity, keys};
use forward::KeyValidity;

use crate::agent::rules;
use crate::coordinator::Request;
use crate::source::Shared;

impl Shared {
    /// Reads the configuration again and applies what can change while running. When something is
    /// refused, everything stays as it was.
    pub(crate) fn reload_config(&self) -> Result<String, String> {
        let _one_at_a_time = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let old = self.config();
        let mut new = (self.reload)()?;
        new.keep_remote(&old);
        let new = Arc::new(new);
        check_values(&old, &new)?;
        let changes = Config::changes(&old, &new);
        if changes.is_empty() {
            return Ok("nothing changed".to_owned());
        }
        let mut notes = Vec::new();
        let rules = rules(&new, &mut notes);
        if let Some(refused) = notes.first() {
            return Err(refused.clone());
        }
        self.use_endpoints(&new)?;
        let stopping = |_| "the agent is stopping".to_owned();
        self.requests.send(Request::Rules(Box::new(rules))).map_err(stopping)?;
        self.requests.send(Request::Configure(Arc::clone(&new))).map_err(stopping)?;
        (self.applied)(&new);
        self.use_remote_key(&old, &new);
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = new;
        let describe = |change: &config::Change| {
            let effect = match change.reload {
                Reload::Live => "applied",
                Reload::Restart => "needs a restart",
            };
            format!("{}: {} -> {} ({effect})", change.entry.name(), change.old, change.new)
        };
        Ok(changes.iter().map(describe).collect::<Vec<_>>().join("\n"))
    }

    /// Points delivery to the endpoints and keys of a configuration, or changes nothing.
    fn use_endpoints(&self, new: &Config) -> Result<(), String> {
        self.delivery.check(new)?;
        if let Some(delivery) = &self.trace_delivery {
            delivery.reload(new)?;
        }
        self.delivery.reload(new)?;
        if let Some(ingest) = &self.ingest {
            ingest.reload(new)?;
        }
        if let Some(proxies) = &self.proxies {
            proxies.reload(new);
        }
        Ok(())
    }

    fn use_remote_key(&self, old: &Config, new: &Config) {
        if old.remote_config_key() != new.remote_config_key() {
            self.remote.set_api_key(new.remote_config_key());
        }
    }

    /// Takes the log level of remote configuration; empty takes it back. False if somebody at this
    /// host decides it. spec: remote-config §7.1
    pub(crate) fn set_remote_log_level(&self, level: &str) -> Result<bool, String> {
        let _one_at_a_time = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let old = self.config();
        if old.source(keys::LOG_LEVEL).layer() > Layer::Remote {
            log::warn!("remote configuration may not change `log_level`: it was given as a flag");
            return Ok(false);
        }
        let mut new = Config::clone(&old);
        new.set_remote(keys::LOG_LEVEL, Some(level).filter(|level| !level.is_empty()))?;
        if new.source(keys::LOG_LEVEL) == old.source(keys::LOG_LEVEL)
            && new.str(keys::LOG_LEVEL) == old.str(keys::LOG_LEVEL)
        {
            return Ok(true);
        }
        let new = Arc::new(new);
        let stopping = |_| "the agent is stopping".to_owned();
        self.requests.send(Request::Configure(Arc::clone(&new))).map_err(stopping)?;
        (self.applied)(&new);
        log::info!("log level {} by {}", new.str(keys::LOG_LEVEL), new.source(keys::LOG_LEVEL));
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(true)
    }

    /// Whether the intake refuses a key that is in use.
    pub(crate) fn is_key_refused(&self) -> bool {
        let stats = self.delivery.stats();
        let endpoints = stats.iter().flat_map(|stats| &stats.endpoints);
        endpoints.into_iter().any(|endpoint| endpoint.key_validity == KeyValidity::Invalid)
    }

    /// Asks for the secrets again, and uses keys that changed. Returns the settings that did.
    pub(crate) fn refresh_secrets(&self) -> Result<usize, String> {
        let _one_at_a_time = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let old = self.config();
        let mut new = Config::clone(&old);
        new.refresh_secrets().map_err(|error| error.to_string())?;
        let changes = Config::changes(&old, &new);
        if !changes.is_empty() {
            self.use_endpoints(&new)?;
            let new = Arc::new(new);
            let stopping = |_| "the agent is stopping".to_owned();
            self.requests.send(Request::Configure(Arc::clone(&new))).map_err(stopping)?;
            self.use_remote_key(&old, &new);
            *self.config.write().unwrap_or_else(PoisonError::into_inner) = new;
        }
        Ok(changes.len())
    }
}

/// Refuses a configuration with errors that the running one does not have: a value that cannot be
/// read would fall back to its default, which nobody asked for.
fn check_values(old: &Config, new: &Config) -> Result<(), String> {
    fn errors(config: &Config) -> impl Iterator<Item = &config::Diagnostic> {
        config.diagnostics().iter().filter(|found| found.severity == Severity::Error)
    }
    let is_old = |found: &config::Diagnostic| {
        errors(old).any(|known| known.key == found.key && known.message == found.message)
    };
    let refused: Vec<String> =
        errors(new).filter(|found| !is_old(found)).map(ToString::to_string).collect();
    if refused.is_empty() { Ok(()) } else { Err(refused.join("; ")) }
}
