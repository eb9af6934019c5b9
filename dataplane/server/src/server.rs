//! The server of a lane: what its connections, its worker and its driver share.

use std::cell::{Cell, Ref, RefCell};
use std::future::poll_fn;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::body::Incoming;
use receive::Peer;

use crate::body::Budget;
use crate::counts::Senders;
use crate::inbox::{Inbox, Patience};
use crate::link::{Link, Overdue, Phase};
use crate::relay::{Exchanging, Handover};
use crate::{
    Body, ExchangeOutlet, Gate, Head, Identity, Origin, Permit, Proxy, Refusal, Reply, Request,
    Route, Seats, SenderRefusals, ServerCounts, TraceVersion,
};

/// Limits of a lane's server.
#[derive(Clone, Copy, Debug)]
pub struct ServerSettings {
    /// Longest body in bytes, which is still accepted (`apm_config.max_payload_size`).
    pub request_bytes_max: usize,
    /// Bytes that the bodies of the lane may take together, from their first byte until the worker
    /// lets go of them.
    pub in_flight_bytes_max: usize,
    /// Most requests that wait for the worker.
    pub waiting_requests_max: usize,
    /// Time for a request to come, for an answer to be read, and for stats to wait for the worker
    /// (`apm_config.receiver_timeout`).
    pub receiver_timeout: Duration,
    /// Time that traces wait for the worker (`apm_config.decoder_timeout`).
    pub decoder_timeout: Duration,
    /// Most open connections of one listener (`apm_config.max_connections`).
    pub connections_max: usize,
    /// Most TCP connections accepted in 30 s (`apm_config.connection_limit`).
    pub connections_per_window_max: Option<u32>,
    /// Whether `/v1.0/traces` exists (`apm_config.enable_v1_trace_endpoint`).
    pub is_v1_enabled: bool,
}

impl ServerSettings {
    /// Places for the connections of one listener, which all its lanes share; the rate limit is for
    /// TCP alone.
    #[must_use]
    pub fn seats(&self, is_tcp: bool, now: Instant) -> Arc<Seats> {
        let taken_max = self.connections_per_window_max.filter(|_| is_tcp);
        Arc::new(Seats::new(self.connections_max, taken_max, now))
    }
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            request_bytes_max: 25 << 20,
            in_flight_bytes_max: 64 << 20,
            waiting_requests_max: 1024,
            receiver_timeout: Duration::from_secs(5),
            decoder_timeout: Duration::from_secs(1),
            connections_max: 1000,
            connections_per_window_max: None,
            is_v1_enabled: true,
        }
    }
}

/// The server of one lane. It belongs to one thread; time is told by the driver.
#[derive(Debug)]
pub struct Server {
    pub(crate) settings: ServerSettings,
    pub(crate) budget: Rc<Budget>,
    now: Cell<Instant>,
    identity: RefCell<Arc<Identity>>,
    inbox: RefCell<Inbox>,
    links: RefCell<Vec<Rc<Link>>>,
    gates: RefCell<Vec<Rc<Gate>>>,
    handover: RefCell<Option<Handover>>,
    counts: RefCell<ServerCounts>,
    senders: RefCell<Senders>,
    service_reader: Cell<Option<ServiceReader>>,
    /// Requests begun and not yet answered.
    busy: Cell<usize>,
    /// When the server was told to stop.
    stopping: Cell<Option<Instant>>,
}

/// Finds the service of a sender in the first bytes of its body; empty when there is none.
pub type ServiceReader = fn(&Head, &[u8]) -> String;

/// Time that idle connections get after a stop: a request may be on its way.
const LAST_REQUEST: Duration = Duration::from_millis(100);
/// Time that requests under way get after a stop. spec: apm §1.
const STOP: Duration = Duration::from_secs(5);

impl Server {
    /// A server without connections.
    #[must_use]
    pub fn new(settings: ServerSettings, now: Instant) -> Rc<Self> {
        Rc::new(Self {
            settings,
            budget: Budget::new(settings.in_flight_bytes_max),
            now: Cell::new(now),
            identity: RefCell::new(Identity::new("", "", Bytes::new())),
            inbox: RefCell::default(),
            links: RefCell::default(),
            gates: RefCell::default(),
            handover: RefCell::default(),
            counts: RefCell::default(),
            senders: RefCell::default(),
            service_reader: Cell::new(None),
            busy: Cell::new(0),
            stopping: Cell::new(None),
        })
    }

    /// Names the services of senders that are refused by what this finds.
    pub fn read_services_with(&self, reader: ServiceReader) {
        self.service_reader.set(Some(reader));
    }

    /// Tells the time: once in each turn of the driver, before tasks run.
    pub fn advance(&self, now: Instant) {
        self.now.set(now);
    }

