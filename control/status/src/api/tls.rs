//! The certificate of the debug port.

use std::fs;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;

use super::{ApiError, DebugOptions};

/// Accepts TLS with the certificate of the options, or with one made here, which clients cannot
/// check: the port is for people at this host.
pub(super) fn acceptor(options: &DebugOptions) -> Result<TlsAcceptor, ApiError> {
    let failed = |error: &dyn std::fmt::Display| ApiError::Debug(error.to_string());
    let (certificates, key) = match &options.certificate {
        Some(path) => {
            let pem = fs::read(path).map_err(|error| {
                ApiError::Debug(format!("ipc_cert_file_path {}: {error}", path.display()))
            })?;
            let certificates = CertificateDer::pem_slice_iter(&pem);
            let certificates = certificates.collect::<Result<Vec<_>, _>>();
            let key = PrivateKeyDer::from_pem_slice(&pem).map_err(|e| failed(&e))?;
            (certificates.map_err(|error| failed(&error))?, key)
        }
        None => {
            let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]);
            let made = made.map_err(|error| failed(&error))?;
            let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
            (vec![made.cert.der().clone()], key.into())
        }
    };
    #[cfg(feature = "fips")]
    let provider = rustls::crypto::default_fips_provider();
    #[cfg(not(feature = "fips"))]
    let provider = rustls::crypto::ring::default_provider();
    let config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(&error))?
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .map_err(|error| failed(&error))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
