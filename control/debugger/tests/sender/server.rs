//! A server on threads that shows what was on the wire, and misbehaves as told.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

/// Generous, as a loaded machine is slow; only a failing test waits so long.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// What is done with every request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    /// Reads it and answers.
    With(u16, &'static str),
    /// The same, but says 404 to this path.
    NotFound(&'static str),
    /// Reads it and never answers.
    Never,
    /// Reads nothing, not even the head.
    Stalled,
    /// Answers after the head and goes on reading.
    AtOnce(u16, &'static str),
}

/// One request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Received {
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Whether the body was chunked.
    pub(crate) is_chunked: bool,
    /// Whether it ended as it should. Otherwise the connection did.
    pub(crate) is_complete: bool,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        let value = found.next().map(|(_, value)| value.as_str());
        assert!(found.next().is_none(), "{name} comes twice");
        value
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("a body of text")
    }
}

#[derive(Debug, Default)]
struct Log {
    requests: Mutex<Vec<Received>>,
    /// Body bytes so far, of all requests.
    bytes: Mutex<usize>,
    changed: Condvar,
}

/// A running server. It lives as long as the test process.
#[derive(Debug)]
pub(crate) struct Server {
    url: String,
    log: Arc<Log>,
}

impl Server {
    pub(crate) fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let log = Arc::new(Log::default());
        let shared = Arc::clone(&log);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let log = Arc::clone(&shared);
                thread::spawn(move || {
                    let reader = stream.try_clone().expect("a second descriptor");
                    serve(reader, stream, answer, &log);
                });
            }
        });
        Self { url, log }
    }

    pub(crate) fn on_socket(path: &Path, answer: Answer) -> Self {
        let listener = UnixListener::bind(path).expect("a socket");
        let log = Arc::new(Log::default());
        let shared = Arc::clone(&log);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let reader = stream.try_clone().expect("a second descriptor");
                let log = Arc::clone(&shared);
                thread::spawn(move || serve(reader, stream, answer, &log));
            }
        });
        Self { url: format!("unix://{}", path.display()), log }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Waits for this many requests, complete or given up, and returns all there are.
    pub(crate) fn received(&self, count: usize) -> Vec<Received> {
        let requests = self.log.requests.lock().expect("a healthy server");
        let enough = |requests: &mut Vec<Received>| requests.len() < count;
        let waited = self.log.changed.wait_timeout_while(requests, WAIT_MAX, enough);
        let (requests, timeout) = waited.expect("a healthy server");
        assert!(!timeout.timed_out(), "{} of {count} requests: {requests:#?}", requests.len());
        requests.clone()
    }

    /// The only request.
    pub(crate) fn one(&self) -> Received {
        let mut requests = self.received(1);
        assert_eq!(requests.len(), 1, "{requests:#?}");
        requests.remove(0)
    }

    /// Waits until this many bytes of bodies are in, of requests that need not be complete.
    pub(crate) fn wait_bytes(&self, count: usize) {
        let bytes = self.log.bytes.lock().expect("a healthy server");
        let waited = self.log.changed.wait_timeout_while(bytes, WAIT_MAX, |bytes| *bytes < count);
        let (bytes, timeout) = waited.expect("a healthy server");
        assert!(!timeout.timed_out(), "{bytes} of {count} bytes");
    }

    /// What is in already.
    pub(crate) fn so_far(&self) -> usize {
        self.log.requests.lock().expect("a healthy server").len()
    }
}

fn serve(reader: impl Read, mut writer: impl Write, answer: Answer, log: &Log) {
    if let Answer::Stalled = answer {
        // Keeps the connection open and never reads.
        thread::park();
    }
    let mut reader = BufReader::new(reader);
    while let Some(mut request) = read_head(&mut reader) {
        if let Answer::AtOnce(status, text) = answer {
            write_answer(&mut writer, status, text);
        }
        read_body(&mut reader, &mut request, log);
        let (is_complete, target) = (request.is_complete, request.target.clone());
        log.requests.lock().expect("a healthy test").push(request);
        log.changed.notify_all();
        if !is_complete {
            return;
        }
        match answer {
            Answer::With(status, text) => write_answer(&mut writer, status, text),
            Answer::NotFound(path) if target.starts_with(path) => {
                write_answer(&mut writer, 404, "404 page not found\n");
            }
            Answer::NotFound(_) => write_answer(&mut writer, 200, ""),
            Answer::Never => thread::park(),
            Answer::Stalled | Answer::AtOnce(..) => {}
        }
    }
}

fn write_answer(writer: &mut impl Write, status: u16, text: &str) {
    let length = text.len();
    let answer = format!("HTTP/1.1 {status} Any\r\nContent-Length: {length}\r\n\r\n{text}");
    // The client may be gone; then nobody looks at the answer.
    let _is_written = writer.write_all(answer.as_bytes()).and_then(|()| writer.flush()).is_ok();
}

fn read_head(reader: &mut impl BufReadExt) -> Option<Received> {
    let mut request = Received::default();
    let line = reader.line()?;
    let mut words = line.split(' ');
    assert_eq!(words.next(), Some("POST"), "{line}");
    words.next().expect("a target").clone_into(&mut request.target);
    assert_eq!(words.next(), Some("HTTP/1.1"), "{line}");
    loop {
        let line = reader.line()?;
        if line.is_empty() {
            return Some(request);
        }
        let (name, value) = line.split_once(": ").expect("a header");
        request.headers.push((name.to_owned(), value.to_owned()));
    }
}

fn read_body(reader: &mut impl BufReadExt, request: &mut Received, log: &Log) {
    request.is_chunked = request.header("transfer-encoding") == Some("chunked");
    if let Some(length) = request.header("content-length") {
        let length: usize = length.parse().expect("a number");
        request.is_complete = reader.take_exactly(length, &mut request.body, log);
        return;
    }
    loop {
        let Some(line) = reader.line() else { return };
        let length = usize::from_str_radix(&line, 16).expect("the length of a chunk");
        if length == 0 {
            request.is_complete = reader.line().is_some_and(|line| line.is_empty());
            return;
        }
        let is_whole = reader.take_exactly(length, &mut request.body, log);
        if !is_whole || reader.line().is_none() {
            return;
        }
    }
}

/// Reading that ends where the connection does.
trait BufReadExt {
    /// A line without its end.
    fn line(&mut self) -> Option<String>;
    /// Exactly so many bytes.
    fn take_exactly(&mut self, count: usize, into: &mut Vec<u8>, log: &Log) -> bool;
}

impl<R: Read> BufReadExt for BufReader<R> {
    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        self.read_line(&mut line).ok()?;
        line.strip_suffix("\r\n").map(str::to_owned)
    }

    fn take_exactly(&mut self, count: usize, into: &mut Vec<u8>, log: &Log) -> bool {
        let taken = self.take(count as u64).read_to_end(into);
        let taken = taken.unwrap_or_default();
        *log.bytes.lock().expect("a healthy test") += taken;
        log.changed.notify_all();
        taken == count
    }
}
