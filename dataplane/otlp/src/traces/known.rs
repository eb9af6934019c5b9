//! The keys of attributes that translation asks for.

use crate::{Attributes, Value};

/// A key that translation knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Known {
    UrlFull,
    DbSystem,
    ErrorMessage,
    GrpcCode,
    SpanType,
    ErrorType,
    HttpRoute,
    RpcMethod,
    RpcSystem,
    ErrorStack,
    HttpMethod,
    RpcService,
    Measured,
    SampleRate,
    DbNamespace,
    DbStatement,
    FaasTrigger,
    ServiceName,
    UrlTemplate,
    DbQueryText,
    ResourceName,
    ClientAddress,
    OperationName,
    ServerAddress,
    AnalyticsEvent,
    ServiceVersion,
    GrpcStatusCode,
    HttpStatusCode,
    MessagingSystem,
    FaasInvokedName,
    SamplingPriority,
    HttpRequestMethod,
    MessagingOperation,
    UserAgentOriginal,
    RpcGrpcStatusDotCode,
    RpcGrpcStatusCode,
    FaasInvokedProvider,
    MessagingDestination,
    NetworkProtocolName,
    DeploymentEnvironment,
    GraphqlOperationName,
    GraphqlOperationType,
    HttpRequestBodySize,
    HttpResponseBodySize,
    NetworkProtocolVersion,
    HttpResponseStatusCode,
    MessagingDestinationName,
    DeploymentEnvironmentName,
    HttpRequestHeaderReferrer,
}

/// The keys, by their length.
static KEYS: [(&str, Known); COUNT] = [
    ("url.full", Known::UrlFull),
    ("db.system", Known::DbSystem),
    ("error.msg", Known::ErrorMessage),
    ("grpc.code", Known::GrpcCode),
    ("span.type", Known::SpanType),
    ("error.type", Known::ErrorType),
    ("http.route", Known::HttpRoute),
    ("rpc.method", Known::RpcMethod),
    ("rpc.system", Known::RpcSystem),
    ("error.stack", Known::ErrorStack),
    ("http.method", Known::HttpMethod),
    ("rpc.service", Known::RpcService),
    ("_dd.measured", Known::Measured),
    ("_sample_rate", Known::SampleRate),
    ("db.namespace", Known::DbNamespace),
    ("db.statement", Known::DbStatement),
    ("faas.trigger", Known::FaasTrigger),
    ("service.name", Known::ServiceName),
    ("url.template", Known::UrlTemplate),
    ("db.query.text", Known::DbQueryText),
    ("resource.name", Known::ResourceName),
    ("client.address", Known::ClientAddress),
    ("operation.name", Known::OperationName),
    ("server.address", Known::ServerAddress),
    ("analytics.event", Known::AnalyticsEvent),
    ("service.version", Known::ServiceVersion),
    ("grpc.status.code", Known::GrpcStatusCode),
    ("http.status_code", Known::HttpStatusCode),
    ("messaging.system", Known::MessagingSystem),
    ("faas.invoked_name", Known::FaasInvokedName),
    ("sampling.priority", Known::SamplingPriority),
    ("http.request.method", Known::HttpRequestMethod),
    ("messaging.operation", Known::MessagingOperation),
    ("user_agent.original", Known::UserAgentOriginal),
    ("rpc.grpc.status.code", Known::RpcGrpcStatusDotCode),
    ("rpc.grpc.status_code", Known::RpcGrpcStatusCode),
    ("faas.invoked_provider", Known::FaasInvokedProvider),
    ("messaging.destination", Known::MessagingDestination),
    ("network.protocol.name", Known::NetworkProtocolName),
    ("deployment.environment", Known::DeploymentEnvironment),
    ("graphql.operation.name", Known::GraphqlOperationName),
    ("graphql.operation.type", Known::GraphqlOperationType),
    ("http.request.body.size", Known::HttpRequestBodySize),
    ("http.response.body.size", Known::HttpResponseBodySize),
    ("network.protocol.version", Known::NetworkProtocolVersion),
    ("http.response.status_code", Known::HttpResponseStatusCode),
    ("messaging.destination.name", Known::MessagingDestinationName),
    ("deployment.environment.name", Known::DeploymentEnvironmentName),
    ("http.request.header.referrer", Known::HttpRequestHeaderReferrer),
];
/// How many there are.
pub(super) const COUNT: usize = 49;
const LENGTH_MAX: usize = 28;

/// Where the keys of each length begin.
static FIRST: [u8; LENGTH_MAX + 2] = first();

#[expect(clippy::cast_possible_truncation, reason = "some fifty keys")]
#[cfg_attr(not(test), expect(clippy::indexing_slicing, reason = "runs when this is compiled"))]
const fn first() -> [u8; LENGTH_MAX + 2] {
    let mut first = [0; LENGTH_MAX + 2];
    let (mut length, mut at) = (0, 0);
    while length < first.len() {
        while at < COUNT && KEYS[at].0.len() < length {
            at += 1;
        }
        first[length] = at as u8;
        length += 1;
    }
    first
}

impl Known {
    /// Recognises a key.
    pub(super) fn of(key: &str) -> Option<Self> {
        let (first, end) = (FIRST.get(key.len())?, FIRST.get(key.len() + 1)?);
        let of_length = KEYS.get(usize::from(*first)..usize::from(*end))?;
        of_length.iter().find(|(name, _)| *name == key).map(|(_, known)| *known)
    }
}

/// The place of the first attribute under each known key.
#[derive(Clone, Debug)]
pub(super) struct Places([u16; COUNT]);

const NOWHERE: u16 = u16::MAX;
const _: () = assert!(crate::ATTRIBUTES_MAX < NOWHERE as usize);

impl Default for Places {
    fn default() -> Self {
        Self([NOWHERE; COUNT])
    }
}

impl Places {
    /// Notes where a key is, unless it was met before.
    pub(super) fn note(&mut self, key: Known, at: usize) {
        if let Some(place) = self.0.get_mut(key as usize)
            && *place == NOWHERE
        {
            // There are at most `ATTRIBUTES_MAX`.
            *place = u16::try_from(at).unwrap_or(NOWHERE);
        }
    }

    /// The value under a key.
    pub(super) fn value<'v, 'a>(
        &self,
        key: Known,
        attributes: &'v Attributes<'a>,
    ) -> Option<&'v Value<'a>> {
        let place = *self.0.get(key as usize)?;
        attributes.0.get(usize::from(place)).map(|held| &held.value)
    }

    /// The values under all known keys, in their order.
    pub(super) fn values<'v, 'a>(
        &self,
        attributes: &'v Attributes<'a>,
    ) -> impl Iterator<Item = Option<&'v Value<'a>>> {
        let value = |place: &u16| attributes.0.get(usize::from(*place)).map(|held| &held.value);
        self.0.iter().map(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_recognised_and_nothing_else() {
        for (at, (name, known)) in KEYS.iter().enumerate() {
            assert_eq!((Known::of(name), *known as usize), (Some(*known), at), "{name}");
        }
        assert_eq!(KEYS.iter().map(|(name, _)| name.len()).max(), Some(LENGTH_MAX));
        for other in ["", "db", "db.systems", "a.key.that.is.longer.than.all.that.are.known"] {
            assert_eq!(Known::of(other), None, "{other}");
        }
    }
}
