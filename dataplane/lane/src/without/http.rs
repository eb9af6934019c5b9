//! No HTTP: what stands in for it in a build without the feature `traces`. Nothing here can be
//! made.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;

use server::{Reactor, TraceVersion};

use crate::driver::Drive;
use crate::{Lane, Now, SubmitError};

/// What a lane would serve HTTP with.
#[derive(Debug)]
pub enum HttpSources {}

/// HTTP of a running lane.
#[derive(Debug)]
pub(crate) enum Http {}

/// The tasks of a lane's HTTP.
#[derive(Debug)]
pub(crate) enum Tasks {}

/// What would take copies of requests.
#[derive(Debug)]
pub enum RequestTap {}

/// What a lane would be told about traces.
#[derive(Debug)]
pub enum TraceOrders {}

/// What a lane would hand over.
#[derive(Debug)]
pub enum TraceHandover {}

/// The way of traces into a lane without a socket.
#[derive(Debug)]
pub enum TraceSubmitter {}

/// The lane's end of it.
#[derive(Debug)]
pub enum TraceInbox {}

impl TraceSubmitter {
    /// Would copy a payload.
    ///
    /// # Errors
    /// None, as there is none to call it on.
    pub fn submit(&mut self, _: TraceVersion, _: &[u8]) -> Result<(), SubmitError> {
        match *self {}
    }
}

impl Http {
    pub(crate) fn new(sources: HttpSources, _: u16, _: Now) -> Self {
        match sources {}
    }

    pub(crate) fn feed(&mut self, _: &mut Lane) -> bool {
        match *self {}
    }

    pub(crate) fn waiting_submissions(&self) -> usize {
        match *self {}
    }

    pub(crate) fn on_tick(&mut self, _: &Lane) {
        match *self {}
    }

    pub(crate) fn obey_orders(&mut self, _: &mut Lane, _: Now) {
        match *self {}
    }

    pub(crate) fn restart(&mut self, _: Now) {
        match *self {}
    }

    pub(crate) fn close_listeners(&mut self) {
        match *self {}
    }

    pub(crate) fn finish(&mut self, _: &mut Lane, _: Now) {
        match *self {}
    }
}

impl Tasks {
    pub(crate) fn start(_: &Rc<RefCell<Drive>>, _: &Rc<Reactor>) -> io::Result<Option<Self>> {
        Ok(None)
    }

    pub(crate) fn run(&mut self) -> bool {
        match *self {}
    }

    pub(crate) fn is_busy(&self) -> bool {
        match *self {}
    }

    pub(crate) fn is_stopped(&mut self, _: Now, _: bool) -> bool {
        match *self {}
    }
}
