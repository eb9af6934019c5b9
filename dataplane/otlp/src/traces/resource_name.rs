//! Resources of spans: what an operation works on. spec: otlp §4.5.

use std::borrow::Cow;

use obfuscate::normalize;
use span::SpanKind;

use super::known::Known;
use super::lookup::Lookup;

/// Longest resource in bytes; the rest is cut off.
const RESOURCE_BYTES_MAX: usize = 5000;
const METHODS: [Known; 2] = [Known::HttpRequestMethod, Known::HttpMethod];
const DESTINATIONS: [Known; 2] = [Known::MessagingDestination, Known::MessagingDestinationName];
const STATEMENTS: [Known; 2] = [Known::DbStatement, Known::DbQueryText];

/// The resource of a span; `name` is the span's own name.
pub(super) fn resource<'t>(
    kind: SpanKind,
    of: &Lookup<'t>,
    name: &'t str,
    is_old: bool,
) -> Cow<'t, str> {
    let found = if is_old { old_resource(of) } else { new_resource(kind, of) };
    match found.unwrap_or(Cow::Borrowed(name)) {
        Cow::Borrowed(text) => Cow::Borrowed(normalize::cut_str(text, RESOURCE_BYTES_MAX)),
        Cow::Owned(mut text) => {
            text.truncate(normalize::cut_str(&text, RESOURCE_BYTES_MAX).len());
            Cow::Owned(text)
        }
    }
}

fn new_resource<'t>(kind: SpanKind, of: &Lookup<'t>) -> Option<Cow<'t, str>> {
    if let Some(resource) = of.text(Known::ResourceName) {
        return Some(resource);
    }
    if let Some(method) = of.first(&METHODS) {
        let method = if method == "_OTHER" { Cow::Borrowed("HTTP") } else { method };
        let path = match kind {
            SpanKind::Server => of.text(Known::HttpRoute),
            SpanKind::Client => of.text(Known::UrlTemplate),
            SpanKind::Unspecified
            | SpanKind::Internal
            | SpanKind::Producer
            | SpanKind::Consumer => None,
        };
        return Some(joined(method, path));
    }
    if let Some(operation) = of.text(Known::MessagingOperation) {
        return Some(joined(operation, of.first(&DESTINATIONS)));
    }
    if let Some(method) = of.text(Known::RpcMethod) {
        return Some(joined(method, of.text(Known::RpcService)));
    }
    if let Some(operation) = of.text(Known::GraphqlOperationType) {
        return Some(joined(operation, of.text(Known::GraphqlOperationName)));
    }
    of.text(Known::DbSystem).and_then(|_| of.first(&STATEMENTS))
}

fn old_resource<'t>(of: &Lookup<'t>) -> Option<Cow<'t, str>> {
    let text = |key| of.text_of_resource_first(key);
    let first = |keys: [Known; 2]| keys.into_iter().find_map(text);
    if let Some(resource) = text(Known::ResourceName) {
        return Some(resource);
    }
    if let Some(method) = first(METHODS) {
        return Some(joined(method, text(Known::HttpRoute)));
    }
    if let Some(operation) = text(Known::MessagingOperation) {
        return Some(joined(operation, first(DESTINATIONS)));
    }
    if let Some(method) = text(Known::RpcMethod) {
        return Some(joined(method, text(Known::RpcService)));
    }
    let operation = text(Known::GraphqlOperationType)?;
    Some(joined(operation, text(Known::GraphqlOperationName)))
}

fn joined<'t>(first: Cow<'t, str>, second: Option<Cow<'t, str>>) -> Cow<'t, str> {
    match second {
        Some(second) => Cow::Owned(format!("{first} {second}")),
        None => first,
    }
}
