//! Archives for support, in `status`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::format::{bytes, count, utc};
use crate::prometheus::{Kind, Page as Metrics};
use crate::text::{Page, reasons};

/// Flares, counters since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FlareStatus {
    /// Asked for through remote configuration.
    pub asked: u64,
    /// Of these, sent.
    pub sent: u64,
    /// Of these, not sent, by reason.
    pub failed: BTreeMap<String, u64>,
    /// Of these, waiting or being made now.
    pub waiting: u64,
    /// Made for a command of this host, which sends them itself.
    pub local: u64,
    /// Unix seconds of the last one that was made; 0 if none was.
    pub last_unix_secs: u64,
    /// Bytes of its archive.
    pub last_bytes: u64,
    /// The last failure; empty if there was none.
    pub last_error: String,
}

pub(crate) fn page(page: &mut Page, flares: &FlareStatus) {
    if *flares == FlareStatus::default() {
        return;
    }
    page.title("Flares", '-');
    let FlareStatus { asked, sent, waiting, local, .. } = flares;
    page.field("asked from afar", &format!("{}, {} sent", count(*asked), count(*sent)));
    let failed = reasons(&flares.failed, "");
    if !failed.is_empty() {
        page.field("not sent", &failed);
    }
    if *waiting > 0 {
        page.field("waiting", &count(*waiting));
    }
    page.field("made for commands", &count(*local));
    if flares.last_unix_secs > 0 {
        let last = format!("{}, {}", utc(flares.last_unix_secs), bytes(flares.last_bytes));
        page.field("last", &last);
    }
    if !flares.last_error.is_empty() {
        page.field("last error", &flares.last_error);
    }
}

pub(crate) fn metrics(page: &mut Metrics, flares: &FlareStatus) {
    let name = "corelane_flares_total";
    page.family(name, Kind::Counter, "Archives for support, by what became of them.");
    page.sample(name, &[("what", "sent")], flares.sent);
    page.sample(name, &[("what", "local")], flares.local);
    for (reason, value) in &flares.failed {
        page.sample(name, &[("what", &format!("failed_{reason}"))], *value);
    }
    let help = "Archives for support that wait.";
    page.single("corelane_flares_waiting", Kind::Gauge, help, flares.waiting);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_without_flares_says_nothing_and_others_name_the_failure() {
        let mut empty = Page::new();
        page(&mut empty, &FlareStatus::default());
        assert_eq!(empty.into_text(), "");
        let flares = FlareStatus {
            asked: 3,
            sent: 1,
            failed: BTreeMap::from([("key".to_owned(), 2)]),
            last_error: "the key is refused".to_owned(),
            ..FlareStatus::default()
        };
        let mut text = Page::new();
        page(&mut text, &flares);
        let text = text.into_text();
        for part in ["3, 1 sent", "2 key", "the key is refused"] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
    }
}
