//! The tagger state at the end of a capture file, as protobuf. spec: dogstatsd §12.

use std::collections::BTreeMap;
use std::sync::Arc;

use entity::{EntityTags, TaggerEntity, TaggerState};

use crate::proto::{Fields, Malformed, Value, put_bytes, put_int, put_item};

/// Why a state was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StateRefused {
    Malformed,
    TooManyItems,
}

impl From<Malformed> for StateRefused {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

/// The state as a protobuf message; nothing at all for an empty one.
pub(crate) fn encode(state: &TaggerState) -> Vec<u8> {
    let mut out = Vec::new();
    for entity in &state.entities {
        let (prefix, uid) = entity
            .name
            .split_once("://")
            .filter(|(prefix, _)| !prefix.is_empty())
            .unwrap_or(("", &entity.name));
        let mut id = Vec::new();
        put_bytes(&mut id, 1, prefix.as_bytes());
        put_bytes(&mut id, 2, uid.as_bytes());
        let mut message = Vec::new();
        put_bytes(&mut message, 1, &id);
        put_bytes(&mut message, 2, entity.hash.as_bytes());
        let EntityTags { low, orchestrator, high, standard } = &entity.tags;
        for (number, tags) in [(3, high), (4, orchestrator), (5, low), (6, standard)] {
            for tag in tags {
                put_item(&mut message, number, tag.as_bytes());
            }
        }
        let mut entry = Vec::new();
        put_bytes(&mut entry, 1, uid.as_bytes());
        put_bytes(&mut entry, 2, &message);
        put_item(&mut out, 1, &entry);
    }
    for (pid, name) in &state.pids {
        let mut entry = Vec::new();
        put_int(&mut entry, 1, i64::from(*pid));
        put_bytes(&mut entry, 2, name.as_bytes());
        put_item(&mut out, 2, &entry);
    }
    out
}

/// Reads a state of at most `items_max` entities, tags and processes.
pub(crate) fn decode(message: &[u8], items_max: usize) -> Result<TaggerState, StateRefused> {
    let mut budget = Budget(items_max);
    let mut entities = BTreeMap::new();
    let mut pids = BTreeMap::new();
    for field in Fields::new(message) {
        let (number, value) = field?;
        match number {
            1 => {
                budget.spend()?;
                let (key, entity) = entry(value.bytes(), Value::bytes, &[][..])?;
                let entity = decode_entity(key, entity, &mut budget)?;
                entities.insert(Arc::clone(&entity.name), entity);
            }
            2 => {
                budget.spend()?;
                let (pid, name) = entry(value.bytes(), Value::int32, 0)?;
                pids.insert(pid, text(name));
            }
            _ => {}
        }
    }
    Ok(TaggerState { entities: entities.into_values().collect(), pids: pids.into_iter().collect() })
}

/// Items that may still be kept.
struct Budget(usize);

impl Budget {
    fn spend(&mut self) -> Result<(), StateRefused> {
        self.0 = self.0.checked_sub(1).ok_or(StateRefused::TooManyItems)?;
        Ok(())
    }
}

/// Key and value of an entry of a protobuf map.
fn entry<'a, K>(
    message: &'a [u8],
    to_key: impl Fn(Value<'a>) -> K,
    mut key: K,
) -> Result<(K, &'a [u8]), Malformed> {
    let mut value: &[u8] = &[];
    for field in Fields::new(message) {
        match field? {
            (1, part) => key = to_key(part),
            (2, part) => value = part.bytes(),
            _ => {}
        }
    }
    Ok((key, value))
}

fn decode_entity(
    key: &[u8],
    message: &[u8],
    budget: &mut Budget,
) -> Result<TaggerEntity, StateRefused> {
    let mut id: &[u8] = &[];
    let mut hash: &[u8] = &[];
    let mut tags = EntityTags::default();
    for field in Fields::new(message) {
        let (number, value) = field?;
        let list = match number {
            1 => {
                id = value.bytes();
                continue;
            }
            2 => {
                hash = value.bytes();
                continue;
            }
            3 => &mut tags.high,
            4 => &mut tags.orchestrator,
            5 => &mut tags.low,
            6 => &mut tags.standard,
            _ => continue,
        };
        budget.spend()?;
        list.push(text(value.bytes()));
    }
    let (prefix, uid) = entry(id, Value::bytes, &[][..])?;
    let uid = if uid.is_empty() { key } else { uid };
    let name = match text(prefix).trim_end_matches("://") {
        "" => text(uid),
        prefix => [prefix, "://", &text(uid)].concat().into(),
    };
    Ok(TaggerEntity { name, hash: text(hash), tags })
}

fn text(bytes: &[u8]) -> Arc<str> {
    String::from_utf8_lossy(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_are_those_of_the_schema() {
        let tags = EntityTags { low: vec!["a:b".into()], ..EntityTags::default() };
        let state = TaggerState {
            entities: vec![TaggerEntity { name: "c://x".into(), hash: "h".into(), tags }],
            pids: vec![(42, "c://x".into())],
        };
        let bytes = encode(&state);
        let expected: &[&[u8]] = &[
            b"\x0a\x15",                      // state entry
            b"\x0a\x01x",                     // key
            b"\x12\x10",                      // entity
            b"\x0a\x06\x0a\x01c\x12\x01x",    // id: prefix, uid
            b"\x12\x01h",                     // hash
            b"\x2a\x03a:b",                   // low
            b"\x12\x09\x08\x2a\x12\x05c://x", // process entry
        ];
        assert_eq!(bytes, expected.concat());
        assert_eq!(decode(&bytes, 3), Ok(state));
        assert_eq!(decode(&bytes, 2), Err(StateRefused::TooManyItems));
    }

    #[test]
    fn an_entity_without_id_is_named_by_its_key() {
        let state = decode(b"\x0a\x03\x0a\x01x", 10).expect("well-formed");
        assert_eq!(&*state.entities[0].name, "x");
    }
}
