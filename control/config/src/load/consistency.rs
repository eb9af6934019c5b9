//! Findings that need several keys at once.

use crate::config::Config;
use crate::diagnostic::{Diagnostic, Severity};
use crate::endpoints::site_of;
use crate::keys;

/// What is odd about a configuration, whatever it is used for.
pub(super) fn check(config: &Config) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut warn = |entry: &'static crate::Entry, message: &str, hint: &str| {
        let warning = Diagnostic::new(Severity::Warning, entry.name(), message);
        let hint = (!hint.is_empty()).then(|| hint.to_owned());
        found.push(warning.at(config.source(entry)).hint(hint));
    };
    if config.is_set(keys::SITE) && config.str(keys::SITE).contains("://") {
        warn(keys::SITE.entry(), "a site has no scheme; it is left out", "write the domain alone");
    }
    if config.is_set(keys::SITE) && !config.str(keys::DD_URL).trim().is_empty() {
        warn(keys::DD_URL.entry(), "wins over `site` for metrics", "");
    }
    if !config.str(keys::SITE).trim().is_empty()
        && config.is_set(keys::SITE)
        && site_of(config.str(keys::SITE)).is_empty()
    {
        let hint = "check the spelling; any domain is accepted";
        warn(keys::SITE.entry(), "not one of the known regions", hint);
    }
    if config.bool(keys::SKIP_SSL_VALIDATION) {
        let message = "certificates are not checked; whoever is in between can read the API key";
        warn(keys::SKIP_SSL_VALIDATION.entry(), message, "");
    }
    let tls = config.str(keys::MIN_TLS_VERSION).trim().to_ascii_lowercase();
    if !matches!(tls.as_str(), "tlsv1.2" | "tlsv1.3") {
        let message = "corelane speaks TLS 1.2 and 1.3 only; tlsv1.2 is used";
        warn(keys::MIN_TLS_VERSION.entry(), message, "");
    }
    if config.api_listen_is_refused() {
        let hint = "use 127.0.0.1, or set corelane.api_allow_remote";
        warn(keys::API_LISTEN.entry(), "other hosts could reach this address; not opened", hint);
    }
    let has_host = !config.str(keys::STATSD_FORWARD_HOST).is_empty();
    if has_host != (config.int(keys::STATSD_FORWARD_PORT) != 0) {
        let message = "nothing is copied unless both host and port are set";
        warn(keys::STATSD_FORWARD_HOST.entry(), message, "");
    }
    if config.opw_is_enabled() && config.opw_metrics_url().is_none() {
        let message = "there is no URL to send metrics to; the main intake gets them";
        warn(keys::OPW_METRICS_ENABLED.entry(), message, "set ...metrics.url");
    }
    if config.log_schemes_disagree() {
        let message = "its scheme wins over logs_config.logs_no_ssl, which says the contrary";
        let hint = "set logs_config.logs_no_ssl as the scheme has it";
        warn(keys::LOGS_DD_URL.entry(), message, hint);
    }
    let has_one_source = !config.str(keys::SECRET_BACKEND_COMMAND).is_empty()
        || !config.str(keys::SECRET_BACKEND_TYPE).is_empty();
    if has_one_source && config.is_set(keys::MULTI_SECRET_BACKENDS) {
        let message = "not used beside secret_backend_command or secret_backend_type";
        warn(keys::MULTI_SECRET_BACKENDS.entry(), message, "");
    }
    let has_failover_key = !config.str(keys::MRF_API_KEY).trim().is_empty();
    if config.bool(keys::MRF_ENABLED) && !has_failover_key {
        let message = "the second region needs its own multi_region_failover.api_key";
        warn(keys::MRF_ENABLED.entry(), message, "");
    }
    for fault in config.log_endpoint_faults() {
        let name = keys::LOGS_ADDITIONAL_ENDPOINTS.entry().name();
        let error = Diagnostic::new(Severity::Error, name, format!("{fault} and gets nothing"));
        found.push(error.at(config.source(keys::LOGS_ADDITIONAL_ENDPOINTS)));
    }
    for url in config.endpoints_without_keys() {
        let message = format!("{} has no API key and gets nothing", crate::scrub::log_line(url));
        let note =
            Diagnostic::new(Severity::Note, keys::ADDITIONAL_ENDPOINTS.entry().name(), message);
        found.push(note.at(config.source(keys::ADDITIONAL_ENDPOINTS)));
    }
    found
}

/// Findings on a configuration that is meant to deliver: what `config check` adds.
pub(crate) fn check_whole(config: &Config) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let key = config.api_key();
    if key.is_empty() {
        let hint = Some("set it in the file, or DD_API_KEY".to_owned());
        let message = "there is no API key, so nothing can be delivered";
        found.push(
            Diagnostic::new(Severity::Error, keys::API_KEY.entry().name(), message).hint(hint),
        );
    } else if crate::secrets::handle(key).is_none()
        && (key.len() != 32 || !key.bytes().all(|byte| byte.is_ascii_hexdigit()))
    {
        let message = "API keys usually have 32 hexadecimal digits; this one does not";
        let warning = Diagnostic::new(Severity::Warning, keys::API_KEY.entry().name(), message);
        found.push(warning.at(config.source(keys::API_KEY)));
    }
    found
}
