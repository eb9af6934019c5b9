//! HTTP of a lane: its listeners, its server, and the pipeline that answers.

use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use receive::HttpListener;
use server::{ExchangeOutlet, Identity, Seats, Server, ServerSettings};

use crate::traces::{TraceSettings, Traces, service_of};
use crate::{Lane, Now, TraceInbox};

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

impl fmt::Debug for HttpSources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpSources").field("settings", &self.settings).finish_non_exhaustive()
    }
}
