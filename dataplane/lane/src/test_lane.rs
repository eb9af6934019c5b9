//! A lane for unit tests, and the end of it that control holds.

use context::Keys;
use metrics::ShardSettings;
use naming::{NamingSettings, Rules};

use crate::{Lane, LaneHandle, LaneSettings, Now, port};

pub(crate) fn lane(now: Now) -> (LaneHandle, Lane) {
    let (handle, port) = port().unwrap();
    let settings = LaneSettings {
        lane: 0,
        shard: ShardSettings::default(),
        keys: Keys::from_seed(5),
        rules: Rules::new(&NamingSettings::default()).unwrap(),
        is_eol_required_udp: true,
        is_eol_required_uds: true,
        timed_batch: 1,
        connections_max: 1,
        read_cgroup: |_, _| Ok(()),
    };
    (handle, Lane::new(settings, port, now))
}
