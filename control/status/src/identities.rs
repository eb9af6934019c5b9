//! Sums that must agree: every item is in exactly one place. spec: style §10.

use signal::Counter;

use crate::Snapshot;

/// One identity: what came in, and where it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// What is accounted for, such as `samples` or `payloads to http://...`.
    pub name: String,
    /// What came in.
    pub left: u64,
    /// The places it can be in, added up.
    pub right: u64,
    /// Items of the left side that are under way or in buckets not flushed yet. They are known by
    /// the difference only; 0 for identities that are exact at every moment.
    pub in_open_buckets: u64,
    /// Whether both sides agree.
    pub holds: bool,
    /// The identity in words.
    pub formula: &'static str,
}

/// The identities of a snapshot, in the order data moves.
///
/// Lanes publish their counters once a turn and one after the other, so a snapshot taken under
/// load can catch one side a turn ahead. After a stop all of them are exact.
#[must_use]
pub fn identities(snapshot: &Snapshot) -> Vec<Identity> {
    let total = |counter| snapshot.total(counter);
    let sum = |counters: &[Counter]| counters.iter().map(|counter| total(*counter)).sum::<u64>();
    let taken = [Counter::MetricLines, Counter::Events, Counter::ServiceChecks];
    let aggregated = [Counter::Recorded, Counter::RecordedTimed];
    let gone = [Counter::LostInRestart, Counter::DroppedAtStop];
    let mut list = vec![
        exact(
            "messages",
            total(Counter::Messages),
            sum(&taken) + sum(Counter::REFUSED) + total(Counter::DroppedEventLimit),
            "received = metric lines + events + checks + refused + over limit",
        ),
        exact(
            "samples",
            total(Counter::Samples) + total(Counter::CopiedToDistribution),
            sum(&aggregated) + sum(Counter::SAMPLES_DROPPED),
            "parsed + copied to distributions = recorded + timestamped + dropped",
        ),
        open(
            "recorded samples",
            total(Counter::Recorded),
            snapshot.flush.samples_in + sum(&gone),
            "recorded = merged + in open buckets + lost in restarts + dropped at stop",
        ),
    ];
    if let Some(traces) = &snapshot.traces {
        list.extend(crate::traces::identities(traces));
        list.extend(crate::proxies::identities(&snapshot.proxies));
    }
    if let Some(ingest) = &snapshot.ingest {
        list.extend(crate::ingest::identities(ingest));
    }
    for endpoint in &snapshot.endpoints {
        let waiting = endpoint.queued + endpoint.spooled;
        list.push(Identity {
            name: match &*endpoint.data {
                data @ ("traces" | "logs") => format!("payloads of {data} to {}", endpoint.url),
                _ => format!("payloads to {}", endpoint.url),
            },
            ..exact(
                "",
                endpoint.submitted + endpoint.recovered,
                endpoint.sent + waiting + endpoint.dropped_total(),
                "submitted + found on disk = sent + queued + spooled + dropped",
            )
        });
    }
    list
}

pub(crate) fn exact(name: &str, left: u64, right: u64, formula: &'static str) -> Identity {
    let holds = left == right;
    Identity { name: name.to_owned(), left, right, in_open_buckets: 0, holds, formula }
}

pub(crate) fn open(name: &str, left: u64, right: u64, formula: &'static str) -> Identity {
    let (in_open_buckets, holds) = (left.saturating_sub(right), left >= right);
    Identity { name: name.to_owned(), left, right, in_open_buckets, holds, formula }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EndpointStatus;

    fn with(counts: &[(Counter, u64)]) -> Snapshot {
        let totals = counts.iter().map(|(counter, n)| (counter.name().to_owned(), *n)).collect();
        Snapshot { totals, ..Snapshot::default() }
    }

    fn named<'a>(list: &'a [Identity], name: &str) -> &'a Identity {
        list.iter().find(|identity| identity.name == name).expect("present")
    }

    #[test]
    fn every_reason_to_refuse_or_drop_is_on_one_side() {
        for counter in Counter::ALL {
            let name = counter.name();
            let is_listed = Counter::REFUSED.contains(counter)
                || Counter::SAMPLES_DROPPED.contains(counter)
                || *counter == Counter::DroppedEventLimit;
            let is_loss = name.starts_with("refused_") || name.starts_with("dropped_");
            assert_eq!(is_listed, is_loss && *counter != Counter::DroppedAtStop, "{name}");
        }
    }

    #[test]
    fn what_is_not_flushed_is_in_open_buckets() {
        let mut snapshot = with(&[(Counter::Samples, 12), (Counter::Recorded, 12)]);
        snapshot.flush.samples_in = 5;
        let list = identities(&snapshot);
        let recorded = named(&list, "recorded samples");
        assert_eq!((recorded.in_open_buckets, recorded.holds), (7, true));
        assert!(named(&list, "samples").holds);

        snapshot.flush.samples_in = 13;
        assert!(!named(&identities(&snapshot), "recorded samples").holds);
    }

    #[test]
    fn a_lost_payload_breaks_its_identity() {
        let endpoint = EndpointStatus {
            url: "http://a".to_owned(),
            submitted: 4,
            recovered: 1,
            sent: 3,
            queued: 1,
            dropped: [("too_large".to_owned(), 1)].into(),
            ..EndpointStatus::default()
        };
        let mut snapshot = Snapshot { endpoints: vec![endpoint], ..Snapshot::default() };
        assert!(named(&identities(&snapshot), "payloads to http://a").holds);
        snapshot.endpoints[0].queued = 0;
        assert!(!named(&identities(&snapshot), "payloads to http://a").holds);
    }
}
