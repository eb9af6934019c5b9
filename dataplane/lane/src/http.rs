//! HTTP of a lane: its listeners, its server, and the worker that answers.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use receive::HttpListener;
use server::{Answer, Identity, Refusal, Request, Route, Server, ServerSettings};

use crate::Now;
use crate::driver::Drive;

/// What a lane serves HTTP with.
pub struct HttpSources {
    /// Listeners of this lane. Those of a Unix socket share one queue with the other lanes.
    pub listeners: Vec<HttpListener>,
    /// Limits.
    pub settings: ServerSettings,
    /// What answers say about this process to begin with.
    pub identity: Arc<Identity>,
}

/// HTTP of a running lane.
#[derive(Debug)]
pub(crate) struct Http {
    pub(crate) listeners: Vec<HttpListener>,
    pub(crate) server: Rc<Server>,
}

impl Http {
    pub(crate) fn new(sources: HttpSources, now: Now) -> Self {
        let server = Server::new(sources.settings, now.instant);
        server.set_identity(sources.identity);
        Self { listeners: sources.listeners, server }
    }
}

/// Answers the requests of a lane until its server has stopped.
pub(crate) async fn worker(_drive: Rc<RefCell<Drive>>, server: Rc<Server>) {
    while server.requested().await {
        while let Some(request) = server.next_request() {
            answer(&server, request);
            futures_lite::future::yield_now().await;
        }
    }
}

fn answer(server: &Server, request: Request) {
    let answer = match (request.refusal, request.head.route) {
        (Some(Refusal::Busy), _) => Answer::busy(&request.head, &server::Rates::default(), false),
        (Some(_), _) => Answer::timeout(),
        (None, Route::Info) => Answer::info(&server.identity(), None),
        (None, _) => Answer::not_found(),
    };
    request.answer(answer);
}

impl fmt::Debug for HttpSources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpSources").field("settings", &self.settings).finish_non_exhaustive()
    }
}
