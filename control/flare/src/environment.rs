//! Variables of the process that say how it was set up.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use config::{keys, scrub};

/// Variables beside those of the configuration. The Agent lists the same, and some of Go's runtime.
const OTHERS: &[&str] = &[
    "ALL_PROXY",
    "AWS_EXECUTION_ENV",
    "CONTAINER_ID",
    "DD_AGENT_HOST",
    "DD_INSIDE_CI",
    "DOCKER_API_VERSION",
    "DOCKER_CERT_PATH",
    "DOCKER_CONFIG",
    "DOCKER_DD_AGENT",
    "DOCKER_HOST",
    "DOCKER_TLS_VERIFY",
    "ECS_CONTAINER_METADATA_URI",
    "ECS_CONTAINER_METADATA_URI_V4",
    "ECS_FARGATE",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "INVOCATION_ID",
    "KUBERNETES",
    "KUBERNETES_PORT",
    "KUBERNETES_SERVICE_HOST",
    "KUBERNETES_SERVICE_PORT",
    "LANG",
    "LC_ALL",
    "LISTEN_FDS",
    "LISTEN_PID",
    "NOTIFY_SOCKET",
    "NO_PROXY",
    "RUST_BACKTRACE",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TMPDIR",
    "TZ",
    "WATCHDOG_USEC",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

/// `NAME=value` for each variable of the list, in order of names; any other is not even named.
#[must_use]
pub fn environment_text(variables: &BTreeMap<String, String>) -> String {
    let mut text = String::new();
    for (name, value) in variables {
        let entry = keys::all().find(|entry| entry.env_names().iter().any(|known| known == name));
        let shown = match entry {
            Some(entry) if entry.is_secret() => secret(value),
            Some(_) => value.clone(),
            None if OTHERS.contains(&name.as_str()) => value.clone(),
            None => continue,
        };
        // A line break would make another line, which may look like a comment or a variable.
        let shown = shown.replace(['\n', '\r'], " ");
        let written = writeln!(text, "{name}={shown}");
        debug_assert!(written.is_ok(), "writing to a string does not fail");
    }
    if text.is_empty() { "no variable of the list is set\n".to_owned() } else { text }
}

/// A key shows its end, a structure of keys nothing.
fn secret(value: &str) -> String {
    let is_one = value.trim().chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    if is_one { scrub::secret(value.trim()) } else { scrub::HIDDEN.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listed_variables_alone_are_shown_and_secrets_are_not() {
        let variables = [
            ("DD_API_KEY", "0123456789abcdef0123456789abcdef"),
            ("DD_ADDITIONAL_ENDPOINTS", r#"{"https://h": ["fedcba9876543210fedcba9876543210"]}"#),
            ("DD_SITE", "datadoghq.eu\nDD_X=y"),
            ("HTTP_PROXY", "http://p:3128"),
            ("AWS_SECRET_ACCESS_KEY", "never"),
            ("HOME", "/root"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let text = environment_text(&variables.into());
        assert_eq!(
            text,
            "DD_ADDITIONAL_ENDPOINTS=********\nDD_API_KEY=***bcdef\n\
             DD_SITE=datadoghq.eu DD_X=y\nHTTP_PROXY=http://p:3128\n"
        );
        assert!(environment_text(&BTreeMap::new()).contains("no variable"));
    }
}
