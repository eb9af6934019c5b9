//! Names of operations. spec: otlp §4.4.

use std::borrow::Cow;

use obfuscate::normalize;
use span::SpanKind;

use super::Settings;
use super::known::Known;
use super::lookup::Lookup;

/// The name of an operation; the span's own name and its scope matter in the old way alone.
pub(super) fn operation<'t>(
    kind: SpanKind,
    of: &Lookup<'t>,
    name: &str,
    scope: &str,
    settings: &Settings,
) -> Cow<'t, str> {
    if settings.is_old_naming() {
        return Cow::Owned(old_operation(kind, of, name, scope, settings));
    }
    let named = of.tag_value(Known::OperationName);
    named.unwrap_or_else(|| match kind {
        SpanKind::Client => {
            of_call(of).or_else(|| graphql(of)).unwrap_or_else(|| of_protocol(of, "client"))
        }
        SpanKind::Server => {
            of_service(of).or_else(|| graphql(of)).unwrap_or_else(|| of_protocol(of, "server"))
        }
        SpanKind::Producer => {
            of_queue(of).or_else(|| graphql(of)).unwrap_or(Cow::Borrowed("Producer"))
        }
        SpanKind::Consumer => {
            of_queue(of).or_else(|| graphql(of)).unwrap_or(Cow::Borrowed("Consumer"))
        }
        SpanKind::Internal | SpanKind::Unspecified => {
            graphql(of).unwrap_or(Cow::Borrowed("Internal"))
        }
    })
}

fn of_call<'t>(of: &Lookup<'t>) -> Option<Cow<'t, str>> {
    if is_http(of) {
        return Some(Cow::Borrowed("http.client.request"));
    }
    if let Some(system) = of.tag_value(Known::DbSystem) {
        return Some(Cow::Owned(format!("{system}.query")));
    }
    if let Some(name) = of_queue(of) {
        return Some(name);
    }
    if let Some(system) = of.tag_value(Known::RpcSystem) {
        return Some(Cow::Owned(if system != "aws-api" {
            format!("{system}.client.request")
        } else if let Some(service) = of.tag_value(Known::RpcService) {
            format!("aws.{service}.request")
        } else {
            "aws.client.request".to_owned()
        }));
    }
    let provider = of.tag_value(Known::FaasInvokedProvider)?;
    let function = of.tag_value(Known::FaasInvokedName)?;
    Some(Cow::Owned(format!("{provider}.{function}.invoke")))
}

fn of_service<'t>(of: &Lookup<'t>) -> Option<Cow<'t, str>> {
    if is_http(of) {
        return Some(Cow::Borrowed("http.server.request"));
    }
    if let Some(name) = of_queue(of) {
        return Some(name);
    }
    if let Some(system) = of.tag_value(Known::RpcSystem) {
        return Some(Cow::Owned(format!("{system}.server.request")));
    }
    of.tag_value(Known::FaasTrigger).map(|trigger| Cow::Owned(format!("{trigger}.invoke")))
}

fn is_http(of: &Lookup<'_>) -> bool {
    of.first(&[Known::HttpRequestMethod, Known::HttpMethod]).is_some()
}

fn of_queue<'t>(of: &Lookup<'t>) -> Option<Cow<'t, str>> {
    let system = of.tag_value(Known::MessagingSystem)?;
    let operation = of.tag_value(Known::MessagingOperation)?;
    Some(Cow::Owned(format!("{system}.{operation}")))
}

fn graphql<'t>(of: &Lookup<'t>) -> Option<Cow<'t, str>> {
    of.text(Known::GraphqlOperationType).map(|_| Cow::Borrowed("graphql.server.request"))
}

fn of_protocol<'t>(of: &Lookup<'t>, side: &str) -> Cow<'t, str> {
    Cow::Owned(match of.tag_value(Known::NetworkProtocolName) {
        Some(protocol) => format!("{protocol}.{side}.request"),
        None => format!("{side}.request"),
    })
}

fn old_operation(
    kind: SpanKind,
    of: &Lookup<'_>,
    name: &str,
    scope: &str,
    settings: &Settings,
) -> String {
    let operation = match of.text_of_resource_first(Known::OperationName) {
        Some(operation) => operation,
        None if settings.is_operation_span_name => Cow::Borrowed(name),
        None => {
            let library = if scope.is_empty() { "opentelemetry" } else { scope };
            Cow::Owned(format!("{library}.{}", kind_text(kind)))
        }
    };
    let operation = match settings.remappings.get(&*operation) {
        Some(other) => Cow::Borrowed(other.as_str()),
        None => operation,
    };
    let mut out = String::new();
    let change = normalize::name(operation.as_bytes(), &mut out).change;
    change.select(&operation, &out).to_owned()
}

/// A kind as `span.kind` has it.
pub(super) const fn kind_text(kind: SpanKind) -> &'static str {
    match kind {
        SpanKind::Unspecified => "unspecified",
        SpanKind::Internal
        | SpanKind::Server
        | SpanKind::Client
        | SpanKind::Producer
        | SpanKind::Consumer => kind.as_str(),
    }
}
