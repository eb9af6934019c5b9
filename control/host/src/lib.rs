//! Who this host is: its name, its tags, and the metadata that makes it appear in the product.
//!
//! ```text
//! settings + files --candidates--> Candidates --resolve_name--> HostName
//! /proc /sys /etc  --HostFacts::read--> facts --metadata_payload--> JSON for /intake/
//! tags, extra_tags, env --host_tags--> sorted list
//! ```
//!
//! Gathering (reads files, runs `hostname -f`) is apart from deciding (pure), so that every rule is
//! tested on plain values. All files are found through [`Roots`], which tests point elsewhere.
//!
//! Deliberately not here: cloud providers, container runtimes and Kubernetes. [`Candidates`] has a
//! place for the names they find.
//!
//! Invariants: a missing or odd file leaves its fields out and never fails the payload; every read
//! is bounded; nothing here reads the environment. spec: cloud §1, §2, §14-16, metrics-intake §9.

#![forbid(unsafe_code)]

mod candidates;
mod facts;
mod gohai;
mod mounts;
mod name;
mod network;
mod payload;
mod roots;
mod tags;
mod validate;
mod zone;

pub use candidates::{FQDN_TIMEOUT, candidates};
pub use facts::{CpuFacts, HostFacts, KernelFacts, MemoryFacts, OsFacts};
pub use gohai::gohai;
pub use mounts::FileSystem;
pub use name::{
    Candidates, HostName, HostNameError, HostNameFile, NameSettings, NameWarning, Provider,
    resolve_name,
};
pub use network::{Interface, NetworkFacts};
pub use payload::{MetadataSettings, metadata_payload};
pub use roots::Roots;
pub use tags::{TagSettings, host_tags};
pub use validate::{HostNameRefused, check_host_name, normalize_host_name};
