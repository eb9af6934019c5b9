//! What the tests share: settings without long waits, payloads, waiting for a state.

use std::time::Duration;

use bytes::Bytes;
use corelane_forward::{
    Accepts, BackoffSettings, Endpoint, ForwardStats, Forwarder, Kind, Payload, Priority, Settings,
    SpoolSettings,
};

pub(crate) const KEY: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const OTHER_KEY: &str = "fedcba9876543210fedcba9876543210";

/// How long a test waits for what must happen; only a broken build comes near it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn endpoint(url: &str, keys: &[&str]) -> Endpoint {
    let keys = keys.iter().map(|key| (*key).to_owned()).collect();
    Endpoint { url: url.to_owned(), keys, accepts: Accepts::All }
}

/// Defaults, but with waits of milliseconds and without key validation.
pub(crate) fn settings(endpoints: Vec<Endpoint>) -> Settings {
    Settings {
        endpoints,
        backoff: BackoffSettings {
            base: Duration::from_millis(1),
            max: Duration::from_millis(20),
            ..BackoffSettings::default()
        },
        key_validation_interval: None,
        seed: Some(1),
        ..Settings::default()
    }
}

pub(crate) fn spool(path: &std::path::Path) -> Option<SpoolSettings> {
    let mut spool = SpoolSettings::new(path.to_owned(), 1 << 26);
    spool.disk_ratio_max = 1.0;
    spool.replay_bytes_per_sec = 1 << 40;
    Some(spool)
}

pub(crate) fn payload(body: &str) -> Payload {
    Payload {
        path: "/api/v2/series".into(),
        endpoint_name: "series_v2".into(),
        content_type: "application/x-protobuf".into(),
        encoding: Some("zstd".into()),
        headers: Vec::new(),
        body: Bytes::from(body.to_owned()),
        points: 1,
        is_storable: true,
        priority: Priority::Normal,
        kind: Kind::Metrics,
    }
}

/// Polls the stats until they satisfy the condition.
pub(crate) async fn wait_for(
    forwarder: &Forwarder,
    what: &str,
    condition: impl Fn(&ForwardStats) -> bool,
) -> ForwardStats {
    let mut tick = tokio::time::interval(Duration::from_millis(2));
    let polling = async {
        loop {
            tick.tick().await;
            let stats = forwarder.stats();
            assert!(stats.is_balanced(), "{stats:#?}");
            if condition(&stats) {
                return stats;
            }
        }
    };
    let stats = tokio::time::timeout(PATIENCE, polling).await.ok();
    assert!(stats.is_some(), "never: {what}: {:#?}", forwarder.stats());
    stats.unwrap()
}

pub(crate) fn sent(stats: &ForwardStats) -> u64 {
    stats.endpoints.iter().map(|endpoint| endpoint.totals.sent).sum()
}

/// Stops from an async test without holding up its server.
pub(crate) async fn stop(forwarder: Forwarder) -> ForwardStats {
    let stats = tokio::task::spawn_blocking(move || forwarder.stop()).await.unwrap();
    assert!(stats.is_balanced(), "{stats:#?}");
    stats
}
