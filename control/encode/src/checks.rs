//! Service checks, as one JSON array. spec: metrics-intake §8.3.

use signal::ServiceCheck;

use crate::json::{put_integer, put_member, put_name, put_strings};
use crate::stream::{Frame, ItemStream};
use crate::{EncodeStats, Payload, PayloadKind, Settings};

/// Encodes service checks. One that breaks a limit by itself is dropped and counted.
pub fn encode_service_checks(
    checks: &[ServiceCheck],
    settings: &Settings,
    mut out: impl FnMut(Payload),
) -> EncodeStats {
    let mut stats = EncodeStats::default();
    if !settings.service_checks_enabled {
        checks.iter().for_each(|_| stats.disabled(0));
        return stats;
    }
    let frame = Frame {
        header: b"[",
        footer: b"]".to_vec(),
        ..Frame::new(PayloadKind::ServiceChecks, settings)
    };
    let mut stream = ItemStream::new(frame, settings);
    let mut item = Vec::new();
    for check in checks {
        stats.arrived(0);
        item.clear();
        put_check(&mut item, check);
        stream.add(b"", b",", &item, 0, &mut out);
    }
    stream.finish(&mut out);
    stats.merge(&stream.stats);
    debug_assert!(stats.is_balanced(), "every check is accounted for: {stats:?}");
    stats
}

fn put_check(out: &mut Vec<u8>, check: &ServiceCheck) {
    out.push(b'{');
    put_member(out, "check", &check.name);
    put_member(out, "host_name", &check.host);
    put_name(out, "timestamp");
    put_integer(out, check.timestamp_secs);
    put_name(out, "status");
    put_integer(out, check.status as i64);
    put_member(out, "message", &check.message);
    put_name(out, "tags");
    if check.tags.is_empty() {
        out.extend_from_slice(b"null");
    } else {
        put_strings(out, check.tags.iter().map(|tag| &**tag));
    }
    out.push(b'}');
}
