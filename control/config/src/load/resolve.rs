//! Puts secrets in place of the `ENC[...]` values that are in effect.

use std::collections::BTreeMap;

use super::{Diagnostic, Severity};
use crate::entry::Entry;
use crate::keys;
use crate::secrets::{self, Backend, SecretError};
use crate::slots::{Candidate, Handles, Slots};
use crate::source::Source;
use crate::value::{self, Raw, Value};

/// Keys whose secrets may change while running. spec: config §9
const REFRESHED: &[&str] =
    &["api_key", "app_key", "additional_endpoints", "multi_region_failover.api_key"];

/// Asks once for all handles in effect and adds what they stand for as the highest layer.
pub(super) fn resolve(
    slots: &mut Slots,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<(), SecretError> {
    let wanted = wanted(slots);
    if wanted.is_empty() {
        return Ok(());
    }
    let secrets = Backend::new(slots)?.fetch(&wanted)?;
    for entry in keys::all() {
        let Some(origin) = top(slots, entry) else { continue };
        match substitute(entry, &origin, &secrets) {
            Ok(resolved) => slots.layers_mut(entry).push(resolved),
            Err(message) => {
                let message = format!("the secret is no good value: {message}");
                let error = Diagnostic::new(Severity::Error, entry.name, message);
                diagnostics.push(error.at(&origin.source));
            }
        }
    }
    Ok(())
}

/// Asks again and applies changed secrets of the keys that may change while running.
pub(crate) fn refresh(slots: &mut Slots) -> Result<(), SecretError> {
    let mut unresolved = slots.clone();
    for entry in keys::all() {
        let layers = unresolved.layers_mut(entry);
        layers.retain(|candidate| !matches!(candidate.source, Source::Secret(_)));
    }
    let wanted = wanted(&unresolved);
    if wanted.is_empty() {
        return Ok(());
    }
    let secrets = Backend::new(slots)?.fetch(&wanted)?;
    for entry in keys::all().filter(|entry| REFRESHED.contains(&entry.name)) {
        let Some(origin) = top(&unresolved, entry) else { continue };
        // A new secret that makes no valid value leaves the old one in effect.
        if let Ok(resolved) = substitute(entry, &origin, &secrets) {
            let layers = slots.layers_mut(entry);
            layers.retain(|candidate| !matches!(candidate.source, Source::Secret(_)));
            layers.push(resolved);
        }
    }
    Ok(())
}

/// Handles in effect, each with a key that uses it.
fn wanted(slots: &Slots) -> BTreeMap<String, &'static str> {
    let mut wanted = BTreeMap::new();
    for entry in keys::all() {
        if let Some(origin) = top(slots, entry) {
            wanted.extend(origin.handles.iter().map(|handle| (handle.to_owned(), entry.name)));
        }
    }
    wanted
}

/// The highest layer of a key, if it holds handles.
fn top(slots: &Slots, entry: &Entry) -> Option<Candidate> {
    slots.layers(entry).last().filter(|top| top.handles != Handles::None).cloned()
}

fn substitute(
    entry: &Entry,
    origin: &Candidate,
    secrets: &BTreeMap<String, String>,
) -> Result<Candidate, String> {
    let value = match &origin.handles {
        Handles::Whole(handle) => {
            let secret = secrets.get(handle).cloned().unwrap_or_default();
            // The message could quote the secret, so only the expectation is told.
            value::parse(entry, &Raw::Text(secret))
                .map_err(|_| format!("expected {}", entry.expected()))?
                .value
        }
        Handles::None | Handles::Inside(_) => {
            let mut value = origin.value.clone().ok_or_else(|| "no value".to_owned())?;
            replace_texts(&mut value, secrets);
            value
        }
    };
    let source = Source::Secret(Box::new(origin.source.clone()));
    Ok(Candidate { source, value: Some(value), handles: Handles::None })
}

fn replace_texts(value: &mut Value, secrets: &BTreeMap<String, String>) {
    match value {
        Value::List(items) => items.iter_mut().for_each(|item| replace(item, secrets)),
        Value::Json(value) => replace_json(value, secrets),
        Value::Str(text) => replace(text, secrets),
        Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Duration(_) | Value::Bytes(_) => {
        }
    }
}

fn replace_json(value: &mut serde_json::Value, secrets: &BTreeMap<String, String>) {
    match value {
        serde_json::Value::String(text) => replace(text, secrets),
        serde_json::Value::Array(items) => {
            items.iter_mut().for_each(|item| replace_json(item, secrets));
        }
        serde_json::Value::Object(map) => {
            map.values_mut().for_each(|item| replace_json(item, secrets));
        }
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {}
    }
}

fn replace(text: &mut String, secrets: &BTreeMap<String, String>) {
    if let Some(secret) = secrets::handle(text).and_then(|handle| secrets.get(handle)) {
        *text = secret.clone();
    }
}
