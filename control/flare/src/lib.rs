//! A flare: one archive about an agent for the people of support, and its way to them.
//! spec: config §10, §12.2; remote-config §7.2
//!
//! ```text
//! Member (name, closure) --collect: a thread and a time limit each--> Content
//!     Content -> Scrubber -> Archive (zip, bounded) -> Collected
//!     Collected -> Upload: HEAD, redirects, POST multipart, streamed -> Receipt
//! ```
//!
//! Who makes the flare names the members; [`members_of`] gives those that need no running agent.
//! The agent makes flares when remote configuration asks for one, the command `flare` when a person
//! does.
//!
//! Invariants:
//! - Nothing gets into an archive but through the [`Scrubber`], which knows the rules of the spec
//!   and every secret that any layer of the configuration holds.
//! - An archive holds at most so many bytes of contents as it was allowed, and says of each member
//!   that is missing, cut or late why it is.
//! - A member that hangs or panics costs its time limit and its thread, nothing else.
//! - The API key travels in one header, to hosts that the intake itself names, and never back from
//!   TLS to clear text.
//!
//! Costs: an archive is held in memory once, and in pieces that share that memory while it is sent;
//! a flare of an idle agent has some 60 KiB.

#![forbid(unsafe_code)]

mod about;
mod archive;
mod collect;
mod environment;
mod files;
mod form;
mod scrub;
mod upload;
mod zip;

pub use about::{About, members_of};
pub use archive::{Archive, Collected};
pub use collect::{Bounds, Content, Member, collect};
pub use environment::environment_text;
pub use files::tail;
pub use scrub::Scrubber;
pub use upload::{Asker, Case, Receipt, Upload, UploadError, check_case};
pub use zip::ArchiveError;
