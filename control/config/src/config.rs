//! The loaded configuration and its typed getters.

use std::collections::HashSet;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::diagnostic::Diagnostic;
use crate::entry::{
    BoolKey, BytesKey, CommaListKey, CsvKey, DurationKey, Entry, FloatKey, IntKey, JsonKey,
    ListKey, MapKey, RatesKey, StrKey, TagsKey,
};
use crate::keys;
use crate::load;
use crate::parse;
use crate::secrets::SecretError;
use crate::slots::{Candidate, Handles, Slots};
use crate::source::{Layer, Source};
use crate::value::{self, Raw};

/// A loaded configuration: for every key of the table, what each layer says and which one is in
/// effect. Values are valid for their row: right type, inside limits.
#[derive(Clone)]
pub struct Config {
    pub(crate) slots: Slots,
    pub(crate) diagnostics: Vec<Diagnostic>,
    pub(crate) file: Option<PathBuf>,
}

impl fmt::Debug for Config {
    // Values may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("file", &self.file)
            .field("diagnostics", &self.diagnostics.len())
            .finish_non_exhaustive()
    }
}

impl Config {
    /// What the load had to say.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// The file that was read, if any.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Every file that says something, the main one first.
    #[must_use]
    pub fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = self.file.iter().cloned().collect();
        let layers = keys::all().flat_map(|entry| self.slots.layers(entry));
        for layer in layers {
            if let Source::File { path, .. } = &layer.source
                && !files.iter().any(|known| known.as_path() == &**path)
            {
                files.push(path.to_path_buf());
            }
        }
        files
    }

    /// Whether a layer above the defaults says something valid about a key.
    #[must_use]
    pub fn is_set(&self, key: impl Into<&'static Entry>) -> bool {
        self.source(key).layer() > Layer::Default
    }

    /// Where the value in effect was written.
    #[must_use]
    pub fn source(&self, key: impl Into<&'static Entry>) -> &Source {
        &self.slots.winner(key.into()).source
    }

    /// A switch.
    #[must_use]
    pub fn bool(&self, key: BoolKey) -> bool {
        self.slots.bool(key)
    }

    /// A whole number, in the unit its row names.
    #[must_use]
    pub fn int(&self, key: IntKey) -> i64 {
        self.slots.int(key)
    }

    /// A whole number that counts things; rows that can be negative read as 0 then.
    #[must_use]
    pub fn count(&self, key: IntKey) -> usize {
        usize::try_from(self.int(key)).unwrap_or(0)
    }

    /// A port; 0 where its row allows "none".
    #[must_use]
    pub fn port(&self, key: IntKey) -> u16 {
        u16::try_from(self.int(key)).unwrap_or(0)
    }

    /// A port to listen on: none, or 0 where the system is to choose.
    #[must_use]
    pub fn listen_port(&self, key: IntKey) -> Option<u16> {
        match self.int(key) {
            0 => None,
            -1 => Some(0),
            port => u16::try_from(port).ok(),
        }
    }

    /// Rights of a file.
    #[must_use]
    pub fn mode(&self, key: StrKey) -> u32 {
        parse::octal_mode(self.str(key)).unwrap_or(0o600)
    }

    /// A whole number of seconds.
    #[must_use]
    pub fn secs(&self, key: IntKey) -> Duration {
        Duration::from_secs(u64::try_from(self.int(key)).unwrap_or(0))
    }

    /// A decimal number, always finite.
    #[must_use]
    pub fn float(&self, key: FloatKey) -> f64 {
        self.slots.value(key.0).as_float().unwrap_or_default()
    }

    /// A text, or the choice as the table spells it.
    #[must_use]
    pub fn str(&self, key: StrKey) -> &str {
        self.slots.str(key)
    }

    /// A text, or nothing if it is empty or blank.
    #[must_use]
    pub fn text(&self, key: StrKey) -> Option<&str> {
        Some(self.str(key).trim()).filter(|text| !text.is_empty())
    }

    /// A span of time, never negative.
    #[must_use]
    pub fn duration(&self, key: DurationKey) -> Duration {
        self.slots.value(key.0).as_duration().unwrap_or_default()
    }

    /// A size in bytes.
    #[must_use]
    pub fn bytes(&self, key: BytesKey) -> u64 {
        self.slots.value(key.0).as_bytes().unwrap_or_default()
    }

    /// A list of texts.
    #[must_use]
    pub fn list(&self, key: ListKey) -> &[String] {
        self.slots.list(key)
    }

    /// A list of texts whose text form also splits on commas.
    #[must_use]
    pub fn comma_list(&self, key: CommaListKey) -> &[String] {
        self.slots.value(key.0).as_list()
    }

    /// A list of texts whose text form is a row of comma-separated values.
    #[must_use]
    pub fn csv(&self, key: CsvKey) -> &[String] {
        self.slots.value(key.0).as_list()
    }

    /// A list of tags, in the order written. spec: config §3.3
    #[must_use]
    pub fn tags(&self, key: TagsKey) -> &[String] {
        self.slots.value(key.0).as_list()
    }

    /// A map.
    #[must_use]
    pub fn map(&self, key: MapKey) -> &serde_json::Map<String, serde_json::Value> {
        self.slots.value(key.0).as_map().expect("rows of maps hold JSON objects")
    }

    /// Rates from 0 to 1 by name.
    pub fn rates(&self, key: RatesKey) -> impl Iterator<Item = (&str, f64)> {
        let map = self.slots.value(key.0).as_map().into_iter().flatten();
        map.map(|(name, rate)| (name.as_str(), rate.as_f64().unwrap_or_default()))
    }

    /// A list of structured items.
    #[must_use]
    pub fn json(&self, key: JsonKey) -> &serde_json::Value {
        self.slots.value(key.0).as_json().expect("rows of structured lists hold JSON")
    }

    /// The trimmed API key of the main intake; empty if there is none.
    #[must_use]
    pub fn api_key(&self) -> &str {
        self.str(keys::API_KEY).trim()
    }

    /// Tags of this host: `tags`, `extra_tags`, and `env:` unless a tag gives it.
    /// spec: config §3.3
    #[must_use]
    pub fn host_tags(&self) -> Vec<String> {
        let mut seen = HashSet::new();
        let all = self.tags(keys::TAGS).iter().chain(self.tags(keys::EXTRA_TAGS));
        let mut tags: Vec<String> = all.filter(|tag| seen.insert(*tag)).cloned().collect();
        if let Some(env) = self.text(keys::ENV)
            && !tags.iter().any(|tag| tag.starts_with("env:"))
        {
            tags.push(format!("env:{env}"));
        }
        tags
    }

    /// Names to drop, and whether they are beginnings: `metric_filterlist`, or the older pair of
    /// keys if that is empty.
    #[must_use]
    pub fn metric_filterlist(&self) -> (&[String], bool) {
        let names = self.list(keys::METRIC_FILTERLIST);
        if names.is_empty() {
            let names = self.list(keys::STATSD_METRIC_BLOCKLIST);
            return (names, self.bool(keys::STATSD_METRIC_BLOCKLIST_MATCH_PREFIX));
        }
        (names, self.bool(keys::METRIC_FILTERLIST_MATCH_PREFIX))
    }

    /// Whether the open bucket is flushed at stop.
    #[must_use]
    pub fn flushes_on_stop(&self) -> bool {
        if self.is_set(keys::DOGSTATSD_FLUSH_INCOMPLETE_BUCKETS) {
            return self.bool(keys::DOGSTATSD_FLUSH_INCOMPLETE_BUCKETS);
        }
        self.bool(keys::FLUSH_ON_STOP)
    }

    /// Cores to pin lanes to, in lane order, each once; empty pins none.
    #[must_use]
    pub fn cpus(&self) -> Vec<usize> {
        let mut cpus = Vec::new();
        for item in self.comma_list(keys::CPUS) {
            let (first, last) = parse::cpu_range(item).unwrap_or((1, 0));
            for cpu in first..=last {
                if !cpus.contains(&cpu) {
                    cpus.push(cpu);
                }
            }
        }
        cpus
    }

    /// Directory of the disk spool.
    #[must_use]
    pub fn spool_path(&self) -> PathBuf {
        self.path_or(keys::FORWARDER_STORAGE_PATH, "transactions_to_retry")
    }

    /// Directory of captured traffic.
    #[must_use]
    pub fn capture_path(&self) -> PathBuf {
        self.path_or(keys::DOGSTATSD_CAPTURE_PATH, "dsd_capture")
    }

    /// Directory of captured requests of tracers.
    #[must_use]
    pub fn request_capture_path(&self) -> PathBuf {
        self.path_or(keys::APM_CAPTURE_PATH, "apm_capture")
    }

    fn path_or(&self, key: StrKey, name: &str) -> PathBuf {
        match self.text(key) {
            Some(path) => PathBuf::from(path),
            None => Path::new(self.str(keys::RUN_PATH)).join(name),
        }
    }

    /// Address of the local API over TCP, if it is to be opened.
    #[must_use]
    pub fn api_listen(&self) -> Option<SocketAddr> {
        if self.api_listen_is_refused() {
            return None;
        }
        self.str(keys::API_LISTEN).parse().ok()
    }

    pub(crate) fn api_listen_is_refused(&self) -> bool {
        let address: Option<SocketAddr> = self.str(keys::API_LISTEN).parse().ok();
        !self.bool(keys::API_ALLOW_REMOTE)
            && address.is_some_and(|address| !address.ip().is_loopback())
    }

    /// Sets what remote configuration wants of a key, or takes it back. Flags stay above it.
    ///
    /// # Errors
    /// For a value that the key's row refuses; nothing changes then.
    pub fn set_remote(
        &mut self,
        key: impl Into<&'static Entry>,
        text: Option<&str>,
    ) -> Result<(), String> {
        let entry = key.into();
        let candidate = text.map(|text| {
            let parsed = value::parse(entry, &Raw::Text(text.to_owned()));
            parsed.map_err(|problem| problem.message)
        });
        let candidate = candidate.transpose()?.map(|parsed| Candidate {
            source: Source::Remote,
            value: Some(parsed.value),
            handles: Handles::None,
        });
        let layers = self.slots.layers_mut(entry);
        layers.retain(|layer| layer.source != Source::Remote);
        let above = layers.iter().position(|layer| layer.source.layer() > Layer::Remote);
        if let Some(candidate) = candidate {
            layers.insert(above.unwrap_or(layers.len()), candidate);
        }
        Ok(())
    }

    /// Keeps what remote configuration wanted in another load.
    pub fn keep_remote(&mut self, other: &Self) {
        for entry in keys::all() {
            let layers = other.slots.layers(entry);
            let Some(wanted) = layers.iter().find(|layer| layer.source == Source::Remote) else {
                continue;
            };
            let wanted = wanted.clone();
            let layers = self.slots.layers_mut(entry);
            let above = layers.iter().position(|layer| layer.source.layer() > Layer::Remote);
            layers.insert(above.unwrap_or(layers.len()), wanted);
        }
    }

    /// Asks for the secrets again and applies those that may change while running: API keys.
    /// Compare with a clone made before by [`Config::changes`].
    ///
    /// # Errors
    /// When a secret cannot be had; the old ones stay in effect then.
    pub fn refresh_secrets(&mut self) -> Result<(), SecretError> {
        load::refresh(&mut self.slots)
    }
}

#[cfg(test)]
mod tests;
