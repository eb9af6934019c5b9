//! Settings in plain data; the keys they come from are in dogstatsd §3.4.

use crate::DEFAULT_NAMESPACE_BLACKLIST;

/// Everything the rules are built from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamingSettings {
    /// `dogstatsd_mapper_profiles`, in order of configuration.
    pub mapper_profiles: Vec<Profile>,
    /// `dogstatsd_mapper_cache_size`: names remembered per lane; 0 disables the mapper.
    pub mapper_cache_entries: usize,
    /// `statsd_metric_namespace`; empty means none. The dot is added where it is missing.
    pub namespace: String,
    /// `statsd_metric_namespace_blacklist`: names that start with an entry get no namespace.
    pub namespace_blacklist: Vec<String>,
    /// `metric_filterlist`: names to drop.
    pub filterlist: Vec<String>,
    /// `metric_filterlist_match_prefix`: entries are prefixes instead of whole names.
    pub filterlist_match_prefix: bool,
    /// `metric_tag_filterlist`.
    pub tag_filter: Vec<TagRule>,
    /// Whether the tag filter touches distributions only (the newest Agent) or every type.
    pub tag_filter_distributions_only: bool,
    /// `dogstatsd_tags` and static tags, appended to every metric, event and service check.
    pub extra_tags: Vec<String>,
    /// Host tags, appended as long as the caller asks for them (`expected_tags_duration`).
    pub host_tags: Vec<String>,
}

impl Default for NamingSettings {
    fn default() -> Self {
        Self {
            mapper_profiles: Vec::new(),
            mapper_cache_entries: 1000,
            namespace: String::new(),
            namespace_blacklist: DEFAULT_NAMESPACE_BLACKLIST.map(str::to_owned).to_vec(),
            filterlist: Vec::new(),
            filterlist_match_prefix: false,
            tag_filter: Vec::new(),
            tag_filter_distributions_only: true,
            extra_tags: Vec::new(),
            host_tags: Vec::new(),
        }
    }
}

/// A group of mappings for metrics of one prefix. spec: dogstatsd §6.2.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// Name, for diagnostics; required.
    pub name: String,
    /// Prefix of the metrics that the profile decides; `*` means every metric. Required.
    pub prefix: String,
    /// Mappings; the first that matches wins.
    pub mappings: Vec<Mapping>,
}

/// One mapping.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping {
    /// Pattern; required.
    pub pattern: String,
    /// How the pattern reads.
    pub match_type: MatchType,
    /// New name with `$1`, `${1}`, `$name`, `$$`; required.
    pub name: String,
    /// Tags to add: key, and value with the same placeholders.
    pub tags: Vec<(String, String)>,
}

/// How a mapping pattern reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MatchType {
    /// `*` stands for any run of characters other than a dot.
    #[default]
    Wildcard,
    /// A regular expression for the whole name.
    Regex,
}

/// One entry of the tag filter list. spec: dogstatsd §6.4.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TagRule {
    /// Final name of the metric, matched exactly.
    pub metric_name: String,
    /// What happens to the listed keys.
    pub action: TagAction,
    /// Tag keys: the text before the first colon.
    pub tags: Vec<String>,
}

/// What a tag rule does with its keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TagAction {
    /// Only tags with a listed key stay.
    Include,
    /// Tags with a listed key go.
    #[default]
    Exclude,
}
