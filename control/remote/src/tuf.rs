//! Signed documents: keys, roots, lists, and the update of one repository. spec: remote-config §5

mod document;
mod glob;
mod key;
mod list;
mod lookup;
mod repository;
mod root;

pub(crate) use list::TargetMeta;
pub(crate) use lookup::Lookup;
pub(crate) use repository::{Received, Repository, Trusted};
pub(crate) use root::Root;

pub use document::check_document;
