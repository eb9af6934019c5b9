//! What this library does not honour, and why: variables of the contract (spec: config §4), and
//! products that were left out of its build.

use std::collections::BTreeMap;

use agent::Product;

use ::config::{BoolKey, Config, Entry, IntKey, Source, StrKey, keys};

use crate::AgentError;

/// Variables by the beginning of their name.
const UNAVAILABLE: &[(&str, &str)] = &[
    ("DD_APPSEC_", NO_APPSEC),
    ("DD_API_SECURITY_", NO_APPSEC),
    ("DD_LOGS_", "this library collects no logs by itself: they are handed over, or sent to it"),
    ("DD_OTLP_CONFIG_", "this of OTLP is not done here"),
    ("DD_SERVICE_MAPPING", "services of spans are not renamed here: let the tracer do it"),
    ("DD_TRACE_PROPAGATION_", NO_TRACER),
    ("DD_TRACE_AWS_SERVICE_REPRESENTATION_ENABLED", NO_TRACER),
    ("DD_ENHANCED_METRICS", "metrics of function invocations are not made here"),
    (
        "DD_COMPUTE_TRACE_STATS_ON_EXTENSION",
        "stats of traces are always made, unless the tracer makes them",
    ),
    ("DD_ORG_UUID", "keys are not delegated"),
];

const NO_APPSEC: &str = "this library inspects no requests";
const NO_TRACER: &str = "this concerns a tracer, which this library is not";

/// Why a variable is not honoured, if it is one of the contract.
pub(super) fn why(name: &str) -> Option<&'static str> {
    let is_ours = ::config::keys::all()
        .any(|entry| entry.env_names().iter().any(|known| known.eq_ignore_ascii_case(name)));
    if is_ours {
        return None;
    }
    UNAVAILABLE.iter().find(|(beginning, _)| name.starts_with(beginning)).map(|(_, why)| *why)
}

/// What the environment asks for and does not get. To ask for nothing is no request.
pub(super) fn asked_for(env: &BTreeMap<String, String>) -> impl Iterator<Item = String> + '_ {
    let is_asked_for = |value: &str| {
        let value = value.trim().to_ascii_lowercase();
        !matches!(value.as_str(), "" | "0" | "f" | "false" | "no" | "n" | "off" | "none")
    };
    env.iter()
        .filter(move |(_, value)| is_asked_for(value))
        .filter_map(|(name, _)| Some(format!("{name} has no effect: {}", why(name)?)))
}

/// Products that a host program which switches them on cannot do without, and their switches.
const NEEDED: [(Product, BoolKey); 2] =
    [(Product::Traces, keys::APM_ENABLED), (Product::Logs, keys::LOGS_ENABLED)];
/// Others that may be left out.
const OPTIONAL: [(Product, BoolKey); 2] = [
    (Product::Otlp, keys::OTLP_LOGS_ENABLED),
    (Product::RemoteConfig, keys::REMOTE_CONFIG_ENABLED),
];

/// What is switched on but was left out of this build. All but [`NEEDED`] is never a reason not to
/// start. spec: config §11.1
pub(super) fn left_out(config: &Config) -> impl Iterator<Item = String> {
    let is_on = |key: BoolKey| config.is_set(key) && config.bool(key);
    let switched = NEEDED.into_iter().chain(OPTIONAL);
    let switched = switched.map(move |(product, key)| (product, key.into(), is_on(key)));
    let opened = local_api(config).map(|(entry, is_on)| (Product::LocalApi, entry, is_on));
    let is_set = |key: StrKey| config.is_set(key) && config.text(key).is_some();
    let receivers = [
        (Product::Logs, keys::LOGS_LISTEN),
        (Product::Otlp, keys::OTLP_HTTP_ENDPOINT),
        (Product::Grpc, keys::OTLP_GRPC_ENDPOINT),
    ];
    let receivers = receivers.map(|(product, key)| (product, key.into(), is_set(key)));
    switched
        .chain(opened)
        .chain(receivers)
        .filter(|(product, _, is_asked_for)| *is_asked_for && !product.is_built())
        .map(|(product, entry, _)| no_effect(product, entry))
}

/// The settings that open the local API, and whether they do. The defaults of an embedded agent
/// open nothing.
fn local_api(config: &Config) -> [(&'static Entry, bool); 5] {
    let is_text = |key: StrKey| (key.into(), config.text(key).is_some());
    let is_port = |key: IntKey| (key.into(), config.is_set(key) && config.port(key) > 0);
    [
        is_text(keys::API_SOCKET),
        is_text(keys::API_LISTEN),
        is_port(keys::HEALTH_PORT),
        is_port(keys::EXPVAR_PORT),
        is_port(keys::APM_DEBUG_PORT),
    ]
}

/// Refuses traces and logs that the host program itself has switched on, if this build has none.
pub(super) fn refuse_left_out(config: &Config) -> Result<(), AgentError> {
    let is_asked_for =
        |key: BoolKey| matches!(config.source(key), Source::Flag(_)) && config.bool(key);
    match NEEDED.iter().find(|(product, key)| !product.is_built() && is_asked_for(*key)) {
        Some((product, key)) => Err(AgentError::ConfigError(no_effect(*product, (*key).into()))),
        None => Ok(()),
    }
}

fn no_effect(product: Product, entry: &Entry) -> String {
    format!("`{}` has no effect: {}", entry.name(), product.missing())
}
