//! An intake that records what comes, byte for byte, and answers as a test says.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

/// A request as it came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Received {
    /// The request line.
    pub(crate) line: String,
    /// Headers as they were written, in order.
    pub(crate) headers: Vec<String>,
    /// Bytes of the body, the first of them kept.
    pub(crate) body: Vec<u8>,
    /// Length of the body; none when it had no end.
    pub(crate) body_bytes: Option<usize>,
    /// A sum over all bytes of the body and their places.
    pub(crate) checksum: u64,
}

impl Received {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find_map(|line| {
            let (known, value) = line.split_once(": ")?;
            known.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

/// What an upstream does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// Reads it whole and answers.
    Status(u16, &'static str),
    /// Answers before it reads the body.
    Early(u16),
    /// Reads nothing and answers nothing until the end of the test.
    Stall,
    /// Reads this much of the body and closes.
    CutAfter(usize),
    /// Answers in two pieces, the second when [`Upstream::go_on`] says.
    InPieces(&'static str, &'static str),
}

/// Sum over bytes and their places.
pub(crate) fn checksum(sum: u64, at: usize, bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .zip(at as u64 + 1..)
        .fold(sum, |sum, (&byte, place)| sum.wrapping_add(u64::from(byte).wrapping_mul(place)))
}

/// Bytes of a body that are kept.
const KEPT_BYTES: usize = 4096;

#[derive(Debug, Default)]
struct State {
    received: VecDeque<Received>,
    /// Requests whose head came.
    begun: usize,
    goes_on: bool,
}

/// The intake.
#[derive(Debug)]
pub(crate) struct Upstream {
    address: SocketAddr,
    state: Arc<(Mutex<State>, Condvar)>,
}

impl Upstream {
    /// Answers every request like this.
    pub(crate) fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        // A thousand at once are more than the standard library lets wait: the kernel would reset
        // some of them.
        rustix::net::listen(&listener, 4096).expect("room for all who connect at once");
        let address = listener.local_addr().expect("an address");
        let state = Arc::<(Mutex<State>, Condvar)>::default();
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (Ok(stream), state) = (stream, Arc::clone(&shared)) else { return };
                let answer = answer.clone();
                let small = thread::Builder::new().stack_size(128 << 10);
                // A connection that breaks off is what some tests want.
                small.spawn(move || drop(serve(stream, &answer, &state))).expect("a thread");
            }
        });
        Self { address, state }
    }

    /// Base URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Host and port.
    pub(crate) fn authority(&self) -> String {
        self.address.to_string()
    }

    /// Waits for the next request that came whole, or broke off.
    pub(crate) fn next(&self) -> Received {
        let found = self.wait(|state| state.received.pop_front());
        found.expect("a request in time")
    }

    /// Waits until so many heads have come.
    pub(crate) fn wait_begun(&self, count: usize) {
        let begun = self.wait(|state| (state.begun >= count).then_some(()));
        assert!(begun.is_some(), "{} of {count} requests", self.begun());
    }

    /// Heads that have come.
    pub(crate) fn begun(&self) -> usize {
        self.state.0.lock().expect("no panic").begun
    }

    /// Lets answers go on.
    pub(crate) fn go_on(&self) {
        self.state.0.lock().expect("no panic").goes_on = true;
        self.state.1.notify_all();
    }

    fn wait<T>(&self, mut find: impl FnMut(&mut State) -> Option<T>) -> Option<T> {
        let mut found = None;
        let state = self.state.0.lock().expect("no panic");
        drop(self.state.1.wait_timeout_while(state, bed::WAIT_MAX, |state| {
            found = find(state);
            found.is_none()
        }));
        found
    }
}

fn serve(stream: TcpStream, answer: &Answer, shared: &(Mutex<State>, Condvar)) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(120)))?;
    let mut reader = BufReader::with_capacity(64 << 10, stream.try_clone()?);
    let mut writer = stream;
    loop {
        let mut received = Received::default();
        if reader.read_line(&mut received.line)? == 0 {
            return Ok(());
        }
        received.line.truncate(received.line.trim_end().len());
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            received.headers.push(line.to_owned());
        }
        shared.0.lock().expect("no panic").begun += 1;
        shared.1.notify_all();
        match answer {
            Answer::Stall => {
                let waiting = shared.0.lock().expect("no panic");
                drop(shared.1.wait_while(waiting, |state| !state.goes_on));
                return Ok(());
            }
            Answer::Early(status) => {
                write!(writer, "HTTP/1.1 {status} Early\r\nContent-Length: 3\r\n\r\nno\n")?;
                // What else comes is read, so that the answer is not lost by a reset.
                drop(read_body(&mut reader, &mut received, usize::MAX));
                return Ok(());
            }
            Answer::CutAfter(bytes) => {
                drop(read_body(&mut reader, &mut received, *bytes));
                return Ok(());
            }
            Answer::Status(..) | Answer::InPieces(..) => {}
        }
        let read = read_body(&mut reader, &mut received, usize::MAX);
        shared.0.lock().expect("no panic").received.push_back(received);
        shared.1.notify_all();
        read?;
        match answer {
            Answer::Status(status, body) => {
                let length = body.len();
                write!(
                    writer,
                    "HTTP/1.1 {status} Said\r\nX-Intake: yes\r\nKeep-Alive: timeout=5\r\n\
                     Content-Length: {length}\r\n\r\n{body}"
                )?;
            }
            Answer::InPieces(first, second) => {
                let chunk = |text: &str| format!("{:x}\r\n{text}\r\n", text.len());
                let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
                write!(writer, "{head}{}", chunk(first))?;
                let waiting = shared.0.lock().expect("no panic");
                drop(shared.1.wait_while(waiting, |state| !state.goes_on));
                write!(writer, "{}0\r\n\r\n", chunk(second))?;
            }
            Answer::Stall | Answer::Early(_) | Answer::CutAfter(_) => {}
        }
    }
}

/// Reads a body, at most `bytes_max` of it.
fn read_body(
    reader: &mut impl BufRead,
    received: &mut Received,
    bytes_max: usize,
) -> io::Result<()> {
    let length = received.header("content-length").and_then(|length| length.parse().ok());
    let is_chunked = received.header("transfer-encoding") == Some("chunked");
    let mut sum = 0;
    loop {
        let chunk = match (is_chunked, length) {
            (false, length) => length.unwrap_or(0),
            (true, _) => {
                let mut line = String::new();
                reader.read_line(&mut line)?;
                usize::from_str_radix(line.trim(), 16).map_err(io::Error::other)?
            }
        };
        let mut left = chunk;
        while left > 0 {
            let mut buffer = [0; 16 << 10];
            let read = reader.read(&mut buffer[..left.min(16 << 10)])?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let bytes = &buffer[..read];
            received.checksum = checksum(received.checksum, sum, bytes);
            let kept = KEPT_BYTES.saturating_sub(received.body.len()).min(read);
            received.body.extend_from_slice(&bytes[..kept]);
            left -= read;
            sum += read;
            if sum >= bytes_max {
                return Ok(());
            }
        }
        if is_chunked {
            reader.read_line(&mut String::new())?;
        }
        if !is_chunked || chunk == 0 {
            received.body_bytes = Some(sum);
            return Ok(());
        }
    }
}
