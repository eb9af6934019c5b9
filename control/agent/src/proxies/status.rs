//! The proxies for `status`.

use std::collections::BTreeMap;

use proxy::{CopyFailure, Kind, Proxies, ProxySeries, Refused};
use signal::SeriesKind;
use status::ProxyStatus;

use crate::self_metrics::TraceSeries;

/// What `status` says of the proxies.
pub(super) fn status(proxies: &Proxies) -> Vec<ProxyStatus> {
    Kind::ALL.into_iter().map(|kind| of_kind(proxies, kind)).collect()
}

impl From<ProxySeries> for TraceSeries {
    fn from(series: ProxySeries) -> Self {
        let ProxySeries { name, tags, is_rate, value } = series;
        let kind = if is_rate { SeriesKind::Rate } else { SeriesKind::Gauge };
        Self { name, tags, kind, value }
    }
}

fn of_kind(proxies: &Proxies, kind: Kind) -> ProxyStatus {
    let counts = proxies.counts(kind);
    let counted = |names: &mut dyn Iterator<Item = String>, counts: &[u64]| {
        names
            .zip(counts.iter().copied())
            .filter(|(_, count)| *count > 0)
            .collect::<BTreeMap<_, _>>()
    };
    ProxyStatus {
        name: kind.name().to_owned(),
        requests: counts.requests,
        answers: counted(&mut (1..=5).map(|class| format!("{class}xx")), &counts.answers),
        refused: counted(
            &mut Refused::ALL.iter().map(|reason| reason.name().to_owned()),
            &counts.refused,
        ),
        clients_gone: counts.clients_gone,
        answers_cut: counts.answers_cut,
        bytes_in: counts.bytes_in,
        bytes_out: counts.bytes_out,
        in_flight: counts.in_flight,
        copies_sent: counts.copies_sent,
        copies_failed: counted(
            &mut CopyFailure::ALL.iter().map(|reason| reason.name().to_owned()),
            &counts.copies_failed,
        ),
        copies_in_flight: counts.copies_in_flight,
    }
}
