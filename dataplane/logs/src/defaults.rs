//! What a record says that does not say it itself.

use crate::Entry;
use crate::encode::STATUS_DEFAULT;

/// Host of a record when nobody knows its name. spec: logs §15.3.
const HOSTNAME_UNKNOWN: &str = "unknown";

/// Values of fields that a record lacks. An empty one leaves the field as it is, but for the host
/// and the status, which always are something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Defaults {
    /// Name of this host; empty is sent as `unknown`.
    pub hostname: String,
    /// Service.
    pub service: String,
    /// `ddsource`.
    pub source: String,
    /// Status; empty is sent as `info`.
    pub status: String,
    /// Appended to the tags of each record, joined by commas. An embedded agent sends no metadata
    /// of its host, so its host tags belong here (spec: logs §7.3). Environment, service and
    /// version are left out where the record has its own.
    pub tags: String,
}

impl Defaults {
    /// Fills what a record lacks, and appends the tags.
    pub fn apply(&self, entry: &mut Entry) {
        fill(&mut entry.hostname, &self.hostname);
        fill(&mut entry.hostname, HOSTNAME_UNKNOWN);
        fill(&mut entry.service, &self.service);
        fill(&mut entry.source, &self.source);
        fill(&mut entry.status, &self.status);
        fill(&mut entry.status, STATUS_DEFAULT);
        let own = entry.tags.len();
        for tag in self.tags.split(',') {
            let own = entry.tags.get(..own).unwrap_or_default();
            let mut unified = key_of(tag).into_iter().filter(|key| UNIFIED.contains(key));
            if !unified.any(|key| has_key(own, key)) {
                entry.push_tags(tag);
            }
        }
    }
}

/// Keys of which a record has one value.
const UNIFIED: [&str; 3] = ["env", "service", "version"];

fn key_of(tag: &str) -> Option<&str> {
    tag.split_once(':').map(|(key, _)| key)
}

fn has_key(tags: &str, key: &str) -> bool {
    tags.split(',').any(|tag| key_of(tag) == Some(key))
}

fn fill(field: &mut String, value: &str) {
    if field.is_empty() {
        field.push_str(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_stays_and_tags_are_appended() {
        let defaults = Defaults {
            hostname: "host".to_owned(),
            service: "service".to_owned(),
            source: "rust".to_owned(),
            status: "warn".to_owned(),
            tags: "env:prod,team:a".to_owned(),
        };
        let mut bare = Entry::default();
        defaults.apply(&mut bare);
        let fields = [&bare.hostname, &bare.service, &bare.source, &bare.status, &bare.tags];
        assert_eq!(fields, ["host", "service", "rust", "warn", "env:prod,team:a"]);

        let mut full = Entry {
            hostname: "h".to_owned(),
            service: "s".to_owned(),
            source: "c".to_owned(),
            status: "error".to_owned(),
            tags: "x:y".to_owned(),
            ..Entry::default()
        };
        defaults.apply(&mut full);
        let fields = [&full.hostname, &full.service, &full.source, &full.status, &full.tags];
        assert_eq!(fields, ["h", "s", "c", "error", "x:y,env:prod,team:a"]);
    }

    #[test]
    fn environment_service_and_version_of_a_record_stay_its_own() {
        let defaults =
            Defaults { tags: "env:prod,version:2,team:a".to_owned(), ..Defaults::default() };
        let mut entry = Entry { tags: "env:test,team:b".to_owned(), ..Entry::default() };
        defaults.apply(&mut entry);
        assert_eq!(entry.tags, "env:test,team:b,version:2,team:a");
    }

    #[test]
    fn host_and_status_are_never_empty() {
        let mut entry = Entry::default();
        Defaults::default().apply(&mut entry);
        assert_eq!((&*entry.hostname, &*entry.status), ("unknown", "info"));
        assert_eq!((&*entry.service, &*entry.source, &*entry.tags), ("", "", ""));
    }
}
