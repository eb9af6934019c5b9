//! An intake that records what comes, byte for byte, and answers as a test says.
//!
//! It is also every host of a site at once: a proxy that opens each tunnel to itself and speaks TLS
//! there, so that an agent under test can be left to its default URLs.

mod serve;

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use crate::WAIT_MAX;

/// A request as it came.
#[derive(Clone, Debug, Default)]
pub struct UpstreamRequest {
    /// Host that a tunnel was asked for, which is the one of the request; empty without a tunnel.
    pub host: String,
    /// The request line.
    pub line: String,
    /// Method.
    pub method: String,
    /// Path without the query.
    pub path: String,
    /// Query without `?`.
    pub query: String,
    /// Headers as they were written, in order.
    pub headers: Vec<String>,
    /// Bytes of the body without its framing, the first of them kept.
    pub body: Vec<u8>,
    /// Length of the body; none when it had no end.
    pub body_bytes: Option<usize>,
    /// A sum over all bytes of the body and their places.
    pub checksum: u64,
}

impl UpstreamRequest {
    /// The value of a header, in any letter case.
    ///
    /// # Panics
    /// When it comes twice.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then(|| value.trim())
        });
        let value = values.next();
        assert!(values.next().is_none(), "{name} comes twice: {:?}", self.headers);
        value
    }
}

/// What an upstream does with a request.
#[derive(Clone, Copy, Debug)]
pub enum UpstreamAnswer {
    /// Reads it whole and answers.
    Status(u16, &'static str),
    /// Reads it whole and answers 200 with what this says.
    Says(fn(&UpstreamRequest) -> String),
    /// Answers before it reads the body.
    Early(u16),
    /// Reads nothing and answers nothing until the end of the test.
    Stall,
    /// Reads this much of the body and closes.
    CutAfter(usize),
    /// Answers in two pieces, the second when [`Upstream::go_on`] says.
    InPieces(&'static str, &'static str),
    /// Announces more than it says, and closes: to the first request. Others it answers with 200.
    FirstCut(&'static str),
}

/// Sum over bytes and their places.
#[must_use]
pub fn checksum(sum: u64, at: usize, bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .zip(at as u64 + 1..)
        .fold(sum, |sum, (&byte, place)| sum.wrapping_add(u64::from(byte).wrapping_mul(place)))
}

/// Bytes of a body that are kept unless a test says otherwise.
const KEPT_BYTES: usize = 8 << 20;
/// Connections that wait to be accepted. A thousand at once are more than the standard library
/// lets wait: the kernel would reset some of them.
const BACKLOG: i32 = 4096;
/// Stack of the thread of a connection.
const STACK_BYTES: usize = 512 << 10;

#[derive(Debug, Default)]
struct State {
    received: Vec<UpstreamRequest>,
    /// Requests that [`Upstream::next`] has given.
    given: usize,
    /// Requests whose head came.
    begun: usize,
    goes_on: bool,
}

type Shared = Arc<(Mutex<State>, Condvar)>;

/// The intake. Its threads end with the test process.
#[derive(Debug)]
pub struct Upstream {
    address: SocketAddr,
    shared: Shared,
}

impl Upstream {
    /// Answers every request like this.
    ///
    /// # Panics
    /// When there is no port left.
    #[must_use]
    pub fn start(answer: UpstreamAnswer) -> Self {
        Self::start_keeping(answer, KEPT_BYTES)
    }

    /// The same, keeping the first bytes of each body only.
    ///
    /// # Panics
    /// When there is no port left.
    #[must_use]
    pub fn start_keeping(answer: UpstreamAnswer, kept_bytes: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        rustix::net::listen(&listener, BACKLOG).expect("room for all who connect at once");
        let address = listener.local_addr().expect("an address");
        let shared = Shared::default();
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&serving);
                let serve = move || serve::serve(client, answer, kept_bytes, &shared);
                let thread = thread::Builder::new().stack_size(STACK_BYTES);
                // A client that breaks off is the business of the test.
                thread.spawn(move || drop(serve())).expect("a thread");
            }
        });
        Self { address, shared }
    }

    /// Base URL, which is also one for `proxy.https`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Host and port.
    #[must_use]
    pub fn authority(&self) -> String {
        self.address.to_string()
    }

    /// Waits for the next request that came whole, or broke off.
    ///
    /// # Panics
    /// When none comes.
    #[must_use]
    pub fn next(&self) -> UpstreamRequest {
        let next = |state: &mut State| {
            let next = state.received.get(state.given).cloned()?;
            state.given += 1;
            Some(next)
        };
        self.wait(next).expect("a request in time")
    }

    /// Waits for a request to a path.
    ///
    /// # Panics
    /// When none comes.
    #[must_use]
    pub fn at(&self, path: &str) -> UpstreamRequest {
        let found = self.wait(|state| state.received.iter().find(|one| one.path == path).cloned());
        assert!(found.is_some(), "no request for {path}");
        found.unwrap_or_default()
    }

    /// What came so far.
    ///
    /// # Panics
    /// When one of its threads panicked.
    #[must_use]
    pub fn requests(&self) -> Vec<UpstreamRequest> {
        self.shared.0.lock().expect("no panic").received.clone()
    }

    /// Waits until so many heads have come.
    ///
    /// # Panics
    /// When they do not.
    pub fn wait_begun(&self, count: usize) {
        let begun = self.wait(|state| (state.begun >= count).then_some(()));
        assert!(begun.is_some(), "{} of {count} requests", self.begun());
    }

    /// Heads that have come.
    ///
    /// # Panics
    /// When one of its threads panicked.
    #[must_use]
    pub fn begun(&self) -> usize {
        self.shared.0.lock().expect("no panic").begun
    }

    /// Lets answers go on.
    ///
    /// # Panics
    /// When one of its threads panicked.
    pub fn go_on(&self) {
        self.shared.0.lock().expect("no panic").goes_on = true;
        self.shared.1.notify_all();
    }

    fn wait<T>(&self, mut find: impl FnMut(&mut State) -> Option<T>) -> Option<T> {
        let mut found = None;
        let state = self.shared.0.lock().expect("no panic");
        drop(self.shared.1.wait_timeout_while(state, WAIT_MAX, |state| {
            found = find(state);
            found.is_none()
        }));
        found
    }
}
