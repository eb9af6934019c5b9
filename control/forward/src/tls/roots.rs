//! The certificate authorities of the system, read when the first certificate is to be verified:
//! some ten milliseconds and half a MiB that a start does not wait for, and that an agent without
//! https never needs.
//!
//! All connections of a process share them as long as any is configured with them. Nobody waits for
//! another one who reads them: a child of `fork` may find the lock taken for ever, and then has
//! its own.

use std::sync::{Arc, Mutex, OnceLock, TryLockError, Weak};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

/// Verifies certificates by the authorities of the system, and others that are given.
#[derive(Debug)]
pub(super) struct SystemRoots {
    extra: Option<RootCertStore>,
    provider: Arc<CryptoProvider>,
    /// None while there is no authority at all.
    verifier: OnceLock<Option<Arc<WebPkiServerVerifier>>>,
}

/// What has been read and is in use.
static SHARED: Mutex<Weak<RootCertStore>> = Mutex::new(Weak::new());

impl SystemRoots {
    pub(super) fn new(extra: Option<RootCertStore>, provider: Arc<CryptoProvider>) -> Self {
        Self { extra, provider, verifier: OnceLock::new() }
    }

    /// Reads them now.
    pub(super) fn read(&self) {
        // Without any, the first certificate is refused.
        drop(self.verifier());
    }

    fn verifier(&self) -> Result<&WebPkiServerVerifier, Error> {
        let make = || {
            let mut roots = shared(&SHARED, read_native);
            if let Some(extra) = &self.extra {
                Arc::make_mut(&mut roots).roots.extend_from_slice(&extra.roots);
            }
            if roots.is_empty() {
                log::error!(
                    "no certificate authority found, every https endpoint will fail; install \
                     ca-certificates or set SSL_CERT_FILE"
                );
            }
            let provider = Arc::clone(&self.provider);
            WebPkiServerVerifier::builder_with_provider(roots, provider).build().ok()
        };
        let made = self.verifier.get_or_init(make).as_deref();
        made.ok_or(Error::InvalidCertificate(CertificateError::UnknownIssuer))
    }
}

/// What others use where there is any, else what is read now.
fn shared(
    place: &Mutex<Weak<RootCertStore>>,
    read: impl FnOnce() -> RootCertStore,
) -> Arc<RootCertStore> {
    match place.try_lock() {
        Ok(mut place) => place.upgrade().unwrap_or_else(|| {
            let roots = Arc::new(read());
            *place = Arc::downgrade(&roots);
            roots
        }),
        Err(TryLockError::Poisoned(_) | TryLockError::WouldBlock) => Arc::new(read()),
    }
}

fn read_native() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let native = rustls_native_certs::load_native_certs();
    for err in &native.errors {
        log::warn!("some native certificate authorities were not loaded: {err}");
    }
    let (_added, _ignored) = roots.add_parsable_certificates(native.certs);
    roots
}

impl ServerCertVerifier for SystemRoots {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verifier = self.verifier()?;
        verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
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
    fn they_are_read_once_while_they_are_used_and_nobody_waits() {
        let place = Mutex::new(Weak::new());
        let reads = std::cell::Cell::new(0);
        let take = || {
            let read = || {
                reads.set(reads.get() + 1);
                RootCertStore::empty()
            };
            shared(&place, read)
        };
        let (first, second) = (take(), take());
        assert!(Arc::ptr_eq(&first, &second) && reads.get() == 1);
        let locked = place.lock().unwrap();
        assert!(!Arc::ptr_eq(&take(), &first) && reads.get() == 2);
        drop(locked);
        drop((first, second));
        drop(take());
        assert_eq!(reads.get(), 3);
    }
}
