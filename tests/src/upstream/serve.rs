//! One connection of an upstream: plain, or a tunnel to itself with TLS inside.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::time::Duration;

use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::{State, UpstreamAnswer, UpstreamRequest, checksum};

/// Time without a byte of the agent, which has bounds of its own.
const SILENCE_MAX: Duration = Duration::from_secs(300);

/// Serves a connection to its end.
pub(super) fn serve(
    client: TcpStream,
    answer: UpstreamAnswer,
    kept_bytes: usize,
    shared: &(Mutex<State>, Condvar),
) -> io::Result<()> {
    client.set_read_timeout(Some(SILENCE_MAX))?;
    let mut reader = BufReader::with_capacity(64 << 10, client);
    let line = head_line(&mut reader)?;
    let Some(target) = line.strip_prefix("CONNECT ") else {
        let mut connection = Connection { stream: reader, host: "", answer, kept_bytes, shared };
        return connection.serve(Some(line));
    };
    let host = target.split(' ').next().and_then(|target| target.strip_suffix(":443"));
    let host = host.ok_or(io::ErrorKind::InvalidData)?.to_owned();
    while !head_line(&mut reader)?.is_empty() {}
    // A client says nothing more before it is answered, so the reader's buffer is empty.
    let mut client = reader.into_inner();
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    let secure = ServerConnection::new(tls()).map_err(io::Error::other)?;
    let stream = BufReader::with_capacity(64 << 10, StreamOwned::new(secure, client));
    Connection { stream, host: &host, answer, kept_bytes, shared }.serve(None)
}

/// A certificate that nobody vouches for: the agent is told not to look.
fn tls() -> Arc<ServerConfig> {
    static CONFIG: OnceLock<Arc<ServerConfig>> = OnceLock::new();
    let config = CONFIG.get_or_init(|| {
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
    });
    Arc::clone(config)
}

struct Connection<'s, S: Read> {
    stream: BufReader<S>,
    host: &'s str,
    answer: UpstreamAnswer,
    kept_bytes: usize,
    shared: &'s (Mutex<State>, Condvar),
}

impl<S: Read + Write> Connection<'_, S> {
    /// Answers one request after the other. The first line may have been read.
    fn serve(&mut self, mut first: Option<String>) -> io::Result<()> {
        loop {
            let line = first.take().map_or_else(|| head_line(&mut self.stream), Ok)?;
            let mut request = self.read_head(line)?;
            let number = {
                let mut state = self.lock();
                state.begun += 1;
                state.begun
            };
            self.shared.1.notify_all();
            match self.answer {
                UpstreamAnswer::Stall => {
                    self.wait_to_go_on();
                    return Ok(());
                }
                UpstreamAnswer::Early(status) => {
                    self.write(&format!(
                        "HTTP/1.1 {status} Early\r\nContent-Length: 3\r\n\r\nno\n"
                    ))?;
                    // What else comes is read, so that the answer is not lost by a reset.
                    drop(self.read_body(&mut request, usize::MAX));
                    return Ok(());
                }
                UpstreamAnswer::CutAfter(bytes) => {
                    drop(self.read_body(&mut request, bytes));
                    return Ok(());
                }
                UpstreamAnswer::Status(..)
                | UpstreamAnswer::Says(_)
                | UpstreamAnswer::InPieces(..)
                | UpstreamAnswer::FirstCut(_) => {}
            }
            let read = self.read_body(&mut request, usize::MAX);
            self.lock().received.push(request.clone());
            self.shared.1.notify_all();
            read?;
            match self.answer {
                UpstreamAnswer::Status(status, body) => self.say(status, body)?,
                UpstreamAnswer::Says(body) => self.say(200, &body(&request))?,
                UpstreamAnswer::InPieces(one, two) => {
                    let chunk = |text: &str| format!("{:x}\r\n{text}\r\n", text.len());
                    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
                    self.write(&format!("{head}{}", chunk(one)))?;
                    self.wait_to_go_on();
                    self.write(&format!("{}0\r\n\r\n", chunk(two)))?;
                }
                UpstreamAnswer::FirstCut(body) if number == 1 => {
                    let announced = body.len() + 1;
                    self.write(&format!(
                        "HTTP/1.1 200 OK\r\nContent-Length: {announced}\r\n\r\n{body}"
                    ))?;
                    return Ok(());
                }
                UpstreamAnswer::FirstCut(body) => self.say(200, body)?,
                UpstreamAnswer::Stall | UpstreamAnswer::Early(_) | UpstreamAnswer::CutAfter(_) => {}
            }
        }
    }

    fn say(&mut self, status: u16, body: &str) -> io::Result<()> {
        let length = body.len();
        self.write(&format!(
            "HTTP/1.1 {status} Said\r\nX-Intake: yes\r\nKeep-Alive: timeout=5\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        ))
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        self.stream.get_mut().write_all(text.as_bytes())?;
        self.stream.get_mut().flush()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.shared.0.lock().expect("no panic")
    }

    fn wait_to_go_on(&self) {
        let waiting = self.lock();
        drop(self.shared.1.wait_while(waiting, |state| !state.goes_on));
    }

    fn read_head(&mut self, line: String) -> io::Result<UpstreamRequest> {
        let mut words = line.split(' ').map(str::to_owned);
        let method = words.next().unwrap_or_default();
        let target = words.next().ok_or(io::ErrorKind::InvalidData)?;
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let mut request = UpstreamRequest {
            host: self.host.to_owned(),
            method,
            path: path.to_owned(),
            query: query.to_owned(),
            line,
            ..UpstreamRequest::default()
        };
        loop {
            let line = head_line(&mut self.stream)?;
            if line.is_empty() {
                break;
            }
            request.headers.push(line);
        }
        if !self.host.is_empty() {
            assert_eq!(request.header("host"), Some(self.host), "{request:?}");
        }
        Ok(request)
    }

    /// Reads a body, at most `bytes_max` of it.
    fn read_body(&mut self, request: &mut UpstreamRequest, bytes_max: usize) -> io::Result<()> {
        let length = request.header("content-length").and_then(|length| length.parse().ok());
        let is_chunked = request.header("transfer-encoding") == Some("chunked");
        let mut sum = 0;
        loop {
            let chunk = if is_chunked {
                usize::from_str_radix(&head_line(&mut self.stream)?, 16)
                    .map_err(io::Error::other)?
            } else {
                length.unwrap_or(0)
            };
            let mut left = chunk;
            while left > 0 {
                let mut buffer = [0; 16 << 10];
                let read = self.stream.read(&mut buffer[..left.min(16 << 10)])?;
                if read == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                let bytes = &buffer[..read];
                request.checksum = checksum(request.checksum, sum, bytes);
                let kept = self.kept_bytes.saturating_sub(request.body.len()).min(read);
                request.body.extend_from_slice(&bytes[..kept]);
                left -= read;
                sum += read;
                if sum >= bytes_max {
                    return Ok(());
                }
            }
            if is_chunked {
                let _end = head_line(&mut self.stream)?;
            }
            if !is_chunked || chunk == 0 {
                request.body_bytes = Some(sum);
                return Ok(());
            }
        }
    }
}

/// A line without its end; an error at the end of the stream.
fn head_line(stream: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    match stream.read_line(&mut line)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(line.trim_end().to_owned()),
    }
}
