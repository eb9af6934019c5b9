use super::*;
use crate::test_vectors::config_vectors;

#[test]
fn version_prefix_vectors() {
    let vectors = config_vectors("version_prefix");
    assert!(!vectors.is_empty());
    for vector in vectors {
        let input = &vector["in"];
        assert_eq!(input["version"], "7.80.1");
        let prefix = HostPrefix { version: (7, 80, 1), app: "app" };
        let url = input["url"].as_str().unwrap();
        assert_eq!(with_host_prefix(url, &prefix), vector["out"].as_str().unwrap(), "{url}");
    }
}

#[test]
fn site_vectors() {
    for vector in config_vectors("site_from_url") {
        let url = vector["in"].as_str().unwrap();
        let host = BaseUrl::parse(url, None, true).unwrap().host;
        assert_eq!(site_of_host(&host).unwrap_or(""), vector["out"].as_str().unwrap(), "{url}");
    }
}

#[test]
fn datadog_hosts_are_absolute_for_dns_only() {
    let prefix = HostPrefix { version: (7, 82, 0), app: "app" };
    let base = BaseUrl::parse("https://app.us5.datadoghq.com", Some(&prefix), true).unwrap();
    assert_eq!(base.host, "7-82-0-app.agent.us5.datadoghq.com");
    assert!(base.is_absolute);
    assert_eq!(
        base.join("/api/v2/series").unwrap(),
        "https://7-82-0-app.agent.us5.datadoghq.com/api/v2/series"
    );
    let dotted = BaseUrl::parse("https://intake.example.test.", None, true).unwrap();
    assert!(dotted.is_absolute);
    assert_eq!(dotted.authority, "intake.example.test");
    assert!(!BaseUrl::parse("https://intake.example.test", None, true).unwrap().is_absolute);
}

#[test]
fn urls_without_scheme_and_with_prefix_paths() {
    let base = BaseUrl::parse("intake.example.test/dd/", None, true).unwrap();
    assert!(base.is_https());
    assert_eq!(base.join("/intake/").unwrap(), "https://intake.example.test/dd/intake/");
    let six = BaseUrl::parse("http://[::1]:8080", None, true).unwrap();
    assert_eq!((six.host.as_str(), six.port), ("::1", 8080));
    assert_eq!(six.join("/x").unwrap(), "http://[::1]:8080/x");
}

#[test]
fn bad_urls_are_refused_without_their_password() {
    let err = BaseUrl::parse("https://user:hunter2@ho st", None, true).unwrap_err();
    assert!(!err.to_string().contains("hunter2"), "{err}");
    assert!(matches!(BaseUrl::parse("ftp://x", None, true), Err(UrlError::Scheme { .. })));
    assert!(BaseUrl::parse("", None, true).is_err());
}

#[test]
fn validation_host_follows_the_site() {
    let cases = [
        ("https://7-82-0-app.agent.us5.datadoghq.com", "https://api.us5.datadoghq.com"),
        ("https://app.datadoghq.eu.", "https://api.datadoghq.eu"),
        ("https://app.ddog-gov.com", "https://api.ddog-gov.com"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("https://intake.example.test", "https://intake.example.test"),
        ("https://app.datad0g.com", "https://app.datad0g.com"),
    ];
    for (url, expected) in cases {
        let base = BaseUrl::parse(url, None, true).unwrap();
        assert_eq!(base.validation_base().to_string(), expected, "{url}");
    }
}

#[test]
fn identity_survives_upgrades_and_spelling() {
    assert_eq!(endpoint_identity("https://App.Datadoghq.com./"), "https://app.datadoghq.com");
    assert_eq!(endpoint_identity("app.datadoghq.com"), "https://app.datadoghq.com");
}

#[test]
fn default_site() {
    assert_eq!(intake_url(""), "https://app.datadoghq.com");
    assert_eq!(intake_url(" us5.datadoghq.com "), "https://app.us5.datadoghq.com");
}
