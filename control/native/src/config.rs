//! Configuration of an agent inside another program.
//!
//! ```text
//! defaults of a guest < YAML files < environment < values that were set   (config spec §1)
//!     Config --prepare--> config::load -> modes (ports, sockets, tags) -> config::Config
//! ```
//!
//! What a layer says does not depend on the order of calls; within one, the last word counts. Every
//! key of `docs/configuration.md` can be set by its path or its variable.

mod defaults;
mod modes;
mod unavailable;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use ::config::{FileSource, SecretMode, Severity, Sources, keys};

use crate::AgentError;
pub use modes::OperationalMode;

/// What an agent is started with. Nothing is read before the start but the environment, which is
/// read where it is asked for.
#[derive(Clone)]
pub struct Config {
    files: Vec<PathBuf>,
    env: BTreeMap<String, String>,
    set: Vec<(String, String)>,
}

/// Puts a [`Config`] together.
#[derive(Clone, Debug)]
pub struct Builder {
    config: Config,
}

/// A configuration that an agent can run with.
pub(crate) struct Prepared {
    pub(crate) config: ::config::Config,
    sources: Sources,
}

impl Default for Config {
    /// Defaults, and the `DD_*` variables of the process, which also `DATADOG_*` may stand for.
    fn default() -> Self {
        Self::builder().env().config
    }
}

impl Config {
    /// Defaults alone.
    #[must_use]
    pub fn defaults_only() -> Self {
        Self { files: Vec::new(), env: BTreeMap::new(), set: Vec::new() }
    }

    /// A configuration to be put together.
    #[must_use]
    pub fn builder() -> Builder {
        Builder { config: Self::defaults_only() }
    }

    /// Sets a key by its dotted path or the name of its variable, in the form of a variable's
    /// value. It wins over files and the environment.
    ///
    /// # Errors
    /// [`AgentError::ConfigError`] for a name that no key has.
    pub fn set(&mut self, key: &str, value: &str) -> Result<(), AgentError> {
        let by_variable = |entry: &&::config::Entry| {
            entry.env_names().iter().any(|name| name.eq_ignore_ascii_case(key.trim()))
        };
        let key = key.trim();
        let entry = keys::find(key).or_else(|| keys::all().find(by_variable));
        let Some(entry) = entry else {
            let why = unavailable::why(key).unwrap_or("there is no such key or variable");
            return Err(AgentError::ConfigError(format!("{key}: {why}")));
        };
        self.set.push((entry.name().to_owned(), value.to_owned()));
        Ok(())
    }

    /// Reads a YAML file too, over the ones before.
    pub fn add_yaml(&mut self, path: impl Into<PathBuf>) {
        let path = path.into();
        // The working directory may be another one at the next read.
        self.files.push(std::path::absolute(&path).unwrap_or(path));
    }

    /// Reads the `DD_*` variables of the process as they are now.
    pub fn add_env(&mut self) {
        let texts = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        for (name, value) in texts {
            if let Some(rest) = name.strip_prefix("DATADOG_") {
                self.env.entry(format!("DD_{rest}")).or_insert(value);
            } else {
                self.env.insert(name, value);
            }
        }
    }

    /// Problems that do not keep an agent from starting, one text each: values that are not used,
    /// and what this library does not have.
    ///
    /// # Errors
    /// [`AgentError::ConfigError`] when it could not start.
    pub fn check(&self) -> Result<Vec<String>, AgentError> {
        let loaded = ::config::load(&self.sources(SecretMode::Keep));
        let loaded = loaded.map_err(|error| AgentError::ConfigError(error.to_string()))?;
        refuse_bad_values(&loaded)?;
        unavailable::refuse_left_out(&loaded)?;
        modes::resolve(&loaded)?;
        Ok(self.findings(&loaded).into_iter().map(|(_, text)| text).collect())
    }

    /// Everything that is needed to run.
    pub(crate) fn prepare(&self) -> Result<Prepared, AgentError> {
        let refuse = |error: ::config::LoadError| AgentError::ConfigError(error.to_string());
        let first = ::config::load(&self.sources(SecretMode::Keep)).map_err(refuse)?;
        refuse_bad_values(&first)?;
        unavailable::refuse_left_out(&first)?;
        for (level, text) in self.findings(&first) {
            log::log!(level, "{text}");
        }
        let mut sources = self.sources(SecretMode::Resolve);
        sources.flags.extend(modes::resolve(&first)?);
        let config = ::config::load(&sources).map_err(refuse)?;
        if config.api_key().is_empty() {
            let message = "no API key: set `api_key` or DD_API_KEY";
            return Err(AgentError::ConfigError(message.to_owned()));
        }
        Ok(Prepared { config, sources })
    }

