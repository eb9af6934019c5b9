//! HTTP of a lane: its listeners, its server, and the pipeline that answers. Without the feature
//! `traces` there is `without/http.rs` in its place, which has the same face.

mod tasks;

use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use receive::{HttpListener, Peer};
use server::{ExchangeOutlet, Head, Identity, Seats, Server, ServerSettings};

pub(crate) use self::tasks::Tasks;
use crate::driver::Drive;
pub use crate::submission::{TraceInbox, TraceSubmitter};
use crate::traces::{Container, TraceSettings, Traces, service_of};
pub use crate::traces::{RequestTap, TraceHandover, TraceOrders};
use crate::{Lane, Now, Output};

/// What a lane serves HTTP with.
pub struct HttpSources {
    /// Listeners of this lane. Those of a Unix socket share one queue with the other lanes.
    pub listeners: Vec<HttpListener>,
    /// Places for connections of each listener, shared by all lanes.
    pub seats: Vec<Arc<Seats>>,
    /// Limits.
    pub settings: ServerSettings,
    /// What answers say about this process to begin with.
    pub identity: Arc<Identity>,
    /// The pipeline behind it.
    pub traces: TraceSettings,
    /// The way to control for requests that the lane does not serve; without one they are 404.
    pub exchanges: Option<ExchangeOutlet>,
    /// Payloads of traces that come without a socket.
    pub submissions: Option<TraceInbox>,
}

/// HTTP of a running lane.
#[derive(Debug)]
pub(crate) struct Http {
    pub(crate) listeners: Vec<(HttpListener, Arc<Seats>)>,
    pub(crate) server: Rc<Server>,
    pub(crate) traces: Traces,
    /// Until the server has it.
    pub(crate) exchanges: Option<ExchangeOutlet>,
    submissions: Option<TraceInbox>,
}

impl Http {
    pub(crate) fn new(sources: HttpSources, lane: u16, now: Now) -> Self {
        let server = Server::new(sources.settings, now.instant);
        server.set_identity(sources.identity);
        server.read_services_with(service_of);
        let listeners = sources.listeners.into_iter().zip(sources.seats).collect();
        let traces = Traces::new(lane, sources.traces, Rc::clone(&server), now);
        Self {
            listeners,
            server,
            traces,
            exchanges: sources.exchanges,
            submissions: sources.submissions,
        }
    }

    /// Takes the next payload that came without a socket. Returns whether there are more to begin.
    pub(crate) fn feed(&mut self, lane: &mut Lane) -> bool {
        let Some(inbox) = &mut self.submissions else { return false };
        inbox.feed(&self.server, lane);
        inbox.waiting() > 0 && !self.traces.is_blocked()
    }

    /// Payloads that wait and came without a socket.
    pub(crate) fn waiting_submissions(&self) -> usize {
        self.submissions.as_ref().map_or(0, TraceInbox::waiting)
    }
}

/// Answers that control may leave waiting before nothing more is begun: some 16 MiB of spans.
const OUTPUTS_WAITING_MAX: usize = 16;

impl Http {
    /// Looks for what is due from time to time.
    pub(crate) fn on_tick(&mut self, lane: &Lane) {
        self.traces.look_for_tags(lane.snapshot(), false);
    }

    /// Hands over what control asked for, and what is too much to keep.
    pub(crate) fn obey_orders(&mut self, lane: &mut Lane, now: Now) {
        for orders in std::mem::take(&mut lane.trace_orders) {
            self.traces.obey(*orders);
            let mut handover = self.traces.hand_over(now);
            handover.pending += self.waiting_submissions();
            lane.port.answer(Output::Traces(Box::new(handover)));
        }
        let is_behind = lane.port.waiting() >= OUTPUTS_WAITING_MAX;
        if self.traces.is_full() && !is_behind {
            let handover = self.traces.hand_over(now);
            lane.port.answer(Output::Traces(Box::new(handover)));
        }
        self.traces.hold(is_behind && !lane.is_stopping());
    }

    /// Starts over after a panic.
    pub(crate) fn restart(&mut self, now: Now) {
        self.traces.restart(now);
    }

    /// Accepts no more connections.
    pub(crate) fn close_listeners(&mut self) {
        self.listeners.clear();
    }

    /// Hands everything over, at the end.
    pub(crate) fn finish(&mut self, lane: &mut Lane, now: Now) {
        self.traces.obey(TraceOrders {
            stats_until_ns: Some(now.unix_us.saturating_mul(1000)),
            is_last: true,
            ..TraceOrders::default()
        });
        let handover = self.traces.hand_over(now);
        lane.port.answer(Output::Traces(Box::new(handover)));
    }
}

impl Drive {
    /// The trace pipeline, with the lane beside it.
    pub(crate) fn traces(&mut self) -> Option<(&mut Lane, &mut Traces)> {
        self.http.as_mut().map(|http| (&mut self.lane, &mut http.traces))
    }
}

impl Lane {
    /// The container of who sent an HTTP request.
    pub(crate) fn container_of(&mut self, head: &Head, now: Now) -> Container {
        let peer = match head.peer {
            Peer::Unix(peer) => self.origin_of(peer, now),
            Peer::Tcp(_) => None,
        };
        Container::of(head, peer.as_ref(), self.snapshot())
    }
}

impl fmt::Debug for HttpSources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpSources").field("settings", &self.settings).finish_non_exhaustive()
    }
}
