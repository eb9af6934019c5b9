//! TLS: trust, versions, ALPN, key log.

use std::path::PathBuf;
use std::sync::Arc;

use corelane_forward::{Forwarder, HttpProtocol, Settings, TlsSettings, TlsVersion};
use hyper::Version;
use rcgen::CertifiedKey;
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tempfile::TempDir;
use tokio_rustls::TlsAcceptor;

use crate::server::{Act, Intake};
use crate::support::{KEY, endpoint, payload, sent, settings, stop, wait_for};

/// A certificate for some names, an acceptor that uses it, and a file that vouches for it.
pub(crate) struct Identity {
    pub(crate) acceptor: TlsAcceptor,
    pub(crate) ca_path: PathBuf,
    _temp: TempDir,
}

/// `versions` of TLS the server speaks.
pub(crate) fn identity(
    names: &[&str],
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> Identity {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed(names).unwrap();
    let temp = TempDir::new().unwrap();
    let ca_path = temp.path().join("ca.pem");
    std::fs::write(&ca_path, cert.pem()).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Identity { acceptor: TlsAcceptor::from(Arc::new(config)), ca_path, _temp: temp }
}

fn tls_settings(port: u16, tls: TlsSettings) -> Settings {
    Settings { tls, ..settings(vec![endpoint(&format!("https://localhost:{port}"), &[KEY])]) }
}

#[tokio::test]
async fn http2_is_spoken_where_offered_and_http1_on_request() {
    let identity = identity(&["localhost"], rustls::ALL_VERSIONS);
    let accept = |_: &_| Act::Status(202);
    let mut intake = Intake::start_with(Some(identity.acceptor.clone()), accept).await;
    let tls =
        TlsSettings { extra_ca_path: Some(identity.ca_path.clone()), ..TlsSettings::default() };
    let cases = [(HttpProtocol::Auto, Version::HTTP_2), (HttpProtocol::Http1, Version::HTTP_11)];
    for (protocol, version) in cases {
        let settings = Settings { protocol, ..tls_settings(intake.port, tls.clone()) };
        let forwarder = Forwarder::start(settings).unwrap();
        for index in 0..20 {
            forwarder.submit(&payload(&index.to_string()));
        }
        for _request in 0..20 {
            let seen = intake.next().await;
            assert_eq!(seen.version, version);
            assert_eq!(seen.header("dd-api-key"), KEY);
        }
        assert_eq!(sent(&stop(forwarder).await), 20);
    }
}

#[tokio::test]
async fn an_unknown_authority_is_refused_unless_validation_is_off() {
    let identity = identity(&["localhost"], rustls::ALL_VERSIONS);
    let mut intake = Intake::start_with(Some(identity.acceptor), |_| Act::Status(202)).await;
    let forwarder = Forwarder::start(tls_settings(intake.port, TlsSettings::default())).unwrap();
    forwarder.submit(&payload("secret"));
    let stats =
        wait_for(&forwarder, "refused", |stats| stats.endpoints[0].totals.network_errors > 0).await;
    assert!(stats.endpoints[0].last_error.contains("certificate"), "{stats:?}");
    stop(forwarder).await;

    let trusting = TlsSettings { skips_validation: true, ..TlsSettings::default() };
    let forwarder = Forwarder::start(tls_settings(intake.port, trusting)).unwrap();
    forwarder.submit(&payload("x"));
    assert_eq!(intake.next().await.body, "x");
    assert_eq!(sent(&stop(forwarder).await), 1);
}

#[tokio::test]
async fn the_oldest_version_is_kept_to() {
    let identity = identity(&["localhost"], &[&rustls::version::TLS12]);
    let mut intake = Intake::start_with(Some(identity.acceptor), |_| Act::Status(202)).await;
    let trusting = TlsSettings { skips_validation: true, ..TlsSettings::default() };
    let strict = TlsSettings { version_min: TlsVersion::Tls13, ..trusting.clone() };
    let forwarder = Forwarder::start(tls_settings(intake.port, strict)).unwrap();
    forwarder.submit(&payload("x"));
    wait_for(&forwarder, "refused", |stats| stats.endpoints[0].totals.network_errors > 0).await;
    assert_eq!(sent(&stop(forwarder).await), 0);

    let forwarder = Forwarder::start(tls_settings(intake.port, trusting)).unwrap();
    forwarder.submit(&payload("x"));
    assert_eq!(intake.next().await.body, "x");
    stop(forwarder).await;
}

#[tokio::test]
async fn session_secrets_are_logged_on_request_only_for_the_owner() {
    let temp = TempDir::new().unwrap();
    let path = temp.path().join("keys.log");
    let identity = identity(&["localhost"], rustls::ALL_VERSIONS);
    let mut intake = Intake::start_with(Some(identity.acceptor), |_| Act::Status(202)).await;
    let tls = TlsSettings {
        skips_validation: true,
        key_log_path: Some(path.clone()),
        ..TlsSettings::default()
    };
    let forwarder = Forwarder::start(tls_settings(intake.port, tls)).unwrap();
    forwarder.submit(&payload("x"));
    intake.next().await;
    stop(forwarder).await;
    let log = std::fs::read_to_string(&path).unwrap();
    assert!(
        log.starts_with("CLIENT_HANDSHAKE_TRAFFIC_SECRET ") || log.contains("CLIENT_"),
        "{log}"
    );
    let mode = std::os::unix::fs::PermissionsExt::mode(&path.metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn unusable_files_are_start_errors_that_name_them() {
    let temp = TempDir::new().unwrap();
    let empty = temp.path().join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    for path in [temp.path().join("missing.pem"), empty] {
        let tls = TlsSettings { extra_ca_path: Some(path.clone()), ..TlsSettings::default() };
        let message = Forwarder::start(tls_settings(1, tls)).unwrap_err().to_string();
        assert!(message.contains(path.to_str().unwrap()), "{message}");
    }
    let tls =
        TlsSettings { key_log_path: Some(temp.path().join("no/dir")), ..TlsSettings::default() };
    assert!(Forwarder::start(tls_settings(1, tls)).is_err());
}
