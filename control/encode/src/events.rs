//! Events, as JSON to the intake or as protobuf batches. spec: metrics-intake §8.1, §8.2.

use signal::Event;

use crate::json::{put_integer, put_member, put_name, put_some_member, put_string, put_strings};
use crate::proto::ItemPrefix;
use crate::stream::{Frame, ItemStream, Out};
use crate::wire::{put_bytes, put_some_str, put_some_varint};
use crate::{EncodeStats, EventsForm, Payload, PayloadKind, Settings};

/// Most events in one batch.
const BATCH_EVENTS_MAX: u64 = 100;
/// Group of the events that name no source type.
const NO_SOURCE: &str = "api";

/// Encodes `events` in the form that `settings` names. `hostname` is the agent's own.
///
/// An event that breaks a limit by itself is dropped and counted.
pub fn encode_events(
    events: &[Event],
    hostname: &str,
    settings: &Settings,
    mut out: impl FnMut(Payload),
) -> EncodeStats {
    let mut stats = EncodeStats::default();
    if !settings.events_enabled {
        events.iter().for_each(|_| stats.disabled(0));
        return stats;
    }
    events.iter().for_each(|_| stats.arrived(0));
    stats.merge(&match settings.events_form {
        EventsForm::Intake => encode_intake(events, hostname, settings, &mut out),
        EventsForm::Batch => encode_batches(events, settings, &mut out),
    });
    debug_assert!(stats.is_balanced(), "every event is accounted for: {stats:?}");
    stats
}

/// All events in one document while they fit, grouped by source type.
fn encode_intake(
    events: &[Event],
    hostname: &str,
    settings: &Settings,
    out: Out<'_>,
) -> EncodeStats {
    let mut footer = b"]},\"internalHostname\":".to_vec();
    put_string(&mut footer, hostname);
    footer.push(b'}');
    let frame = Frame {
        header: b"{\"apiKey\":\"\",\"events\":{",
        footer,
        ..Frame::new(PayloadKind::EventsIntake, settings)
    };
    let mut stream = ItemStream::new(frame, settings);
    let mut order: Vec<&Event> = events.iter().collect();
    // Stable: events of one source stay in order of arrival.
    order.sort_by_key(|event| source(event));
    let mut open_source = None;
    let (mut first, mut next, mut item) = (Vec::new(), Vec::new(), Vec::new());
    for event in order {
        let source = source(event);
        first.clear();
        put_string(&mut first, source);
        first.extend_from_slice(b":[");
        next.clear();
        if open_source == Some(source) {
            next.push(b',');
        } else {
            next.extend_from_slice(b"],");
            next.extend_from_slice(&first);
        }
        item.clear();
        put_json(&mut item, event);
        if stream.add(&first, &next, &item, 0, out) {
            open_source = Some(source);
        }
    }
    stream.finish(out);
    stream.stats
}

fn source(event: &Event) -> &str {
    if event.source_type_name.is_empty() { NO_SOURCE } else { &event.source_type_name }
}

fn put_json(out: &mut Vec<u8>, event: &Event) {
    out.push(b'{');
    put_member(out, "msg_title", &event.title);
    put_member(out, "msg_text", &event.text);
    put_name(out, "timestamp");
    put_integer(out, event.timestamp_secs);
    put_member(out, "priority", event.priority.as_str());
    put_member(out, "host", &event.host);
    if !event.tags.is_empty() {
        put_name(out, "tags");
        put_strings(out, event.tags.iter().map(|tag| &**tag));
    }
    put_member(out, "alert_type", event.alert_type.as_str());
    put_some_member(out, "aggregation_key", &event.aggregation_key);
    put_some_member(out, "source_type_name", &event.source_type_name);
    out.push(b'}');
}

fn encode_batches(events: &[Event], settings: &Settings, out: Out<'_>) -> EncodeStats {
    let frame =
        Frame { items_max: BATCH_EVENTS_MAX, ..Frame::new(PayloadKind::EventsBatch, settings) };
    let mut stream = ItemStream::new(frame, settings);
    let (mut item, mut prefix) = (Vec::new(), ItemPrefix::new());
    for event in events {
        item.clear();
        put_proto(&mut item, event);
        let prefix = prefix.of(item.len());
        stream.add(prefix, prefix, &item, 0, out);
    }
    stream.finish(out);
    stream.stats
}

fn put_proto(out: &mut Vec<u8>, event: &Event) {
    put_some_str(out, 1, &event.title);
    put_some_str(out, 2, &event.text);
    put_some_varint(out, 3, event.timestamp_secs.cast_unsigned());
    put_some_str(out, 4, event.priority.as_str());
    put_some_str(out, 5, &event.host);
    for tag in &event.tags {
        put_bytes(out, 6, tag.as_bytes());
    }
    put_some_str(out, 7, event.alert_type.as_str());
    put_some_str(out, 8, &event.aggregation_key);
    put_some_str(out, 9, &event.source_type_name);
}