    /// The time that was told last.
    #[must_use]
    pub const fn now(&self) -> Instant {
        self.now.get()
    }

    /// What answers say about this process from now on.
    pub fn set_identity(&self, identity: Arc<Identity>) {
        *self.identity.borrow_mut() = identity;
    }

    /// What answers say about this process.
    #[must_use]
    pub fn identity(&self) -> Arc<Identity> {
        Arc::clone(&self.identity.borrow())
    }

    /// Hands requests for proxies over to control from now on. `alarm` wakes the driver of the lane
    /// out of its sleep, `resolve` says where a request comes from.
    pub fn hand_over(
        &self,
        outlet: ExchangeOutlet,
        alarm: Waker,
        resolve: impl Fn(&Head) -> Origin + 'static,
    ) {
        let handover = Handover::new(outlet, alarm, Box::new(resolve));
        *self.handover.borrow_mut() = Some(handover);
    }

    pub(crate) fn is_handing_over(&self) -> bool {
        self.handover.borrow().is_some()
    }

    /// Hands nothing over any more.
    pub fn take_outlet(&self) -> Option<ExchangeOutlet> {
        self.handover.take().map(Handover::into_outlet)
    }

    /// Admission to one more listener, by the places that it has on all lanes.
    #[must_use]
    pub fn new_gate(&self, seats: Arc<Seats>) -> Rc<Gate> {
        let gate = Gate::new(seats, self.now());
        if self.stopping.get().is_some() {
            gate.close();
        }
        self.gates.borrow_mut().push(Rc::clone(&gate));
        gate
    }

    /// The next request for the worker: refusals first, then what costs next to nothing, then the
    /// oldest. A request that waited too long comes as one to be refused.
    pub fn next_request(&self) -> Option<Request> {
        self.inbox.borrow_mut().pop(self.now(), self.patience())
    }

    /// Waits until there is a request; false when the server has stopped and none will come. One
    /// task may wait.
    pub async fn requested(&self) -> bool {
        poll_fn(|cx| self.inbox.borrow_mut().poll_filled(cx, self.is_stopped())).await
    }

    /// Whether [`Self::next_request`] is one that costs next to nothing: a refusal, `/info`,
    /// services. It can be answered even when there is no room for new work.
    #[must_use]
    pub fn has_prompt_request(&self) -> bool {
        let mut inbox = self.inbox.borrow_mut();
        inbox.expire(self.now(), self.patience());
        inbox.has_prompt()
    }

