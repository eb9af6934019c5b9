//! Over TLS, with a certificate that only a file vouches for.

use std::io::Write as _;
use std::sync::Arc;

use debugger::{ClientSettings, Config, DebuggerType, TlsSettings, send};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::{KEY, endpoint};

#[tokio::test]
async fn a_certificate_is_checked() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let mut authority = tempfile::NamedTempFile::new().expect("a file");
    authority.write_all(made.cert.pem().as_bytes()).expect("a file");
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("a certificate");
    let acceptor = TlsAcceptor::from(Arc::new(server));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            // A client that does not trust us ends here.
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut request = Vec::new();
            while !request.ends_with(b"0\r\n\r\n") {
                let byte = stream.read_u8().await.expect("a whole request");
                request.push(byte);
            }
            assert!(request.starts_with(b"POST /api/v2/debugger?ddtags=a:b HTTP/1.1\r\n"));
            let answer = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n";
            stream.write_all(answer).await.expect("a client");
        }
    });
    let to = endpoint(&format!("https://localhost:{port}"), Some(KEY));
    let mut trusting = Config::with_client(ClientSettings {
        tls: TlsSettings {
            extra_ca_path: Some(authority.path().to_owned()),
            ..TlsSettings::default()
        },
    });
    trusting.set_endpoint(to.clone());
    send(b"[1]", &trusting, DebuggerType::Logs, "a:b").await.expect("accepted");
    let mut other = Config::default();
    other.set_endpoint(to);
    let error = send(b"[1]", &other, DebuggerType::Logs, "a:b").await.expect_err("not trusted");
    assert!(error.to_string().contains("tls handshake failed"), "{error}");
}