    fn sources(&self, secrets: SecretMode) -> Sources {
        Sources {
            file: FileSource::Text {
                name: "defaults of an embedded agent".to_owned(),
                bytes: defaults::YAML.as_bytes().to_vec(),
            },
            extra_files: self.files.clone(),
            env: self.env.clone(),
            flags: self.set.clone(),
            secrets,
        }
    }

    /// What is to be said about the configuration. A host's tracer has variables of its own, so
    /// that unknown ones are told to who looks closely alone.
    fn findings(&self, loaded: &::config::Config) -> Vec<(log::Level, String)> {
        let level = |found: &::config::Diagnostic| match found.severity {
            Severity::Error => log::Level::Warn,
            Severity::Warning if !found.key.is_empty() => log::Level::Warn,
            Severity::Warning | Severity::Note => log::Level::Debug,
        };
        let found = loaded.diagnostics().iter().map(|found| (level(found), found.to_string()));
        let missing = unavailable::asked_for(&self.env).map(|text| (log::Level::Warn, text));
        let fips = modes::fips_mismatch(loaded).map(|text| (log::Level::Warn, text));
        let left_out = unavailable::left_out(loaded).map(|text| (log::Level::Warn, text));
        found.chain(missing).chain(left_out).chain(fips).collect()
    }

    /// Least severe message that is of interest, as `log_level` and `RUST_LOG` say; the library
    /// installs no logger of its own.
    #[must_use]
    pub fn log_level(&self) -> log::LevelFilter {
        let rust_log = self.env.get("RUST_LOG").and_then(|text| rust_log_level(text));
        rust_log.unwrap_or_else(|| {
            let loaded = ::config::load(&self.sources(SecretMode::Keep));
            loaded.map_or(log::LevelFilter::Warn, |config| level_of(config.str(keys::LOG_LEVEL)))
        })
    }
}

impl Prepared {
    /// Reads the configuration again.
    pub(crate) fn reload(
        &self,
    ) -> impl Fn() -> Result<::config::Config, ::config::LoadError> + Send + Sync + 'static {
        let sources = self.sources.clone();
        move || ::config::load(&sources)
    }
}

impl Builder {
    /// Reads a YAML file, over the ones before.
    #[must_use]
    pub fn yaml(mut self, path: impl Into<PathBuf>) -> Self {
        self.config.add_yaml(path);
        self
    }

    /// Reads the `DD_*` variables of the process.
    #[must_use]
    pub fn env(mut self) -> Self {
        self.config.add_env();
        self
    }

    /// Sets a key by its path or variable; a name that no key has is an error of
    /// [`Builder::build`].
    #[must_use]
    pub fn set(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.config.set.push((key.into(), value.into()));
        self
    }

    /// The configuration, checked.
    ///
    /// # Errors
    /// [`AgentError::ConfigError`] for an unknown key, a file that cannot be read, or settings that
    /// exclude each other.
    pub fn build(mut self) -> Result<Config, AgentError> {
        for (key, value) in std::mem::take(&mut self.config.set) {
            self.config.set(&key, &value)?;
        }
        self.config.check()?;
        Ok(self.config)
    }
}

impl fmt::Debug for Config {
    // Values may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config").field("files", &self.files).finish_non_exhaustive()
    }
}

/// What the program itself has set has to be right; files and variables fall back to what is below.
fn refuse_bad_values(loaded: &::config::Config) -> Result<(), AgentError> {
    let is_ours = |found: &&::config::Diagnostic| {
        let is_set = matches!(found.source, Some(::config::Source::Flag(_)));
        is_set && found.severity == Severity::Error
    };
    match loaded.diagnostics().iter().find(is_ours) {
        Some(found) => Err(AgentError::ConfigError(found.to_string())),
        None => Ok(()),
    }
}

fn level_of(name: &str) -> log::LevelFilter {
    match name {
        "trace" => log::LevelFilter::Trace,
        "debug" => log::LevelFilter::Debug,
        "info" => log::LevelFilter::Info,
        "error" | "critical" => log::LevelFilter::Error,
        "off" => log::LevelFilter::Off,
        _ => log::LevelFilter::Warn,
    }
}

/// The level of `RUST_LOG`: that of this library, or the one for everything.
fn rust_log_level(text: &str) -> Option<log::LevelFilter> {
    let directives = || text.split(',').map(str::trim);
    let ours = directives().find_map(|one| one.strip_prefix("datadog_agent_native="));
    ours.or_else(|| directives().find(|one| !one.contains('=')))?.parse().ok()
}

#[cfg(test)]
mod tests;
