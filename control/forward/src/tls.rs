//! The TLS client configuration shared by all endpoints. Spec: config-and-embedding §7.
//!
//! Cryptography is ring's, or with the feature `fips` the FIPS-validated module of AWS-LC:
//! [`provider`] is where that is decided.

mod roots;

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, KeyLog, RootCertStore, SignatureScheme};
use thiserror::Error;

use self::roots::SystemRoots;

/// TLS 1.2 sessions remembered for resumption.
const SESSIONS_KEPT: usize = 8;

/// How connections are secured.
#[derive(Clone, Debug, Default)]
pub struct TlsSettings {
    /// `skip_ssl_validation`: accept any certificate.
    pub skips_validation: bool,
    /// `min_tls_version`; older versions than 1.2 are not offered at all.
    pub version_min: TlsVersion,
    /// PEM bundle of certificate authorities added to the native ones.
    pub extra_ca_path: Option<PathBuf>,
    /// `sslkeylogfile`: session secrets are appended here in NSS format. For debugging only.
    pub key_log_path: Option<PathBuf>,
}

/// Oldest TLS version that is offered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsVersion {
    /// TLS 1.2 and 1.3.
    #[default]
    Tls12,
    /// TLS 1.3 only.
    Tls13,
}

/// Why TLS cannot be set up.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The extra bundle cannot be read or holds no certificate.
    #[error("certificate bundle {path:?} is unusable ({reason}); give a readable PEM file")]
    ExtraCa {
        /// The configured path.
        path: PathBuf,
        /// What went wrong.
        reason: String,
    },
    /// The key log file cannot be opened.
    #[error("tls key log {path:?} cannot be opened for appending; fix or unset sslkeylogfile")]
    KeyLog {
        /// The configured path.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The library refused the settings.
    #[error("tls settings were refused")]
    Library(#[from] rustls::Error),
}

/// The cryptography of this build: ring. With the feature `fips` it is the FIPS-validated module of
/// AWS-LC, for which [`CryptoProvider::fips`] is true.
#[cfg(not(feature = "fips"))]
#[must_use]
pub fn provider() -> CryptoProvider {
    rustls::crypto::ring::default_provider()
}

/// The cryptography of this build: the FIPS-validated module of AWS-LC.
#[cfg(feature = "fips")]
#[must_use]
pub fn provider() -> CryptoProvider {
    rustls::crypto::default_fips_provider()
}

/// Builds the client configuration; `offers_h2` puts HTTP/2 before HTTP/1.1 in ALPN, if this build
/// speaks it (feature `http2`).
///
/// Roots are the native ones, honouring `SSL_CERT_FILE` and `SSL_CERT_DIR`, plus the extra file.
/// The native ones are read when the first certificate is to be verified.
///
/// # Errors
/// [`TlsError`] if a configured file is unusable.
pub fn client_config(settings: &TlsSettings, offers_h2: bool) -> Result<ClientConfig, TlsError> {
    config_with(settings, offers_h2, |_| {})
}

/// The same with the native roots read now, for connections that are made where a file must not be
/// waited for.
///
/// # Errors
/// As [`client_config`].
pub fn ready_client_config(
    settings: &TlsSettings,
    offers_h2: bool,
) -> Result<ClientConfig, TlsError> {
    config_with(settings, offers_h2, SystemRoots::read)
}

fn config_with(
    settings: &TlsSettings,
    offers_h2: bool,
    prepare: impl FnOnce(&SystemRoots),
) -> Result<ClientConfig, TlsError> {
    let provider = Arc::new(provider());
    let versions: &[&rustls::SupportedProtocolVersion] = match settings.version_min {
        TlsVersion::Tls12 => &[&rustls::version::TLS13, &rustls::version::TLS12],
        TlsVersion::Tls13 => &[&rustls::version::TLS13],
    };
    let builder =
        ClientConfig::builder_with_provider(provider.clone()).with_protocol_versions(versions)?;
    let verifier: Arc<dyn ServerCertVerifier> = if settings.skips_validation {
        log::warn!("certificates of intakes are not validated (skip_ssl_validation is set)");
        Arc::new(AcceptAny { provider })
    } else {
        let extra = settings.extra_ca_path.as_deref().map(read_roots).transpose()?;
        let roots = SystemRoots::new(extra, provider);
        prepare(&roots);
        Arc::new(roots)
    };
    let dangerous = builder.dangerous();
    let mut config = dangerous.with_custom_certificate_verifier(verifier).with_no_client_auth();
    config.resumption = Resumption::in_memory_sessions(SESSIONS_KEPT);
    config.alpn_protocols = match offers_h2 && cfg!(feature = "http2") {
        true => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        false => vec![b"http/1.1".to_vec()],
    };
    if let Some(path) = &settings.key_log_path {
        config.key_log = Arc::new(FileKeyLog::open(path)?);
    }
    Ok(config)
}

/// The certificate authorities of a PEM file.
fn read_roots(path: &Path) -> Result<RootCertStore, TlsError> {
    let unusable = |reason: String| TlsError::ExtraCa { path: path.to_owned(), reason };
    let certs: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|err| unusable(err.to_string()))?;
    let mut roots = RootCertStore::empty();
    let (added, _ignored) = roots.add_parsable_certificates(certs);
    if added == 0 {
        return Err(unusable("no certificate inside".to_owned()));
    }
    Ok(roots)
}

/// Appends session secrets to a file.
#[derive(Debug)]
struct FileKeyLog {
    file: Mutex<File>,
}

impl FileKeyLog {
    fn open(path: &Path) -> Result<Self, TlsError> {
        let mut options = OpenOptions::new();
        options.create(true).append(true);
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options
            .open(path)
            .map_err(|source| TlsError::KeyLog { path: path.to_owned(), source })?;
        log::warn!("tls session secrets are written to {}", path.display());
        Ok(Self { file: Mutex::new(file) })
    }
}

impl KeyLog for FileKeyLog {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let line = format!("{label} {} {}\n", hex_text(client_random), hex_text(secret));
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(err) = file.write_all(line.as_bytes()) {
            log::debug!("tls key log line lost: {err}");
        }
    }
}

fn hex_text(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Accepts every certificate, but still checks that the peer holds its key.
#[derive(Debug)]
struct AcceptAny {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for AcceptAny {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cryptography_is_validated_where_the_build_says_so() {
        assert_eq!(provider().fips(), cfg!(feature = "fips"));
        let config = client_config(&TlsSettings::default(), true).unwrap();
        assert_eq!(config.fips(), cfg!(feature = "fips"));
    }
}
