//! TLS, and HTTP/2 with and without it.

use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2;
use hyper::header::CONTENT_TYPE;
use hyper_util::rt::{TokioExecutor, TokioIo};
use intake::{Intake, Options, Route};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore, SignatureScheme,
    StreamOwned,
};

use crate::client::{KEY, head, read_reply, series, start};

fn start_tls() -> Intake {
    Intake::start(Options { is_tls: true, ..Options::default() }).unwrap()
}

fn client_config(roots: RootCertStore) -> Arc<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Arc::new(config.unwrap().with_root_certificates(roots).with_no_client_auth())
}

fn trusted(intake: &Intake) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let der = intake.certificate().unwrap().der.clone();
    roots.add(CertificateDer::from(der)).unwrap();
    roots
}

#[test]
fn a_client_that_trusts_the_certificate_delivers_over_tls() {
    let intake = start_tls();
    assert!(intake.url().starts_with("https://127.0.0.1:"));
    let pem = &intake.certificate().unwrap().pem;
    assert!(pem.starts_with("-----BEGIN CERTIFICATE-----"), "{pem}");
    for name in ["localhost", "127.0.0.1"] {
        let server = ServerName::try_from(name).unwrap();
        let client = ClientConnection::new(client_config(trusted(&intake)), server).unwrap();
        let mut stream = StreamOwned::new(client, TcpStream::connect(intake.addr()).unwrap());
        let body = series(name, 10, 1.0);
        let json = [("Content-Type", "application/json")];
        let head = head("POST", Route::SeriesV1.path(), body.len(), &json);
        stream.write_all(&[head.as_bytes(), &body].concat()).unwrap();
        assert_eq!(read_reply(&mut stream).unwrap().status, 202);
    }
    assert_eq!((intake.store().totals().points, intake.failed_handshakes()), (2, 0));
}

#[test]
fn a_client_that_does_not_trust_it_is_counted() {
    let intake = start_tls();
    let server = ServerName::try_from("localhost").unwrap();
    let client = ClientConnection::new(client_config(RootCertStore::empty()), server).unwrap();
    let mut stream = StreamOwned::new(client, TcpStream::connect(intake.addr()).unwrap());
    assert!(stream.write_all(b"GET / HTTP/1.1\r\n\r\n").is_err());
    drop(stream);
    // A request that comes later on the same thread: the failure before it has been counted.
    let trusting = ServerName::try_from("localhost").unwrap();
    let client = ClientConnection::new(client_config(trusted(&intake)), trusting).unwrap();
    let mut stream = StreamOwned::new(client, TcpStream::connect(intake.addr()).unwrap());
    stream.write_all(head("GET", "/api/v1/validate", 0, &[]).as_bytes()).unwrap();
    assert_eq!(read_reply(&mut stream).unwrap().status, 200);
    assert_eq!(intake.failed_handshakes(), 1);
}

#[test]
fn http2_without_tls_is_spoken_at_once() {
    let intake = start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (status, text) = runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(intake.addr()).await.unwrap();
        let (mut sender, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let request = hyper::Request::post(intake.url() + Route::SeriesV1.path())
            .header("dd-api-key", KEY)
            .header("user-agent", "datadog-agent/7.0.0")
            .header("dd-agent-version", "7.0.0")
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(series("a", 10, 1.0))));
        let reply = sender.send_request(request.unwrap()).await.unwrap();
        let status = reply.status().as_u16();
        (status, reply.into_body().collect().await.unwrap().to_bytes())
    });
    assert_eq!((status, &text[..]), (202, &br#"{"status":"ok"}"#[..]));
    assert_eq!(intake.store().requests()[0].http_version, "HTTP/2.0");
    assert_eq!(intake.store().violations(), []);
}

#[test]
fn a_tunnel_to_any_host_leads_back_here() {
    let intake = start();
    let tunnel = |config| {
        let mut stream = TcpStream::connect(intake.addr()).unwrap();
        let host = "intake.profile.bed.test";
        write!(stream, "CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n").unwrap();
        assert_eq!(read_reply(&mut stream).unwrap().status, 200);
        let server = ServerName::try_from(host).unwrap();
        StreamOwned::new(ClientConnection::new(config, server).unwrap(), stream)
    };
    // Nobody vouches for the certificate of a tunnel.
    assert!(tunnel(client_config(RootCertStore::empty())).write_all(b"x").is_err());
    let mut stream = tunnel(Arc::new(careless()));
    let head = head("POST", "/any/path", 4, &[]);
    stream.write_all(&[head.as_bytes(), b"body"].concat()).unwrap();
    assert_eq!(read_reply(&mut stream).unwrap().status, 202);
    assert_eq!(intake.store().totals().passed()["events_of_tracers"], 1);
}

/// A client that takes every certificate.
fn careless() -> ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Careless(Arc::clone(&provider));
    let config =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.unwrap().dangerous().with_custom_certificate_verifier(Arc::new(verifier));
    config.with_no_client_auth()
}

#[derive(Debug)]
struct Careless(Arc<CryptoProvider>);

impl ServerCertVerifier for Careless {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            certificate,
            signed,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            certificate,
            signed,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
