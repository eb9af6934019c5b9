//! The server of a lane with its driver, its worker and its clients.

use std::cell::{Cell, RefCell};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::rc::Rc;
use std::time::{Duration, Instant};

use async_executor::LocalExecutor;
use bytes::Bytes;
use corelane_server::{
    Answer, Head, Identity, Rates, Reactor, Refusal, Request, Route, Server, ServerSettings,
    accept_connections, serve_connection,
};
use receive::HttpListener;

/// A lane's server, its driver and its worker.
pub(crate) struct Bed {
    settings: ServerSettings,
    pub(crate) server: Rc<Server>,
    pub(crate) reactor: Rc<Reactor>,
    pub(crate) executor: Rc<LocalExecutor<'static>>,
    pub(crate) address: SocketAddr,
    pub(crate) now: Cell<Instant>,
    /// Requests that were answered: heads and bodies.
    pub(crate) seen: RefCell<Vec<(Head, Vec<u8>)>>,
    pub(crate) is_worker_idle: Cell<bool>,
}

pub(crate) const LIMIT: usize = 1000;
/// Turns after which a test has failed.
const TURNS_MAX: usize = 20_000;

pub(crate) fn settings() -> ServerSettings {
    ServerSettings { request_bytes_max: LIMIT, connections_max: 4, ..ServerSettings::default() }
}

impl Bed {
    pub(crate) fn new(settings: ServerSettings) -> Self {
        let now = Instant::now();
        let server = Server::new(settings, now);
        let info = Bytes::from_static(b"{\n\t\"version\": \"7\"\n}");
        server.set_identity(Identity::new("7.0", "abc", info));
        let reactor = Reactor::new().unwrap();
        let executor = Rc::new(LocalExecutor::new());
        let listener = HttpListener::bind_tcp("127.0.0.1:0".parse().unwrap(), 1).unwrap().remove(0);
        let address = listener.address().unwrap();
        let bed = Self {
            settings,
            server,
            reactor,
            executor,
            address,
            now: Cell::new(now),
            seen: RefCell::default(),
            is_worker_idle: Cell::new(false),
        };
        bed.listen(listener);
        bed
    }

    pub(crate) fn listen(&self, listener: HttpListener) {
        let seats = self.settings.seats(listener.address().is_some(), self.server.now());
        let gate = self.server.new_gate(seats);
        let listener = self.reactor.add_listener(listener).unwrap();
        let (server, executor) = (Rc::clone(&self.server), Rc::clone(&self.executor));
        let accept = accept_connections(listener, gate, Rc::clone(&self.server), {
            move |stream, permit| {
                let (peer, hang_up) = (stream.peer(), stream.hang_up());
                let serve = serve_connection(stream, peer, hang_up, permit, Rc::clone(&server));
                executor.spawn(serve).detach();
            }
        });
        self.executor.spawn(accept).detach();
    }

    pub(crate) fn turn(&self) {
        self.reactor.turn(Duration::from_millis(1), |_| {}).unwrap();
        self.server.advance(self.now.get());
        while self.executor.try_tick() {}
        while !self.is_worker_idle.get() {
            let Some(request) = self.server.next_request() else { break };
            self.work(request);
        }
    }

    fn work(&self, request: Request) {
        let rates = Rates::default();
        let answer = match (request.refusal, request.head.route) {
            (Some(Refusal::Busy), _) => Answer::busy(&request.head, &rates, false),
            (Some(_), _) => Answer::timeout(),
            (None, Route::Info) => Answer::info(&self.server.identity(), Some("tags")),
            (None, Route::Stats) => Answer::empty(),
            (None, _) if request.body.bytes() == b"bad" => Answer::malformed("bad"),
            (None, _) => Answer::rates(&request.head, &rates),
        };
        let Request { head, body, reply, .. } = request;
        self.seen.borrow_mut().push((head, body.into_parts().0));
        reply.send(answer);
    }

    pub(crate) fn pass(&self, time: Duration) {
        self.now.set(self.now.get() + time);
        self.server.tick(self.now.get());
        self.turn();
    }

    pub(crate) fn until(&self, is_done: impl Fn() -> bool) {
        for _ in 0..TURNS_MAX {
            if is_done() {
                return;
            }
            self.turn();
        }
        panic!("{:?}", *self.server.counts());
    }

    pub(crate) fn connect(&self) -> Client<'_, TcpStream> {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_nonblocking(true).unwrap();
        Client { bed: self, stream, received: Vec::new() }
    }

    /// Sends one request on a new connection.
    pub(crate) fn ask(&self, request: &str) -> Answered {
        let mut client = self.connect();
        client.send(request);
        client.answer()
    }

    pub(crate) fn check_identities(&self) {
        let counts = self.server.counts();
        let requests: u64 = counts.requests.iter().sum();
        assert_eq!(requests, counts.answers.total() + counts.requests_lost);
        let open = self.server.open_connections() as u64;
        assert_eq!(counts.connections, counts.connections_closed + open);
    }
}

pub(crate) struct Client<'a, S> {
    pub(crate) bed: &'a Bed,
    pub(crate) stream: S,
    pub(crate) received: Vec<u8>,
}

#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answered {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(found, _)| *found == name).map(|(_, value)| value)
    }
}

impl<S: Read + Write> Client<'_, S> {
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let mut rest = bytes.as_ref();
        for _ in 0..TURNS_MAX {
            match self.stream.write(rest) {
                Ok(sent) => rest = &rest[sent..],
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
            self.bed.turn();
            if rest.is_empty() {
                return;
            }
        }
        panic!("the server does not read");
    }

    /// Reads what comes; false at the end.
    pub(crate) fn read(&mut self) -> bool {
        let mut buffer = [0; 4096];
        match self.stream.read(&mut buffer) {
            Ok(received) => {
                self.received.extend_from_slice(&buffer[..received]);
                received > 0
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => false,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                true
            }
        }
    }

    pub(crate) fn answer(&mut self) -> Answered {
        for _ in 0..TURNS_MAX {
            let text = String::from_utf8_lossy(&self.received).into_owned();
            if let Some((head, rest)) = text.split_once("\r\n\r\n") {
                let mut answered = Answered {
                    status: head[9..12].parse().unwrap(),
                    head: head.into(),
                    body: String::new(),
                };
                let length = answered.header("Content-Length").map_or(0, |n| n.parse().unwrap());
                if rest.len() >= length {
                    answered.body = rest[..length].into();
                    self.received.drain(..head.len() + 4 + length);
                    return answered;
                }
            }
            assert!(self.read(), "closed after {text:?}");
            self.bed.turn();
        }
        panic!("no answer: {:?}", *self.bed.server.counts());
    }

    /// Waits until the server closes; nothing more may come.
    pub(crate) fn wait_for_end(&mut self) {
        for _ in 0..TURNS_MAX {
            if !self.read() {
                assert_eq!(String::from_utf8_lossy(&self.received), "");
                return;
            }
            self.bed.turn();
        }
        panic!("not closed: {:?}", *self.bed.server.counts());
    }
}

pub(crate) const CHUNKED: &str = "Host: a\r\nTransfer-Encoding: chunked\r\n";

pub(crate) fn post(path: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("POST {path} HTTP/1.1\r\nHost: a\r\n{headers}Content-Length: {length}\r\n\r\n{body}")
}
