//! What processing is told by the configuration. spec: apm §12.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use obfuscate::CardScreen;
use obfuscate::http_url::UrlOptions;
use span::Key;

use crate::{Pattern, ReplaceRule, TagFilter};

/// Settings of all lanes. The caller knows the keys; these are the values.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Environment of the agent, normalised; stands in where a payload has none.
    pub env: String,
    /// Host name of the agent, for statistics of tracers that report none.
    pub hostname: String,
    /// Features of `apm_config.features`.
    pub features: Features,
    /// `ignore_resources`: traces whose root has a resource that one of them matches are dropped.
    pub ignore_resources: Vec<Pattern>,
    /// `filter_tags` and `filter_tags_regex`.
    pub filter: TagFilter,
    /// `replace_tags`, and what `remove_stack_traces` adds.
    pub replace_rules: Vec<ReplaceRule>,
    /// `obfuscation`.
    pub obfuscation: Obfuscation,
    /// Tags of every span, such as those of Azure App Services; `_dd.origin` becomes the origin of
    /// every chunk instead.
    pub global_tags: Vec<(String, String)>,
    /// `instrumentation.install_*`: marks the first trace of each service.
    pub install: Option<InstallSignature>,
    /// `error_tracking_standalone.enabled`, which the samplers are told, too: names what is
    /// dropped.
    pub is_error_tracking_standalone: bool,
    /// `compute_stats_by_span_kind`: spans of servers, clients, producers and consumers count in
    /// statistics, too.
    pub is_stats_by_span_kind: bool,
    /// Keys of peer tags, sorted; empty turns peer tags off.
    pub peer_tags: Vec<String>,
    /// Keys of `meta` that become tags of statistics.
    pub additional_metric_tags: Vec<String>,
    /// Estimated bytes above which what was kept of a payload is cut off and sent.
    pub payload_bytes_max: usize,
}

/// Features of `apm_config.features` that change processing. All are off by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// `component2name`: meta `component` is the operation name.
    pub is_component_name: bool,
    /// `big_resource`: resources may have 15,000 bytes.
    pub is_big_resource: bool,
    /// `disable_cid_stats`: statistics without container ids.
    pub is_container_id_left_out: bool,
    /// `disable_process_stats`: statistics without process tags.
    pub is_process_left_out: bool,
}

/// Which obfuscators run.
#[derive(Clone, Debug)]
pub struct Obfuscation {
    /// How SQL is obfuscated.
    pub sql: sql::Options,
    /// Card numbers; `None` turns the test off.
    pub cards: Option<CardScreen>,
    /// URLs.
    pub http: UrlOptions,
    /// Redis commands.
    pub redis: Commands,
    /// Valkey commands.
    pub valkey: Commands,
    /// Memcached commands.
    pub is_memcached_enabled: bool,
    /// Whether the command and the key of a Memcached command stay.
    pub is_memcached_command_kept: bool,
    /// `MongoDB` queries; `None` leaves them.
    pub mongodb: Option<JsonKeys>,
    /// Elasticsearch bodies; `None` leaves them.
    pub elasticsearch: Option<JsonKeys>,
    /// OpenSearch bodies; `None` leaves them.
    pub opensearch: Option<JsonKeys>,
}

/// What is done to the commands of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commands {
    /// They stay.
    Kept,
    /// Values go.
    Obfuscated,
    /// All arguments go.
    WithoutArguments,
}

/// Keys of a JSON body with rules of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JsonKeys {
    /// Values under these are kept.
    pub kept: Vec<String>,
    /// Values under these are SQL.
    pub sql: Vec<String>,
}

/// How the agent was installed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstallSignature {
    /// Id of the installation.
    pub id: String,
    /// How it was made.
    pub kind: String,
    /// When, in seconds of Unix time; 0 if it is not known.
    pub time_secs: u64,
    /// Services that had their first trace, on whichever lane.
    pub marked: MarkedServices,
}

/// Services whose first kept trace was marked, in this process. Copies share them: lanes ask when
/// one of their own services has its first trace, and never wait.
#[derive(Clone)]
pub struct MarkedServices(Arc<[AtomicU64]>);

/// Slots of [`MarkedServices`]. When it is full nothing more is marked.
const MARKED_SLOTS: usize = 1 << 14;

impl MarkedServices {
    /// Marks a service by the hash of its name; false if it was marked before, or there is no room.
    pub(crate) fn mark(&self, hash: u64) -> bool {
        // 0 stands for a vacant slot.
        let hash = hash.max(1);
        #[expect(clippy::cast_possible_truncation, reason = "some bits of a hash do")]
        let start = hash as usize % MARKED_SLOTS;
        for at in (start..MARKED_SLOTS).chain(0..start) {
            let Some(slot) = self.0.get(at) else { return false };
            match slot.compare_exchange(0, hash, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(held) if held == hash => return false,
                Err(_) => {}
            }
        }
        false
    }
}

impl Default for MarkedServices {
    fn default() -> Self {
        Self((0..MARKED_SLOTS).map(|_| AtomicU64::new(0)).collect())
    }
}

impl PartialEq for MarkedServices {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for MarkedServices {}

impl std::fmt::Debug for MarkedServices {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MarkedServices")
    }
}

/// Payloads are cut above this many bytes. spec: apm §6 step 4 o.
pub const PAYLOAD_BYTES_MAX: usize = 3_200_000;

impl Features {
    /// The features among these names that are known here.
    pub fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut features = Self::default();
        for name in names {
            match name {
                "component2name" => features.is_component_name = true,
                "big_resource" => features.is_big_resource = true,
                "disable_cid_stats" => features.is_container_id_left_out = true,
                "disable_process_stats" => features.is_process_left_out = true,
                _ => {}
            }
        }
        features
    }
}

/// The keys of peer tags: the known ones and `apm_config.peer_tags`, sorted, each once.
#[must_use]
pub fn peer_tag_keys(extra: &[String]) -> Vec<String> {
    let known = Key::peer_tags().iter().map(|key| key.as_str().to_owned());
    let mut keys: Vec<String> = known.chain(extra.iter().cloned()).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.retain(|key| !key.is_empty());
    keys
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            env: String::from("none"),
            hostname: String::new(),
            features: Features::default(),
            ignore_resources: Vec::new(),
            filter: TagFilter::default(),
            replace_rules: Vec::new(),
            obfuscation: Obfuscation::default(),
            global_tags: Vec::new(),
            install: None,
            is_error_tracking_standalone: false,
            is_stats_by_span_kind: true,
            peer_tags: Vec::new(),
            additional_metric_tags: Vec::new(),
            payload_bytes_max: PAYLOAD_BYTES_MAX,
        }
    }
}

impl Default for Obfuscation {
    fn default() -> Self {
        Self {
            sql: sql::Options::default(),
            cards: Some(CardScreen::default()),
            http: UrlOptions::default(),
            redis: Commands::Obfuscated,
            valkey: Commands::Obfuscated,
            is_memcached_enabled: true,
            is_memcached_command_kept: false,
            mongodb: Some(JsonKeys::default()),
            elasticsearch: Some(JsonKeys::default()),
            opensearch: Some(JsonKeys::default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_peer_tags_are_sorted_and_unique() {
        let keys = peer_tag_keys(&["zone".to_owned(), "db.name".to_owned(), "a".to_owned()]);
        assert_eq!(keys.len(), 45);
        assert!(keys.is_sorted());
    }
}
