//! Proxy and TLS. spec: config §5.12, §6, §7.

use super::{keys, refuse};

keys! { NETWORK;
    PROXY_HTTP: StrKey = "proxy.http", "",
        "Proxy for http:// intakes; empty goes directly.",
        [.env(&["DD_PROXY_HTTP", "HTTP_PROXY", "http_proxy"]).check(refuse::http_url)];
    PROXY_HTTPS: StrKey = "proxy.https", "",
        "Proxy for https:// intakes; empty goes directly.",
        [.env(&["DD_PROXY_HTTPS", "HTTPS_PROXY", "https_proxy"]).check(refuse::http_url)];
    PROXY_NO_PROXY: CommaListKey = "proxy.no_proxy", "",
        "Hosts reached without proxy.", [.env(&["DD_PROXY_NO_PROXY", "NO_PROXY", "no_proxy"])];
    NO_PROXY_NONEXACT_MATCH: BoolKey = "no_proxy_nonexact_match", "false",
        "Also matches subdomains, address ranges and * in `proxy.no_proxy`.";
    USE_PROXY_FOR_CLOUD_METADATA: BoolKey = "use_proxy_for_cloud_metadata", "false",
        "Asks even the cloud metadata addresses through the proxy.";
    SKIP_SSL_VALIDATION: BoolKey = "skip_ssl_validation", "false",
        "Accepts any certificate; whoever sits between can then read the API key.";
    TLS_CERT_FILE: StrKey = "tls_cert_file", "",
        "File with certificates (PEM) of authorities to trust beside those of the system.";
    MIN_TLS_VERSION: StrKey = "min_tls_version", "tlsv1.2",
        "Oldest TLS accepted: tlsv1.2 or tlsv1.3; older names and anything else mean tlsv1.2.";
    TLS_HANDSHAKE_TIMEOUT: DurationKey = "tls_handshake_timeout", "10s",
        "Time a TLS handshake may take.", [.range(1_000_000, 600_000_000_000)];
    HTTP_DIAL_FALLBACK_DELAY: DurationKey = "http_dial_fallback_delay", "300ms",
        "Time after which the next address of a host is tried beside the first, IPv6 and IPv4 in \
         turn; 0 or less tries one after the other.",
        [.range(-1, 60_000_000_000)];
    SSLKEYLOGFILE: StrKey = "sslkeylogfile", "",
        "File that gets the TLS session keys for debugging; empty writes none.";
}
