//! A certificate of our own for one run, so that clients go through their real TLS path.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;

/// Names that the certificate is good for.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// The certificate that clients must trust.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// As PEM text, for a CA file.
    pub pem: String,
    /// As DER bytes.
    pub der: Vec<u8>,
}

/// Why the certificate could not be made or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The certificate could not be made.
    #[error("making a self-signed certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// TLS refused it.
    #[error("setting up TLS with the self-signed certificate: {0}")]
    Config(#[from] rustls::Error),
}

/// Makes a self-signed certificate and the acceptor that presents it, for HTTP/2 and HTTP/1.1.
pub(crate) fn make_acceptor() -> Result<(TlsAcceptor, Certificate), TlsError> {
    let made = rcgen::generate_simple_self_signed(NAMES.map(str::to_owned))?;
    let der = made.cert.der().clone();
    let certificate = Certificate { pem: made.cert.pem(), der: der.to_vec() };
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![der], key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok((TlsAcceptor::from(Arc::new(config)), certificate))
}
