//! Every host of a site at once: a proxy that ends tunnels and TLS itself, answers everything, and
//! keeps what came, so that an agent under test can be left to its default URLs.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// One request as it came.
#[derive(Clone, Debug, Default)]
pub struct UpstreamRequest {
    /// Host that the tunnel was asked for; the one in the request is the same.
    pub host: String,
    /// Method.
    pub method: String,
    /// Path without the query.
    pub path: String,
    /// Query without `?`.
    pub query: String,
    /// All headers with names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body without its framing.
    pub body: Vec<u8>,
}

impl UpstreamRequest {
    /// A header; `name` in lower case.
    ///
    /// # Panics
    /// When it comes twice.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(found, _)| found == name);
        let value = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "{name} comes twice: {:?}", self.headers);
        value
    }
}

/// The hosts. Its threads end with the test process.
#[derive(Debug)]
pub struct Upstream {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<UpstreamRequest>>>,
}

impl Default for Upstream {
    fn default() -> Self {
        Self::start()
    }
}

impl Upstream {
    /// Listens on a free port.
    ///
    /// # Panics
    /// When there is no port left.
    #[must_use]
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (kept, tls) = (Arc::clone(&requests), tls());
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (kept, tls) = (Arc::clone(&kept), Arc::clone(&tls));
                // A client that breaks off is the business of the test.
                thread::spawn(move || drop(serve(client, tls, &kept)));
            }
        });
        Self { address, requests }
    }

    /// Its URL for `proxy.https`.
    #[must_use]
    pub fn proxy_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What came so far.
    ///
    /// # Panics
    /// When one of its threads panicked.
    #[must_use]
    pub fn requests(&self) -> Vec<UpstreamRequest> {
        self.requests.lock().expect("healthy threads").clone()
    }
}

/// A certificate that nobody vouches for: the agent is told not to look.
fn tls() -> Arc<ServerConfig> {
    let made = rcgen::generate_simple_self_signed(["bed".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions of the provider")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("a certificate with its key");
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Arc::new(config)
}

fn serve(
    client: TcpStream,
    tls: Arc<ServerConfig>,
    kept: &Mutex<Vec<UpstreamRequest>>,
) -> io::Result<()> {
    let mut reader = BufReader::new(client);
    let line = head_line(&mut reader)?;
    let host = line.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next());
    let host = host.and_then(|host| host.strip_suffix(":443")).ok_or(io::ErrorKind::InvalidData)?;
    while !head_line(&mut reader)?.is_empty() {}
    // A client says nothing more before it is answered, so the reader's buffer is empty.
    let mut client = reader.into_inner();
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    let connection = ServerConnection::new(tls).map_err(io::Error::other)?;
    let mut stream = BufReader::new(StreamOwned::new(connection, client));
    loop {
        let mut request = read_request(&mut stream)?;
        host.clone_into(&mut request.host);
        assert_eq!(request.header("host"), Some(host), "{request:?}");
        kept.lock().expect("healthy threads").push(request);
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
        stream.get_mut().write_all(answer)?;
        stream.get_mut().flush()?;
    }
}

fn read_request(stream: &mut impl BufRead) -> io::Result<UpstreamRequest> {
    let mut request = UpstreamRequest::default();
    let line = head_line(stream)?;
    let mut words = line.split(' ').map(str::to_owned);
    request.method = words.next().unwrap_or_default();
    let target = words.next().ok_or(io::ErrorKind::InvalidData)?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    (request.path, request.query) = (path.to_owned(), query.to_owned());
    loop {
        let line = head_line(stream)?;
        let Some((name, value)) = line.split_once(':') else { break };
        request.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = request.header("content-length").and_then(|length| length.parse().ok());
    if request.header("transfer-encoding") == Some("chunked") {
        loop {
            let length = u64::from_str_radix(&head_line(stream)?, 16).map_err(io::Error::other)?;
            let _bytes = stream.take(length).read_to_end(&mut request.body)?;
            let _end = head_line(stream)?;
            if length == 0 {
                break;
            }
        }
    } else if let Some(length) = length {
        let _bytes = stream.take(length).read_to_end(&mut request.body)?;
    }
    Ok(request)
}

/// A line without its end; an error at the end of the stream.
fn head_line(stream: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    match stream.read_line(&mut line)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(line.trim_end().to_owned()),
    }
}