    /// Whether requests are being read, worked on or answered; those with control do not count.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.busy.get() > 0
    }

    /// Requests that wait for the worker.
    #[must_use]
    pub fn waiting_requests(&self) -> usize {
        self.inbox.borrow().len()
    }

    /// Bytes that bodies take now.
    #[must_use]
    pub fn in_flight_bytes(&self) -> usize {
        self.budget.used()
    }

    /// Bytes of bodies on their way to control and back.
    #[must_use]
    pub fn exchange_bytes(&self) -> usize {
        self.handover.borrow().as_ref().map_or(0, Handover::bytes)
    }

    /// Open connections.
    #[must_use]
    pub fn open_connections(&self) -> usize {
        self.links.borrow().len()
    }

    /// Counters since the start.
    #[must_use]
    pub fn counts(&self) -> Ref<'_, ServerCounts> {
        self.counts.borrow()
    }

    /// Who was refused what.
    #[must_use]
    pub fn refusals(&self) -> Ref<'_, [SenderRefusals]> {
        Ref::map(self.senders.borrow(), Senders::rows)
    }

    /// Enforces the timeouts. Call it about ten times a second.
    pub fn tick(&self, now: Instant) {
        self.advance(now);
        self.inbox.borrow_mut().expire(now, self.patience());
        let gates = self.gates.borrow().clone();
        for gate in gates {
            gate.tick(now);
        }
        // Waking a task may end it elsewhere: nothing is borrowed meanwhile.
        let links = self.links.borrow().clone();
        for link in &links {
            match link.check(now, self.settings.receiver_timeout) {
                Some(Overdue::Idle) => self.count(|counts| counts.connections_evicted += 1),
                Some(Overdue::Head) => self.count(|counts| counts.head_timeouts += 1),
                Some(Overdue::Writing) => self.count(|counts| counts.write_timeouts += 1),
                None => {}
            }
        }
        if let Some(since) = self.stopping.get() {
            let is_over = now.saturating_duration_since(since) >= STOP;
            for link in links {
                let is_silent = matches!(link.phase(), Phase::Idle | Phase::Head);
                if is_over || is_silent && link.age(now) >= LAST_REQUEST {
                    link.close();
                }
            }
        }
    }

    /// Accepts nothing more, and ends each connection after its request. Ticks do the rest: those
    /// without a request are closed soon, all others after five seconds.
    pub fn stop(&self) {
        if self.stopping.get().is_some() {
            return;
        }
        self.stopping.set(Some(self.now()));
        for gate in self.gates.borrow().iter() {
            gate.close();
        }
        self.inbox.borrow_mut().wake_worker();
    }

    /// Whether the server was told to stop and all connections have ended.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        let is_accepting = self.gates.borrow().iter().any(|gate| !gate.is_done());
        self.is_stopping() && !is_accepting && self.open_connections() == 0
    }

    /// Forgets what tasks left behind that ended in the middle of their work, as when the lane
    /// panicked. Their connections are closed and counted already.
    pub fn restart(&self) {
        drop(self.inbox.take());
        self.gates.borrow_mut().clear();
    }

    pub(crate) const fn is_stopping(&self) -> bool {
        self.stopping.get().is_some()
    }

    pub(crate) fn end_gate(&self, gate: &Gate) {
        gate.finish();
        self.inbox.borrow_mut().wake_worker();
    }

    pub(crate) fn begin_request(&self, link: &Link, route: Route) {
        link.has_request.set(true);
        self.busy.set(self.busy.get() + 1);
        self.count(|counts| counts.requests[route.index()] += 1);
    }

    pub(crate) fn end_request(&self, link: &Link) -> bool {
        let had_request = link.has_request.take();
        if had_request && !link.is_away.take() {
            self.busy.set(self.busy.get().saturating_sub(1));
        }
        had_request
    }

    /// Hands a request over to control; none when control takes none.
    pub(crate) fn begin_exchange(
        &self,
        link: &Link,
        proxy: Proxy,
        head: &Head,
        request: http::Request<Incoming>,
    ) -> Option<Exchanging> {
        let begun = self.handover.borrow().as_ref()?.begin(proxy, head, request)?;
        link.enter(Phase::Exchange, self.now());
        // The lane may rest meanwhile.
        link.is_away.set(true);
        link.is_uploaded.set(false);
        self.busy.set(self.busy.get().saturating_sub(1));
        self.count(|counts| counts.exchanges += 1);
        Some(begun)
    }

    /// Takes a payload of traces that came without a connection: a request like others, whose
    /// answer nobody reads.
    pub fn submit_traces(self: &Rc<Self>, version: TraceVersion, payload: Vec<u8>) {
        let route = Route::Traces(version);
        let msgpack = HeaderValue::from_static("application/msgpack");
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, msgpack)]);
        let nobody = Peer::Tcp((Ipv4Addr::LOCALHOST, 0).into());
        let head = Head::new(route, nobody, &headers);
        self.count(|counts| {
            counts.requests[route.index()] += 1;
            counts.body_bytes += payload.len() as u64;
        });
        self.submit(Request {
            reply: Reply::to_nobody(Rc::clone(self), head.clone()),
            head,
            body: Body::whole(payload),
            received: self.now(),
            refusal: None,
        });
    }

    pub(crate) fn submit(&self, request: Request) {
        self.inbox.borrow_mut().push(request, self.settings.waiting_requests_max);
    }

    pub(crate) fn count(&self, count: impl FnOnce(&mut ServerCounts)) {
        count(&mut self.counts.borrow_mut());
    }

    /// Counts a refusal with its sender, whose service is told by the worker, by the beginning of
    /// the body, or by the tags of the process.
    pub(crate) fn count_refusal(
        &self,
        head: &Head,
        refusal: Refusal,
        service: Option<&str>,
        prefix: &[u8],
    ) {
        let read = |read: ServiceReader| read(head, prefix);
        let of_body = || self.service_reader.get().map(read).unwrap_or_default();
        let service = service.map_or_else(of_body, str::to_owned);
        let service = if service.is_empty() { head.process_service() } else { &service };
        self.senders.borrow_mut().add(head, service, refusal);
    }

    pub(crate) fn link(&self, permit: Permit) -> Rc<Link> {
        let mut links = self.links.borrow_mut();
        let link = Rc::new(Link::new(links.len(), permit, self.now()));
        links.push(Rc::clone(&link));
        self.count(|counts| counts.connections += 1);
        link
    }

    pub(crate) fn unlink(&self, link: &Link) {
        let mut links = self.links.borrow_mut();
        let index = link.index.get();
        drop(links.swap_remove(index));
        if let Some(moved) = links.get(index) {
            moved.index.set(index);
        }
        drop(links);
        let is_lost = self.end_request(link);
        self.count(|counts| {
            counts.connections_closed += 1;
            counts.requests_lost += u64::from(is_lost);
        });
        if self.is_stopping() {
            self.inbox.borrow_mut().wake_worker();
        }
    }

    const fn patience(&self) -> Patience {
        Patience { traces: self.settings.decoder_timeout, stats: self.settings.receiver_timeout }
    }
}
