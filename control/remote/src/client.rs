//! Clients: what they ask, who they are, and what they get. spec: remote-config §6

mod answer;
mod registry;
mod request;

pub(crate) use answer::{Answer, build, matching};
pub(crate) use registry::{Registry, Seen};
pub(crate) use request::{CachedFile, ClientRequest, RequestError};

pub use request::check_request;
