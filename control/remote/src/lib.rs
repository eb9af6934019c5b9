//! Remote configuration: polling, verification, store, serving. spec: remote-config
//!
//! ```text
//! backend --POST configurations--> Poller: stage -> finish -> Store::commit -> Service::commit
//!                                               refused: everything stays          |
//! tracer --POST /v0.7/config--> Remote::client_configs -> Service::ask, answer <---+
//! subscriptions of the agent <------------------------------------- dispatch <-----'
//! ```
//!
//! - [`uptane`](Repositories): both repositories and the files as one value that never changes. An
//!   answer makes another value beside it, which is verified whole before it takes its place; so
//!   there is nothing to roll back, and no reader sees a half.
//! - `tuf`: signed documents and the update of one repository. The rules are those of go-tuf as the
//!   Agent uses it, which differ from those of other clients: documents come with the answer
//!   instead of being fetched, an equal timestamp ends an update, roots may be named by any key id,
//!   and delegated roles are looked at for what they list alone.
//! - `store`: the last verified value in one file, replaced by a rename, verified again when read.
//! - `client`: what tracers ask and get.
//! - `service`: the state machine of all that, which is told the time.
//! - `task`: the thread with the sockets; it decides nothing.
//! - `product`: what the agent itself reads, as pure functions.
//!
//! It deliberately knows no configuration key and applies nothing: the agent does.
//!
//! Invariants:
//! - Nothing is served or applied that does not verify from the anchors on, stored or received.
//! - A refused answer changes nothing but a counter and the error that the backend is told.
//! - Memory is bounded by [`Limits`], and by 2 s per request of a client.
//! - Documents are stored and served as they were received: another form would not fit its hash.
//!
//! Costs: an answer takes some 50 us a signature and its bytes twice over; a request of a client
//! one look at each target, a microsecond or so, and its answer's bytes.

#![forbid(unsafe_code)]

mod anchors;
mod backend;
mod canonical;
mod client;
mod counts;
mod hash;
mod legacy_key;
pub mod message;
mod own;
mod path;
mod predicate;
pub mod product;
mod refused;
mod rfc3339;
mod schedule;
mod service;
mod settings;
#[cfg(test)]
mod signing;
mod store;
mod task;
mod tuf;
mod uptane;
#[cfg(test)]
mod vectors;
mod version;

pub use anchors::{anchors_of_site, with_own as anchors_with_own};
pub use backend::check_answer;
pub use canonical::{NoCanonicalForm, canonical, check_canonical};
pub use client::check_request;
pub use counts::{AppliedReport, ClientReport, ConfigurationReport, Counts, OrgStatus, Report};
pub use legacy_key::{BadLegacyKey, LegacyKey};
pub use own::{Acks, Apply, Subscription};
pub use path::ConfigPath;
pub use refused::{Cause, Refused};
pub use service::Reply;
pub use settings::{Identity, Limits, Settings};
pub use store::check_store;
pub use task::Remote;
pub use tuf::check_document;
pub use uptane::{Anchors, Organisation, Repositories, Staged, Versions};
